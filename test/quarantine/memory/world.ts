/** The neighbours of quarantine in memory, and the workflow as the state machine runs it: every step answers where it goes on. */
import type { CertificateId } from '../../../domain/fleet/certificate-id.js';
import type { Response } from '../../../domain/fleet/responses.js';
import { thingName } from '../../../domain/fleet/thing-name.js';
import type { IntakeMessage } from '../../../domain/protocol/containment.js';
import { containmentIdOf, type ContainStep, type StepAnswer, type WorkflowInput } from '../../../domain/protocol/containment-workflow.js';
import type { AuditFinding } from '../../../lambda/ports/containment-work.js';
import type { CertificateRecord, ClientIdUse, InventoryStatus, RevocationRecord } from '../../../lambda/ports/inventory.js';
import type { SourcedViolation } from '../../../lambda/ports/violations.js';
import { run as containStep } from '../../../lambda/quarantine/contain/run.js';
import type { IntakePorts, IntakeSettings } from '../../../lambda/quarantine/intake/ports.js';
import { run as intake } from '../../../lambda/quarantine/intake/run.js';
import type { ReleasePorts, StepSettings } from '../../../lambda/quarantine/ports.js';
import { run as releaseStep } from '../../../lambda/quarantine/release/run.js';
import type { WatchPorts } from '../../../lambda/quarantine/watch/ports.js';
import { run as watchRun } from '../../../lambda/quarantine/watch/run.js';
import { MemoryStates } from '../../revocation/memory/buckets.js';
import { TestClock } from '../../revocation/memory/clock.js';
import { MemoryDecisions, MemoryPace, MemoryStop } from '../../revocation/memory/ledger.js';
import { MemorySignals } from '../../revocation/memory/world.js';
import { MemoryRotations } from '../../rotation/memory/rotations.js';
import { MemoryDeviceJobs, MemoryIot, MemoryRepairPolicies } from './iot.js';
import { MemoryBudget, MemoryClaims, MemoryContainmentHolds, MemoryRecords } from './ledger.js';

export const REPAIR = 'fleetwarden-repair';
export const QUARANTINE = 'fleetwarden-quarantine';
const MINUTE = 60_000;

export class MemoryInventory {
  readonly records = new Map<CertificateId, CertificateRecord>();
  readonly revocations = new Map<string, RevocationRecord>();
  active: number | undefined = undefined;
  readonly uses: (ClientIdUse & { readonly clientId: string })[] = [];

  async byId(id: CertificateId) {
    return this.records.get(id);
  }
  async bySerial(issuerId: string, serialNumber: string) {
    const revocation = this.revocations.get(`${issuerId}#${serialNumber}`);
    return revocation === undefined ? {} : { revocation };
  }
  async *byThing(name: string) {
    yield* [...this.records.values()].filter((record) => record.thingName === name);
  }
  async setStatus(id: CertificateId, status: InventoryStatus, statusReason: string) {
    const before = this.records.get(id);
    // REVOKED is for ever.
    if (before !== undefined && before.status !== 'REVOKED') this.records.set(id, { ...before, status, statusReason });
  }
  async activeCount() {
    return this.active;
  }
  /** RevocationHolds. */
  async takeOver(issuerId: string, serialNumber: string) {
    const key = `${issuerId}#${serialNumber}`;
    const found = this.revocations.get(key);
    const isHold = found?.state === 'done' && found.message.action === 'hold';
    if (!isHold || (found.outcome !== 'already-inactive' && found.outcome !== 'deactivated')) return false;
    this.revocations.set(key, { ...found, outcome: 'deactivated' });
    return true;
  }
  async usersOf(clientId: string) {
    return this.uses.filter((use) => use.clientId === clientId);
  }
}

export class MemoryViolations {
  readonly rows = new Map<string, SourcedViolation>();
  isDown = false;

  async read({
    violationId,
    thingName: name,
    securityProfileName,
  }: {
    readonly violationId: string;
    readonly thingName: string;
    readonly securityProfileName: string;
  }) {
    if (this.isDown) throw new Error('ServiceUnavailable');
    const found = this.rows.get(violationId);
    return found?.securityProfileName === securityProfileName && found.thingName === name ? found : undefined;
  }
  async *openOf(name: string) {
    if (this.isDown) throw new Error('ServiceUnavailable');
    yield* [...this.rows.values()].filter((row) => row.thingName === name && row.isOpen);
  }
}

