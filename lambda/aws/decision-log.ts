import { randomUUID } from 'node:crypto';
import { PutCommand } from '@aws-sdk/lib-dynamodb';
import type { Decision, DecisionLog } from '../ports/decision-log.js';
import type { Ledger } from './ledger.js';
import { rowsOf } from './rows-of.js';

/** Append only: rows are put under a new key and never changed. A run that is repeated leaves its rows twice, as it happened. */
export function dynamoDecisionLog(ledger: Ledger): DecisionLog {
  /** What is appended within one millisecond is read in the order in which it was appended: no outcome before its intent. */
  let appended = 0;
  return {
    async append({ subject, ...decision }) {
      appended += 1;
      const sk = `${new Date(decision.atMs).toISOString()}#${String(appended).padStart(9, '0')}#${randomUUID()}`;
      await ledger.client.send(
        new PutCommand({
          TableName: ledger.table,
          Item: { pk: subject, sk, ...decision },
          ConditionExpression: 'attribute_not_exists(pk)',
        }),
      );
    },
    async *of(subject) {
      // Times start with a digit: other rows of the same partition (HIGH_WATER, STOP) are not decisions.
      for await (const { pk, sk: _time, ...decision } of rowsOf(ledger, subject, { below: 'A', consistent: false }))
        yield { subject: String(pk), ...decision } as unknown as Decision;
    },
  };
}
