/**
 * A device that misbehaves is cut off, let back into repair alone, and comes back as it was:
 *
 *     violations topic ─(raw)─┐
 *     EventBridge, other detectors ─┤─► intake queue ─► intake ─► state machine ─► contain (takes), release (gives back)
 *     audit, command line ─────┘        every 5 minutes ─► watch queue ─► watch (what is contained, and whether it still is)
 *
 * In `observe` no function but `release` may change anything at AWS IoT: what was contained before can be let go.
 */
import { Duration, Stack } from 'aws-cdk-lib';
import { Rule, RuleTargetInput, Schedule } from 'aws-cdk-lib/aws-events';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { quarantineNames, type WatchMessage } from '../../domain/protocol/containment-workflow.js';
import { builtInProfileName } from '../../domain/protocol/fleet-events.js';
import type { ContainVariables } from '../../lambda/quarantine/contain/env.js';
import type { IntakeVariables } from '../../lambda/quarantine/intake/env.js';
import type { ReleaseVariables } from '../../lambda/quarantine/release/env.js';
import type { WatchVariables } from '../../lambda/quarantine/watch/env.js';
import type { Behaviour } from '../behaviour/behaviour.js';
import { behaviourResponses } from '../config/behaviour-config.js';
import { decimal } from '../revocation/variables.js';
import type { AppContext } from '../shared/app-context.js';
import { GuardedFunction } from '../shared/guarded-function.js';
import { InvokedFunction } from '../shared/own-function.js';
import * as may from '../shared/permissions.js';
import * as mayRotate from '../rotation/permissions.js';
import { quarantineGroup, saveStory } from './evidence.js';
import * as mayContain from './permissions.js';
import { RepairPolicy } from './repair-policy.js';
import { ShutOffCommandResource } from './shut-off-command.js';
import { watchQuarantine } from './watch.js';
import { listenToDetectors } from './ways-in.js';
import { Workflow } from './workflow.js';

const LOOK_MINUTES = 5;
/** A storm of a minute is a handful of batches, and each is counted before the first of it is acted upon. */
const BATCH = { batchSize: 1000, maxBatchingWindow: Duration.seconds(5) } as const;

export interface QuarantineProps extends AppContext {
  /** @default nobody watches behaviour: operators, audit and other detectors contain */
  readonly behaviour?: Behaviour;
  /** Start queue of rotation. @default rotation is off: nobody is released with a new key */
  readonly startQueue?: IQueue;
}

interface Worker {
  allow(permission: Parameters<GuardedFunction<IntakeVariables>['allow']>[0]): unknown;
}

export class Quarantine extends Construct {
  readonly intake: GuardedFunction<IntakeVariables>;
  readonly watch: GuardedFunction<WatchVariables>;
  readonly contain: InvokedFunction<ContainVariables>;
  readonly release: InvokedFunction<ReleaseVariables>;
  readonly workflow: Workflow;

  constructor(
    scope: Construct,
    id: string,
    private readonly props: QuarantineProps,
  ) {
    super(scope, id);
    const { prefix, devices, logRetentionDays } = this.configuration;
    const { policy, group } = quarantineNames(prefix);
    const commands = this.settings.shutOffCommand;
    new RepairPolicy(this, 'RepairPolicy', { policyName: policy, topicPrefix: devices.topicPrefix, commands });
    if (commands) new ShutOffCommandResource(this, 'ShutOffCommand', { prefix });
    quarantineGroup(this, group, this.settings.logging);
    this.contain = this.makeContain();
    this.release = this.makeRelease();
    this.workflow = new Workflow(this, 'Workflow', {
      prefix,
      contain: this.contain.function,
      release: this.release.function,
      logRetention: logRetentionDays,
      alarms: props.alarms,
    });
    this.intake = this.makeIntake();
    this.watch = this.makeWatch();
    listenToDetectors(this, { source: this.intake.source, prefix, behaviour: props.behaviour, customSources: this.settings.customSources });
    this.lookRegularly();
    saveStory(this, prefix, this.settings.logging);
    watchQuarantine(props.alarms, this.watch.function);
  }

  private get configuration() {
    return this.props.installation.configuration;
  }
  private get settings() {
    return this.configuration.quarantine;
  }
  private get enforces(): boolean {
    return this.settings.mode === 'enforce';
  }

