/** For each function, messages that between them need every grant of its role. Each call makes fresh work, so that it can be done again. */
import { randomUUID } from 'node:crypto';
import { newSerial } from './factory.js';
import { QUEUES, queueUrlOf, type QueueName } from './quiet.js';
import type { Device, Scene } from './scene.js';

export type Exercise = (scene: Scene) => AsyncGenerator<unknown>;

const KEY = 'external/factory/factory.crl';
let names = 0;

/** What Lambda gives a function for one message. */
export const recordOf = (message: unknown) => ({
  Records: [{ messageId: randomUUID(), body: JSON.stringify(message), attributes: { ApproximateReceiveCount: '1' } }],
});

/** One message to a function itself, past its queue. */
export const invoke = ({ desk }: Scene, functionName: string, message: unknown) =>
  desk.cloud.parts.invoke!(
    `arn:aws:lambda:${desk.world.region}:${desk.world.accountId}:function:${functionName}`,
    recordOf(message),
    'lambda',
  );

const revocation = (anchorId: string, serialNumber: string) => ({
  version: 1,
  action: 'revoke',
  anchorId,
  serialNumber,
  reason: 'keyCompromise',
  source: 'crl',
  runId: randomUUID(),
});

const ledgerItem = ({ desk, ledger }: Scene, operation: 'PutItem' | 'DeleteItem', input: Record<string, unknown>) =>
  desk.cloud.call('dynamodb', operation, { TableName: ledger.tables.ledger, ...input });

async function putCrl(scene: Scene, crl: Uint8Array): Promise<string | undefined> {
  const input = { Bucket: scene.crlBucket, Key: KEY, Body: crl };
  return (await scene.desk.cloud.call<{ VersionId?: string }>('s3', 'PutObject', input)).VersionId;
}

/** Enrolled while nobody reads the queues: the inventory has not heard of it. */
async function unheardOf(scene: Scene): Promise<Device> {
  const [device] = await scene.enrolByPrivateCa(`unheard-${++names}`);
  return device;
}

/** A device whose revocation was known before it was registered. */
async function remembered(scene: Scene): Promise<Device> {
  const serialNumber = newSerial();
  await invoke(scene, QUEUES.revoke, revocation('factory', serialNumber));
  const at = scene.desk.world.clock.date();
  const [device] = await scene.enrol([`late-${++names}`], (csrPem) => scene.factory.sign(csrPem, at, serialNumber));
  return device!;
}

const presence = ({ thingName, certificateId }: Device, timestamp: number) => ({
  kind: 'presence',
  eventType: 'connected',
  clientId: thingName,
  thingName,
  principalIdentifier: certificateId,
  timestamp,
});

const sync: Exercise = async function* (scene) {
  const [onHold, revoked] = [{ serialNumber: newSerial(), reason: 'certificateHold' } as const, { serialNumber: newSerial() }];
  const versionId = await putCrl(scene, scene.nextCrl([onHold, revoked]));
  yield { kind: 'object', bucket: scene.crlBucket, key: KEY, versionId };
  await putCrl(scene, scene.nextCrl([revoked]));
  yield { kind: 'object', bucket: scene.crlBucket, key: KEY };
  const hold = (await scene.ledger.holds()).find(({ state }) => state === 'HELD')!;
  await scene.desk.cloud.call('dynamodb', 'UpdateItem', {
    TableName: scene.ledger.tables.ledger,
    Key: { pk: { S: 'HOLD' }, sk: { S: hold.hash } },
    UpdateExpression: 'SET #state = :approved',
    ExpressionAttributeNames: { '#state': 'state' },
    ExpressionAttributeValues: { ':approved': { S: 'APPROVED' } },
  });
  yield { kind: 'approved', hash: hold.hash };
  const { serialNumber } = revoked;
  const message = Object.entries(revocation('factory', serialNumber)).map(([name, value]) => [
    name,
    typeof value === 'number' ? { N: String(value) } : { S: value },
  ]);
  const due = { pk: { S: 'DUE' }, sk: { S: `2026-01-01T00:00:00.000Z#x#${serialNumber}` } };
  await ledgerItem(scene, 'PutItem', { Item: { ...due, message: { M: Object.fromEntries(message) as unknown } } });
  yield { kind: 'sweep' };
};

