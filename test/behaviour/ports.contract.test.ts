/**
 * One specification for each port: what is kept in memory in the other tests, and what is kept in the ledger at AWS, behave alike. The second kind runs with real
 * SDK clients against the desk.
 */
import { randomUUID } from 'node:crypto';
import { CreateStreamCommand, GetRecordsCommand, GetShardIteratorCommand, KinesisClient, ListShardsCommand } from '@aws-sdk/client-kinesis';
import { CreateTopicCommand, SubscribeCommand } from '@aws-sdk/client-sns';
import { GetQueueAttributesCommand, SetQueueAttributesCommand } from '@aws-sdk/client-sqs';
import type { ViolationNotification } from '../../domain/protocol/violation.js';
import { documentClient, kinesisClient, snsClient, sqsClient } from '../../lambda/aws/clients.js';
import { monitorViolations } from '../../lambda/aws/violations-monitor.js';
import { dynamoPresences } from '../../lambda/aws/violations-presences.js';
import { dynamoStandings } from '../../lambda/aws/violations-standings.js';
import { kinesisFleetStream } from '../../lambda/aws/violations-stream.js';
import { snsViolationTopic } from '../../lambda/aws/violations-topic.js';
import type { Presences, PresenceRow } from '../../lambda/ports/presences.js';
import type { Standing } from '../../domain/fleet/standing.js';
import type { Standings } from '../../lambda/ports/standings.js';
import { wallClock } from '../../lambda/runtime/clock.js';
import type { Desk } from '../../local/desk.js';
import { TABLES, createQueue, deskWithStores, takeAll } from '../revocation/desk-ports.js';
import { MemoryPresences, MemoryStandings } from './memory/world.js';

let desk: Desk;
beforeAll(async () => {
  desk = await deskWithStores();
}, 60_000);
afterAll(() => desk.stop());
afterEach(() => desk.world.faults.set({ throttle: 0, serverError: 0, lostAnswer: 0 }));

const ledger = () => ({ client: documentClient(), table: TABLES.ledger });
const PROFILE = 'fleetwarden-built-in';
const all = async <T>(items: AsyncIterable<T>): Promise<T[]> => {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
};

const notification = (thingName: string, violationId: string, fields: Partial<ViolationNotification> = {}): ViolationNotification => ({
  violationEventTime: 1,
  thingName,
  behavior: { name: 'flood', metric: 'aws:num-messages-sent', criteria: { comparisonOperator: 'less-than', value: { count: 3 } } },
  violationEventType: 'in-alarm',
  metricValue: { count: 9 },
  violationId,
  securityProfileName: PROFILE,
  ...fields,
});
const standingOf = (clientId: string, fields: Partial<Standing> = {}): Standing => ({
  clientId,
  thingName: clientId,
  behaviour: 'flood',
  criteria: 'abc',
  lastWindowEndMs: 300_000,
  abnormalInRow: 1,
  normalInRow: 0,
  updatedAtMs: 1,
  ...fields,
});

describe.each<[string, () => Standings]>([
  ['in memory', () => new MemoryStandings()],
  ['in the ledger', () => dynamoStandings(ledger(), wallClock)],
])('standings %s', (_, make) => {
  let standings: Standings;
  let client: string;
  beforeEach(() => {
    standings = make();
    client = `dev#${randomUUID()}`;
  });

  it('are what was written, and absent before', async () => {
    expect(await standings.get(client, 'flood')).toBeUndefined();
    expect(await standings.write(undefined, standingOf(client))).toBe(true);
    expect(await standings.get(client, 'flood')).toEqual({ standing: standingOf(client), version: 1 });
    expect(await standings.get(client, 'other')).toBeUndefined();
  });

  it('are written by one of two who have read the same', async () => {
    await standings.write(undefined, standingOf(client));
    expect(await standings.write(undefined, standingOf(client))).toBe(false);
    const before = (await standings.get(client, 'flood'))!;
    expect(await standings.write(before, standingOf(client, { abnormalInRow: 2 }))).toBe(true);
    expect(await standings.write(before, standingOf(client, { abnormalInRow: 7 }))).toBe(false);
    expect(await standings.remove(before)).toBe(false);
    expect(await standings.remove((await standings.get(client, 'flood'))!)).toBe(true);
    expect(await standings.get(client, 'flood')).toBeUndefined();
  });

  it('are found near their client, and among all', async () => {
    const other = `dev#${randomUUID()}`;
    for (const each of [client, other]) await standings.write(undefined, standingOf(each));
    await standings.write(undefined, standingOf(client, { behaviour: 'away' }));
    const near = (await all(standings.nearby([client]))).filter(({ standing }) => standing.clientId === client);
    expect(near.map(({ standing }) => standing.behaviour).toSorted()).toEqual(['away', 'flood']);
    expect((await all(standings.all())).filter(({ standing }) => [client, other].includes(standing.clientId))).toHaveLength(3);
    expect(await all(standings.nearby([]))).toEqual([]);
  });
});