  private common() {
    const { inventory, ledger } = this.props.state;
    const { prefix } = this.configuration;
    const { monitor, profiles } = this.props.behaviour ?? {};
    return {
      APPLICATION: prefix,
      INVENTORY_TABLE: inventory.tableName,
      LEDGER_TABLE: ledger.tableName,
      QUARANTINE_MODE: this.settings.mode,
      MONITOR_PROFILE: monitor === undefined ? '' : builtInProfileName(prefix),
      DETECT_PROFILES: (profiles?.names ?? []).join(','),
    };
  }

  private steps() {
    const { timeBox, policySettleMinutes, coolDownMinutes, shutOffTimeoutMinutes, ratePerSecond } = this.settings;
    const { policy, group } = quarantineNames(this.configuration.prefix);
    return {
      ...this.common(),
      REPAIR_POLICY: policy,
      QUARANTINE_GROUP: group,
      SETTLE_SECONDS: String(policySettleMinutes * 60),
      TIME_BOX_HOURS: String(timeBox.hours),
      TIME_BOX_THEN: timeBox.atEnd,
      COOL_DOWN_MINUTES: String(coolDownMinutes),
      SHUT_OFF_TIMEOUT_MINUTES: String(shutOffTimeoutMinutes),
      QUARANTINE_PER_SECOND: decimal(ratePerSecond),
    };
  }

  /** What all of them read, and the ledger that they keep. Whoever takes or gives back keeps the inventory, too. */
  private allowCommon(worker: Worker, keeps: 'inventory' | 'ledger' = 'inventory'): void {
    const { inventory, ledger } = this.props.state;
    const permissions = [
      may.onTable(inventory, 'GetItem', 'Query', ...(keeps === 'inventory' ? (['PutItem', 'UpdateItem'] as const) : [])),
      may.onIndex(inventory, 'byThing'),
      may.onTable(ledger, 'GetItem', 'Query', 'PutItem', 'UpdateItem', ...(keeps === 'inventory' ? (['DeleteItem'] as const) : [])),
      may.readRegistry(this),
      mayRotate.listPolicies(),
      mayContain.readThings(this),
      mayContain.readGroups(this),
      mayContain.wakeWorkflows(this, this.configuration.prefix),
      ...(this.props.behaviour?.profiles === undefined ? [] : [mayContain.readDetect(this)]),
    ];
    for (const permission of permissions) worker.allow(permission);
  }

  private makeContain(): InvokedFunction<ContainVariables> {
    const { prefix, devices } = this.configuration;
    const contain = new InvokedFunction<ContainVariables>(this, 'Contain', {
      ...this.props,
      name: 'quarantine-contain',
      description: 'Steps of a containment that take: record, cut, lock, reopen, shut off',
      environment: {
        ...this.steps(),
        IOT_ARNS: may.iotArns(this),
        TOPIC_PREFIX: devices.topicPrefix,
        SHUT_OFF_COMMAND_ARN: this.settings.shutOffCommand ? mayContain.shutOffCommandArn(this, prefix) : 'off',
      },
      timeout: Duration.minutes(5),
      memoryMiB: 256,
    });
    this.allowCommon(contain);
    contain.allow(mayContain.readAnswers(this, prefix));
    if (!this.enforces) return contain;
    if (this.settings.shutOffCommand) contain.allow(mayContain.commandDevices(this, prefix)).allow(mayContain.findEndpoint());
    return contain
      .allow(may.changeCertificateStatus(this, mayContain.dropAndDeactivate))
      .allow(may.dropConnections(this))
      .allow(mayContain.swapPolicies(this))
      .allow(mayContain.makeRepairPolicies(this, prefix))
      .allow(mayContain.joinQuarantine(this, quarantineNames(prefix).group))
      .allow(mayContain.leaveGroups(this))
      .allow(mayContain.deviceJob(this, prefix))
      .allow(mayContain.cancelRotations(this, prefix));
  }

  private makeRelease(): InvokedFunction<ReleaseVariables> {
    const { prefix } = this.configuration;
    const { startQueue } = this.props;
    const release = new InvokedFunction<ReleaseVariables>(this, 'Release', {
      ...this.props,
      name: 'quarantine-release',
      description: 'Steps of a containment that give back what was taken',
      environment: { ...this.steps(), START_QUEUE_URL: startQueue?.queueUrl ?? 'off' },
      timeout: Duration.minutes(5),
      memoryMiB: 256,
    });
    this.allowCommon(release);
    release
      .allow(may.changeCertificateStatus(this, mayContain.dropAndDeactivate))
      .allow(mayContain.swapPolicies(this))
      .allow(mayContain.joinGroups(this))
      .allow(mayContain.leaveGroups(this))
      .allow(mayContain.deviceJob(this, prefix))
      .allow(mayContain.cancelRotations(this, prefix));
    return startQueue === undefined ? release : release.allow({ actions: ['sqs:SendMessage'], resources: [startQueue.queueArn] });
  }