const revoke: Exercise = async function* (scene) {
  yield revocation('fleet', (await unheardOf(scene)).serialNumber);
  const known = await unheardOf(scene);
  await invoke(scene, QUEUES.record, presence(known, scene.desk.world.clock.nowMs()));
  yield revocation('fleet', known.serialNumber);
  const stop = { pk: { S: 'CONTROL' }, sk: { S: 'STOP' } };
  const item = { ...stop, stopped: { BOOL: true }, by: { S: 'test' }, reason: { S: 'test' }, atMs: { N: '0' } };
  await ledgerItem(scene, 'PutItem', { Item: item });
  try {
    yield revocation('factory', newSerial());
  } finally {
    await ledgerItem(scene, 'DeleteItem', { Key: stop });
  }
};

const pcaEvent = (what: string, scene: Scene, { pcaCertificateArn }: Device) => ({
  version: '0',
  id: randomUUID(),
  source: 'aws.acm-pca',
  'detail-type': `ACM Private CA Certificate ${what}`,
  time: scene.desk.world.clock.date().toISOString().replace(/\.\d+/, ''),
  resources: [scene.privateCaArn, pcaCertificateArn],
  detail: { result: 'success' },
});

const fast: Exercise = async function* (scene) {
  yield pcaEvent('Revocation', scene, await unheardOf(scene));
};

const record: Exercise = async function* (scene) {
  const issued = await unheardOf(scene);
  yield pcaEvent('Issuance', scene, issued);
  yield presence(issued, scene.desk.world.clock.nowMs());
  yield presence(issued, scene.desk.world.clock.nowMs() + 1);
  yield { kind: 'registered', certificateId: (await remembered(scene)).certificateId };
};

/** Takes the next message off a queue that nobody reads. */
async function nextOn(scene: Scene, queue: QueueName): Promise<unknown> {
  const QueueUrl = queueUrlOf(scene.desk, QUEUES[queue]);
  const { Messages = [] } = await scene.desk.cloud.call<{ Messages?: { Body: string; ReceiptHandle: string }[] }>('sqs', 'ReceiveMessage', {
    QueueUrl,
  });
  const [message] = Messages;
  if (message === undefined) return undefined;
  await scene.desk.cloud.call('sqs', 'DeleteMessage', { QueueUrl, ReceiptHandle: message.ReceiptHandle });
  return JSON.parse(message.Body) as unknown;
}

/** The whole of a run: it goes on by messages to itself. */
const reconcile: Exercise = async function* (scene) {
  while ((await nextOn(scene, 'reconcile')) !== undefined) continue; // of the run before
  await ledgerItem(scene, 'DeleteItem', { Key: { pk: { S: 'RECONCILE' }, sk: { S: 'CHECKPOINT' } } });
  await remembered(scene);
  const deleted = await unheardOf(scene);
  await invoke(scene, QUEUES.record, presence(deleted, scene.desk.world.clock.nowMs()));
  await scene.delete(deleted);
  yield { kind: 'start' };
  for (let message = await nextOn(scene, 'reconcile'); message !== undefined; message = await nextOn(scene, 'reconcile')) yield message;
};

export const EXERCISES: Readonly<Record<string, { readonly queue: QueueName; readonly exercise: Exercise }>> = {
  'revocation-sync': { queue: 'sync', exercise: sync },
  'revocation-revoke': { queue: 'revoke', exercise: revoke },
  'revocation-fast': { queue: 'fast', exercise: fast },
  'inventory-record': { queue: 'record', exercise: record },
  'inventory-reconcile': { queue: 'reconcile', exercise: reconcile },
};
