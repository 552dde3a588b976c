/**
 * Everything of rotation at once, in memory: the four functions and the inventory's, several devices, people who contain, release, pause and cancel,
 * and a world that loses, repeats and reorders what is sent and kills whoever runs. What happens next is drawn from a seed.
 *
 *     people, schedules ─► start ─► jobs ─► devices ─► issue, prove ─► answers ─► devices
 *                            retire ◄─ rounds          record ◄─ presence, issuances
 */
import type { CertificateId } from '../../../domain/fleet/certificate-id.js';
import type { ThingName } from '../../../domain/fleet/thing-name.js';
import { candidateCertificateId } from '../../../domain/fleet/certificate-id.js';
import { Certificate } from '../../../domain/pki/certificate.js';
import { ProveMessage, RotationProofEvent, RotationRequestEvent, type RotationPresence } from '../../../domain/protocol/rotation-events.js';
import { RetireMessage, StartMessage } from '../../../domain/protocol/rotation-work.js';
import { rememberIssued, tellOfConnection, type RotationNeighbours } from '../../../lambda/inventory/record/for-rotation.js';
import { InventoryMessage } from '../../../lambda/inventory/record/event.js';
import { run as issue } from '../../../lambda/rotation/issue/run.js';
import { run as prove } from '../../../lambda/rotation/prove/run.js';
import { run as retire } from '../../../lambda/rotation/retire/run.js';
import { run as start } from '../../../lambda/rotation/start/run.js';
import type { IssuedCertificate, TestCa } from '../../builders/ca.js';
import type { BuiltRequest } from '../../builders/csr.js';
import { CampaignWorld, DAY_MS } from '../start-world.js';
import type { Chance } from './chance.js';
import { ModelDevice, type DeviceCloud } from './device.js';
import { MAX_RECEIVES, type FunctionName, type Message, type Recorded, type Trouble } from './messages.js';
import { Task, type Kill } from './tasks.js';

/** No function runs for longer, whatever it waits for. */
const FUNCTION_MS = 60_000;
const IN_PROGRESS_MS = 60 * 60_000;

export class Fleet implements DeviceCloud {
  readonly world: CampaignWorld;
  readonly devices: ModelDevice[] = [];
  queue: Message[] = [];
  readonly dead: Message[] = [];
  tasks: Task[] = [];
  /** Names of things whose certificates a person revoked: nothing is promised of them any more. */
  readonly revoked = new Set<ThingName>();
  /** Certificates with which somebody has connected. */
  readonly connected = new Set<CertificateId>();
  private readonly startedAtMs = new Map<string, number>();
  /** What a person noted when a thing was contained: release gives exactly this back. */
  readonly containing = new Map<ThingName, Set<CertificateId>>();
  /** A function that runs when its time is up never goes on. */
  private readonly runs = new WeakMap<Task, { readonly sinceMs: number; readonly timeOut: () => void }>();
  private keysUsed = 0;
  private toldOf = new Set<string>();

  constructor(
    ca: TestCa,
    private readonly chance: Chance,
    private readonly keys: readonly BuiltRequest[],
    public trouble: Trouble,
  ) {
    this.world = new CampaignWorld(ca);
    // Ids of certificates are not drawn from the seed: what is told in their order is told in that of their things.
    const { rotations } = this.world;
    rotations.ofCampaign = async function* (campaignId: string) {
      const members = [...rotations.rows.values()].filter((rotation) => rotation.campaignId === campaignId);
      yield* members.sort((one, other) => (one.thingName < other.thingName ? -1 : 1));
    };
    this.world.enrolling.publish = async (topic, payload) => this.answer(topic, payload);
  }

  async enrol(certificate: IssuedCertificate, name: string): Promise<void> {
    const { thing, old } = await this.world.enrol(certificate, name, false);
    this.devices.push(new ModelDevice(thing, old));
  }

  // --- what devices reach

  nowMs = (): number => this.world.clock.nowMs();

