/**
 * Repair policies of single containments. The list is in the ledger, `REPAIR-POLICY` / <policyName>: written before a policy is made, and deleted after it is, so that one that is
 * at AWS IoT is always on it.
 */
import { CreatePolicyCommand, DeletePolicyCommand, GetPolicyCommand, type IoTClient } from '@aws-sdk/client-iot';
import { DeleteCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import { thingName } from '../../domain/fleet/thing-name.js';
import type { RepairPolicies } from '../ports/repair-policies.js';
import type { Ledger } from './ledger.js';
import { errorName } from './retry.js';
import { rowsOf } from './rows-of.js';

const LIST = 'REPAIR-POLICY';
/** What no repetition makes better. */
const NOT_TAKEN: ReadonlySet<string | undefined> = new Set([
  'MalformedPolicyException',
  'InvalidRequestException',
  'LimitExceededException',
]);

export function iotRepairPolicies(iot: IoTClient, { client, table: TableName }: Ledger): RepairPolicies {
  const isThere = async (policyName: string, document: string): Promise<boolean> => {
    const { policyDocument = '""' } = await iot.send(new GetPolicyCommand({ policyName }));
    // Whatever white space it is kept with.
    return JSON.stringify(JSON.parse(policyDocument)) === JSON.stringify(JSON.parse(document));
  };
  return {
    async make({ policyName, ...about }, document) {
      await client.send(new PutCommand({ TableName, Item: { pk: LIST, sk: policyName, ...about } }));
      try {
        await iot.send(new CreatePolicyCommand({ policyName, policyDocument: document }));
        return 'made';
      } catch (error) {
        if (NOT_TAKEN.has(errorName(error))) return 'refused';
        if (errorName(error) !== 'ResourceAlreadyExistsException') throw error;
        return (await isThere(policyName, document)) ? 'made' : 'refused';
      }
    },

    async *all() {
      for await (const { sk, thingName: thing, containmentId, atMs } of rowsOf({ client, table: TableName }, LIST))
        yield {
          policyName: String(sk),
          thingName: thingName(String(thing)),
          containmentId: String(containmentId),
          atMs: Number(atMs),
        };
    },

    async remove(policyName) {
      try {
        await iot.send(new DeletePolicyCommand({ policyName }));
      } catch (error) {
        if (errorName(error) === 'DeleteConflictException') return 'in-use';
        if (errorName(error) !== 'ResourceNotFoundException') throw error;
      }
      await client.send(new DeleteCommand({ TableName, Key: { pk: LIST, sk: policyName } }));
      return 'removed';
    },
  };
}
