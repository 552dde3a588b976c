import { CfnOutput, Lazy, Stack, type StackProps } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { hasSigner } from '../config/anchor-config.js';
import type {
  AuditParameter,
  MonitorParameter,
  QuarantineParameter,
  RotationParameter,
} from '../../domain/protocol/application-parameters.js';
import { Audit } from '../audit/audit.js';
import { Behaviour } from '../behaviour/behaviour.js';
import type { Monitor } from '../behaviour/monitor.js';
import { DevicePolicy } from '../enrolment/device-policy.js';
import { InventoryFeed } from '../inventory/inventory.js';
import { Alarms } from '../observability/alarms.js';
import { ApplicationParameters } from '../observability/application-parameters.js';
import { managesLogging, runsDetect } from '../config/behaviour-config.js';
import { FleetDashboard } from '../observability/dashboard.js';
import type { ShownCapability } from '../observability/dashboard-rows.js';
import { watchFleet } from '../observability/watch.js';
import { shutsOffByCommand } from '../config/quarantine-config.js';
import { Quarantine } from '../quarantine/quarantine.js';
import { Revocation } from '../revocation/revocation.js';
import { decimal } from '../revocation/variables.js';
import { Rotation } from '../rotation/rotation.js';
import { MergedSettings } from '../settings/merged-setting.js';
import type { Installation } from '../shared/installation.js';
import { Signer } from '../signer/signer.js';
import type { StateStack } from './state-stack.js';

export interface AppStackProps extends StackProps {
  readonly installation: Installation;
  readonly state: StateStack;
}

/** What can be torn down and built again: queues, functions, rules, alarms, dashboard. Nothing in it is the only copy of anything. */
export class AppStack extends Stack {
  readonly alarms: Alarms;

  constructor(scope: Construct, id: string, { installation, state, ...props }: AppStackProps) {
    super(scope, id, { ...props, description: 'Fleetwarden: functions, queues, rules, alarms' });
    const { configuration } = installation;
    const { prefix, revocation: settings } = configuration;
    this.alarms = new Alarms(this, 'Alarms', { prefix, emails: configuration.notifications.emails });
    const context = { installation, state, alarms: this.alarms };
    const { topicPrefix } = configuration.devices;
    const devicePolicy = new DevicePolicy(this, 'DevicePolicy', {
      prefix,
      topicPrefix,
      commands: shutsOffByCommand(configuration),
      detect: runsDetect(configuration.behaviour),
    });
    // The revoke function asks for reconciliations, and the inventory's functions hand over revocations: each needs the other's queue.
    const reconcileQueue = {
      queueUrl: Lazy.string({ produce: () => inventory.reconcile.source.queue.queueUrl }),
      queueArn: Lazy.string({ produce: () => inventory.reconcile.source.queue.queueArn }),
    };
    const revocation = new Revocation(this, 'Revocation', { ...context, reconcileQueue });
    const inventory: InventoryFeed = new InventoryFeed(this, 'Inventory', { ...context, revokeQueue: revocation.revoke.source.queue });
    const rotation = configuration.rotation.mode === 'off' ? undefined : new Rotation(this, 'Rotation', context);
    if (rotation !== undefined) inventory.tellRotation(rotation.prove.source.queue);
    const signer = configuration.trustAnchors.some(hasSigner) ? new Signer(this, 'Signer', context) : undefined;
    if (rotation !== undefined && configuration.rotation.mode === 'enforce') {
      signer?.letIssue(rotation.issue, rotation.issuingAnchorId);
      signer?.letSupersede(rotation.retire);
    }
    const behaviour = configuration.behaviour.detect === 'off' ? undefined : new Behaviour(this, 'Behaviour', context);
    const quarantine =
      configuration.quarantine.mode === 'off'
        ? undefined
        : new Quarantine(this, 'Quarantine', {
            ...context,
            ...(behaviour ? { behaviour } : {}),
            ...(rotation ? { startQueue: rotation.start.source.queue } : {}),
          });
    if (quarantine !== undefined) inventory.tellQuarantine(quarantine.watch.source.queue);
    const { manage } = configuration.audit;
    const events = manage.eventConfigurations && configuration.devices.autoRegistration ? ['CA_CERTIFICATE'] : [];
    const managesAudit = state.audit !== undefined && manage.accountConfiguration;
    const logs = managesLogging(configuration.behaviour) ? behaviour?.monitor?.logs : undefined;
    const merged = managesAudit || events.length > 0 || logs !== undefined ? new MergedSettings(this, 'Settings', context) : undefined;
    if (events.length > 0) merged?.eventConfigurations(events);
    if (merged !== undefined) logs?.switchOn(merged);
    const audit =
      state.audit &&
      new Audit(this, 'Audit', {
        ...context,
        identity: state.audit,
        ...(managesAudit && merged ? { settings: merged } : {}),
        ...(rotation ? { startQueue: rotation.start.source.queue } : {}),
        ...(quarantine ? { intakeQueue: quarantine.intake.source.queue } : {}),
        syncQueue: revocation.sync.source.queue,
      });
    watchFleet(this.alarms, configuration, revocation.sync.function);
    if (state.trust.privateCaArns.length > 0) this.alarms.onUnwrittenCrl(state.trust.privateCaArns);
    const parts = { rotation, signer, audit, monitor: behaviour?.monitor, quarantine } satisfies Readonly<Record<ShownCapability, unknown>>;
    const shows = new Set((Object.keys(parts) as ShownCapability[]).filter((name) => parts[name] !== undefined));
    new FleetDashboard(this, 'Dashboard', { prefix, alarms: this.alarms.all, shows, detectProfiles: behaviour?.profiles?.names });

    const sources = {
      sync: revocation.sync.source,
      fast: revocation.fast.source,
      revoke: revocation.revoke.source,
      inventory: inventory.record.source,
      reconcile: inventory.reconcile.source,
    };
    new ApplicationParameters(this, 'Parameters', {
      prefix,
      values: {
        inventoryTable: state.inventory.tableName,
        ledgerTable: state.ledger.tableName,
        stateBucket: state.stateBucket.bucketName,
        crlBucket: state.trust.crlBucket.bucketName,
        syncQueueUrl: sources.sync.queue.queueUrl,
        fastQueueUrl: sources.fast.queue.queueUrl,
        revokeQueueUrl: sources.revoke.queue.queueUrl,
        inventoryQueueUrl: sources.inventory.queue.queueUrl,
        reconcileQueueUrl: sources.reconcile.queue.queueUrl,
        syncDeadLetterQueueUrl: sources.sync.deadLetterQueue.queueUrl,
        fastDeadLetterQueueUrl: sources.fast.deadLetterQueue.queueUrl,
        revokeDeadLetterQueueUrl: sources.revoke.deadLetterQueue.queueUrl,
        inventoryDeadLetterQueueUrl: sources.inventory.deadLetterQueue.queueUrl,
        reconcileDeadLetterQueueUrl: sources.reconcile.deadLetterQueue.queueUrl,
        trustParameterPath: state.trust.parameterPath,
        mode: settings.mode,
        brakeFloor: String(settings.brake.floor),
        brakeShare: decimal(settings.brake.share),
        brakeWindowMinutes: String(settings.brake.windowMinutes),
        ...(rotation === undefined ? {} : rotationParameters(rotation, configuration.rotation.mode)),
        ...(signer === undefined
          ? {}
          : {
              publishQueueUrl: signer.publish.source.queue.queueUrl,
              publishDeadLetterQueueUrl: signer.publish.source.deadLetterQueue.queueUrl,
            }),
        ...(quarantine === undefined ? {} : quarantineParameters(quarantine, configuration.quarantine.mode)),
        ...(audit === undefined ? {} : auditParameters(audit)),
        ...(behaviour === undefined ? {} : { detect: configuration.behaviour.detect }),
        ...(behaviour?.profiles === undefined ? {} : { detectProfiles: behaviour.profiles.names.join(',') }),
        ...(behaviour?.monitor === undefined ? {} : monitorParameters(behaviour.monitor)),
      },
    });
    new CfnOutput(this, 'DevicePolicyName', {
      value: devicePolicy.policyName,
      description: 'Attach this policy to the certificate of a device',
    });
    new CfnOutput(this, 'CrlBucketName', {
      value: state.trust.crlBucket.bucketName,
      description: 'Put the CRL of an external CA under external/<anchor id>/',
    });
    if (configuration.devices.autoRegistration && events.length === 0) {
      new CfnOutput(this, 'EventConfigurationCommand', {
        description: 'Run once: AWS IoT then tells of certificates that turn up for the first time. It has no CloudFormation resource.',
        value: `aws iot update-event-configurations --event-configurations '{"CA_CERTIFICATE":{"Enabled":true}}'`,
      });
    }
  }
}

