/**
 * Second stages that wait, ordered by the time at which they fall due. A second row under the name of the certificate makes `put` idempotent:
 * a redelivered first stage finds it and does not move the date.
 */
import { TransactWriteCommand, type TransactWriteCommandInput } from '@aws-sdk/lib-dynamodb';
import { RevokeMessage } from '../../domain/protocol/revocation.js';
import type { Clock } from '../ports/clock.js';
import type { DueRevocations } from '../ports/due.js';
import type { Ledger } from './ledger.js';
import { rowsOf } from './rows-of.js';
import { conditionFailed, passesByItself, patiently } from './retry.js';

const nameRow = (name: string) => ({ pk: `DUE#${name}`, sk: 'DUE' });

export function dynamoDueRevocations(ledger: Ledger, clock: Clock): DueRevocations {
  const TableName = ledger.table;
  const transact = (TransactItems: TransactWriteCommandInput['TransactItems']) =>
    patiently(clock, passesByItself, () => ledger.client.send(new TransactWriteCommand({ TransactItems })));
  return {
    async put(message, issuerId, dueAtMs) {
      const name = `${issuerId}#${message.serialNumber}`;
      const due = { pk: 'DUE', sk: `${new Date(dueAtMs).toISOString()}#${name}` };
      try {
        await transact([
          { Put: { TableName, Item: { ...nameRow(name), due: due.sk }, ConditionExpression: 'attribute_not_exists(pk)' } },
          { Put: { TableName, Item: { ...due, message } } },
        ]);
      } catch (error) {
        if (!conditionFailed(error)) throw error; // it waits already
      }
    },

    async *dueBy(nowMs) {
      for await (const item of rowsOf(ledger, 'DUE', { below: new Date(nowMs + 1).toISOString() }))
        yield { message: RevokeMessage.parse(item['message']), key: String(item['sk']) };
    },

    async done(key) {
      const name = key.slice(key.indexOf('#') + 1);
      await ledger.client.send(
        new TransactWriteCommand({
          TransactItems: [{ Delete: { TableName, Key: { pk: 'DUE', sk: key } } }, { Delete: { TableName, Key: nameRow(name) } }],
        }),
      );
    },
  };
}
