/**
 * The audit in the ledger:
 *
 *     AUDIT                        <taskId>      an audit of ours; SINCE: when audits were first watched here
 *     AUDIT-CHECK                  <checkName>   which audit of this check is the newest
 *     FINDING#<checkName>#<0…f>    <resource>    a finding, over all audits
 *
 * Findings of a check lie in sixteen partitions: an audit that finds something about a million certificates must not meet the write limit of one
 * (1,000 a second). Rows that no audit has touched for long go by themselves; the decisions stay.
 */
import { createHash } from 'node:crypto';
import { GetCommand, PutCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import type { Clock } from '../ports/clock.js';
import {
  findingKey,
  type AuditRecord,
  type AuditRecords,
  type CheckRecord,
  type FindingRecord,
  type RecordedCheck,
} from '../ports/audit-record.js';
import { batchGet, batchPut } from './dynamo-batch.js';
import type { Item, Ledger } from './ledger.js';
import { rowsOf } from './rows-of.js';
import { conditionFailed } from './retry.js';

const AUDIT = 'AUDIT';
const CHECK = 'AUDIT-CHECK';
const SINCE = { pk: AUDIT, sk: 'SINCE' } as const;
const DAY_SECONDS = 86_400;
/** As long as AWS keeps a finding (FACTS C3): a check that is no longer made must not be reported for ever. */
const FINDING_DAYS = 90;
const AUDIT_DAYS = 400;
const SHARDS = Array.from({ length: 16 }, (_, index) => index.toString(16));

const ttl = (fromMs: number, days: number): number => Math.floor(fromMs / 1000) + days * DAY_SECONDS;

function findingRow({ checkName, resource }: Pick<FindingRecord, 'checkName' | 'resource'>) {
  const shard = createHash('sha256').update(resource).digest('hex').slice(0, 1);
  return { pk: `FINDING#${checkName}#${shard}`, sk: resource };
}

const withoutKeys = ({ pk: _pk, sk: _sk, ttl: _ttl, ...rest }: Item): unknown => rest;
const checkFrom = (item: Item): CheckRecord => ({ ...(withoutKeys(item) as CheckRecord), checkName: item['sk'] as RecordedCheck });
const recordFrom = (item: Item): AuditRecord => ({ ...(withoutKeys(item) as AuditRecord), taskId: String(item['sk']) });

export function dynamoAuditRecords(ledger: Ledger, clock: Clock): AuditRecords {
  const { client, table: TableName } = ledger;

  async function get(Key: Record<string, string>): Promise<Item | undefined> {
    return (await client.send(new GetCommand({ TableName, Key, ConsistentRead: true }))).Item;
  }

  async function unlessConditionFails(send: () => Promise<unknown>): Promise<void> {
    try {
      await send();
    } catch (error) {
      if (!conditionFailed(error)) throw error;
    }
  }

  return {
    async task(taskId) {
      const item = await get({ pk: AUDIT, sk: taskId });
      return item && recordFrom(item);
    },

    async *tasks() {
      for await (const item of rowsOf(ledger, AUDIT)) if (item['sk'] !== SINCE.sk) yield recordFrom(item);
    },

    claim: (taskId, by, atMs) =>
      unlessConditionFails(() =>
        client.send(
          new PutCommand({
            TableName,
            Item: { pk: AUDIT, sk: taskId, by, ttl: ttl(atMs, AUDIT_DAYS) },
            ConditionExpression: 'attribute_not_exists(pk)',
          }),
        ),
      ),

    async collected(taskId, startedAtMs, atMs) {
      await client.send(
        new UpdateCommand({
          TableName,
          Key: { pk: AUDIT, sk: taskId },
          UpdateExpression: 'SET startedAtMs = :started, collectedAtMs = :at',
          ExpressionAttributeValues: { ':started': startedAtMs, ':at': atMs },
        }),
      );
    },

    async watchedSince(nowMs) {
      await unlessConditionFails(() =>
        client.send(new PutCommand({ TableName, Item: { ...SINCE, sinceMs: nowMs }, ConditionExpression: 'attribute_not_exists(pk)' })),
      );
      return Number((await get(SINCE))?.['sinceMs'] ?? nowMs);
    },

    async checks() {
      const found = new Map<RecordedCheck, CheckRecord>();
      for await (const item of rowsOf(ledger, CHECK)) found.set(checkFrom(item).checkName, checkFrom(item));
      return found;
    },

    async begin(checks, startedAtMs) {
      for (const checkName of checks) {
        await unlessConditionFails(() =>
          client.send(
            new UpdateCommand({
              TableName,
              Key: { pk: CHECK, sk: checkName },
              UpdateExpression: 'SET begunMs = :started',
              ConditionExpression: 'attribute_not_exists(begunMs) OR begunMs < :started',
              ExpressionAttributeValues: { ':started': startedAtMs },
            }),
          ),
        );
      }
    },

    async complete(checkName, { taskId, startedAtMs, nonCompliant }) {
      await unlessConditionFails(() =>
        client.send(
          new UpdateCommand({
            TableName,
            Key: { pk: CHECK, sk: checkName },
            UpdateExpression: 'SET completedMs = :started, taskId = :task, nonCompliant = :count',
            ConditionExpression: 'attribute_not_exists(completedMs) OR completedMs < :started',
            ExpressionAttributeValues: { ':started': startedAtMs, ':task': taskId, ':count': nonCompliant },
          }),
        ),
      );
    },

    async known(findings) {
      const rows = new Map(findings.map((finding) => [findingKey(finding), findingRow(finding)]));
      const items = await batchGet(client, clock, TableName, [...rows.values()]);
      const found = items.map((item) => withoutKeys(item) as FindingRecord);
      return new Map(found.map((finding) => [findingKey(finding), finding]));
    },

    async put(findings) {
      const rows = findings.map((finding) => ({ ...findingRow(finding), ...finding, ttl: ttl(finding.seenAtMs, FINDING_DAYS) }));
      await batchPut(client, clock, TableName, rows);
    },

    async *of(checkName) {
      for (const shard of SHARDS)
        for await (const item of rowsOf(ledger, `FINDING#${checkName}#${shard}`, { consistent: false }))
          yield withoutKeys(item) as FindingRecord;
    },
  };
}