  private makeIntake(): GuardedFunction<IntakeVariables> {
    const { stateBucket } = this.props.state;
    const { prefix, behaviour } = this.configuration;
    const { neverContain, brake, customSources, maxEventAgeMinutes } = this.settings;
    const intake = new GuardedFunction<IntakeVariables>(this, 'Intake', {
      ...this.props,
      name: 'quarantine-intake',
      description: 'Reads violations again at their source, counts them against the brake, and begins containments',
      environment: (ownQueueUrl) => ({
        ...this.common(),
        QUARANTINE_PER_SECOND: decimal(this.settings.ratePerSecond),
        ACCOUNT_ID: Stack.of(this).account,
        STATE_BUCKET: stateBucket.bucketName,
        INTAKE_QUEUE_URL: ownQueueUrl,
        STATE_MACHINE_ARN: this.workflow.arn,
        NEVER_CONTAIN: JSON.stringify(neverContain),
        BEHAVIOUR_RESPONSES: JSON.stringify(this.props.behaviour === undefined ? {} : behaviourResponses(behaviour)),
        CUSTOM_SOURCES: JSON.stringify(Object.fromEntries(customSources.map(({ source, response }) => [source, response]))),
        MAX_EVENT_AGE_MINUTES: String(maxEventAgeMinutes),
        BRAKE_FLOOR: String(brake.floor),
        BRAKE_PER_HOUR: String(brake.perHour),
        BRAKE_FLEET_SHARE: decimal(brake.fleetShare),
        BRAKE_GROUP_SHARE: decimal(brake.groupShare),
      }),
      timeout: Duration.minutes(10),
      memoryMiB: 512,
      ...BATCH,
      maxConcurrency: 2,
      stalledAfter: Duration.minutes(30),
      // What waits for the end of an emergency stop is sent anew every quarter of an hour.
      continuesItself: true,
    });
    this.allowCommon(intake, 'ledger');
    intake
      .allow(mayContain.readFindings())
      .allow(mayContain.heldLists(stateBucket.arnForObjects('holds/*')))
      .allow({ actions: ['sqs:SendMessage'], resources: [intake.source.queue.queueArn] });
    return this.enforces ? intake.allow(mayContain.startWorkflows(this, prefix)) : intake;
  }

  private makeWatch(): GuardedFunction<WatchVariables> {
    const watch = new GuardedFunction<WatchVariables>(this, 'Watch', {
      ...this.props,
      name: 'quarantine-watch',
      description: 'Looks at every contained thing: new certificates, added rights, workflows that do not move',
      environment: () => ({ ...this.steps(), STATE_MACHINE_ARN: this.workflow.arn }),
      timeout: Duration.minutes(5),
      memoryMiB: 256,
      batchSize: 1,
      maxConcurrency: 2,
      stalledAfter: Duration.minutes(30),
    });
    this.allowCommon(watch);
    // Also in `observe`: what was to be released when it died is begun again, and gives back.
    // … and what it leaves behind is deleted.
    watch
      .allow(mayContain.seeWorkflows(this, this.configuration.prefix))
      .allow(mayContain.startWorkflows(this, this.configuration.prefix))
      .allow(mayContain.deleteRepairPolicies(this, this.configuration.prefix));
    if (!this.enforces) return watch;
    return watch
      .allow(may.changeCertificateStatus(this, mayContain.dropAndDeactivate))
      .allow(may.dropConnections(this))
      .allow(mayContain.swapPolicies(this));
  }

  private lookRegularly(): void {
    const look: WatchMessage = { kind: 'look' };
    new Rule(this, 'LookRegularly', {
      ruleName: `${this.configuration.prefix}-quarantine-watch`,
      description: 'Looks at everything that is contained',
      schedule: Schedule.rate(Duration.minutes(LOOK_MINUTES)),
      targets: [this.watch.source.asTarget('quarantine-watch', RuleTargetInput.fromObject(look))],
    });
  }
}
