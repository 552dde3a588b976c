/**
 * The next free slot of a shared pace, in one number. Two conditional updates, of which exactly one can hold:
 *
 *     idle: next ≤ now   →  next = now + span,   the slots start now
 *     busy: next > now   →  next = next + span,  the slots start where the last ones end, if that is not beyond `latest`
 *
 * A worker that dies with slots in hand wastes them; nobody else may use them, so the pace is never exceeded.
 */
import { GetCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { NoSlotInTime, type Pace } from '../ports/pace.js';
import type { Ledger } from './ledger.js';
import { conditionFailed } from './retry.js';

const MAX_ATTEMPTS = 20;

export function dynamoPace(ledger: Ledger): Pace {
  async function move(
    name: string,
    UpdateExpression: string,
    ConditionExpression: string,
    values: Record<string, number>,
  ): Promise<number | undefined> {
    try {
      const { Attributes } = await ledger.client.send(
        new UpdateCommand({
          TableName: ledger.table,
          Key: { pk: 'PACE', sk: name },
          UpdateExpression,
          ConditionExpression,
          ExpressionAttributeValues: values,
          ReturnValues: 'UPDATED_NEW',
        }),
      );
      return Attributes?.['nextAtMs'] as number;
    } catch (error) {
      if (conditionFailed(error)) return undefined;
      throw error;
    }
  }

  async function nextOf(name: string): Promise<number> {
    const { Item } = await ledger.client.send(
      new GetCommand({ TableName: ledger.table, Key: { pk: 'PACE', sk: name }, ConsistentRead: true }),
    );
    return Number(Item?.['nextAtMs'] ?? 0);
  }

  return {
    async reserve(name, count, perSecond, nowMs, latestMs) {
      const span = Math.ceil((count * 1000) / perSecond);
      for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt++) {
        const next =
          (await move(name, 'SET nextAtMs = nextAtMs + :span', 'nextAtMs > :now AND nextAtMs <= :latest', {
            ':span': span,
            ':now': nowMs,
            ':latest': latestMs ?? Number.MAX_SAFE_INTEGER,
          })) ??
          (await move(name, 'SET nextAtMs = :next', 'attribute_not_exists(nextAtMs) OR nextAtMs <= :now', {
            ':next': nowMs + span,
            ':now': nowMs,
          }));
        if (next !== undefined) return next - span;
        if (latestMs !== undefined && (await nextOf(name)) > latestMs)
          throw new NoSlotInTime(`pace ${name}: no free slot until ${new Date(latestMs).toISOString()}`);
      }
      throw new Error(`pace ${name}: lost ${MAX_ATTEMPTS} times to other workers`);
    },
  };
}
