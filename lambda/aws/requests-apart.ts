/**
 * Requests that must not become as many as what asks for them. One row says from when the next one may leave; between two at most one waits, as a delayed
 * message:
 *
 *     ask ──► sent at once      ask, ask, ask ──► one, delayed      ask ──► nothing: that one begins after this ask
 *      0 ────────────────────────────────────────────────────── apartMs ──► next may leave
 *
 * The message is sent before the row is written: to die in between costs a request too many, never one too few.
 */
import { GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import type { Ledger } from './ledger.js';
import { conditionFailed } from './retry.js';

/** The row is of no use after this. */
const KEPT_SECONDS = 86_400;

export interface Apart {
  readonly key: { readonly pk: string; readonly sk: string };
  readonly apartMs: number;
  /** At most 900 s. */
  readonly send: (delaySeconds: number) => Promise<unknown>;
}

export async function askApart({ client, table: TableName }: Ledger, { key, apartMs, send }: Apart, nowMs: number): Promise<void> {
  const { Item } = await client.send(new GetCommand({ TableName, Key: key, ConsistentRead: true }));
  const freeAtMs = Number(Item?.['freeAtMs'] ?? 0);
  if (freeAtMs > nowMs + apartMs) return; // one waits already, and begins after now
  const atMs = Math.max(nowMs, freeAtMs);
  await send(Math.ceil((atMs - nowMs) / 1000));
  try {
    await client.send(
      new PutCommand({
        TableName,
        Item: { ...key, freeAtMs: atMs + apartMs, ttl: Math.floor(atMs / 1000) + KEPT_SECONDS },
        ConditionExpression: 'attribute_not_exists(pk) OR freeAtMs = :before',
        ExpressionAttributeValues: { ':before': freeAtMs },
      }),
    );
  } catch (error) {
    if (!conditionFailed(error)) throw error; // somebody asked at the same moment: as good
  }
}