  holds(id: CertificateId): boolean {
    return this.world.iot.certificates.get(id)?.status === 'ACTIVE';
  }
  connects(thing: ThingName, id: CertificateId): boolean {
    if (!this.holds(id)) return false;
    this.connected.add(id);
    this.presence(thing, id, 'connected');
    return true;
  }
  disconnects(thing: ThingName, id: CertificateId): void {
    this.presence(thing, id, 'disconnected');
  }
  nextJob(thing: ThingName): string | undefined {
    for (const [jobId, { things }] of this.world.jobs.jobs)
      if (things.includes(thing) && ['QUEUED', 'IN_PROGRESS'].includes(this.execution(jobId, thing) ?? '')) return jobId;
    return undefined;
  }
  execution(jobId: string, thing: ThingName): string | undefined {
    return this.world.jobs.statuses.get(`${jobId}/${thing}`);
  }
  update(jobId: string, thing: ThingName, status: 'IN_PROGRESS' | 'SUCCEEDED' | 'FAILED'): void {
    if (!['QUEUED', 'IN_PROGRESS'].includes(this.execution(jobId, thing) ?? '')) return;
    this.world.jobs.set(jobId, thing, status);
    if (status === 'IN_PROGRESS') this.startedAtMs.set(`${jobId}/${thing}`, this.nowMs());
  }
  request(thing: ThingName, principal: CertificateId, jobId: string, csr: string): void {
    const said = { kind: 'request', version: 1, jobId, csr, principal, clientId: thing, thingName: thing, receivedAtMs: this.nowMs() };
    this.fromDevice('issue', RotationRequestEvent.parse(said));
  }
  proof(thing: ThingName, principal: CertificateId, jobId: string): void {
    const said = { kind: 'proof', version: 1, jobId, principal, clientId: thing, thingName: thing, receivedAtMs: this.nowMs() };
    this.fromDevice('prove', RotationProofEvent.parse(said));
  }
  newKey(): BuiltRequest {
    const key = this.keys[this.keysUsed++ % this.keys.length]!;
    if (this.keysUsed > this.keys.length) throw new Error('the model has run out of keys');
    return key;
  }

  // --- what is sent

  send(to: FunctionName, body: unknown, delaySeconds = 0): void {
    this.queue.push({ to, body, availableAtMs: this.nowMs() + delaySeconds * 1000, receives: 0 });
  }
  private fromDevice(to: FunctionName, body: unknown): void {
    if (this.chance.once(this.trouble.lost)) return;
    this.send(to, body);
    if (this.chance.once(this.trouble.repeated)) this.send(to, body);
  }
  private presence(thing: ThingName, principalIdentifier: CertificateId, eventType: 'connected' | 'disconnected'): void {
    const event = { kind: 'presence', eventType, clientId: thing, principalIdentifier, timestamp: this.nowMs() };
    this.fromDevice('record', { kind: 'presence', event } satisfies Recorded);
  }
  private answer(topic: string, payload: string): void {
    const device = this.devices.find(({ thing }) => topic === `fleet/${thing}/rotation/response`);
    if (device === undefined) throw new Error(`answered to ${topic}: nobody is there`);
    if (this.chance.once(this.trouble.lost)) return;
    const copies = this.chance.once(this.trouble.repeated) ? 2 : 1;
    for (let copy = 0; copy < copies; copy += 1) device.inbox.splice(this.chance.below(device.inbox.length + 1), 0, JSON.parse(payload));
  }

  /** What the functions have put on their queues, and what the CA has issued since. */
  collect(): void {
    const { world } = this;
    for (const message of world.startMessages.splice(0)) this.send('start', message);
    for (const message of world.deferred.splice(0)) this.send('start', message, 900);
    for (const message of world.retireMessages.splice(0)) this.send('retire', message);
    for (const [arn, pem] of world.ca.issued) {
      if (this.toldOf.has(arn)) continue;
      this.toldOf.add(arn);
      // Without loss: that the CA's event is best effort is its own matter, and the orphans are what this model counts.
      this.send('record', { kind: 'issued', pem, arn } satisfies Recorded);
    }
  }

  // --- what runs

  /** Begins the delivery of one message. Whoever throws gets it again, five times in all. */
  deliver(message: Message, kill?: Kill): void {
    this.queue.splice(this.queue.indexOf(message), 1);
    message.receives += 1;
    const ended = (error: unknown): void => {
      // Handled, and yet delivered again: SQS says at least once.
      const again = error !== undefined || this.chance.once(this.trouble.repeated);
      if (again && message.receives < MAX_RECEIVES) this.queue.push(message);
      else if (error !== undefined) this.dead.push(message);
    };
    const task = new Task(message.to, (gate) => this.work(message, gate), ended, {
      kill,
      answerIsLost: () => this.chance.once(this.trouble.unanswered),
    });
    this.tasks.push(task);
    this.runs.set(task, { sinceMs: this.nowMs(), timeOut: () => ended(new Error('Task timed out')) });
  }

  private work({ to, body }: Message, gate: <T extends object>(ports: T) => T): Promise<unknown> {
    const { world } = this;
    switch (to) {
      case 'start':
        return start(gate(world.startPorts), world.startSettings, StartMessage.parse(body));
      case 'issue':
        return issue(gate(world.issuePorts), world.issueSettings, body as RotationRequestEvent);
      case 'prove':
        return prove(gate(world.provePorts), { ...world.proveSettings, graceMs: DAY_MS }, body as ProveMessage);
      case 'retire':
        return retire(gate(world.retirePorts), world.retireSettings, RetireMessage.parse(body));
      case 'record':
        return this.record(gate, body as Recorded);
    }
  }

