/**
 * Settings of which an account has one in a region, and for which CloudFormation has no resource, or one that would take them over: a custom resource
 * merges what this installation needs, and resets nothing when it is deleted.
 */
import { CustomResource, Duration } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import type { IRole } from 'aws-cdk-lib/aws-iam';
import type { ILogGroup } from 'aws-cdk-lib/aws-logs';
import type { MergeVariables } from '../../lambda/settings/merge/env.js';
import type { AppContext } from '../shared/app-context.js';
import { InvokedFunction } from '../shared/own-function.js';
import * as may from '../shared/permissions.js';

/** AWS IoT has no resource types for these actions. */
const NO_RESOURCE_TYPE =
  'The setting belongs to the account, not to a resource: AWS accepts nothing but * for it (service authorization reference of AWS IoT). The function only adds.';

/** One function for all merged settings of the installation, which may change exactly those that are managed. */
export class MergedSettings extends Construct {
  private readonly merge: InvokedFunction<MergeVariables>;

  constructor(scope: Construct, id: string, context: AppContext) {
    super(scope, id);
    const { installation, state } = context;
    this.merge = new InvokedFunction<MergeVariables>(this, 'Merge', {
      ...context,
      name: 'settings-merge',
      description: 'Merges what this installation needs into settings of the account, for CloudFormation',
      environment: { APPLICATION: installation.configuration.prefix, LEDGER_TABLE: state.ledger.tableName },
      timeout: Duration.minutes(2),
      memoryMiB: 256,
    });
    this.merge.allow(may.onTable(state.ledger, 'GetItem', 'PutItem', 'UpdateItem'));
  }

  /** The account’s audit configuration. `passes`: the roles that it is to name. */
  auditConfiguration(
    properties: Readonly<Record<string, string | readonly string[] | undefined>>,
    passes: readonly IRole[],
  ): CustomResource {
    this.merge
      .allow({
        actions: ['iot:DescribeAccountAuditConfiguration', 'iot:UpdateAccountAuditConfiguration'],
        resources: ['*'],
        wildcard: NO_RESOURCE_TYPE,
      })
      .allow({ actions: ['iam:PassRole'], resources: passes.map(({ roleArn }) => roleArn) });
    return this.resource('AuditConfiguration', 'Custom::AccountAuditConfiguration', {
      Setting: 'account-audit-configuration',
      ...properties,
    });
  }

  /** The account’s logging of AWS IoT. `passes`: the role under which it writes, where nobody else’s is set. */
  loggingOptions(wanted: { readonly logGroup: ILogGroup; readonly retentionDays: number; readonly passes: IRole }): CustomResource {
    const { logGroup, retentionDays, passes } = wanted;
    this.merge
      .allow({ actions: ['iot:GetV2LoggingOptions', 'iot:SetV2LoggingOptions'], resources: ['*'], wildcard: NO_RESOURCE_TYPE })
      .allow({ actions: ['iam:PassRole'], resources: [passes.roleArn] })
      .allow({
        actions: ['logs:CreateLogGroup', 'logs:PutRetentionPolicy'],
        resources: [logGroup.logGroupArn],
        wildcard: 'The ARN of one log group ends in :* (service authorization reference of CloudWatch Logs).',
      });
    return this.resource('Logging', 'Custom::IotLoggingOptions', {
      Setting: 'logging-options',
      RoleArn: passes.roleArn,
      LogGroupName: logGroup.logGroupName,
      RetentionDays: String(retentionDays),
    });
  }

  eventConfigurations(eventTypes: readonly string[]): CustomResource {
    this.merge.allow({
      actions: ['iot:DescribeEventConfigurations', 'iot:UpdateEventConfigurations'],
      resources: ['*'],
      wildcard: NO_RESOURCE_TYPE,
    });
    return this.resource('EventConfigurations', 'Custom::EventConfigurations', { Setting: 'event-configurations', EventTypes: eventTypes });
  }

  private resource(id: string, resourceType: string, properties: Readonly<Record<string, unknown>>): CustomResource {
    const resource = new CustomResource(this, id, {
      serviceToken: this.merge.function.functionArn,
      resourceType,
      properties,
      serviceTimeout: Duration.minutes(10),
    });
    // The role's policy is a resource of its own: a function that is called before it is there may do nothing.
    resource.node.addDependency(this.merge);
    return resource;
  }
}
