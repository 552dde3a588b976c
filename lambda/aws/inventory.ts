/**
 * The inventory on DynamoDB. Two things are kept at all times:
 *
 * - The record, its pointer from the serial number, and the ACTIVE count change together, in one transaction, or not at all. Writers do not
 *   lock: each names the version of the record that it has read, and reads again when somebody was faster.
 * - A registration and a revocation of the same certificate cannot miss each other, whatever the interleaving. Each side first writes what
 *   it knows, then reads (strongly consistent) what the other side may have written:
 *
 *       record             write CERT, SERIAL ───────► read REVOCATION
 *       rememberRevocation           write REVOCATION ───────► read SERIAL, CERT   (bySerial, by the caller)
 *
 *   Were both reads to find nothing, each read would have come before the other side's write, and so before its own write: impossible.
 */
import {
  GetCommand,
  PutCommand,
  QueryCommand,
  TransactWriteCommand,
  UpdateCommand,
  type DynamoDBDocumentClient,
  type QueryCommandInput,
  type TransactWriteCommandInput,
} from '@aws-sdk/lib-dynamodb';
import { certificateId, type CertificateId } from '../../domain/fleet/certificate-id.js';
import { serialNumberFromHex, type SerialNumber } from '../../domain/pki/serial-number.js';
import type { Clock } from '../ports/clock.js';
import type { CertificateRecord, Inventory, RevocationRecord } from '../ports/inventory.js';
import { batchGet } from './dynamo-batch.js';
import {
  ACTIVE_COUNT_KEY,
  SHARDS,
  certificateFrom,
  certificateItem,
  certificateKey,
  clientIdPartition,
  pointerKey,
  revocationFrom,
  revocationItem,
  revocationKey,
  serialPartition,
  statusShard,
  useKey,
  type StoredCertificate,
} from './inventory-items.js';
import { mergeRecord, withStatus } from './inventory-merge.js';
import { conditionFailed, errorName, passesByItself, patiently } from './retry.js';

/** 31 days, so long AWS IoT looks back for conflicting client ids (FACTS C2), and the week within which a use is noted anew. */
const USE_KEPT_SECONDS = 42 * 86_400;
const MOST_USERS = 100;

type TransactItems = NonNullable<TransactWriteCommandInput['TransactItems']>;

