/**
 * Refusals out of the log of AWS IoT:
 *
 *     policy says no ─► line at ERROR in AWSIotLogsV2 ─(subscription filter)─► stream of the monitor
 *
 * The logging is the account’s, and the log group AWS IoT’s own: neither is a resource of ours. Where `behaviour.manage.logging` says so, both are seen to
 * before the filter is made; where not, and where somebody switches the logging off later, the round of the monitor says so by an alarm.
 */
import { RemovalPolicy, Stack } from 'aws-cdk-lib';
import { PolicyDocument, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { IStream } from 'aws-cdk-lib/aws-kinesis';
import { CfnSubscriptionFilter, LogGroup } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import { IOT_LOG_GROUP, REFUSAL_FILTER } from '../../domain/protocol/fleet-events.js';
import type { MergedSettings } from '../settings/merged-setting.js';
import { acknowledgeWildcards } from '../shared/wildcard.js';

/** As AWS IoT makes its log group (IG configure-logging.html). */
const RETENTION_DAYS = 30;

export class MonitorLogs {
  private readonly filter: CfnSubscriptionFilter;

  constructor(
    /** The monitor: ids of resources lie right below it. */
    private readonly scope: Construct,
    stream: IStream,
  ) {
    const { partition, region, account } = Stack.of(scope);
    const role = new Role(scope, 'LogsRole', {
      // As "Log group-level subscription filters" of CloudWatch Logs has it: for log groups of this account and region.
      assumedBy: new ServicePrincipal('logs.amazonaws.com', {
        conditions: { StringLike: { 'aws:SourceArn': `arn:${partition}:logs:${region}:${account}:*` } },
      }),
      description: `Puts refusals from ${IOT_LOG_GROUP} on the stream of the monitor`,
    });
    role.addToPolicy(new PolicyStatement({ actions: ['kinesis:PutRecord'], resources: [stream.streamArn] }));
    this.filter = new CfnSubscriptionFilter(scope, 'Refusals', {
      logGroupName: IOT_LOG_GROUP,
      filterPattern: REFUSAL_FILTER,
      destinationArn: stream.streamArn,
      roleArn: role.roleArn,
      distribution: 'Random',
    });
    this.filter.node.addDependency(role);
  }

  /** The log group is there, and AWS IoT logs into it, before the filter is made. */
  switchOn(settings: MergedSettings): void {
    const { scope } = this;
    const logGroup = LogGroup.fromLogGroupName(scope, 'IotLogGroup', IOT_LOG_GROUP);
    const role = new Role(scope, 'IotLoggingRole', {
      // No condition: AWS shows this trust policy without one and does not say what AWS IoT sends here, and one that does not match is silence.
      assumedBy: new ServicePrincipal('iot.amazonaws.com'),
      description: 'Under this role AWS IoT writes its log',
      // Inline, so that it is retained with the role: a policy of its own would go with the stack.
      inlinePolicies: {
        Write: new PolicyDocument({
          statements: [
            // Less than AWSIoTLogging, AWS's managed policy, which allows the same and more on all log groups.
            new PolicyStatement({
              actions: [
                'logs:CreateLogGroup',
                'logs:CreateLogStream',
                'logs:PutLogEvents',
                'logs:PutMetricFilter',
                'logs:PutRetentionPolicy',
              ],
              resources: [logGroup.logGroupArn],
            }),
          ],
        }),
      },
    });
    acknowledgeWildcards(
      role,
      [logGroup.logGroupArn],
      'The ARN of one log group ends in :* (service authorization reference of CloudWatch Logs).',
    );
    // The account’s logging goes on when the stack is gone, and what it names must go on too.
    role.applyRemovalPolicy(RemovalPolicy.RETAIN);
    this.filter.node.addDependency(settings.loggingOptions({ logGroup, retentionDays: RETENTION_DAYS, passes: role }));
  }
}