export class QuarantineWorld {
  readonly clock = new TestClock();
  readonly iot = new MemoryIot();
  readonly jobs = new MemoryDeviceJobs(this.iot);
  readonly repairPolicies = new MemoryRepairPolicies(this.iot);
  readonly records = new MemoryRecords();
  readonly claims = new MemoryClaims();
  readonly budget = new MemoryBudget(() => this.clock.nowMs());
  readonly holds = new MemoryContainmentHolds();
  readonly lists = new MemoryStates();
  readonly decisions = new MemoryDecisions();
  readonly pace = new MemoryPace();
  readonly stop = new MemoryStop();
  readonly inventory = new MemoryInventory();
  readonly rotations = new MemoryRotations();
  readonly violations = new MemoryViolations();
  readonly signals = new MemorySignals();
  readonly findingRows = new Map<string, AuditFinding>();
  /** Executions, by name: the first input counts. */
  readonly executions = new Map<string, WorkflowInput>();
  /** Of these. */
  readonly died = new Set<string>();
  readonly woken: string[] = [];
  readonly deferred: IntakeMessage[] = [];
  readonly cancelled: string[] = [];
  readonly rotated: string[] = [];

  mode: StepSettings['mode'] = 'enforce';
  timeBoxThen: StepSettings['timeBoxThen'] = 'page';
  brake: IntakeSettings['brake'] = { floor: 3, perHour: 10, fleetShare: 0.01, groupShare: 0.1 };
  neverContain: IntakeSettings['neverContain'] = { things: [], types: [], groups: [], attributes: [] };
  responses: Record<string, Response> = { flood: 'contain', chatty: 'notify', odd: 'observe', wild: 'deactivate', loud: 'shut-off' };

  constructor() {
    this.iot.policies.add(REPAIR);
    this.iot.addGroup(QUARANTINE);
  }

  get settings(): StepSettings {
    return {
      application: 'fleetwarden',
      mode: this.mode,
      repairPolicy: REPAIR,
      repairRights: {
        topicPrefix: 'fleet',
        commands: true,
        arn: (resource, name) => `arn:aws:iot:eu-west-1:111122223333:${resource}/${name}`,
      },
      quarantineGroup: QUARANTINE,
      settleMs: 10 * MINUTE,
      timeBoxMs: 24 * 60 * MINUTE,
      timeBoxThen: this.timeBoxThen,
      coolDownMs: 60 * MINUTE,
      shutOffTimeoutMinutes: 15,
      perSecond: 100,
    };
  }
  get intakeSettings(): IntakeSettings {
    return {
      mode: this.mode,
      accountId: '111122223333',
      neverContain: this.neverContain,
      brake: this.brake,
      responses: this.responses,
      customSources: { 'com.example.ids': 'contain' },
      maxEventAgeMs: 60 * MINUTE,
      perSecond: 100,
    };
  }

  get stepPorts(): ReleasePorts & WatchPorts {
    const { claims, clock, decisions, inventory, jobs, pace, records, iot, rotations, signals, stop, violations, budget, workflows } = this;
    const { repairPolicies } = this;
    const rotationJobs = { cancelExecution: async (jobId: string) => void this.cancelled.push(jobId) };
    const rekey = { rotate: async (name: string) => void this.rotated.push(name) };
    const shared = { claims, clock, decisions, inventory, jobs, pace, records, rotations, signals, stop, violations, budget, workflows };
    return { ...shared, registry: iot, repairPolicies, rights: iot, rotationJobs, rekey, revocationHolds: inventory };
  }
  get intakePorts(): IntakePorts {
    const { budget, clock, decisions, holds, inventory, lists, pace, records, iot, signals, stop, violations, workflows } = this;
    const findings = { read: async (findingId: string) => this.findingRows.get(findingId) };
    const queue = { send: async (message: IntakeMessage) => void this.deferred.push(message) };
    const shared = { budget, clock, decisions, holds, inventory, lists, pace, records, signals, stop, violations, workflows };
    return { ...shared, findings, queue, registry: iot, rights: iot };
  }
  readonly workflows = {
    start: async (input: WorkflowInput, name: string = input.containmentId) => {
      if (!this.executions.has(name)) this.executions.set(name, input);
    },
    isRunning: async (name: string) => this.executions.has(name) && !this.died.has(name),
    wake: async (taskToken: string) => this.woken.push(taskToken) > 0,
  };

