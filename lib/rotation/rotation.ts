/**
 * From a certificate that will end to one that is replaced, proved and retired:
 *
 *     twice a day, operator, audit ─► start queue ─► start ─► thing group, IoT Job
 *     …/rotation/request ─(rule)───► issue queue ─► issue ─► CA, registry ─► …/rotation/response
 *     …/rotation/proof ───(rule)───► prove queue ─► prove ─► old certificate INACTIVE
 *     every quarter of an hour ────► retire queue ─► retire ─► REVOKED, superseded at the CA; withdrawn; escalated
 *
 * In `observe` no function may change anything at AWS IoT or at a CA: the promise does not rest on its code.
 */
import { Duration } from 'aws-cdk-lib';
import { Rule, RuleTargetInput, Schedule } from 'aws-cdk-lib/aws-events';
import { Construct } from 'constructs';
import { printMaintenanceWindow } from '../../domain/fleet/maintenance-window.js';
import { printRotationWindow } from '../../domain/fleet/rotation-window.js';
import { rotationRuleSql, type RotationRuleName } from '../../domain/protocol/rotation-events.js';
import type { RetireMessage, StartMessage } from '../../domain/protocol/rotation-work.js';
import type { IssueVariables } from '../../lambda/rotation/issue/env.js';
import type { ProveVariables } from '../../lambda/rotation/prove/env.js';
import type { RetireVariables } from '../../lambda/rotation/retire/env.js';
import type { StartVariables } from '../../lambda/rotation/start/env.js';
import { crlPrefixOf, isCreated, isImported } from '../config/anchor-config.js';
import { issuingAnchorOf, rotationWindowOf } from '../config/rotation-config.js';
import { RuleToQueue } from '../inventory/rule-to-queue.js';
import { decimal } from '../revocation/variables.js';
import type { AppContext } from '../shared/app-context.js';
import { GuardedFunction } from '../shared/guarded-function.js';
import type { GuardedQueue } from '../shared/guarded-queue.js';
import * as may from '../shared/permissions.js';
import * as mayRotate from './permissions.js';
import { watchRotation } from './watch.js';

/** AddThingToThingGroup has 100 a second, 60 in smaller regions (FACTS B12). */
const GROUPS_PER_SECOND = 50;
const ROUND_MINUTES = 15;
/** What is due today is found in the morning or in the evening; the second run of a day adds to the first. */
const EXPIRY_QUERY_HOURS = 12;
/** A proof may be on its way when the job has timed out. */
const PROOF_MARGIN_MINUTES = 60;

export class Rotation extends Construct {
  readonly start: GuardedFunction<StartVariables>;
  readonly issue: GuardedFunction<IssueVariables>;
  readonly prove: GuardedFunction<ProveVariables>;
  readonly retire: GuardedFunction<RetireVariables>;
  /** The trust anchor that issues the new certificates. */
  readonly issuingAnchorId: string;

  constructor(
    scope: Construct,
    id: string,
    private readonly context: AppContext,
  ) {
    super(scope, id);
    this.issuingAnchorId = this.issuingAnchor().id;
    this.start = this.makeStart();
    this.issue = this.makeIssue();
    this.prove = this.makeProve();
    this.retire = this.makeRetire();
    this.listen('request', this.issue.source);
    this.listen('proof', this.prove.source);
    this.runRegularly();
    watchRotation(context.alarms, { start: this.start.function, retire: this.retire.function, roundMinutes: ROUND_MINUTES });
  }

  private get configuration() {
    return this.context.installation.configuration;
  }
  private get settings() {
    return this.configuration.rotation;
  }
  private get enforces(): boolean {
    return this.settings.mode === 'enforce';
  }

  private common() {
    const { inventory, ledger } = this.context.state;
    return {
      APPLICATION: this.configuration.prefix,
      INVENTORY_TABLE: inventory.tableName,
      LEDGER_TABLE: ledger.tableName,
      ROTATION_MODE: this.settings.mode,
    };
  }

  private device() {
    return { TOPIC_PREFIX: this.configuration.devices.topicPrefix, ROTATION_PER_SECOND: decimal(this.settings.ratePerSecond) };
  }

