/** The neighbours of `start` and `retire` in memory, beside those of `issue` and `prove`: what is told to one is seen by the others. */
import type { CertificateId } from '../../domain/fleet/certificate-id.js';
import type { ThingName } from '../../domain/fleet/thing-name.js';
import type { RotationJob } from '../../domain/protocol/rotation.js';
import { RetireMessage, StartMessage } from '../../domain/protocol/rotation-work.js';
import type { SerialNumber } from '../../domain/pki/serial-number.js';
import type { Inventory, RevocationRecord } from '../../lambda/ports/inventory.js';
import type { CampaignGroups, JobExecutionStatus, JobRollout, Jobs } from '../../lambda/ports/jobs.js';
import type { RetirePorts, RetireSettings } from '../../lambda/rotation/retire/ports.js';
import { run as retire } from '../../lambda/rotation/retire/run.js';
import type { StartPorts, StartSettings } from '../../lambda/rotation/start/ports.js';
import { run as start } from '../../lambda/rotation/start/run.js';
import { crashing } from '../revocation/memory/crashing.js';
import { MemoryExecutions, MemoryInventory } from './memory/iot.js';
import { MemoryIssuedCertificates, MemoryRevocationsByHand } from './memory/ledger-lists.js';
import { MemoryCampaigns } from './memory/rotations.js';
import { World } from './memory/world.js';

export const DAY_MS = 86_400_000;
export const ROLLOUT: JobRollout = {
  baseRatePerMinute: 50,
  maximumPerMinute: 1000,
  incrementFactor: 2,
  increaseAfterSucceeded: 50,
  abortAtPercent: 10,
  abortAfterExecuted: 10,
  inProgressTimeoutMinutes: 60,
};

export class FleetInventory
  extends MemoryInventory
  implements Pick<Inventory, 'byExpiryDay' | 'byThing' | 'bySerial' | 'alreadyDone' | 'rememberRevocation'>
{
  async *byExpiryDay(day: string) {
    const records = [...this.records.values()].filter(({ notAfterMs }) => new Date(notAfterMs).toISOString().startsWith(day));
    yield* records.sort((one, other) => one.notAfterMs - other.notAfterMs);
  }
  async *byThing(name: ThingName) {
    yield* [...this.records.values()].filter(({ thingName }) => thingName === name);
  }
  async bySerial(issuerId: string, serialNumber: SerialNumber) {
    const certificate = [...this.records.values()].find((one) => one.issuerId === issuerId && one.serialNumber === serialNumber);
    const revocation = this.revocations.get(`${issuerId}#${serialNumber}`);
    return { ...(certificate && { certificate }), ...(revocation && { revocation }) };
  }
  async rememberRevocation(record: RevocationRecord) {
    this.revocations.set(`${record.issuerId}#${record.serialNumber}`, record);
  }
  async alreadyDone(issuerId: string, serials: readonly SerialNumber[]) {
    return new Set(serials.filter((serial) => this.revocations.get(`${issuerId}#${serial}`)?.state === 'done'));
  }
}

/** Static thing groups, with the limit of ten groups a thing (FACTS B6). */
export class MemoryGroups implements CampaignGroups {
  readonly groups = new Map<string, Set<string>>();
  /** Throws what it returns. */
  trouble: (thing: string) => Error | undefined = () => undefined;

  async create(name: string) {
    if (!this.groups.has(name)) this.groups.set(name, new Set());
  }
  async add(name: string, thing: ThingName) {
    const error = this.trouble(thing);
    if (error !== undefined) throw error;
    const group = this.groups.get(name);
    if (group === undefined) throw new Error(`ResourceNotFoundException: ${name}`);
    group.add(thing);
  }
  async remove(name: string, thing: ThingName) {
    this.groups.get(name)?.delete(thing);
  }
  async delete(name: string) {
    this.groups.delete(name);
  }
}

/** Jobs with SNAPSHOT targets: who is in the group when the job is made. */
export class MemoryJobs extends MemoryExecutions implements Jobs {
  readonly jobs = new Map<string, { status: string; readonly document: RotationJob; readonly things: readonly string[] }>();
  asked = 0;

