/**
 * Containments in the ledger:
 *
 *     CONTAINED#<thing>       CONTAINED          the containment, exactly as long as the thing is contained
 *     CONTAINED               <thing>            that it is: a list of all, without a scan
 *     CONTAINMENT#<thing>     <containmentId>    a containment that is over
 *     CONTAINED-CERT#<id>     CERT               who holds a certificate in containment, and how the first of them found it
 *
 * Writers do not lock: each names the version of the row that it has read, and reads again when somebody was faster.
 */
import { DeleteCommand, GetCommand, PutCommand, TransactWriteCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { certificateId, type CertificateId } from '../../domain/fleet/certificate-id.js';
import { thingName, type ThingName } from '../../domain/fleet/thing-name.js';
import type { Clock } from '../ports/clock.js';
import type {
  CertificateClaims,
  CertificateSnapshot,
  Containment,
  ContainmentRecords,
  PastContainment,
} from '../ports/containment-records.js';
import type { Item, Ledger } from './ledger.js';
import { rowsOf } from './rows-of.js';
import { conditionFailed, passesByItself, patiently } from './retry.js';

const MAX_ATTEMPTS = 10;

const rowKey = (thing: ThingName) => ({ pk: `CONTAINED#${thing}`, sk: 'CONTAINED' });
const listKey = (thing: ThingName) => ({ pk: 'CONTAINED', sk: thing });
const pastKey = (thing: ThingName, containmentId: string) => ({ pk: `CONTAINMENT#${thing}`, sk: containmentId });
const claimKey = (id: CertificateId) => ({ pk: `CONTAINED-CERT#${id}`, sk: 'CERT' });

interface Stored {
  readonly containment: Containment;
  readonly version: number;
}

function storedFrom({ pk: _pk, sk: _sk, version, ...row }: Item): Stored {
  return { containment: row as unknown as Containment, version: Number(version) };
}

export function dynamoContainmentRecords(ledger: Ledger, clock: Clock): ContainmentRecords {
  const { client, table: TableName } = ledger;
  const item = async (Key: Record<string, string>): Promise<Item | undefined> =>
    (await client.send(new GetCommand({ TableName, Key, ConsistentRead: true }))).Item;
  const stored = async (thing: ThingName): Promise<Stored | undefined> => {
    const found = await item(rowKey(thing));
    return found && storedFrom(found);
  };

  return {
    get: async (thing) => (await stored(thing))?.containment,

    async open(containment) {
      const { thingName: thing, containmentId, startedAtMs } = containment;
      const row = { ...rowKey(thing), ...containment, version: 1 };
      const writes = [
        { Put: { TableName, Item: row, ConditionExpression: 'attribute_not_exists(pk)' } },
        { Put: { TableName, Item: { ...listKey(thing), containmentId, startedAtMs } } },
      ];
      try {
        await patiently(clock, passesByItself, () => client.send(new TransactWriteCommand({ TransactItems: writes })));
        return 'opened';
      } catch (error) {
        if (!conditionFailed(error)) throw error;
        const there = await stored(thing);
        if (there === undefined) throw error; // released at this very moment: the next delivery looks again
        return there.containment.containmentId === containmentId ? 'ours' : 'other';
      }
    },

    async move(thing, containmentId, from, change) {
      for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt += 1) {
        const before = await stored(thing);
        if (before?.containment.containmentId !== containmentId || !from.includes(before.containment.state)) return undefined;
        const after = withoutAbsent({ ...before.containment, ...change });
        try {
          await client.send(
            new PutCommand({
              TableName,
              Item: { ...rowKey(thing), ...after, version: before.version + 1 },
              ConditionExpression: 'version = :version',
              ExpressionAttributeValues: { ':version': before.version },
            }),
          );
          return after;
        } catch (error) {
          if (!conditionFailed(error)) throw error;
        }
      }
      throw new Error(`containment of ${thing}: lost ${MAX_ATTEMPTS} times to other writers`);
    },

    async close(thing, containmentId, releasedAtMs) {
      const there = await stored(thing);
      if (there?.containment.containmentId !== containmentId) return;
      const { taskToken: _token, ...kept } = there.containment;
      const past = { ...pastKey(thing, containmentId), ...kept, state: 'released', releasedAtMs };
      try {
        await patiently(clock, passesByItself, () =>
          client.send(
            new TransactWriteCommand({
              TransactItems: [
                {
                  Delete: {
                    TableName,
                    Key: rowKey(thing),
                    ConditionExpression: 'containmentId = :id',
                    ExpressionAttributeValues: { ':id': containmentId },
                  },
                },
                { Delete: { TableName, Key: listKey(thing) } },
                { Put: { TableName, Item: past } },
              ],
            }),
          ),
        );
      } catch (error) {
        // Closed by another delivery.
        if (!conditionFailed(error)) throw error;
      }
    },

    async past(thing, containmentId) {
      const found = await item(pastKey(thing, containmentId));
      if (found === undefined) return undefined;
      const { pk: _pk, sk: _sk, ...past } = found;
      return past as unknown as PastContainment;
    },

    async *all() {
      for await (const { sk } of rowsOf(ledger, 'CONTAINED')) {
        const found = await stored(thingName(String(sk)));
        if (found !== undefined) yield found.containment;
      }
    },
  };
}

