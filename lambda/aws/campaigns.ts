/**
 * Campaigns in the ledger:
 *
 *     CAMPAIGN         <campaignId>   the campaign
 *     JOB#<jobId>      CAMPAIGN       which campaign this job is of
 */
import { GetCommand, TransactWriteCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import type { Clock } from '../ports/clock.js';
import type { Campaign, Campaigns } from '../ports/rotations.js';
import type { Item, Ledger } from './ledger.js';
import { rowsOf } from './rows-of.js';
import { conditionFailed, passesByItself, patiently } from './retry.js';

const campaignKey = (campaignId: string) => ({ pk: 'CAMPAIGN', sk: campaignId });
const jobKey = (jobId: string) => ({ pk: `JOB#${jobId}`, sk: 'CAMPAIGN' });
const campaignFrom = ({ pk: _pk, sk: _sk, ...campaign }: Item): Campaign => campaign as unknown as Campaign;

export function dynamoCampaigns({ client, table: TableName }: Ledger, clock: Clock): Campaigns {
  async function item(Key: Record<string, string>): Promise<Item | undefined> {
    return (await client.send(new GetCommand({ TableName, Key, ConsistentRead: true }))).Item;
  }

  async function get(campaignId: string): Promise<Campaign | undefined> {
    const found = await item(campaignKey(campaignId));
    return found && campaignFrom(found);
  }

  return {
    get,

    async byJob(jobId) {
      const found = await item(jobKey(jobId));
      return found && get(String(found['campaignId']));
    },

    async *all() {
      for await (const row of rowsOf({ client, table: TableName }, 'CAMPAIGN')) yield campaignFrom(row);
    },

    async put(campaign) {
      const { campaignId, jobId } = campaign;
      const TransactItems = [
        { Put: { TableName, Item: { ...campaignKey(campaignId), ...campaign }, ConditionExpression: 'attribute_not_exists(pk)' } },
        { Put: { TableName, Item: { ...jobKey(jobId), campaignId } } },
      ];
      try {
        await patiently(clock, passesByItself, () => client.send(new TransactWriteCommand({ TransactItems })));
        return true;
      } catch (error) {
        if (conditionFailed(error)) return false;
        throw error;
      }
    },

    async move(campaignId, from, to, atMs, size) {
      const states = Object.fromEntries(from.map((state, index) => [`:from${index}`, state]));
      try {
        await client.send(
          new UpdateCommand({
            TableName,
            Key: campaignKey(campaignId),
            UpdateExpression: `SET #state = :to, updatedAtMs = :at${size === undefined ? '' : ', #size = :size'}`,
            ConditionExpression: `#state IN (${Object.keys(states).join(', ')})`,
            ExpressionAttributeNames: { '#state': 'state', ...(size !== undefined && { '#size': 'size' }) },
            ExpressionAttributeValues: { ...states, ':to': to, ':at': atMs, ...(size !== undefined && { ':size': size }) },
          }),
        );
        return true;
      } catch (error) {
        if (!conditionFailed(error)) throw error;
      }
      // The SDK repeats a write whose answer was lost, and then finds its own state there: that is success, not a race lost.
      const now = await get(campaignId);
      return now?.state === to && now.updatedAtMs === atMs;
    },

    async takeTurn(campaignId, atMs) {
      const { Attributes } = await client.send(
        new UpdateCommand({
          TableName,
          Key: campaignKey(campaignId),
          UpdateExpression: 'SET turnAtMs = if_not_exists(turnAtMs, :at)',
          ConditionExpression: 'attribute_exists(pk)',
          ExpressionAttributeValues: { ':at': atMs },
          ReturnValues: 'UPDATED_NEW',
        }),
      );
      return Number(Attributes?.['turnAtMs'] ?? atMs);
    },

    async tidied(campaignId, atMs) {
      await client.send(
        new UpdateCommand({
          TableName,
          Key: campaignKey(campaignId),
          UpdateExpression: 'SET tidiedAtMs = :at',
          ConditionExpression: 'attribute_exists(pk)',
          ExpressionAttributeValues: { ':at': atMs },
        }),
      );
    },
  };
}
