/** One story of a fleet, drawn from a seed: what happens, what must be true after every single step, and what must be true in the end. */
import type { CertificateId } from '../../../domain/fleet/certificate-id.js';
import type { ThingName } from '../../../domain/fleet/thing-name.js';
import { Certificate } from '../../../domain/pki/certificate.js';
import type { IssuedCertificate, TestCa } from '../../builders/ca.js';
import type { BuiltRequest } from '../../builders/csr.js';
import { METRICS } from '../../../domain/fleet/metrics.js';
import { DAY_MS } from '../start-world.js';
import { Chance } from './chance.js';
import { Fleet } from './fleet.js';
import { MAX_RECEIVES, NO_TROUBLE, type Message, type Trouble } from './messages.js';
import type { Kill } from './tasks.js';

const MINUTE_MS = 60_000;
const STEPS = 1500;
const TASKS_AT_ONCE = 4;
/** So much of the story is printed when it fails. */
const LINES = 80;

export interface Cast {
  readonly ca: TestCa;
  readonly certificates: readonly IssuedCertificate[];
  readonly keys: readonly BuiltRequest[];
}

export class Broken extends Error {}

export class Story {
  readonly chance: Chance;
  readonly fleet: Fleet;
  /** How often what happened: a model in which nothing happens is true of everything. */
  readonly seen: Record<string, number> = {};
  /** For people who read a failure. */
  readonly log: string[] = [];
  private readonly namesOf = new Map<CertificateId, ThingName>();

  private constructor(
    readonly seed: number,
    { ca, keys }: Cast,
    trouble: Trouble,
  ) {
    this.chance = new Chance(seed);
    this.fleet = new Fleet(ca, this.chance, keys, trouble);
  }

  static async begin(seed: number, cast: Cast): Promise<Story> {
    const chance = new Chance(seed ^ 0x5bd1e995);
    const amount = (most: number): number => (chance.once(0.3) ? 0 : chance.next() * most);
    const story = new Story(seed, cast, { lost: amount(0.3), repeated: amount(0.3), killed: amount(0.8), unanswered: amount(0.03) });
    for (const [index, certificate] of cast.certificates.entries()) await story.fleet.enrol(certificate, `dev-${index + 1}`);
    for (const device of story.fleet.devices) device.broken = chance.once(0.15);
    story.watch();
    story.fleet.send('start', { kind: 'due' });
    return story;
  }

  async tell(): Promise<void> {
    try {
      await this.toTheEnd();
    } catch (error) {
      if (error instanceof Broken) throw error;
      throw new Broken(`seed ${this.seed}: ${String(error)}\n${this.log.slice(-LINES).join('\n')}`, { cause: error });
    }
  }

  private async toTheEnd(): Promise<void> {
    const { fleet } = this;
    for (let step = 0; step < STEPS; step += 1) {
      await this.step();
      this.always();
    }
    await this.conclude();
    this.inTheEnd();
    this.seen['dead'] = fleet.dead.length;
    this.seen['orphans'] = fleet.world.metric(METRICS.orphanSuperseded);
    this.seen['refused'] = fleet.world.metric(METRICS.rotationRefused);
  }

  private async step(): Promise<void> {
    const { fleet, chance } = this;
    const drawn = chance.next();
    if (drawn < 0.6 && fleet.tasks.length > 0) return this.turn();
    if (drawn < 0.82) return this.deliverOne(this.kill());
    if (drawn < 0.95) {
      const device = chance.of(fleet.devices);
      if (chance.once(0.03)) device.powerCut(fleet);
      return device.act(fleet);
    }
    if (drawn < 0.97) return fleet.pass(chance.of([0.2, 0.5, 0.5, 1, 1, 6, 6, 20, 45, 90, 600]) * MINUTE_MS);
    if (drawn < 0.98) return fleet.send('retire', { kind: 'sweep' });
    return this.somebody();
  }

  private async turn(): Promise<void> {
    const { fleet, chance } = this;
    await chance.of(fleet.tasks).turn();
    fleet.tasks = fleet.tasks.filter(({ isOver }) => !isOver);
    // Whoever sleeps moves the clock for everybody.
    fleet.timeOut();
    fleet.collect();
  }

  private deliverOne(kill?: Kill): void {
    const { fleet, chance } = this;
    const waiting = fleet.queue.filter(({ availableAtMs }) => availableAtMs <= fleet.nowMs());
    if (waiting.length === 0 || fleet.tasks.length >= TASKS_AT_ONCE) return;
    const message = chance.of(waiting);
    if (kill !== undefined) this.see('killed');
    if (message.to !== 'record')
      this.say(`${message.to} ${JSON.stringify(message.body).slice(0, 60)}${kill === undefined ? '' : ` dies ${kill.moment} ${kill.n}`}`);
    fleet.deliver(message, kill);
  }
  private kill(): Kill | undefined {
    if (!this.chance.once(this.fleet.trouble.killed)) return undefined;
    return { n: 1 + this.chance.below(35), moment: this.chance.once(0.5) ? 'before' : 'after' };
  }