  private makeStart(): GuardedFunction<StartVariables> {
    const { inventory, ledger, trust } = this.context.state;
    const { prefix } = this.configuration;
    const { rollout } = this.settings;
    const start = new GuardedFunction<StartVariables>(this, 'Start', {
      ...this.context,
      name: 'rotation-start',
      description: 'Finds certificates that will end, opens their rotations, and launches campaigns',
      environment: (ownQueueUrl) => ({
        ...this.common(),
        TRUST_PARAMETER_PATH: trust.parameterPath,
        START_QUEUE_URL: ownQueueUrl,
        ROTATION_WINDOW: printRotationWindow(rotationWindowOf(this.settings)),
        GROUPS_PER_SECOND: decimal(GROUPS_PER_SECOND),
        ROLLOUT_BASE_RATE_PER_MINUTE: String(rollout.baseRatePerMinute),
        ROLLOUT_MAXIMUM_PER_MINUTE: String(mostPerMinute(this.settings.ratePerSecond)),
        ROLLOUT_INCREMENT_FACTOR: decimal(rollout.incrementFactor),
        ROLLOUT_INCREASE_AFTER_SUCCEEDED: String(rollout.increaseAfterSucceeded),
        ROLLOUT_ABORT_AT_PERCENT: decimal(rollout.abortAtPercent),
        ROLLOUT_ABORT_AFTER_EXECUTED: String(rollout.abortAfterExecuted),
        ROLLOUT_IN_PROGRESS_TIMEOUT_MINUTES: String(rollout.inProgressTimeoutMinutes),
        ROLLOUT_MAINTENANCE_WINDOW: printMaintenanceWindow(
          rollout.maintenanceWindow && {
            startTime: rollout.maintenanceWindow.startTime,
            durationInMinutes: rollout.maintenanceWindow.durationMinutes,
          },
        ),
      }),
      // The members of one campaign join their group one by one: 5000 at 50 a second are 100 seconds.
      timeout: Duration.minutes(10),
      memoryMiB: 512,
      batchSize: 1,
      maxConcurrency: 2,
      stalledAfter: Duration.hours(2),
      continuesItself: true,
    });
    start
      .allow(may.onTable(inventory, 'GetItem'))
      .allow(may.onIndex(inventory, 'byExpiryDay'))
      .allow(may.onIndex(inventory, 'byThing'))
      .allow(may.onTable(ledger, 'GetItem', 'BatchGetItem', 'Query', 'PutItem', 'UpdateItem', 'DeleteItem'))
      .allow(may.readTrustAnchors(this, trust.parameterPath))
      .allow(mayRotate.readJobs(this, prefix))
      .allow(mayRotate.readExecutions(this, prefix))
      .allow({ actions: ['sqs:SendMessage'], resources: [start.source.queue.queueArn] });
    if (!this.enforces) return start;
    return start
      .allow(mayRotate.makeGroups(this, prefix))
      .allow(mayRotate.joinGroups(this, prefix))
      .allow(mayRotate.launchCampaigns(this, prefix));
  }

  private makeIssue(): GuardedFunction<IssueVariables> {
    const { inventory, ledger, trust } = this.context.state;
    const { prefix, devices } = this.configuration;
    const anchor = this.issuingAnchor();
    const issue = new GuardedFunction<IssueVariables>(this, 'Issue', {
      ...this.context,
      name: 'rotation-issue',
      description: 'Checks the certificate request of a device, issues, registers and attaches its new certificate',
      environment: () => ({
        ...this.common(),
        ...this.device(),
        TRUST_PARAMETER_PATH: trust.parameterPath,
        ISSUING_ANCHOR_ID: anchor.id,
        VALIDITY_DAYS: String(this.settings.validityDays),
      }),
      // A CA takes seconds to issue.
      timeout: Duration.minutes(2),
      memoryMiB: 512,
      batchSize: 1,
      maxConcurrency: 5,
      stalledAfter: Duration.minutes(30),
    });
    issue
      .allow(may.onTable(inventory, 'GetItem', 'PutItem', 'UpdateItem'))
      .allow(may.onTable(ledger, 'GetItem', 'PutItem', 'UpdateItem', 'DeleteItem'))
      .allow(may.readTrustAnchors(this, trust.parameterPath))
      .allow(may.readRegistry(this))
      .allow(mayRotate.listPolicies())
      .allow(mayRotate.listCertificatesOfThings(this))
      .allow(mayRotate.readExecutions(this, prefix));
    if (!this.enforces) return issue;
    return issue
      .allow(mayRotate.issueCertificates(anchor.arns))
      .allow(mayRotate.registerCertificates())
      .allow(mayRotate.enrolCertificates(this))
      .allow(may.changeCertificateStatus(this, mayRotate.changeRotatedCertificates))
      .allow(mayRotate.answerDevices(this, devices.topicPrefix));
  }

  private makeProve(): GuardedFunction<ProveVariables> {
    const { inventory, ledger } = this.context.state;
    const prove = new GuardedFunction<ProveVariables>(this, 'Prove', {
      ...this.context,
      name: 'rotation-prove',
      description: 'Takes the proof that a new certificate works, and takes the old one out of use',
      environment: () => ({ ...this.common(), ...this.device(), GRACE_DAYS: String(this.settings.graceDays) }),
      // What fails comes again after six times as long (the visibility time-out): before the proof is too old to be taken.
      timeout: Duration.seconds(40),
      memoryMiB: 256,
      batchSize: 1,
      maxConcurrency: 5,
      stalledAfter: Duration.minutes(30),
    });
    prove
      .allow(may.onTable(inventory, 'GetItem', 'PutItem', 'UpdateItem'))
      .allow(may.onTable(ledger, 'GetItem', 'PutItem', 'UpdateItem', 'DeleteItem'))
      .allow(may.readRegistry(this))
      .allow(mayRotate.listPolicies());
    if (!this.enforces) return prove;
    return prove
      .allow(may.changeCertificateStatus(this, mayRotate.changeRotatedCertificates))
      .allow(mayRotate.answerDevices(this, this.configuration.devices.topicPrefix));
  }

