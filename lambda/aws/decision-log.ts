import { randomUUID } from 'node:crypto';
import { PutCommand, QueryCommand } from '@aws-sdk/lib-dynamodb';
import type { Decision, DecisionLog } from '../ports/decision-log.js';
import type { Ledger } from './ledger.js';

/** Append only: rows are put under a new key and never changed. A run that is repeated leaves its rows twice, as it happened. */
export function dynamoDecisionLog(ledger: Ledger): DecisionLog {
  return {
    async append({ subject, ...decision }) {
      const sk = `${new Date(decision.atMs).toISOString()}#${randomUUID()}`;
      await ledger.client.send(
        new PutCommand({
          TableName: ledger.table,
          Item: { pk: subject, sk, ...decision },
          ConditionExpression: 'attribute_not_exists(pk)',
        }),
      );
    },
    async *of(subject) {
      let ExclusiveStartKey: Record<string, unknown> | undefined;
      do {
        const page = await ledger.client.send(
          new QueryCommand({
            TableName: ledger.table,
            // Times start with a digit: other rows of the same partition (HIGH_WATER, STOP) are not decisions.
            KeyConditionExpression: 'pk = :subject AND sk < :letters',
            ExpressionAttributeValues: { ':subject': subject, ':letters': 'A' },
            ExclusiveStartKey,
          }),
        );
        for (const { pk, sk: _time, ...decision } of page.Items ?? []) yield { subject: String(pk), ...decision } as Decision;
        ExclusiveStartKey = page.LastEvaluatedKey;
      } while (ExclusiveStartKey !== undefined);
    },
  };
}
