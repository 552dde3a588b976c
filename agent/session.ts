/** Opens a connection that is of use: made, and subscribed to everything that the cloud says to this device. */
import { RotationResponse } from '../domain/protocol/rotation.js';
import { deviceTopic, jobsTopic } from '../domain/protocol/topics.js';
import type { Device, Said, Session } from './device.js';
import { Inbox } from './inbox.js';
import { ListedJobs, NextJob } from './jobs/job-messages.js';
import { JOB_FILTERS, JobsClient } from './jobs/jobs-client.js';
import { Commands } from './shut-off/commands.js';
import { Orders } from './shut-off/orders.js';
import type { Pair } from './storage/identities.js';
import { ConnectFailed, type Connection, type Transport } from './transport/transport.js';

/** Rejects with ConnectFailed. A connection on which the device may not hear its answers counts as refused. */
export async function openSession(transport: Transport, pair: Pair, device: Device, stopped: AbortSignal): Promise<Session> {
  const { clientId, thingName, topicPrefix, settings } = device;
  const identity = await device.keys.tlsOptions(pair.key, await device.identities.certificatePem(pair));
  const connection = await transport.connect({ clientId, identity, timeoutMs: settings.connectTimeoutMs });
  const over = new AbortController();
  const signal = AbortSignal.any([over.signal, stopped]);
  void connection.closed.then((reason) => over.abort(new Error(`the connection is over: ${reason}`)));
  const inbox = new Inbox<Said>();
  const jobs = new JobsClient(connection, { ...device, signal });
  const orders = new Orders(device, jobs, signal);
  const commands = new Commands(device, connection);
  listen(connection, { jobs, inbox, orders, commands }, device);
  try {
    await connection.subscribe([
      ...JOB_FILTERS.map((filter) => jobsTopic(thingName, filter)),
      deviceTopic(topicPrefix, thingName, 'rotation/response'),
    ]);
  } catch (error) {
    await connection.close();
    throw new ConnectFailed('refused', (error as Error).message);
  }
  void commands.listen(device.listening);
  return { connection, jobs, inbox, orders, signal };
}

/** A message that cannot be read is dropped: whoever sent it, the device asks again by itself. */
function listen(
  connection: Connection,
  { jobs, inbox, orders, commands }: Pick<Session, 'jobs' | 'inbox' | 'orders'> & { readonly commands: Commands },
  { thingName, topicPrefix, tell }: Device,
): void {
  const responseTopic = deviceTopic(topicPrefix, thingName, 'rotation/response');
  const nextTopic = jobsTopic(thingName, 'notify-next');
  connection.onMessage((topic, payload) => {
    try {
      const message: unknown = JSON.parse(payload.toString('utf8'));
      if (topic === responseTopic) inbox.put({ kind: 'response', response: RotationResponse.parse(message) });
      else if (topic === nextTopic) {
        const { execution } = NextJob.parse(message);
        void orders.saw(execution);
        inbox.put({ kind: 'next', execution });
      } else if (topic === jobsTopic(thingName, 'notify')) {
        void orders.listed(ListedJobs.parse(message).jobIds);
        inbox.put({ kind: 'pending' });
      } else if (!commands.receive(topic, message)) jobs.receive(topic, message);
    } catch (error) {
      tell({ kind: 'warning', message: `a message on ${topic} cannot be read: ${(error as Error).name}` });
    }
  });
}