export function dynamoInventory(client: DynamoDBDocumentClient, table: string, clock: Clock): Inventory {
  async function stored(id: CertificateId): Promise<StoredCertificate | undefined> {
    const { Item } = await client.send(new GetCommand({ TableName: table, Key: certificateKey(id), ConsistentRead: true }));
    return Item === undefined ? undefined : certificateFrom(Item);
  }

  async function revocationOf(issuerId: string, serial: SerialNumber): Promise<RevocationRecord | undefined> {
    const { Item } = await client.send(new GetCommand({ TableName: table, Key: revocationKey(issuerId, serial), ConsistentRead: true }));
    return Item === undefined ? undefined : revocationFrom(Item);
  }

  /** Read, decide, write on the condition that what was read still stands. Resolves to whether the record is new. */
  function change(id: CertificateId, next: (present: CertificateRecord | undefined) => CertificateRecord | undefined): Promise<boolean> {
    return patiently(
      clock,
      (error) => conditionFailed(error) || passesByItself(error),
      async () => {
        const present = await stored(id);
        const record = next(present?.record);
        if (record === undefined || record === present?.record) return false;
        await client.send(new TransactWriteCommand({ TransactItems: writesOf(table, present, record) }));
        return present === undefined;
      },
    );
  }

  async function* query(input: Omit<QueryCommandInput, 'TableName'>): AsyncGenerator<Record<string, unknown>> {
    let start: QueryCommandInput['ExclusiveStartKey'];
    do {
      const page = await client.send(new QueryCommand({ ...input, TableName: table, ExclusiveStartKey: start }));
      yield* page.Items ?? [];
      start = page.LastEvaluatedKey;
    } while (start !== undefined);
  }

  async function* byIndex(index: string, attribute: string, value: string): AsyncGenerator<CertificateRecord> {
    const items = query({
      IndexName: index,
      KeyConditionExpression: '#key = :value',
      ExpressionAttributeNames: { '#key': attribute },
      ExpressionAttributeValues: { ':value': value },
    });
    for await (const item of items) yield certificateFrom(item).record;
  }

  return {
    async bySerial(issuerId, serialNumber) {
      const ids: string[] = [];
      let revocation: RevocationRecord | undefined;
      const items = query({
        KeyConditionExpression: 'pk = :pk',
        ExpressionAttributeValues: { ':pk': serialPartition(issuerId, serialNumber) },
        ConsistentRead: true,
      });
      for await (const item of items) {
        if (item['sk'] === 'REVOCATION') revocation = revocationFrom(item);
        else ids.push(String(item['certificateId']));
      }
      const records = await Promise.all(ids.map(async (id) => (await stored(id as CertificateId))?.record));
      const certificate = mostAlive(records.filter((record) => record !== undefined));
      return { ...(certificate === undefined ? {} : { certificate }), ...(revocation === undefined ? {} : { revocation }) };
    },

    byId: async (id) => (await stored(id))?.record,

    byThing: (name) => byIndex('byThing', 'thingName', name),

    async *byStatus(status) {
      for (const shard of SHARDS) yield* byIndex('byStatus', 'statusShard', statusShard(status, shard));
    },

    byExpiryDay: (day) => byIndex('byExpiryDay', 'expiryDay', day),

    async alreadyDone(issuerId, serials) {
      const keys = [...new Set(serials)].map((serial) => revocationKey(issuerId, serial));
      const rows = await batchGet(client, clock, table, keys, ['serialNumber', 'state', 'message']);
      const isRevocation = (message: unknown): boolean => ['revoke', 'complete'].includes(String((message as { action?: unknown }).action));
      return new Set(
        rows
          .filter(({ state, message }) => state === 'done' && isRevocation(message))
          .map(({ serialNumber }) => serialNumberFromHex(String(serialNumber))),
      );
    },

    async record(certificate) {
      const created = await change(certificate.certificateId, (present) => mergeRecord(present, certificate));
      const remembered = await revocationOf(certificate.issuerId, certificate.serialNumber);
      return remembered === undefined ? { created } : { created, remembered };
    },

    async setStatus(id, status, statusReason, source) {
      await change(id, (present) => (present === undefined ? undefined : withStatus(present, status, statusReason, source)));
    },

    async seen(id, clientId, thing, atMs) {
      try {
        await patiently(clock, passesByItself, () =>
          client.send(
            new UpdateCommand({
              TableName: table,
              Key: certificateKey(id),
              UpdateExpression: `SET clientId = :clientId, lastSeenAtMs = :at${thing === undefined ? '' : ', thingName = :thing'} ADD #version :one`,
              ExpressionAttributeNames: { '#version': 'version' },
              ConditionExpression: 'attribute_exists(pk) AND (attribute_not_exists(lastSeenAtMs) OR lastSeenAtMs < :at)',
              ExpressionAttributeValues: {
                ':clientId': clientId,
                ':at': atMs,
                ':one': 1,
                ...(thing === undefined ? {} : { ':thing': thing }),
              },
              ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
            }),
          ),
        );
        return true;
      } catch (error) {
        if (errorName(error) !== 'ConditionalCheckFailedException') throw error;
        // With an item: known, and seen later than this event says (they come in any order). Without: unknown.
        return (error as { readonly Item?: unknown }).Item !== undefined;
      }
    },

    async noteUse(clientId, id, atMs) {
      try {
        await patiently(clock, passesByItself, () =>
          client.send(
            new PutCommand({
              TableName: table,
              Item: { ...useKey(clientId, id), seenAtMs: atMs, ttl: Math.floor(atMs / 1000) + USE_KEPT_SECONDS },
              ConditionExpression: 'attribute_not_exists(pk) OR seenAtMs < :at',
              ExpressionAttributeValues: { ':at': atMs },
            }),
          ),
        );
      } catch (error) {
        if (!conditionFailed(error)) throw error; // seen later than this event says
      }
    },

    async usersOf(clientId) {
      const { Items = [] } = await client.send(
        new QueryCommand({
          TableName: table,
          KeyConditionExpression: 'pk = :pk',
          ExpressionAttributeValues: { ':pk': clientIdPartition(clientId) },
          ConsistentRead: true,
          Limit: MOST_USERS,
        }),
      );
      return Items.map(({ sk, seenAtMs }) => ({
        certificateId: certificateId(String(sk).slice('CERT#'.length)),
        seenAtMs: Number(seenAtMs),
      }));
    },

    async rememberRevocation(record) {
      await patiently(clock, passesByItself, () => client.send(new PutCommand({ TableName: table, Item: revocationItem(record) })));
    },

    async activeCount() {
      const { Item } = await client.send(new GetCommand({ TableName: table, Key: ACTIVE_COUNT_KEY, ConsistentRead: true }));
      if (Item?.['countedAtMs'] === undefined) return undefined;
      return Math.max(0, Number(Item['active']));
    },

    async setActiveCount(count) {
      await patiently(clock, passesByItself, () =>
        client.send(
          new UpdateCommand({
            TableName: table,
            Key: ACTIVE_COUNT_KEY,
            UpdateExpression: 'SET #active = :count, countedAtMs = :now',
            ExpressionAttributeNames: { '#active': 'active' },
            ExpressionAttributeValues: { ':count': count, ':now': clock.nowMs() },
          }),
        ),
      );
    },
  };
}