describe('a violation in the ledger', () => {
  const standings = () => dynamoStandings(ledger(), wallClock);
  const source = () => monitorViolations(ledger(), PROFILE);
  const raised = async (client: string) => {
    const violationId = randomUUID().replaceAll('-', '');
    const raisedStanding = standingOf(client, { violationId, startedAtMs: 1, pending: notification(client, violationId) });
    await standings().write(undefined, raisedStanding, { clientId: client, windowStartMs: 0, windowEndMs: 300_000, address: '10.0.0.1' });
    return raisedStanding;
  };

  it('is there as soon as it is decided, before anybody is told', async () => {
    const client = randomUUID();
    const { violationId = '' } = await raised(client);
    const read = await source().read({ violationId, thingName: client, securityProfileName: PROFILE });
    expect(read).toEqual({
      violationId,
      thingName: client,
      clientId: client,
      behavior: 'flood',
      metric: 'aws:num-messages-sent',
      securityProfileName: PROFILE,
      isOpen: true,
      lastEventType: 'in-alarm',
      startedAtMs: 1,
      updatedAtMs: 1,
      metricValue: { count: 9 },
    });
    expect(await all(source().openOf(client))).toMatchObject([read!]);
  });

  it('says of an open one when its latest datapoint was judged: it is not written anew for each', async () => {
    const client = randomUUID();
    const { pending: _, ...told } = await raised(client);
    const before = (await standings().get(client, 'flood'))!;
    await standings().write(before, { ...told, updatedAtMs: 77 });
    expect(await all(source().openOf(client))).toMatchObject([{ updatedAtMs: 1, seenAtMs: 77 }]);
  });

  it('is not known under another thing, another profile, or another id: a notification may be forged', async () => {
    const client = randomUUID();
    const { violationId = '' } = await raised(client);
    expect(await source().read({ violationId, thingName: `${client}0`, securityProfileName: PROFILE })).toBeUndefined();
    expect(await source().read({ violationId, thingName: client, securityProfileName: 'another' })).toBeUndefined();
    expect(await source().read({ violationId: 'ffff', thingName: client, securityProfileName: PROFILE })).toBeUndefined();
  });

  it('is over when it is cleared, and its story stays', async () => {
    const client = randomUUID();
    const { pending: _, ...told } = await raised(client);
    const [violationId = ''] = [told.violationId];
    await standings().write({ standing: { ...told, pending: notification(client, violationId) }, version: 1 }, told);
    const cleared = notification(client, violationId, { violationEventType: 'alarm-cleared', metricValue: { count: 0 } });
    expect(await standings().write({ standing: told, version: 2 }, { ...told, updatedAtMs: 9, pending: cleared })).toBe(true);
    expect(await source().read({ violationId, thingName: client, securityProfileName: PROFILE })).toMatchObject({
      isOpen: false,
      lastEventType: 'alarm-cleared',
      startedAtMs: 1,
      updatedAtMs: 9,
    });
    expect(await all(source().openOf(client))).toEqual([]);
  });

  it('is written whole or not at all, whatever fails and whatever answer is lost', async () => {
    desk.world.faults.set({
      throttle: 0.2,
      serverError: 0.1,
      lostAnswer: 0.2,
      only: ['dynamodb:TransactWriteItems'],
    });
    for (let n = 0; n < 12; n += 1) {
      const client = randomUUID();
      const { violationId = '' } = await raised(client);
      const read = await source().read({ violationId, thingName: client, securityProfileName: PROFILE });
      expect(read?.isOpen).toBe(true);
      expect((await standings().get(client, 'flood'))?.standing.violationId).toBe(violationId);
    }
  });
});

describe.each<[string, () => Presences]>([
  ['in memory', () => new MemoryPresences()],
  ['in the ledger', () => dynamoPresences(ledger())],
])('presences %s', (_, make) => {
  const NOW = Date.parse('2026-11-22T10:00:00Z');
  let presences: Presences;
  let row: PresenceRow;
  beforeEach(() => {
    presences = make();
    row = { clientId: randomUUID(), connected: true, versionNumber: 3, atMs: NOW, address: '10.0.0.1', thingName: 'pump-7' };
  });

  it.each<[string, Partial<PresenceRow>, boolean]>([
    ['a connection of a higher version', { versionNumber: 4, atMs: NOW - 1000 }, true],
    ['one of a lower version', { versionNumber: 2, atMs: NOW + 1000 }, false],
    ['the end of the same connection', { connected: false, atMs: NOW - 1000 }, true],
  ])('keep %s or not', async (_name, fields, taken) => {
    const later = { ...row, ...fields };
    await presences.note(row);
    await presences.note(later);
    expect(await presences.get(row.clientId)).toEqual(taken ? later : row);
  });

  it('do not take the beginning of a connection for later than its end', async () => {
    await presences.note({ ...row, connected: false });
    await presences.note(row);
    expect((await presences.get(row.clientId))?.connected).toBe(false);
  });

  it('list who is offline since long, until it was told, and again after another connection', async () => {
    const isListed = async () => (await all(presences.offlineSince(NOW + 5000))).some(({ clientId }) => clientId === row.clientId);
    await presences.note(row);
    expect(await isListed()).toBe(false);
    const gone = { ...row, connected: false, atMs: NOW + 5000 };
    await presences.note(gone);
    expect(await isListed()).toBe(true);
    expect((await all(presences.offlineSince(NOW + 4999))).some(({ clientId }) => clientId === row.clientId)).toBe(false);
    await presences.markTold(gone);
    await presences.note(gone);
    expect(await isListed()).toBe(false);
    await presences.note({ ...row, versionNumber: 4, atMs: NOW + 3000 });
    await presences.note({ ...gone, versionNumber: 4, atMs: NOW + 4000 });
    expect(await isListed()).toBe(true);
  });
});

