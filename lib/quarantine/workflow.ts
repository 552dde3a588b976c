/** The state machine, its role, its log, and the alarms on executions that end otherwise than released. */
import { Aws, Duration, RemovalPolicy, Stack } from 'aws-cdk-lib';
import { Metric } from 'aws-cdk-lib/aws-cloudwatch';
import { PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import { LogGroup, type RetentionDays } from 'aws-cdk-lib/aws-logs';
import { CfnStateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import type { Alarms } from '../observability/alarms.js';
import { acknowledgeWildcards } from '../shared/wildcard.js';
import { stateMachineArn, stateMachineName } from './permissions.js';
import { workflowDefinition } from './workflow-definition.js';

export interface WorkflowProps {
  readonly prefix: string;
  readonly contain: IFunction;
  readonly release: IFunction;
  readonly logRetention: RetentionDays;
  readonly alarms: Alarms;
}

export class Workflow extends Construct {
  readonly arn: string;
  readonly logGroup: LogGroup;

  constructor(scope: Construct, id: string, { prefix, contain, release, logRetention, alarms }: WorkflowProps) {
    super(scope, id);
    this.arn = stateMachineArn(this, prefix);
    this.logGroup = new LogGroup(this, 'LogGroup', {
      // AWS keeps the policy of such names small (docs.aws.amazon.com/step-functions/latest/dg/bp-cwl.html).
      logGroupName: `/aws/vendedlogs/states/${stateMachineName(prefix)}`,
      retention: logRetention,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    const role = this.role([contain.functionArn, release.functionArn]);
    const machine = new CfnStateMachine(this, 'StateMachine', {
      stateMachineName: stateMachineName(prefix),
      stateMachineType: 'STANDARD',
      roleArn: role.roleArn,
      definitionString: Stack.of(this).toJsonString(
        workflowDefinition({ partition: Aws.PARTITION, containArn: contain.functionArn, releaseArn: release.functionArn }),
      ),
      // Without data: task tokens are in it. What was done stands in the audit trail.
      loggingConfiguration: {
        level: 'ALL',
        includeExecutionData: false,
        destinations: [{ cloudWatchLogsLogGroup: { logGroupArn: this.logGroup.logGroupArn } }],
      },
      tracingConfiguration: { enabled: true },
    });
    machine.node.addDependency(role);
    for (const metricName of ['ExecutionsFailed', 'ExecutionsAborted', 'ExecutionsTimedOut'])
      alarms.add('containment-workflow-failed', {
        of: metricName,
        metric: new Metric({
          namespace: 'AWS/States',
          metricName,
          dimensionsMap: { StateMachineArn: this.arn },
          period: Duration.minutes(5),
          statistic: 'Sum',
        }),
        atLeast: 1,
      });
  }

  private role(functionArns: readonly string[]): Role {
    const { account } = Stack.of(this);
    const role = new Role(this, 'Role', {
      // docs.aws.amazon.com/step-functions/latest/dg/procedure-create-iam-role.html: for this very machine.
      assumedBy: new ServicePrincipal('states.amazonaws.com', {
        conditions: { StringEquals: { 'aws:SourceAccount': account }, ArnEquals: { 'aws:SourceArn': this.arn } },
      }),
      description: `What the state machine of ${this.node.path} may do`,
    });
    role.addToPolicy(new PolicyStatement({ actions: ['lambda:InvokeFunction'], resources: [...functionArns] }));
    role.addToPolicy(
      new PolicyStatement({
        actions: [
          'logs:CreateLogDelivery',
          'logs:GetLogDelivery',
          'logs:UpdateLogDelivery',
          'logs:DeleteLogDelivery',
          'logs:ListLogDeliveries',
          'logs:PutResourcePolicy',
          'logs:DescribeResourcePolicies',
          'logs:DescribeLogGroups',
          'xray:PutTraceSegments',
          'xray:PutTelemetryRecords',
          'xray:GetSamplingRules',
          'xray:GetSamplingTargets',
        ],
        resources: ['*'],
      }),
    );
    acknowledgeWildcards(
      role,
      ['*'],
      'Log delivery and X-Ray have no resource types: AWS accepts nothing but * for them (docs.aws.amazon.com/step-functions/latest/dg/cw-logs.html).',
    );
    return role;
  }
}