/** The items of one transaction: the record always, its pointer when it is new, the count when it becomes or stops being ACTIVE. */
function writesOf(table: string, present: StoredCertificate | undefined, record: CertificateRecord): TransactItems {
  const writes: TransactItems = [];
  if (present === undefined) {
    writes.push({
      Put: { TableName: table, Item: certificateItem({ record, version: 1 }), ConditionExpression: 'attribute_not_exists(pk)' },
    });
    writes.push({ Put: { TableName: table, Item: { ...pointerKey(record), certificateId: record.certificateId } } });
  } else {
    writes.push({
      Put: {
        TableName: table,
        Item: certificateItem({ record, version: present.version + 1 }),
        ConditionExpression: '#version = :read',
        ExpressionAttributeNames: { '#version': 'version' },
        ExpressionAttributeValues: { ':read': present.version },
      },
    });
  }
  const step = Number(record.status === 'ACTIVE') - Number(present?.record.status === 'ACTIVE');
  if (step !== 0) {
    writes.push({
      Update: {
        TableName: table,
        Key: ACTIVE_COUNT_KEY,
        UpdateExpression: 'ADD #active :step, #changes :one',
        ExpressionAttributeNames: { '#active': 'active', '#changes': 'changes' },
        ExpressionAttributeValues: { ':step': step, ':one': 1 },
      },
    });
  }
  return writes;
}

/**
 * RFC 5280 allows one certificate for each issuer and serial number. Should there be two all the same, the one that can still do harm
 * comes first: an attacker must not hide a living certificate behind a dead one.
 */
function mostAlive(records: readonly CertificateRecord[]): CertificateRecord | undefined {
  const order = [
    'ACTIVE',
    'INACTIVE',
    'PENDING_ACTIVATION',
    'PENDING_TRANSFER',
    'REGISTER_INACTIVE',
    'REVOKED',
    'NOT_REGISTERED',
    'DELETED',
  ];
  return [...records].sort(
    (one, other) => order.indexOf(one.status) - order.indexOf(other.status) || one.certificateId.localeCompare(other.certificateId),
  )[0];
}