  intake(...messages: IntakeMessage[]) {
    return intake(this.intakePorts, this.intakeSettings, messages);
  }

  inputFor(name: string, response: Response = 'contain', id = 'a1b2c3d4e5f6'): WorkflowInput {
    const trigger = {
      kind: 'operator',
      id,
      by: 'arn:aws:iam::111122223333:user/ops',
      reason: 'test',
      atMs: this.clock.nowMs(),
      evidence: {},
    } as const;
    return { containmentId: containmentIdOf(trigger, name), thingName: name, response, trigger };
  }

  async step(step: StepAnswer['next'], input: WorkflowInput, ports: ReleasePorts = this.stepPorts): Promise<StepAnswer> {
    if (step === 'ReKey' || step === 'CheckReKey' || step === 'Restore') return releaseStep(ports, this.settings, { step, input });
    return containStep(ports, this.settings, {
      step: step as ContainStep,
      input,
      ...(WAITS.has(step) ? { taskToken: `token-${input.thingName}` } : {}),
    });
  }

  /**
   * Runs the workflow as the state machine does, until it waits for a word or has ended; waits by moving the clock. `deaths`: a step that throws is repeated,
   * as the state machine retries it.
   */
  async run(
    input: WorkflowInput,
    { until = 'AwaitWord', ports = () => this.stepPorts }: { readonly until?: string; readonly ports?: () => ReleasePorts } = {},
  ) {
    let at: StepAnswer = { next: 'Record', seconds: 0 };
    for (let steps = 0; steps < 200; steps += 1) {
      if (at.next === 'Released' || at.next === until) return at.next;
      at = await this.follow(at, input, ports);
    }
    throw new Error(`the workflow does not come to rest: ${at.next}`);
  }

  private async follow(at: StepAnswer, input: WorkflowInput, ports: () => ReleasePorts): Promise<StepAnswer> {
    const wait = (): void => this.clock.advance(at.seconds * 1000);
    // oxlint-disable-next-line typescript/switch-exhaustiveness-check -- every other state is a step
    switch (at.next) {
      case 'AwaitAnswer':
        wait();
        return { next: 'CheckAnswer', seconds: 0 };
      case 'AwaitKey':
        wait();
        return { next: 'CheckReKey', seconds: 0 };
      case 'Paused':
        wait();
        return { next: 'Record', seconds: 0 };
      case 'Settle':
      case 'AwaitWord': {
        const words = this.woken.length;
        await this.step(at.next, input, ports());
        if (this.woken.length === words) wait();
        return { next: 'Record', seconds: 0 };
      }
      default:
        return this.step(at.next, input, ports());
    }
  }

  watch(): Promise<void> {
    return watchRun(this.stepPorts, this.settings);
  }

  /** Puts a release on record, as the intake does. */
  async askRelease(name: string, more: { readonly rekey?: boolean; readonly force?: boolean } = {}): Promise<void> {
    const { rekey = false, force = true } = more;
    const [result] = await this.intake({ kind: 'release', thingName: name, by: 'ops', reason: 'repaired', rekey, force });
    if (result?.status === 'rejected') throw result.reason;
  }

  stateOf(name: string): string | undefined {
    return this.records.rows.get(name)?.state;
  }
  metric(name: string): number {
    return this.signals.metrics.get(name) ?? 0;
  }
  reasonsOf(name: string, act?: string): string[] {
    return this.decisions.rows
      .filter((row) => row.subject === `THING#${thingName(name)}` && row.step === 'outcome' && (act === undefined || row.act === act))
      .map(({ reason }) => reason);
  }
}

const WAITS: ReadonlySet<string> = new Set(['Settle', 'AwaitWord']);