  /** People, and devices that are not honest. */
  private async somebody(): Promise<void> {
    const { fleet, chance } = this;
    const { thing, identity } = chance.of(fleet.devices);
    const campaigns = [...fleet.world.campaigns.rows.keys()];
    const control = (act: string): void => {
      if (campaigns.length > 0) fleet.send('start', { kind: 'control', campaignId: chance.of(campaigns), control: act, by: 'alice' });
    };
    const does = chance.below(20);
    this.say(`somebody ${does} ${thing}`);
    if (does < 3) this.see('contained');
    if (does < 3) return fleet.contain(thing);
    if (does < 10) return fleet.release(chance.of([...fleet.containing.keys(), thing]));
    if (does === 10) return control('pause');
    if (does === 11) return control('resume');
    if (does === 12 && chance.once(0.3)) return control('cancel');
    if (does === 13) return fleet.world.stop.set(chance.once(0.3), 'alice', 'exercise', fleet.nowMs());
    if (does === 14) return fleet.send('start', { kind: 'rotate', thingName: thing, by: 'alice', requestId: hex(chance, 12) });
    if (does === 15 && chance.once(0.2)) return fleet.revoke(thing);
    if (does === 16) return fleet.send('start', { kind: 'due' });
    const other = chance.of(fleet.devices);
    const jobId = [...fleet.world.jobs.jobs.keys()][0] ?? 'none';
    // Another's request under its own name; a claim that its old certificate is the new one.
    if (does === 17) return fleet.request(thing, identity, jobId, other.rotating?.request.base64 ?? 'MIIB');
    if (does === 18) return fleet.proof(thing, identity, jobId);
  }

  // --- what must be true

  /** At the very moment at which a status is set, or a rotation moves. */
  private watch(): void {
    const { world } = this.fleet;
    const { rotations } = world;
    world.iot.meanwhile = (id, status) => {
      this.say(`  ${this.nameOf(id)} ${id.slice(0, 6)} ${status}`);
      const rotation = rotations.rows.get(id);
      const byPeople = this.fleet.revoked.has(this.nameOf(id)) || this.fleet.containing.has(this.nameOf(id));
      // The new one of a rotation that failed is taken back, also where it is itself to be replaced by then.
      const isTakenBack = [...rotations.rows.values()].some((one) => one.newCertificateId === id && one.provedAtMs === undefined);
      if (rotation !== undefined && status !== 'ACTIVE' && !byPeople && !isTakenBack && rotation.provedAtMs === undefined)
        this.note('an old certificate is taken out of use, and no proof is on record');
    };
    const move = rotations.move.bind(rotations);
    rotations.move = async (old, from, next) => {
      const moved = await move(old, from, next);
      if (moved !== undefined) this.say(`  ${moved.thingName} ${moved.state}`);
      if (moved !== undefined) this.see(moved.state);
      if (moved?.state === 'proved' && next.provedAtMs !== undefined && !this.fleet.connected.has(moved.newCertificateId!))
        this.note('a rotation is proved, and nobody has connected with its new certificate');
      return moved;
    };
  }

  private always(): void {
    const { fleet } = this;
    if (this.noted !== undefined) this.fail(this.noted);
    const { iot, rotations, containments } = fleet.world;
    for (const { thing, pairs } of fleet.devices) {
      const active = fleet.world.activeOf(thing);
      if (active.length > 2) this.fail(`${thing} has ${active.length} ACTIVE certificates`);
      const promised = !fleet.revoked.has(thing) && !containments.things.has(thing) && !fleet.containing.has(thing);
      if (promised && !active.some((id) => pairs.has(id))) this.fail(`${thing} has no ACTIVE certificate for which it has the key`);
      const isIssue = ({ to, body }: Message): boolean => to === 'issue' && (body as { thingName?: unknown }).thingName === thing;
      const atRest =
        !fleet.tasks.some(({ name }) => name === 'issue' || name.endsWith(` ${thing}`)) && ![...fleet.queue, ...fleet.dead].some(isIssue);
      if (containments.things.has(thing) && atRest && active.length > 0) this.fail(`${thing} is contained and has an ACTIVE certificate`);
    }
    for (const [id, { things }] of iot.certificates) {
      if (things.size > 1) this.fail(`${id} is attached to several things`);
      for (const thing of things) if (this.nameOf(id) !== thing) this.fail(`${thing} has another's certificate`);
    }
    for (const rotation of rotations.rows.values()) {
      const { jobId, thingName, newCertificateId } = rotation;
      if (newCertificateId === undefined) continue;
      const first = this.certificateOf.get(`${jobId}/${thingName}/${rotation.oldCertificateId}`);
      if (first !== undefined && first !== newCertificateId) this.fail(`${thingName}: two certificates in one execution of ${jobId}`);
      this.certificateOf.set(`${jobId}/${thingName}/${rotation.oldCertificateId}`, newCertificateId);
    }
  }
  private readonly certificateOf = new Map<string, CertificateId>();

