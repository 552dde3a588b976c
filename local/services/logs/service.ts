/** Amazon CloudWatch Logs on the desk: its operations, what IAM must allow for each, and lines from other services. */
import type { Cloud } from '../../cloud.js';
import type { AccessRequest } from '../../iam/principal.js';
import { LogGroups } from './log-groups.js';
import { logsOperations } from './operations.js';
import { subscriptionOperations } from './subscription-operations.js';

/** Starts CloudWatch Logs. Nothing to stop: it has no timer. */
export function startLogs(cloud: Cloud): void {
  const groups = new LogGroups(cloud);
  cloud.addService({
    name: 'logs',
    signingNames: ['logs'],
    operations: { ...logsOperations(groups, cloud.world), ...subscriptionOperations(groups, cloud) },
    access: (operation, input) => [access(groups, operation, input), ...passes(operation, input)],
    resourcePolicies: () => groups.policies(),
  });
  cloud.parts.logs = (group, stream, lines) => groups.writeFromService(group, stream, lines);
  cloud.addTarget(
    'logs',
    async (delivery) => {
      const message = typeof delivery.payload === 'string' ? delivery.payload : JSON.stringify(delivery.payload);
      // A log group of an events rule gets one stream per event on AWS; here one per sender.
      groups.writeFromService(groups.get(delivery.targetArn).name, delivery.sourceArn.split('/').pop() ?? 'events', [
        { timestamp: cloud.world.clock.nowMs(), message },
      ]);
    },
    (delivery) => ({ action: 'logs:PutLogEvents', resource: `${delivery.targetArn.replace(/:\*$/, '')}:log-stream:*` }),
  );
}

const ACCOUNT_WIDE = [
  'DescribeLogGroups',
  'PutResourcePolicy',
  'DeleteResourcePolicy',
  'DescribeResourcePolicies',
  'PutQueryDefinition',
  'DeleteQueryDefinition',
  'DescribeQueryDefinitions',
];

function access(groups: LogGroups, operation: string, input: Readonly<Record<string, unknown>>): AccessRequest {
  const action = `logs:${operation}`;
  if (ACCOUNT_WIDE.includes(operation)) return { action, resource: '*' };
  const reference = input.logGroupIdentifier ?? input.resourceArn ?? input.logGroupName;
  const arn = typeof reference !== 'string' ? '*' : reference.startsWith('arn:') ? reference : groups.arnOf(reference);
  // What names a stream is authorised on the stream, the rest on the group (service authorization reference).
  if (['PutLogEvents', 'GetLogEvents', 'DeleteLogStream'].includes(operation))
    return { action, resource: `${arn}:log-stream:${String(input.logStreamName)}` };
  return { action, resource: `${arn}:*` };
}

/** Who lets CloudWatch Logs deliver under a role must be allowed to pass it (PutSubscriptionFilter API reference). */
function passes(operation: string, { roleArn }: Readonly<Record<string, unknown>>): readonly AccessRequest[] {
  if (operation !== 'PutSubscriptionFilter' || typeof roleArn !== 'string') return [];
  return [{ action: 'iam:PassRole', resource: roleArn, context: { 'iam:PassedToService': 'logs.amazonaws.com' } }];
}
