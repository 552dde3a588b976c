/**
 * From an audit of AWS IoT Device Defender to somebody who does something about it:
 *
 *     account configuration (merged) ─► scheduled audit ─► topic ─► collect queue ─► collect ─┬─► start queue of rotation
 *                                                   every six hours: {watch} ─┘               ├─► intake queue of quarantine
 *                                                                                             ├─► sync queue of revocation
 *                                                                                             └─► ledger, metrics, alarms
 *
 * It reads at AWS IoT and changes nothing there: the promise does not rest on its code.
 */
import { type CustomResource, Duration } from 'aws-cdk-lib';
import { Rule, RuleTargetInput, Schedule } from 'aws-cdk-lib/aws-events';
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { CfnScheduledAudit } from 'aws-cdk-lib/aws-iot';
import { CfnSubscription } from 'aws-cdk-lib/aws-sns';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { AUDIT_PERIOD_DAYS, type AuditOrder, scheduledAuditName } from '../../domain/protocol/audit.js';
import type { CollectVariables } from '../../lambda/audit/collect/env.js';
import { auditResponses, enabledChecks } from '../config/audit-config.js';
import { decimal } from '../revocation/variables.js';
import type { MergedSettings } from '../settings/merged-setting.js';
import type { AppContext } from '../shared/app-context.js';
import { GuardedFunction } from '../shared/guarded-function.js';
import * as may from '../shared/permissions.js';
import type { AuditIdentity } from './audit-identity.js';
import { watchAudit } from './watch.js';

/** ListAuditFindings has ten a second, not adjustable (FACTS C3): a little is left for people on the console. Slots are whole milliseconds: 105. */
const PAGES_PER_SECOND = 9.6;
const WATCH_HOURS = 6;

export interface AuditProps extends AppContext {
  readonly identity: AuditIdentity;
  /** Merges the account’s audit configuration. @default somebody else keeps it */
  readonly settings?: MergedSettings;
  /** Start queue of rotation. @default rotation is off: people are told instead */
  readonly startQueue?: IQueue;
  /** Intake queue of quarantine. @default quarantine is off: people are told instead */
  readonly intakeQueue?: IQueue;
  /** Sync queue of revocation. */
  readonly syncQueue: IQueue;
}

export class Audit extends Construct {
  readonly collect: GuardedFunction<CollectVariables>;
  readonly scheduledAuditName: string;

  constructor(
    scope: Construct,
    id: string,
    private readonly props: AuditProps,
  ) {
    super(scope, id);
    this.scheduledAuditName = scheduledAuditName(this.configuration.prefix);
    this.collect = this.makeCollect();
    const subscription = this.subscribe();
    const configured = props.settings && this.configureAccount(props.settings);
    const scheduled = this.schedule();
    // AWS IoT refuses a scheduled audit with a check that is not enabled; and the first audit must find somebody who listens.
    if (configured !== undefined) scheduled.node.addDependency(configured);
    scheduled.node.addDependency(subscription);
    this.watchRegularly();
    watchAudit(props.alarms, this.collect.function, { watchHours: WATCH_HOURS });
  }

  private get configuration() {
    return this.props.installation.configuration;
  }
  private get settings() {
    return this.configuration.audit;
  }

