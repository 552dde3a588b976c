/**
 * Standings and the violations that follow from them, in the ledger:
 *
 *     STANDING#<bucket>          <clientId>#<behaviour>   how the client stands; nothing for one that behaves
 *     VIOLATION#<violationId>    VIOLATION                what the monitor says of it when it is asked: evidence, kept after its end
 *     VIOLATIONS#<thingName>     <violationId>            the open ones
 *
 * Buckets are ranges of the MD5 of the client id, as the shards of the stream are: the end of a window asks only for those that its clients are in.
 */
import { createHash } from 'node:crypto';
import { DeleteCommand, GetCommand, PutCommand, TransactWriteCommand, type TransactWriteCommandInput } from '@aws-sdk/lib-dynamodb';
import type { Clock } from '../ports/clock.js';
import type { Standing } from '../../domain/fleet/standing.js';
import type { Evidence, Standings, StoredStanding } from '../ports/standings.js';
import type { Item, Ledger } from './ledger.js';
import { rowsOf } from './rows-of.js';
import { conditionFailed, passesByItself, patiently } from './retry.js';

const BUCKETS = 64;
const ALL_BUCKETS = Array.from({ length: BUCKETS }, (_, bucket) => bucket);
/** Longer than Device Defender keeps its violations (30 days): the story of a device is asked for later. */
const KEPT_AFTER_END_SECONDS = 90 * 86_400;

const bucketOf = (clientId: string): number => (createHash('md5').update(clientId).digest()[0]! * BUCKETS) >> 8;
const partition = (bucket: number): string => `STANDING#${bucket.toString(16).padStart(2, '0')}`;
export const standingKey = (clientId: string, behaviour: string) => ({ pk: partition(bucketOf(clientId)), sk: `${clientId}#${behaviour}` });
export const violationKey = (violationId: string) => ({ pk: `VIOLATION#${violationId}`, sk: 'VIOLATION' });
export const openKey = (thingName: string, violationId: string) => ({ pk: `VIOLATIONS#${thingName}`, sk: violationId });

type Writes = NonNullable<TransactWriteCommandInput['TransactItems']>;

function standingFrom({ pk: _pk, sk: _sk, version, ...standing }: Item): StoredStanding {
  return { standing: standing as unknown as Standing, version: Number(version) };
}

export function dynamoStandings({ client, table: TableName }: Ledger, clock: Clock): Standings {
  async function* inBuckets(buckets: Iterable<number>): AsyncGenerator<StoredStanding> {
    for (const bucket of buckets) {
      for await (const item of rowsOf({ client, table: TableName }, partition(bucket))) yield standingFrom(item);
    }
  }

  /** `false`: the condition does not hold. */
  async function ifItHolds(send: () => Promise<unknown>): Promise<boolean> {
    try {
      await patiently(clock, passesByItself, send);
      return true;
    } catch (error) {
      if (conditionFailed(error)) return false;
      throw error;
    }
  }

  return {
    async get(clientId, behaviour) {
      const { Item: found } = await client.send(new GetCommand({ TableName, Key: standingKey(clientId, behaviour), ConsistentRead: true }));
      return found && standingFrom(found);
    },
    nearby: (clientIds) => inBuckets(new Set([...clientIds].map(bucketOf))),
    all: () => inBuckets(ALL_BUCKETS),
    write(before, after, evidence) {
      const put = {
        TableName,
        Item: { ...standingKey(after.clientId, after.behaviour), ...after, version: (before?.version ?? 0) + 1 },
        ...versionIs(before),
      };
      const isNews = after.pending !== undefined && before?.standing.pending === undefined;
      if (!isNews) return ifItHolds(() => client.send(new PutCommand(put)));
      const TransactItems: Writes = [{ Put: put }, ...violationWrites(TableName, after, evidence)];
      return ifItHolds(() => client.send(new TransactWriteCommand({ TransactItems })));
    },
    remove: (before) =>
      ifItHolds(() =>
        client.send(
          new DeleteCommand({ TableName, Key: standingKey(before.standing.clientId, before.standing.behaviour), ...versionIs(before) }),
        ),
      ),
  };
}

function versionIs(before: StoredStanding | undefined) {
  return before === undefined
    ? { ConditionExpression: 'attribute_not_exists(pk)' }
    : {
        ConditionExpression: '#version = :version',
        ExpressionAttributeNames: { '#version': 'version' },
        ExpressionAttributeValues: { ':version': before.version },
      };
}

/** What a person has judged stays: the monitor itself knows no better than UNKNOWN. */
const asSaid = (name: string, index: number): string =>
  name === 'verificationState' ? `if_not_exists(#f${index}, :f${index})` : `:f${index}`;

/** The violation as it is from now on. What is known of its beginning stays. */
function violationWrites(TableName: string, { pending, ...standing }: Standing, evidence: Evidence | undefined): Writes {
  const { violationId, violationEventType, thingName, behavior, securityProfileName, metricValue, verificationState } = pending!;
  const isOpen = violationEventType === 'in-alarm';
  const open = openKey(thingName, violationId);
  const said: Readonly<Record<string, unknown>> = {
    violationId,
    thingName,
    clientId: standing.clientId,
    behavior,
    securityProfileName,
    isOpen,
    lastEventType: violationEventType,
    startedAtMs: standing.startedAtMs,
    updatedAtMs: standing.updatedAtMs,
    metricValue,
    verificationState,
    ...(isOpen ? { evidence } : { ttl: Math.floor(standing.updatedAtMs / 1000) + KEPT_AFTER_END_SECONDS }),
  };
  const set = Object.entries(said).filter(([, value]) => value !== undefined);
  return [
    {
      Update: {
        TableName,
        Key: violationKey(violationId),
        UpdateExpression: `SET ${set.map(([name], index) => `#f${index} = ${asSaid(name, index)}`).join(', ')}`,
        ExpressionAttributeNames: Object.fromEntries(set.map(([name], index) => [`#f${index}`, name])),
        ExpressionAttributeValues: Object.fromEntries(set.map(([, value], index) => [`:f${index}`, value])),
      },
    },
    isOpen ? { Put: { TableName, Item: { ...open, violationId, behaviour: standing.behaviour } } } : { Delete: { TableName, Key: open } },
  ];
}