function quarantineParameters({ intake, watch, workflow }: Quarantine, mode: string): Readonly<Record<QuarantineParameter, string>> {
  return {
    intakeQueueUrl: intake.source.queue.queueUrl,
    watchQueueUrl: watch.source.queue.queueUrl,
    intakeDeadLetterQueueUrl: intake.source.deadLetterQueue.queueUrl,
    watchDeadLetterQueueUrl: watch.source.deadLetterQueue.queueUrl,
    quarantineMachineArn: workflow.arn,
    quarantineMode: mode,
  };
}

function auditParameters({ collect }: Audit): Readonly<Record<AuditParameter, string>> {
  return { auditQueueUrl: collect.source.queue.queueUrl, auditDeadLetterQueueUrl: collect.source.deadLetterQueue.queueUrl };
}

function monitorParameters({ offline, deadLetters }: Monitor): Readonly<Record<MonitorParameter, string>> {
  return {
    offlineQueueUrl: offline.source.queue.queueUrl,
    offlineDeadLetterQueueUrl: offline.source.deadLetterQueue.queueUrl,
    monitorDeadLetterQueueUrl: deadLetters.queueUrl,
  };
}

function rotationParameters({ start, issue, prove, retire }: Rotation, mode: string): Readonly<Record<RotationParameter, string>> {
  return {
    startQueueUrl: start.source.queue.queueUrl,
    issueQueueUrl: issue.source.queue.queueUrl,
    proveQueueUrl: prove.source.queue.queueUrl,
    retireQueueUrl: retire.source.queue.queueUrl,
    startDeadLetterQueueUrl: start.source.deadLetterQueue.queueUrl,
    issueDeadLetterQueueUrl: issue.source.deadLetterQueue.queueUrl,
    proveDeadLetterQueueUrl: prove.source.deadLetterQueue.queueUrl,
    retireDeadLetterQueueUrl: retire.source.deadLetterQueue.queueUrl,
    rotationMode: mode,
  };
}
