/** A device of the tests that speaks the Jobs protocol with mqtt.js. */
import type { MqttClient } from 'mqtt';
import { nextMessage, type Device, type GatewayDesk } from './gateway-desk.js';

type Message = Record<string, unknown>;

export interface JobDevice {
  readonly client: MqttClient;
  /** Sends `$aws/things/<thing>/jobs/<request>` and waits for the answer to it. Text goes as it is. */
  ask(request: string, payload: Message | string, thingName?: string): Promise<Message & { readonly outcome: string }>;
  /** The next message pushed to `…/jobs/<topic>` that names this job, or with `undefined` the next one that names none. */
  pushed(topic: 'notify' | 'notify-next', jobId: string | undefined, more?: (message: Message) => boolean): Promise<Message>;
}

export async function connectJobDevice(
  desk: GatewayDesk,
  thingName: string,
  { policy, device }: { readonly policy?: string; readonly device?: Device } = {},
): Promise<JobDevice> {
  const enrolled = device ?? (await desk.enrol(thingName, policy === undefined ? {} : { policy }));
  const client = await desk.connect(enrolled, thingName);
  const jobs = `$aws/things/${thingName}/jobs`;
  await client.subscribeAsync([`${jobs}/notify`, `${jobs}/notify-next`], { qos: 1 });
  const own = policy === 'open' ? '$aws/things/+/jobs' : jobs;
  await client.subscribeAsync([`${own}/+/accepted`, `${own}/+/rejected`, `${own}/+/+/accepted`, `${own}/+/+/rejected`], { qos: 1 });
  return {
    client,
    ask: async (request, payload, thing = thingName) => {
      const topic = `$aws/things/${thing}/jobs/${request}`;
      const answered = nextMessage(client, (heard) => heard === `${topic}/accepted` || heard === `${topic}/rejected`);
      await client.publishAsync(topic, typeof payload === 'string' ? payload : JSON.stringify(payload), { qos: 1 });
      const { topic: heard, text } = await answered;
      return { outcome: heard.slice(heard.lastIndexOf('/') + 1), ...(JSON.parse(text) as Message) };
    },
    pushed: async (topic, jobId, more = () => true) => {
      const isWanted = (text: string): boolean =>
        (jobId === undefined ? !text.includes('"jobId"') : text.includes(`"jobId":"${jobId}"`)) && more(JSON.parse(text) as Message);
      const { text } = await nextMessage(client, (heard, said) => heard === `${jobs}/${topic}` && isWanted(said));
      return JSON.parse(text) as Message;
    },
  };
}