  /** The inventory's function, as far as rotation hears of it. */
  private async record(gate: <T extends object>(ports: T) => T, recorded: Recorded): Promise<void> {
    const { rotations, issued, inventory, clock } = this.world;
    const send = async (message: RotationPresence, delaySeconds: number): Promise<void> =>
      this.send('prove', ProveMessage.parse(message), delaySeconds);
    const neighbours: RotationNeighbours = gate({ rotations, issued, proveQueue: { send } });
    if (recorded.kind === 'issued') {
      const id = candidateCertificateId(Certificate.read(recorded.pem).der);
      await rememberIssued(neighbours, clock, recorded.pem, id, recorded.arn);
      return;
    }
    const message = InventoryMessage.parse(recorded.event);
    if (!('kind' in message) || message.kind !== 'presence') return;
    const known = inventory.records.get(message.principalIdentifier as CertificateId);
    await tellOfConnection(neighbours, message, known, clock.nowMs());
    if (known !== undefined && message.timestamp > (known.lastSeenAtMs ?? 0))
      inventory.records.set(known.certificateId, { ...inventory.records.get(known.certificateId)!, lastSeenAtMs: message.timestamp });
  }

  // --- what people do

  /** The row first, then the certificates: as quarantine does. */
  contain(thing: ThingName): void {
    if (this.world.containments.things.has(thing) || this.containing.has(thing)) return;
    const taken = new Set<CertificateId>();
    this.containing.set(thing, taken);
    const row = { add: async () => void this.world.containments.things.add(thing) };
    const work = async (gate: <T extends object>(ports: T) => T): Promise<void> => {
      const { iot, rows } = gate({ iot: this.world.iot, rows: row });
      await rows.add();
      for (const id of await iot.certificatesOf(thing)) {
        if ((await iot.describe(id))?.status !== 'ACTIVE') continue;
        taken.add(id);
        await iot.setStatus(id, 'INACTIVE').catch(unlessRevoked);
      }
    };
    this.tasks.push(new Task(`contain ${thing}`, work, rethrow));
  }

  /** Gives back what containment took, and nothing else; then the row goes. */
  release(thing: ThingName): void {
    const taken = this.containing.get(thing);
    if (taken === undefined || this.tasks.some(({ name, isOver }) => !isOver && name.endsWith(` ${thing}`))) return;
    const row = { remove: async () => void this.world.containments.things.delete(thing) };
    const work = async (gate: <T extends object>(ports: T) => T): Promise<void> => {
      const { iot, rows } = gate({ iot: this.world.iot, rows: row });
      for (const id of taken) if ((await iot.describe(id))?.status === 'INACTIVE') await iot.setStatus(id, 'ACTIVE').catch(unlessRevoked);
      await rows.remove();
      this.containing.delete(thing);
    };
    this.tasks.push(new Task(`release ${thing}`, work, rethrow));
  }

  /** Revoked at the CA, and so in the registry. */
  async revoke(thing: ThingName): Promise<void> {
    this.revoked.add(thing);
    for (const id of await this.world.iot.certificatesOf(thing)) await this.world.iot.setStatus(id, 'REVOKED');
  }

  /**
   * What the alarm on retirements that are blocked asks a person to do: to look with which of its two certificates the device connects, and to take
   * the other one out.
   */
  async repair(): Promise<void> {
    for (const { state, thingName, oldCertificateId, newCertificateId } of this.world.rotations.rows.values()) {
      const fresh = newCertificateId && (await this.world.iot.describe(newCertificateId));
      const old = await this.world.iot.describe(oldCertificateId);
      if (state !== 'proved' || fresh?.status !== 'ACTIVE' || old?.status !== 'ACTIVE') continue;
      const device = this.devices.find(({ thing }) => thing === thingName)!;
      const usesNew = device.pairs.has(fresh.certificateId);
      await this.world.iot.setStatus(usesNew ? oldCertificateId : fresh.certificateId, 'INACTIVE');
      if (!usesNew) this.withPeople.add(oldCertificateId);
    }
  }
  /** Rotations that were proved, and whose device had gone back when a person looked. */
  readonly withPeople = new Set<CertificateId>();

  /** Functions whose time is up are stopped where they are. */
  timeOut(): void {
    this.tasks = this.tasks.filter((task) => {
      const run = this.runs.get(task);
      if (run === undefined || this.nowMs() - run.sinceMs <= FUNCTION_MS) return true;
      run.timeOut();
      return false;
    });
  }

  /** Time goes by: functions are stopped, and executions that have been IN_PROGRESS for too long are over (AWS IoT does that). */
  pass(ms: number): void {
    this.world.clock.advance(ms);
    this.timeOut();
    for (const [execution, status] of this.world.jobs.statuses) {
      if (status === 'IN_PROGRESS' && this.nowMs() - (this.startedAtMs.get(execution) ?? this.nowMs()) > IN_PROGRESS_MS)
        this.world.jobs.statuses.set(execution, 'TIMED_OUT');
    }
  }
}

/** Revoked since it was looked at: what is REVOKED stays so. */
function unlessRevoked(error: unknown): void {
  if (!String(error).includes('CertificateStateException')) throw error;
}

function rethrow(error: unknown): void {
  if (error !== undefined) throw error;
}