  private makeRetire(): GuardedFunction<RetireVariables> {
    const { inventory, ledger, trust } = this.context.state;
    const { prefix, trustAnchors } = this.configuration;
    const retire = new GuardedFunction<RetireVariables>(this, 'Retire', {
      ...this.context,
      name: 'rotation-retire',
      description: 'Retires old certificates after their grace, takes back what was not proved, escalates what waits too long',
      environment: (ownQueueUrl) => ({
        ...this.common(),
        TRUST_PARAMETER_PATH: trust.parameterPath,
        RETIRE_QUEUE_URL: ownQueueUrl,
        ROTATION_PER_SECOND: decimal(this.settings.ratePerSecond),
        ESCALATE_DAYS: this.settings.escalateDays.join(','),
        PROOF_TIMEOUT_MINUTES: String(this.settings.rollout.inProgressTimeoutMinutes + PROOF_MARGIN_MINUTES),
      }),
      timeout: Duration.minutes(5),
      memoryMiB: 512,
      batchSize: 1,
      maxConcurrency: 2,
      stalledAfter: Duration.hours(2),
      continuesItself: true,
    });
    retire
      .allow(may.onTable(inventory, 'GetItem', 'Query', 'PutItem', 'UpdateItem'))
      .allow(may.onTable(ledger, 'GetItem', 'BatchGetItem', 'Query', 'PutItem', 'UpdateItem', 'DeleteItem'))
      .allow(may.readTrustAnchors(this, trust.parameterPath))
      .allow(may.readRegistry(this))
      .allow(mayRotate.readJobs(this, prefix))
      .allow(mayRotate.readExecutions(this, prefix))
      .allow({ actions: ['sqs:SendMessage'], resources: [retire.source.queue.queueArn] });
    if (!this.enforces) return retire;
    const prefixes = [...new Set(trustAnchors.filter((anchor) => isCreated(anchor) || isImported(anchor)).map(crlPrefixOf))];
    return retire
      .allow(may.changeCertificateStatus(this, mayRotate.changeRotatedCertificates))
      .allow(mayRotate.supersedeCertificates(trust.privateCaArns))
      .allow(mayRotate.writeCrls(prefixes.map((each) => trust.crlBucket.arnForObjects(`${each}*`))))
      .allow(mayRotate.cancelExecutions(this, prefix))
      .allow(mayRotate.leaveGroups(this, prefix))
      .allow(mayRotate.tidyCampaigns(this, prefix));
  }

  /** Its id, and its ARN where it is at AWS Private CA; the signer lets `issue` use the key of another. The configuration is refused where none can issue. */
  private issuingAnchor(): { readonly id: string; readonly arns: readonly string[] } {
    const { trustAnchors } = this.configuration;
    const atPrivateCa = trustAnchors.filter((anchor) => isCreated(anchor) || isImported(anchor));
    const anchor = issuingAnchorOf(trustAnchors, this.settings);
    if (anchor === undefined) throw new Error('rotation: got no trust anchor that can issue, expected one');
    const index = atPrivateCa.findIndex(({ id }) => id === anchor.id);
    return { id: anchor.id, arns: index < 0 ? [] : this.context.state.trust.privateCaArns.slice(index, index + 1) };
  }

  private listen(rule: RotationRuleName, target: GuardedQueue): void {
    new RuleToQueue(this, rule === 'request' ? 'OnRequest' : 'OnProof', {
      ruleName: `${this.configuration.prefix}_rotation_${rule}`.replaceAll('-', '_'),
      description: rule === 'request' ? 'A device asks for a new certificate' : 'A device proves that its new certificate works',
      sql: rotationRuleSql(rule, this.configuration.devices.topicPrefix),
      target,
    });
  }

  private runRegularly(): void {
    const { prefix } = this.configuration;
    const due: StartMessage = { kind: 'due' };
    const sweep: RetireMessage = { kind: 'sweep' };
    new Rule(this, 'ExpiryQuery', {
      ruleName: `${prefix}-rotation-due`,
      description: 'Looks for certificates that will end',
      schedule: Schedule.rate(Duration.hours(EXPIRY_QUERY_HOURS)),
      targets: [this.start.source.asTarget('rotation-due', RuleTargetInput.fromObject(due))],
    });
    new Rule(this, 'Round', {
      ruleName: `${prefix}-rotation-round`,
      description: 'Settles rotations: retires, withdraws, escalates',
      schedule: Schedule.rate(Duration.minutes(ROUND_MINUTES)),
      targets: [this.retire.source.asTarget('rotation-round', RuleTargetInput.fromObject(sweep))],
    });
  }
}

/**
 * Devices that are told of their job in a minute, at most as many as can be served in one: told faster than that, they would wait in the queue, ask
 * again, time out, and abort their campaign by their number. AWS IoT takes 1000 at the most (FACTS D1).
 */
function mostPerMinute(ratePerSecond: number): number {
  return Math.max(1, Math.min(1000, Math.floor(ratePerSecond * 60)));
}
