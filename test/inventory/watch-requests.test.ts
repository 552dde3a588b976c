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

test('one that calls itself by the names of many contained things has a few of them looked at, and the regular look not put off', async () => {
  await desk.desk.world.clock.advance(60_000);
  const nowMs = desk.desk.world.clock.nowMs();
  for (let index = 100; index < 200; index += 1) await requests.ask(thingName(`pump-${index}`), nowMs);
  await desk.desk.world.clock.advance(120_000);
  const looks: WatchMessage[] = [];
  for (let batch = await received(); batch.length > 0; batch = await received()) looks.push(...batch);
  expect(looks.length).toBeGreaterThan(5);
  expect(looks.length).toBeLessThanOrEqual(20);
  await requests.ask(thingName('pump-199'), desk.desk.world.clock.nowMs());
  expect(await received()).toEqual([{ kind: 'look', thingName: 'pump-199' }]);
});