describe('presences in the ledger', () => {
  it('know that versions begin again after an hour away: then the time says what is later', async () => {
    const presences = dynamoPresences(ledger());
    const gone = { clientId: randomUUID(), connected: false, versionNumber: 57, atMs: 10_000_000 };
    await presences.note(gone);
    const back = { clientId: gone.clientId, connected: true, versionNumber: 0, atMs: gone.atMs + 3_600_001 };
    await presences.note(back);
    expect(await presences.get(gone.clientId)).toEqual(back);
    await presences.note(gone);
    expect(await presences.get(gone.clientId)).toEqual(back);
  });

  it('do not mark an absence that is over', async () => {
    const presences = dynamoPresences(ledger());
    const gone = { clientId: randomUUID(), connected: false, versionNumber: 1, atMs: 1000 };
    await presences.note({ ...gone, versionNumber: 2, atMs: 2000 });
    await presences.markTold(gone);
    expect((await all(presences.offlineSince(3000))).some(({ clientId }) => clientId === gone.clientId)).toBe(true);
  });
});

describe('the stream', () => {
  it('takes records under their client ids, all of them, also when some are refused at first', async () => {
    const StreamName = 'contract-stream';
    const kinesis: KinesisClient = kinesisClient();
    await kinesis.send(new CreateStreamCommand({ StreamName, ShardCount: 2 }));
    const records = Array.from({ length: 1200 }, (_, n) => ({
      kind: 'refused' as const,
      clientId: `dev-${n % 50}`,
      eventType: 'Subscribe',
      traceId: `t${n}`,
      timestamp: 1,
    }));
    desk.world.faults.set({ throttle: 0.3, only: ['kinesis:PutRecords'] });
    await kinesisFleetStream(kinesis, StreamName, wallClock).put(records);
    desk.world.faults.set({ throttle: 0 });
    const { Shards = [] } = await kinesis.send(new ListShardsCommand({ StreamName }));
    const found: string[] = [];
    for (const { ShardId } of Shards) {
      const { ShardIterator } = await kinesis.send(new GetShardIteratorCommand({ StreamName, ShardId, ShardIteratorType: 'TRIM_HORIZON' }));
      const { Records = [] } = await kinesis.send(new GetRecordsCommand({ ShardIterator }));
      for (const { Data, PartitionKey } of Records) {
        const { clientId, traceId } = JSON.parse(Buffer.from(Data!).toString()) as { clientId: string; traceId: string };
        expect(PartitionKey).toBe(clientId);
        found.push(traceId);
      }
    }
    expect(new Set(found).size).toBe(1200);
    kinesis.destroy();
  });
});

describe('the topic', () => {
  it('takes the notification as it is', async () => {
    const { TopicArn = '' } = await snsClient().send(new CreateTopicCommand({ Name: 'contract-violations' }));
    const queueUrl = await createQueue('contract-violations');
    const sqs = sqsClient();
    const { Attributes } = await sqs.send(new GetQueueAttributesCommand({ QueueUrl: queueUrl, AttributeNames: ['QueueArn'] }));
    const Policy = JSON.stringify({
      Version: '2012-10-17',
      Statement: [
        { Effect: 'Allow', Principal: { Service: 'sns.amazonaws.com' }, Action: 'sqs:SendMessage', Resource: Attributes!['QueueArn'] },
      ],
    });
    await sqs.send(new SetQueueAttributesCommand({ QueueUrl: queueUrl, Attributes: { Policy } }));
    await snsClient().send(
      new SubscribeCommand({ TopicArn, Protocol: 'sqs', Endpoint: Attributes!['QueueArn'], Attributes: { RawMessageDelivery: 'true' } }),
    );
    await snsViolationTopic(snsClient(), TopicArn).publish(notification('dev-1', 'v1'));
    let delivered: unknown[] = [];
    for (let tries = 0; tries < 50 && delivered.length === 0; tries += 1) {
      delivered = await takeAll(queueUrl);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    expect(delivered).toEqual([notification('dev-1', 'v1')]);
  });
});
