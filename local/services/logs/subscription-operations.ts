/** Put, Describe and DeleteSubscriptionFilter (CloudWatch Logs API reference). */
import type { Cloud } from '../../cloud.js';
import { AwsError, type Operation } from '../../models/service.js';
import { inPages } from '../pages.js';
import type { SubscriptionInput } from './log-group.js';
import type { LogGroups } from './log-groups.js';
import { SubscriptionFilter } from './subscription-filter.js';

/** "Each log group can have up to two subscription filters associated with it." */
const MOST_FILTERS = 2;
const NOT_SERVED = ['applyOnTransformedLogs', 'fieldSelectionCriteria', 'emitSystemFields'];

export function subscriptionOperations(groups: LogGroups, cloud: Cloud): Readonly<Record<string, Operation>> {
  return {
    PutSubscriptionFilter: async (input: SubscriptionInput & { readonly logGroupName: string } & Readonly<Record<string, unknown>>) => {
      const other = NOT_SERVED.find((name) => input[name] !== undefined && input[name] !== false);
      if (other) throw new AwsError('InvalidParameterException', `${other} is not served by the desk.`);
      const group = groups.get(input.logGroupName);
      const known = group.subscriptions.get(input.filterName);
      if (!known && group.subscriptions.size >= MOST_FILTERS) throw new AwsError('LimitExceededException', 'Resource limit exceeded.');
      const filter = new SubscriptionFilter(cloud, group, input, known?.createdAtMs ?? cloud.world.clock.nowMs());
      await filter.test();
      group.subscriptions.set(input.filterName, filter);
      return {};
    },
    DescribeSubscriptionFilters: (input: { logGroupName: string; filterNamePrefix?: string; nextToken?: string; limit?: number }) => {
      const group = groups.get(input.logGroupName);
      const all = [...group.subscriptions.values()].filter(({ input: { filterName } }) =>
        filterName.startsWith(input.filterNamePrefix ?? ''),
      );
      const { page, nextToken } = inPages(all, input.limit ?? 50, input.nextToken, 'InvalidParameterException');
      return {
        subscriptionFilters: page.map(({ input: { filterName, filterPattern, destinationArn, roleArn, distribution }, createdAtMs }) => ({
          filterName,
          filterPattern,
          destinationArn,
          ...(roleArn === undefined ? {} : { roleArn }),
          distribution: distribution ?? 'ByLogStream',
          creationTime: createdAtMs,
          logGroupName: group.name,
        })),
        ...(nextToken === undefined ? {} : { nextToken }),
      };
    },
    DeleteSubscriptionFilter: (input: { logGroupName: string; filterName: string }) => {
      if (!groups.get(input.logGroupName).subscriptions.delete(input.filterName))
        throw new AwsError('ResourceNotFoundException', 'The specified subscription filter does not exist.');
      return {};
    },
  };
}
