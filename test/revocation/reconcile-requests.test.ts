import { DeleteMessageCommand, GetQueueAttributesCommand, ReceiveMessageCommand } from '@aws-sdk/client-sqs';
import { documentClient, sqsClient } from '../../lambda/aws/clients.js';
import { reconcileRequests } from '../../lambda/aws/reconcile-requests.js';
import type { Desk } from '../../local/desk.js';
import { createQueue, deskWithStores, TABLES } from './desk-ports.js';

const NOW = Date.UTC(2026, 10, 22, 5);
let desk: Desk;
let queueUrl: string;
beforeAll(async () => {
  desk = await deskWithStores();
  queueUrl = await createQueue('reconcile');
});
afterAll(() => desk.stop());

const requests = () => reconcileRequests({ client: documentClient(), table: TABLES.ledger }, sqsClient(), queueUrl);
const waiting = async () => {
  const { Attributes } = await sqsClient().send(new GetQueueAttributesCommand({ QueueUrl: queueUrl, AttributeNames: ['All'] }));
  return { now: Number(Attributes!.ApproximateNumberOfMessages), later: Number(Attributes!.ApproximateNumberOfMessagesDelayed) };
};

test('a thousand questions in one minute are one reconciliation now and one that begins after the last of them', async () => {
  for (let i = 0; i < 1000; i += 100) await Promise.all(Array.from({ length: 4 }, (_, j) => requests().ask(NOW + i * 10 + j)));
  const { now, later } = await waiting();
  // Questions at the very same moment may each leave once: a reconciliation too many does no harm, one too few would.
  expect(now).toBeGreaterThanOrEqual(1);
  expect(now + later).toBeLessThanOrEqual(8);
  expect(later).toBeGreaterThanOrEqual(1);
});

test('each says from when it has to be answered', async () => {
  const { Messages = [] } = await sqsClient().send(new ReceiveMessageCommand({ QueueUrl: queueUrl }));
  expect(JSON.parse(Messages[0]!.Body!)).toEqual({ kind: 'start', askedAtMs: expect.any(Number) as number });
  for (const { ReceiptHandle } of Messages) await sqsClient().send(new DeleteMessageCommand({ QueueUrl: queueUrl, ReceiptHandle }));
});

test('a question two minutes later leaves at once', async () => {
  const before = await waiting();
  await requests().ask(NOW + 600_000);
  expect((await waiting()).now).toBe(before.now + 1);
});