  private makeCollect(): GuardedFunction<CollectVariables> {
    const { state, startQueue, intakeQueue, syncQueue } = this.props;
    const { prefix } = this.configuration;
    const collect = new GuardedFunction<CollectVariables>(this, 'Collect', {
      ...this.props,
      name: 'audit-collect',
      description: 'Reads the findings of an audit, and hands them to rotation, quarantine or people',
      environment: (ownQueueUrl) => ({
        APPLICATION: prefix,
        LEDGER_TABLE: state.ledger.tableName,
        COLLECT_QUEUE_URL: ownQueueUrl,
        START_QUEUE_URL: startQueue?.queueUrl ?? 'off',
        INTAKE_QUEUE_URL: intakeQueue?.queueUrl ?? 'off',
        SYNC_QUEUE_URL: syncQueue.queueUrl,
        SCHEDULED_AUDIT_NAME: this.scheduledAuditName,
        AUDIT_PERIOD_DAYS: String(AUDIT_PERIOD_DAYS[this.settings.schedule.frequency]),
        PAGES_PER_SECOND: decimal(PAGES_PER_SECOND),
        RESPONSES: JSON.stringify(auditResponses(this.settings)),
      }),
      // A page of 250 takes a second or so: five minutes are some 50,000 findings a call, and a message that fails comes back in half an hour.
      timeout: Duration.minutes(5),
      memoryMiB: 512,
      batchSize: 1,
      maxConcurrency: 2,
      stalledAfter: Duration.hours(2),
      continuesItself: true,
    });
    const queues = [collect.source.queue, syncQueue, ...(startQueue ? [startQueue] : []), ...(intakeQueue ? [intakeQueue] : [])];
    return collect
      .allow(may.onTable(state.ledger, 'GetItem', 'BatchGetItem', 'Query', 'PutItem', 'UpdateItem', 'BatchWriteItem'))
      .allow({
        actions: ['iot:DescribeAuditTask', 'iot:ListAuditFindings', 'iot:ListAuditTasks'],
        resources: ['*'],
        wildcard:
          'Audit tasks and findings have no resource type: AWS accepts nothing but * for them (service authorization reference of AWS IoT). Read only.',
      })
      .allow({ actions: ['sqs:SendMessage'], resources: queues.map(({ queueArn }) => queueArn) });
  }

  /** What the topic says goes to the queue; what cannot be delivered goes to its dead-letter queue, where an alarm waits. */
  private subscribe(): CfnSubscription {
    const { topic } = this.props.identity;
    const { queue, deadLetterQueue } = this.collect.source;
    for (const target of [queue, deadLetterQueue]) {
      target.addToResourcePolicy(
        new PolicyStatement({
          sid: 'AuditTopic',
          principals: [new ServicePrincipal('sns.amazonaws.com')],
          actions: ['sqs:SendMessage'],
          resources: [target.queueArn],
          conditions: { ArnEquals: { 'aws:SourceArn': topic.topicArn } },
        }),
      );
    }
    return new CfnSubscription(this, 'Subscription', {
      topicArn: topic.topicArn,
      protocol: 'sqs',
      endpoint: queue.queueArn,
      rawMessageDelivery: true,
      redrivePolicy: { deadLetterTargetArn: deadLetterQueue.queueArn },
    });
  }

  private configureAccount(settings: MergedSettings): CustomResource {
    const { role, notificationRole, topic } = this.props.identity;
    const { expirationThresholdDays, ageThresholdDays } = this.settings;
    return settings.auditConfiguration(
      {
        RoleArn: role.roleArn,
        TopicArn: topic.topicArn,
        ...(notificationRole && { NotificationRoleArn: notificationRole.roleArn }),
        Checks: enabledChecks(this.settings),
        // Texts: AWS IoT takes no numbers here (FACTS C2).
        ExpirationThresholdDays: String(expirationThresholdDays),
        ...(ageThresholdDays !== undefined && { AgeThresholdDays: String(ageThresholdDays) }),
      },
      [role, ...(notificationRole ? [notificationRole] : [])],
    );
  }

  private schedule(): CfnScheduledAudit {
    const { frequency, dayOfWeek, dayOfMonth } = this.settings.schedule;
    return new CfnScheduledAudit(this, 'Schedule', {
      scheduledAuditName: this.scheduledAuditName,
      frequency,
      ...(dayOfWeek !== undefined && { dayOfWeek }),
      ...(dayOfMonth !== undefined && { dayOfMonth }),
      targetCheckNames: [...enabledChecks(this.settings)],
    });
  }

  private watchRegularly(): void {
    const { prefix } = this.configuration;
    const order: AuditOrder = { kind: 'watch' };
    new Rule(this, 'Watch', {
      ruleName: `${prefix}-audit-watch`,
      description: 'Looks for audits that nobody has read, and for the absence of audits',
      schedule: Schedule.rate(Duration.hours(WATCH_HOURS)),
      targets: [this.collect.source.asTarget('audit-watch', RuleTargetInput.fromObject(order))],
    });
  }
}