  constructor(private readonly groups: MemoryGroups) {
    super();
  }
  async create(jobId: string, thingGroupName: string, document: RotationJob) {
    const taken = this.jobs.get(jobId);
    if (taken !== undefined && JSON.stringify(taken.document) !== JSON.stringify(document))
      throw new Error(`job ${jobId}: the id is taken`);
    if (taken !== undefined) return;
    const things = [...(this.groups.groups.get(thingGroupName) ?? [])];
    this.jobs.set(jobId, { status: 'IN_PROGRESS', document, things });
    for (const thing of things) this.set(jobId, thing, 'QUEUED');
  }
  async describe(jobId: string) {
    const job = this.jobs.get(jobId);
    if (job === undefined) return undefined;
    const counts: Record<JobExecutionStatus, number> = {
      QUEUED: 0,
      IN_PROGRESS: 0,
      SUCCEEDED: 0,
      FAILED: 0,
      TIMED_OUT: 0,
      REJECTED: 0,
      REMOVED: 0,
      CANCELED: 0,
    };
    for (const thing of job.things) counts[this.statuses.get(`${jobId}/${thing}`) ?? 'REMOVED'] += 1;
    return { status: job.status, counts };
  }
  override async execution(jobId: string, thing: ThingName) {
    this.asked += 1;
    return super.execution(jobId, thing);
  }
  async cancel(jobId: string, _reason: string, force = true) {
    const job = this.jobs.get(jobId);
    if (job === undefined) return;
    job.status = 'CANCELED';
    for (const thing of job.things) {
      const status = this.statuses.get(`${jobId}/${thing}`);
      if (status === 'QUEUED' || (force && status === 'IN_PROGRESS')) this.set(jobId, thing, 'CANCELED');
    }
  }
  async cancelExecution(jobId: string, thing: ThingName) {
    const status = this.statuses.get(`${jobId}/${thing}`);
    if (status === 'QUEUED' || status === 'IN_PROGRESS') this.set(jobId, thing, 'CANCELED');
  }
  async remove(jobId: string) {
    for (const thing of this.jobs.get(jobId)?.things ?? []) this.statuses.delete(`${jobId}/${thing}`);
    this.jobs.delete(jobId);
  }
}

type Kill = { readonly n: number; readonly moment: 'before' | 'after' };

export class CampaignWorld extends World {
  override readonly inventory = new FleetInventory();
  readonly groups = new MemoryGroups();
  override readonly jobs = new MemoryJobs(this.groups);
  readonly campaigns = new MemoryCampaigns();
  readonly issued = new MemoryIssuedCertificates();
  readonly byHand = new MemoryRevocationsByHand();
  /** Can a machine ask the CA? */
  caCanBeAsked = true;
  startMessages: StartMessage[] = [];
  retireMessages: RetireMessage[] = [];
  deferred: StartMessage[] = [];
  windowDays = 30;
  rollout = ROLLOUT;
  campaignSize = 5000;
  escalateDays: readonly number[] = [14, 7, 1];
  /** How long one call of a function may go on. */
  callMs = 240_000;
  /** Calls in the order in which they were made, as far as an order is a promise. */
  readonly order: string[] = [];

  private isDone(serial: string): boolean {
    return [...this.inventory.revocations.values()].some(({ serialNumber, state }) => serialNumber === serial && state === 'done');
  }

  get startPorts(): StartPorts {
    const { containments, anchors, campaigns, clock, decisions, groups, inventory, jobs, pace, rotations, signals, stop } = this;
    const queue = {
      send: async (message: StartMessage, delay = 0) =>
        void (delay > 0 ? this.deferred : this.startMessages).push(StartMessage.parse(message)),
    };
    return { containments, anchors, campaigns, clock, decisions, groups, inventory, jobs, pace, rotations, signals, stop, queue };
  }
  get retirePorts(): RetirePorts {
    const { registry, containments, ca, groups, jobs, inventory, rotations, issued, byHand, campaigns } = this;
    const queue = { send: async (message: RetireMessage) => void this.retireMessages.push(RetireMessage.parse(message)) };
    const cas: RetirePorts['cas'] = {
      fetch: async (_anchor, reference) => ca.fetch(reference),
      supersede: async (_anchor, serial) => {
        if (!this.caCanBeAsked) return false;
        this.order.push(`supersede, ${this.isDone(serial) ? 'done before' : 'NOT done before'}`);
        await ca.supersede(serial);
        return true;
      },
    };
    return { ...this.startPorts, groups, jobs, inventory, rotations, campaigns, queue, registry, containments, cas, issued, byHand };
  }
  get startSettings(): StartSettings {
    return {
      application: 'fleetwarden',
      mode: this.mode,
      window: { kind: 'days', days: this.windowDays },
      rollout: this.rollout,
      campaignSize: this.campaignSize,
      groupsPerSecond: 50,
      deadlineMs: this.clock.nowMs() + this.callMs,
    };
  }
  get retireSettings(): RetireSettings {
    return {
      application: 'fleetwarden',
      mode: this.mode,
      perSecond: 10,
      escalateDays: this.escalateDays,
      proofTimeoutMs: 2 * 3_600_000,
      deadlineMs: this.clock.nowMs() + this.callMs,
    };
  }

  /** Handles the message, and all that it leads to. With `kill`, the first delivery dies at that call, and the message comes again. */
  async start(message: StartMessage, kill?: Kill): Promise<void> {
    if (kill !== undefined) await start(crashing(this.startPorts, kill.n, kill.moment), this.startSettings, message).catch(() => undefined);
    await start(this.startPorts, this.startSettings, message);
    for (let next = this.startMessages.shift(); next !== undefined; next = this.startMessages.shift())
      await start(this.startPorts, this.startSettings, next);
  }

  async retire(message: RetireMessage = { kind: 'sweep' }, kill?: Kill): Promise<void> {
    if (kill !== undefined)
      await retire(crashing(this.retirePorts, kill.n, kill.moment), this.retireSettings, message).catch(() => undefined);
    await retire(this.retirePorts, this.retireSettings, message);
    for (let next = this.retireMessages.shift(); next !== undefined; next = this.retireMessages.shift())
      await retire(this.retirePorts, this.retireSettings, next);
  }

  rotation(old: CertificateId) {
    return this.rotations.rows.get(old);
  }
}