/** What a move sets to `undefined` leaves the row. */
function withoutAbsent<T extends object>(row: T): T {
  return Object.fromEntries(Object.entries(row).filter(([, value]) => value !== undefined)) as T;
}

export function dynamoCertificateClaims(ledger: Ledger): CertificateClaims {
  const { client, table: TableName } = ledger;
  const claimOf = (row: Item) => {
    const holders: ReadonlySet<string> = row['holders'] instanceof Set ? (row['holders'] as Set<string>) : new Set();
    return {
      holders: [...holders].sort(),
      snapshot: {
        certificateId: certificateId(String(row['certificateId'])),
        status: row['status'] as CertificateSnapshot['status'],
        policies: row['policies'] as readonly string[],
        ...(row['onHold'] === true ? { onHold: true as const } : {}),
      },
    };
  };

  return {
    async claim({ certificateId: id, status, policies, onHold = false }, thing) {
      const { Attributes } = await client.send(
        new UpdateCommand({
          TableName,
          Key: claimKey(id),
          // The first snapshot stays; whoever comes later is added.
          UpdateExpression:
            'SET certificateId = if_not_exists(certificateId, :id), #status = if_not_exists(#status, :status), policies = if_not_exists(policies, :policies), onHold = if_not_exists(onHold, :onHold) ADD holders :thing',
          ExpressionAttributeNames: { '#status': 'status' },
          ExpressionAttributeValues: {
            ':id': id,
            ':status': status,
            ':policies': [...policies],
            ':onHold': onHold,
            ':thing': new Set([thing]),
          },
          ReturnValues: 'ALL_NEW',
        }),
      );
      if (Attributes === undefined) throw new Error(`claim of certificate ${id}: got no row`);
      return claimOf(Attributes).snapshot;
    },

    async letGo(id, thing) {
      try {
        const { Attributes } = await client.send(
          new UpdateCommand({
            TableName,
            Key: claimKey(id),
            UpdateExpression: 'DELETE holders :thing',
            ConditionExpression: 'attribute_exists(pk)',
            ExpressionAttributeValues: { ':thing': new Set([thing]) },
            ReturnValues: 'ALL_NEW',
          }),
        );
        return Attributes && claimOf(Attributes);
      } catch (error) {
        if (conditionFailed(error)) return undefined;
        throw error;
      }
    },

    async forget(id) {
      try {
        // A set that has lost its last member is no attribute any more.
        await client.send(new DeleteCommand({ TableName, Key: claimKey(id), ConditionExpression: 'attribute_not_exists(holders)' }));
        return true;
      } catch (error) {
        if (conditionFailed(error)) return false;
        throw error;
      }
    },
  };
}
