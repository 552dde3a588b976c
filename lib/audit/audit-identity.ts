/**
 * What the account’s audit configuration points to: the role under which Device Defender reads, the topic that it notifies, and the role under which it
 * publishes. In the state stack, and retained: the account’s configuration is never reset, so what it names must outlive every deployment.
 */
import { CfnOutput, RemovalPolicy, Stack, Validations } from 'aws-cdk-lib';
import { ManagedPolicy, PolicyDocument, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { type ITopic, Topic, TopicPolicy } from 'aws-cdk-lib/aws-sns';
import { Construct } from 'constructs';
import { auditCheck } from '../../domain/fleet/audit-checks.js';
import { type AuditConfig, enabledChecks } from '../config/audit-config.js';

const MANAGED_POLICY = 'service-role/AWSIoTDeviceDefenderAudit';

export class AuditIdentity extends Construct {
  readonly role: Role;
  readonly topic: ITopic;
  /** Absent where the topic is somebody else’s. */
  readonly notificationRole?: Role;

  constructor(scope: Construct, id: string, audit: AuditConfig) {
    super(scope, id);
    this.role = new Role(this, 'Role', {
      assumedBy: this.deviceDefender(),
      managedPolicies: [ManagedPolicy.fromAwsManagedPolicyName(MANAGED_POLICY)],
      description: 'Under this role AWS IoT Device Defender audits the account',
    });
    this.role.applyRemovalPolicy(RemovalPolicy.RETAIN);
    Validations.of(this.role).acknowledge({
      id: `AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/${MANAGED_POLICY}]`,
      reason:
        'What an audit reads is AWS’s to say, check by check, and it changes with the checks: AWS keeps it in this policy. Read only.',
    });
    if (audit.topicArn === undefined) {
      const topic = new Topic(this, 'Topic', { displayName: 'Device Defender audits' });
      topic.applyRemovalPolicy(RemovalPolicy.RETAIN);
      new TopicPolicy(this, 'TopicPolicy', { topics: [topic], enforceSSL: true }).applyRemovalPolicy(RemovalPolicy.RETAIN);
      this.notificationRole = new Role(this, 'NotificationRole', {
        assumedBy: this.deviceDefender(),
        description: 'Under this role AWS IoT Device Defender says that an audit is over',
        // Inline, so that it is retained with the role: a policy of its own would go with the stack.
        inlinePolicies: {
          Publish: new PolicyDocument({ statements: [new PolicyStatement({ actions: ['sns:Publish'], resources: [topic.topicArn] })] }),
        },
      });
      this.notificationRole.applyRemovalPolicy(RemovalPolicy.RETAIN);
      this.topic = topic;
    } else this.topic = Topic.fromTopicArn(this, 'Topic', audit.topicArn);
    if (!audit.manage.accountConfiguration) this.printCommand(audit);
  }

  /**
   * The confused deputy: only for audits of this account. The ARN has no resource, and a colon at its end (sic, IoT developer guide,
   * cross-service-confused-deputy-prevention.html, FACTS C3).
   */
  private deviceDefender(): ServicePrincipal {
    const { partition, region, account } = Stack.of(this);
    return new ServicePrincipal('iot.amazonaws.com', {
      conditions: {
        StringEquals: { 'aws:SourceAccount': account },
        ArnEquals: { 'aws:SourceArn': `arn:${partition}:iot:${region}:${account}:` },
      },
    });
  }

  /** For whoever keeps the account’s audit configuration by other means. */
  private printCommand(audit: AuditConfig): void {
    const days = { CERT_EXPIRATION_THRESHOLD_IN_DAYS: audit.expirationThresholdDays, CERT_AGE_THRESHOLD_IN_DAYS: audit.ageThresholdDays };
    const checks = Object.fromEntries(
      enabledChecks(audit).map((name) => {
        const { threshold } = auditCheck(name);
        const value = threshold && days[threshold];
        return [name, { enabled: true, ...(threshold && value !== undefined && { configuration: { [threshold]: String(value) } }) }];
      }),
    );
    const target =
      this.notificationRole === undefined
        ? []
        : [
            '--audit-notification-target-configurations',
            `'{"SNS":{"enabled":true,"targetArn":"${this.topic.topicArn}","roleArn":"${this.notificationRole.roleArn}"}}'`,
          ];
    new CfnOutput(this, 'Command', {
      description: 'Run before the app stack is deployed, unless the account’s audit configuration says all of it already',
      value: [
        'aws iot update-account-audit-configuration',
        `--role-arn ${this.role.roleArn}`,
        ...target,
        `--audit-check-configurations '${JSON.stringify(checks)}'`,
      ].join(' '),
    });
  }
}
