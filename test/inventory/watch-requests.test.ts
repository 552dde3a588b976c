/** Asking quarantine to look at a contained thing: on the desk's queue and table. */
import { CreateQueueCommand, ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { thingName } from '../../domain/fleet/thing-name.js';
import { WatchMessage } from '../../domain/protocol/containment-workflow.js';
import { watchRequests } from '../../lambda/aws/watch-requests.js';
import type { WatchRequests } from '../../lambda/ports/watch-requests.js';
import { startTestDesk, type TestDesk } from './desk.js';

let desk: TestDesk;
let sqs: SQSClient;
let QueueUrl: string;
let requests: WatchRequests;

beforeAll(async () => {
  desk = await startTestDesk();
  const { endpoint, adminCredentials: credentials, env } = desk.desk;
  sqs = new SQSClient({ region: env.AWS_REGION, endpoint, credentials });
  ({ QueueUrl = '' } = await sqs.send(new CreateQueueCommand({ QueueName: 'watch' })));
  requests = watchRequests({ client: desk.documents, table: await desk.table('ledger') }, sqs, QueueUrl);
});
afterAll(async () => {
  sqs.destroy();
  await desk.stop();
});

const received = async (): Promise<WatchMessage[]> => {
  const { Messages = [] } = await sqs.send(new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10 }));
  return Messages.map(({ Body = '' }) => WatchMessage.parse(JSON.parse(Body)));
};

test('a thing that connects again and again is looked at once now, and once after the last time; another thing waits for none of it', async () => {
  const nowMs = desk.desk.world.clock.nowMs();
  for (let times = 0; times < 50; times += 1) await requests.ask(thingName('pump-1'), nowMs + times * 10);
  await requests.ask(thingName('pump-10'), nowMs);
  expect(await received()).toEqual([
    { kind: 'look', thingName: 'pump-1' },
    { kind: 'look', thingName: 'pump-10' },
  ]);
  await desk.desk.world.clock.advance(16_000);
  expect(await received()).toEqual([{ kind: 'look', thingName: 'pump-1' }]);
  expect(await received()).toEqual([]);
});