  /** Nothing goes wrong any more, people do what the alarms ask of them, and the days go by. */
  private async conclude(): Promise<void> {
    const { fleet } = this;
    fleet.trouble = NO_TROUBLE;
    await fleet.world.stop.set(false, 'alice', 'over', fleet.nowMs());
    while (fleet.tasks.length > 0) await this.turn();
    for (const thing of fleet.containing.keys()) fleet.release(thing);
    for (let hour = 0; hour < 24 * 8; hour += 6) {
      for (const [campaignId, { state }] of fleet.world.campaigns.rows)
        if (state === 'paused') fleet.send('start', { kind: 'control', campaignId, control: 'resume', by: 'alice' });
      if (hour % 12 === 0) fleet.send('start', { kind: 'due' });
      fleet.send('retire', { kind: 'sweep' });
      for (let turn = 0; turn < 5; turn += 1) {
        await this.drain();
        for (const device of fleet.devices) device.act(fleet);
      }
      await this.drain();
      await fleet.repair();
      fleet.pass(360 * MINUTE_MS);
    }
  }
  private async drain(): Promise<void> {
    const { fleet } = this;
    for (;;) {
      this.deliverOne();
      if (fleet.tasks.length === 0) return;
      await this.turn();
      this.always();
    }
  }

  private inTheEnd(): void {
    const { fleet } = this;
    const { world } = fleet;
    for (const { to, receives } of fleet.dead) if (receives < MAX_RECEIVES) this.fail(`a message to ${to} was given up too early`);
    const left = fleet.queue.filter(({ availableAtMs }) => availableAtMs <= fleet.nowMs() - DAY_MS);
    if (left.length > 0) this.fail(`${left.length} messages wait for ever`);
    for (const { thing, pairs, identity, broken } of fleet.devices) {
      if (fleet.revoked.has(thing)) continue;
      const active = world.activeOf(thing);
      if (active.length !== 1 || !pairs.has(active[0]!)) this.fail(`in the end ${thing} has ${active.length} ACTIVE certificates`);
      if (!broken && active[0] !== identity) this.fail(`in the end ${thing} does not know which certificate is its own`);
    }
    for (const { thingName, oldCertificateId, state, settledAtMs } of world.rotations.rows.values()) {
      const over = state === 'retired' || fleet.withPeople.has(oldCertificateId) || (state === 'withdrawn' && settledAtMs !== undefined);
      const goesOn = ['planned', 'offered', 'requested', 'issued'].includes(state); // of the run of this very day
      if (!over && !goesOn && !fleet.revoked.has(thingName)) this.fail(`in the end the rotation of ${thingName} is ${state}`);
    }
    // What the CA issued is in the registry, or was revoked at the CA.
    for (const pem of world.ca.issued.values()) {
      const { serialNumber, subject } = Certificate.read(pem);
      const isKnown = [...world.iot.certificates.values()].some((one) => one.pem === pem);
      if (!isKnown && !world.ca.superseded.includes(serialNumber) && !fleet.revoked.has(subject.slice(3) as ThingName))
        this.fail(`an orphan of ${subject} is left at the CA`);
    }
  }

  private nameOf(id: CertificateId): ThingName {
    const known = this.namesOf.get(id) ?? (Certificate.read(this.fleet.world.iot.certificates.get(id)!.pem).subject.slice(3) as ThingName);
    this.namesOf.set(id, known);
    return known;
  }
  private see(what: string): void {
    this.seen[what] = (this.seen[what] ?? 0) + 1;
  }
  private say(what: string): void {
    this.log.push(`${new Date(this.fleet.nowMs()).toISOString().slice(5, 19)} ${what}`);
  }
  /** Thrown inside a call it would only be a failed delivery: it is said after the step. */
  private note(what: string): void {
    this.noted ??= what;
  }
  private noted?: string;
  private fail(what: string): never {
    throw new Broken(`seed ${this.seed}: ${what}\n${this.log.slice(-LINES).join('\n')}`);
  }
}

const hex = (chance: Chance, digits: number): string => Array.from({ length: digits }, () => chance.below(16).toString(16)).join('');
