/** Whose device it is, on memory ports: refused certificates, client ids that somebody took, attachments that have changed, and the look at one thing. */
import { METRICS } from '../../domain/fleet/metrics.js';
import { thingName } from '../../domain/fleet/thing-name.js';
import { IntakeMessage } from '../../domain/protocol/containment.js';
import type { CertificateId } from '../../domain/fleet/certificate-id.js';
import { run as watchRun } from '../../lambda/quarantine/watch/run.js';
import type { CertificateRecord } from '../../lambda/ports/inventory.js';
import { certificateNumber } from './memory/iot.js';
import { QuarantineWorld } from './memory/world.js';

const PROFILE = 'fleetwarden-built-in';
const DAY = 86_400_000;

/** Things, each with one ACTIVE certificate: `pump-1` has number 1. */
function fleetOf(size: number): QuarantineWorld {
  const world = new QuarantineWorld();
  for (let index = 1; index <= size; index += 1) {
    world.iot.addCertificate(certificateNumber(index), 'ACTIVE', ['device']);
    world.iot.addThing(`pump-${index}`, [certificateNumber(index)]);
  }
  world.inventory.active = size;
  return world;
}
const started = (world: QuarantineWorld): string[] => [...world.executions.values()].map(({ thingName: name }) => name).sort();
const held = (world: QuarantineWorld) => [...world.holds.rows.values()].filter(({ state }) => state === 'HELD');
const told = (world: QuarantineWorld, name: string): string[] =>
  world.decisions.rows.filter(({ subject, act }) => subject === `THING#${name}` && act === 'consider').map(({ reason }) => reason);

/** A violation at its source, and its notification. */
function violate(world: QuarantineWorld, name: string, clientId: string, { isOpen = true, behavior = 'flood' } = {}): IntakeMessage {
  const nowMs = world.clock.nowMs();
  const said = {
    violationId: `v-${name.replaceAll(/[^a-zA-Z0-9-]/g, '')}`.slice(-40),
    thingName: name,
    securityProfileName: PROFILE,
  } as const;
  const times = { startedAtMs: nowMs, updatedAtMs: nowMs };
  world.violations.rows.set(said.violationId, { ...said, ...times, clientId, behavior, isOpen, lastEventType: 'in-alarm' });
  return IntakeMessage.parse({ ...said, violationEventTime: nowMs, behavior: { name: behavior }, violationEventType: 'in-alarm' });
}
function seen(world: QuarantineWorld, id: CertificateId, clientId: string, thing?: string, agoMs = DAY): void {
  const record: CertificateRecord = {
    certificateId: id,
    issuerId: 'i',
    serialNumber: '1' as never,
    notBeforeMs: 0,
    notAfterMs: 1,
    status: 'ACTIVE',
    source: 'presence',
    clientId,
    lastSeenAtMs: world.clock.nowMs() - agoMs,
    ...(thing === undefined ? {} : { thingName: thingName(thing) }),
  };
  world.inventory.records.set(id, record);
  if (clientId !== thing) world.inventory.uses.push({ clientId, certificateId: id, seenAtMs: world.clock.nowMs() - agoMs });
}

describe('a certificate whose connections were refused', () => {
  it('has its thing contained, from its violation through the whole workflow, and released when that is over', async () => {
    const world = fleetOf(100);
    const id = certificateNumber(7);
    await world.intake(violate(world, id, id));
    expect(started(world)).toEqual(['pump-7']);
    const [input] = [...world.executions.values()];
    expect(input!.trigger.evidence).toMatchObject({ violator: id });
    await world.run(input!);
    expect(world.stateOf('pump-7')).toBe('reopened');
    await world.askRelease('pump-7', { force: false });
    expect(world.records.rows.get('pump-7')?.release).toBeUndefined();
    violate(world, id, id, { isOpen: false });
    await world.askRelease('pump-7', { force: false });
    await world.run(input!, { until: 'nothing' });
    expect(world.stateOf('pump-7')).toBeUndefined();
  });
  it('is asked for in its turn, where a whole fleet is refused: who is cut off meanwhile goes first', async () => {
    const world = fleetOf(100);
    world.brake = { ...world.brake, floor: 1000, perHour: 1000, fleetShare: 1, groupShare: 1 };
    const slots = new Map<string, number>();
    const reserve = world.pace.reserve.bind(world.pace);
    world.pace.reserve = async (name, count, ...rest) => {
      slots.set(name, (slots.get(name) ?? 0) + count);
      return reserve(name, count, ...rest);
    };
    const ids = Array.from({ length: 100 }, (_, index) => certificateNumber(index + 1));
    const startMs = world.clock.nowMs();
    await world.intake(...ids.map((id) => violate(world, id, id)));
    expect(started(world)).toHaveLength(100);
    expect([slots.get('quarantine'), slots.get('quarantine-later')]).toEqual([100, 100]);
    expect(world.clock.nowMs() - startMs).toBeGreaterThanOrEqual(900);
  });
  it('has nobody contained whose alarm is over before the workflow begins', async () => {
    const world = fleetOf(100);
    const id = certificateNumber(7);
    await world.intake(violate(world, id, id));
    violate(world, id, id, { isOpen: false });
    await world.run([...world.executions.values()][0]!, { until: 'Released' });
    expect(world.reasonsOf('pump-7', 'contain')).toEqual(['alarm-over']);
  });
  it('has nobody contained whose alarm a person marks as nothing before the workflow begins', async () => {
    const world = fleetOf(100);
    const id = certificateNumber(7);
    await world.intake(violate(world, id, id));
    world.violations.rows.forEach((row, key) => world.violations.rows.set(key, { ...row, verificationState: 'FALSE_POSITIVE' }));
    await world.run([...world.executions.values()][0]!, { until: 'Released' });
    expect([world.reasonsOf('pump-7', 'contain'), world.iot.changes]).toEqual([['marked-benign'], []]);
  });
  it.each<[string, object, string]>([
    ['takes its thing to the higher rung, where that is contained for less by then', {}, 'deactivate'],
    ['does not where its alarm is over by then', { isOpen: false }, 'shut-off'],
    ['does not where a person has marked it as nothing', { verificationState: 'BENIGN_POSITIVE' }, 'shut-off'],
  ])('%s', async (_, by, response) => {
    const world = fleetOf(100);
    const id = certificateNumber(7);
    await world.intake(violate(world, id, id, { behavior: 'wild' }));
    const [late] = [...world.executions.values()];
    await world.run(world.inputFor('pump-7', 'shut-off'));
    world.violations.rows.forEach((row, key) => world.violations.rows.set(key, { ...row, ...by }));
    expect(await world.step('Record', late!)).toMatchObject({ next: 'Released' });
    expect(world.records.rows.get('pump-7')?.response).toBe(response);
    expect(world.budget.rows.get(late!.containmentId)?.freedAtMs).toBeDefined();
  });
  it('is held for a person when several things have it, and approving contains each of them', async () => {
    const world = fleetOf(100);
    const id = certificateNumber(7);
    world.iot.things.get('pump-8')!.certificates.add(id);
    await world.intake(violate(world, id, id));
    expect(started(world)).toEqual([]);
    const [list] = held(world);
    expect(list).toMatchObject({ count: 2, reason: 'shared-certificate' });
    await world.holds.move(list!.hash, 'HELD', 'APPROVED', 'ops', world.clock.nowMs());
    await world.intake({ kind: 'approved', hash: list!.hash });
    expect(started(world)).toEqual(['pump-7', 'pump-8']);
  });
  it.each<[string, (world: QuarantineWorld, id: CertificateId) => void, string]>([
    [
      'is another thing’s by then',
      (world, id) => (world.iot.things.get('pump-7')!.certificates.delete(id), world.iot.addThing('pump-new', [id])),
      'offender-moved',
    ],
    ['is nobody’s by then', (world, id) => world.iot.things.get('pump-7')!.certificates.delete(id), 'certificate-without-thing'],
    ['was replaced by then', (world, id) => (world.iot.certificates.get(id)!.status = 'REVOKED'), 'offender-shut-out'],
    ['is deleted by then', (world, id) => world.iot.certificates.delete(id), 'offender-moved'],
  ])('does not have its thing contained by a list that is approved when it %s', async (_, change, reason) => {
    const world = fleetOf(100);
    world.brake = { ...world.brake, floor: 0, perHour: 0 };
    const id = certificateNumber(7);
    await world.intake(violate(world, id, id));
    const [list] = held(world);
    change(world, id);
    await world.holds.move(list!.hash, 'HELD', 'APPROVED', 'ops', world.clock.nowMs());
    await world.intake({ kind: 'approved', hash: list!.hash });
    expect([started(world), told(world, 'pump-7')]).toEqual([[], [reason]]);
  });
  it('of no thing is told under its own id', async () => {
    const world = fleetOf(10);
    const id = certificateNumber(77);
    world.iot.addCertificate(id, 'ACTIVE', []);
    await world.intake(violate(world, id, id));
    expect([started(world), told(world, id), world.metric(METRICS.violationNotified)]).toEqual([[], ['certificate-without-thing'], 1]);
  });
  it('does not take the thing with it that has had another one since', async () => {
    const world = fleetOf(10);
    const old = certificateNumber(77);
    world.iot.addCertificate(old, 'REVOKED', []);
    world.iot.things.get('pump-3')!.certificates.add(old);
    await world.intake(violate(world, old, old));
    expect([started(world), told(world, old)]).toEqual([[], ['offender-shut-out']]);
  });
  it('is no news while its thing is contained', async () => {
    const world = fleetOf(10);
    await world.run(world.inputFor('pump-3', 'deactivate'));
    const id = certificateNumber(3);
    await world.intake(violate(world, id, id, { behavior: 'wild' }));
    expect([told(world, id), world.metric(METRICS.violationNotified)]).toEqual([['already-contained'], 0]);
  });
  it('keeps its thing from nothing that protects it: the never-list pages', async () => {
    const world = fleetOf(10);
    world.neverContain = { things: ['pump-3'], types: [], groups: [], attributes: [] };
    const id = certificateNumber(3);
    await world.intake(violate(world, id, id));
    expect([started(world), world.metric(METRICS.neverListed)]).toEqual([[], 1]);
  });
  it('that is the name of a thing is that thing', async () => {
    const world = fleetOf(10);
    const name = certificateNumber(3);
    world.iot.addThing(name, []);
    await world.intake(violate(world, name, name));
    expect(started(world)).toEqual([name]);
  });
});

describe('a message about a certificate that its source does not confirm', () => {
  it('is left under the name that it gives, and says nothing of any thing', async () => {
    const world = fleetOf(100);
    const id = certificateNumber(7);
    const message = violate(world, id, id);
    world.violations.rows.clear();
    await world.intake(message);
    expect([told(world, id), told(world, 'pump-7')]).toEqual([['forged'], []]);
  });
});

describe('a violation that names the thing of an exclusive attachment', () => {
  it('contains the thing that the certificate is attached to now, and not the one that it has left', async () => {
    const world = fleetOf(100);
    const id = certificateNumber(1);
    seen(world, id, 'client-77', 'pump-1');
    world.iot.things.get('pump-1')!.certificates.delete(id);
    world.iot.addThing('pump-new', [id]);
    await world.intake(violate(world, 'pump-1', 'client-77'));
    expect(started(world)).toEqual(['pump-new']);
    await world.run([...world.executions.values()][0]!);
    expect(world.stateOf('pump-new')).toBe('reopened');
  });
  it('contains it where nothing has changed, or nothing is known', async () => {
    const world = fleetOf(100);
    seen(world, certificateNumber(1), 'client-77', 'pump-1');
    await world.intake(violate(world, 'pump-1', 'client-77'), violate(world, 'pump-2', 'client-78'));
    expect(started(world)).toEqual(['pump-1', 'pump-2']);
  });
  it('is told, and not tried again for ever, where no thing can have that name', async () => {
    const world = fleetOf(100);
    seen(world, certificateNumber(1), 'client-77', 'pump-1');
    const results = await world.intake(violate(world, 'line 4/pump', 'client-77'));
    expect(results.map(({ status }) => status)).toEqual(['fulfilled']);
    expect([started(world), world.metric(METRICS.violationNotified)]).toEqual([[], 1]);
  });
  it('contains it alone, also where another thing’s certificate has used the same client id', async () => {
    const world = fleetOf(100);
    seen(world, certificateNumber(1), 'client-77', 'pump-1');
    seen(world, certificateNumber(2), 'client-77', 'pump-2');
    await world.intake(violate(world, 'pump-1', 'client-77'));
    expect(started(world)).toEqual(['pump-1']);
  });
  it('contains nobody where so many certificates have used the client id that nobody can tell', async () => {
    const world = fleetOf(100);
    for (let index = 2; index <= 12; index += 1) seen(world, certificateNumber(index), 'client-77', `pump-${index}`);
    await world.intake(violate(world, 'pump-1', 'client-77'));
    expect([started(world), told(world, 'client-77')]).toEqual([[], ['offender-unknown']]);
  });
  it('asks the certificate, where it was counted for one', async () => {
    const world = fleetOf(100);
    await world.intake(violate(world, 'pump-1', certificateNumber(2)));
    expect(started(world)).toEqual(['pump-2']);
  });
  it('contains it when its client only calls itself by what looks like a certificate', async () => {
    const world = fleetOf(100);
    await world.intake(violate(world, 'pump-1', certificateNumber(4711)));
    expect(started(world)).toEqual(['pump-1']);
  });
});

describe('a violation under a client id that anybody may have claimed', () => {
  it('does not contain the thing whose name another thing’s certificate has used: people are told', async () => {
    const world = fleetOf(100);
    seen(world, certificateNumber(1), 'pump-1', 'pump-1');
    seen(world, certificateNumber(2), 'pump-1', 'pump-2');
    await world.intake(violate(world, 'pump-1', 'pump-1'));
    expect([started(world), told(world, 'pump-1')]).toEqual([[], ['offender-unknown']]);
  });
  it('nor where the certificate that used it belongs to no thing, or there are very many', async () => {
    const world = fleetOf(100);
    world.iot.addCertificate(certificateNumber(500), 'ACTIVE', []);
    seen(world, certificateNumber(500), 'pump-1');
    for (let index = 20; index <= 32; index += 1) seen(world, certificateNumber(index), 'pump-2', `pump-${index}`);
    await world.intake(violate(world, 'pump-1', 'pump-1'), violate(world, 'pump-2', 'pump-2'));
    expect(started(world)).toEqual([]);
  });
  it('contains it where that was more than a week before it began', async () => {
    const world = fleetOf(100);
    seen(world, certificateNumber(2), 'pump-1', 'pump-2', 9 * DAY);
    await world.intake(violate(world, 'pump-1', 'pump-1'));
    expect(started(world)).toEqual(['pump-1']);
  });
  it('contains it where only its own certificates have used its name, those that it had among them', async () => {
    const world = fleetOf(100);
    seen(world, certificateNumber(1), 'pump-1', 'pump-1');
    world.inventory.uses.push({ clientId: 'pump-1', certificateId: certificateNumber(1), seenAtMs: world.clock.nowMs() });
    world.iot.addCertificate(certificateNumber(501), 'REVOKED', []);
    seen(world, certificateNumber(501), 'pump-1', 'pump-1');
    world.inventory.uses.push({ clientId: 'pump-1', certificateId: certificateNumber(501), seenAtMs: world.clock.nowMs() });
    await world.intake(violate(world, 'pump-1', 'pump-1'));
    expect(started(world)).toEqual(['pump-1']);
  });
  it('that is the id of another thing’s certificate contains who used it, and not the thing of that certificate', async () => {
    const world = fleetOf(100);
    const victim = certificateNumber(7);
    seen(world, certificateNumber(2), victim, 'pump-2');
    await world.intake(violate(world, victim, victim));
    expect(started(world)).toEqual(['pump-2']);
  });
  it('that is no thing contains the one thing whose certificates use it, and nobody where there are two', async () => {
    const world = fleetOf(100);
    seen(world, certificateNumber(2), 'client-9', 'pump-2');
    seen(world, certificateNumber(3), 'client-8', 'pump-3');
    seen(world, certificateNumber(4), 'client-8', 'pump-4');
    await world.intake(violate(world, 'client-9', 'client-9'), violate(world, 'client-8', 'client-8'));
    expect([started(world), told(world, 'client-8')]).toEqual([['pump-2'], ['offender-unknown']]);
    const [input] = [...world.executions.values()];
    await world.run(input!);
    expect([world.stateOf('pump-2'), input!.trigger.evidence['violator']]).toEqual(['reopened', 'client-9']);
  });
});

describe('a finding of conflicting client ids', () => {
  const checkName = 'CONFLICTING_CLIENT_IDS_CHECK';
  async function find(world: QuarantineWorld, clientId: string, principals?: readonly CertificateId[]): Promise<void> {
    const finding = { findingId: 'f1', taskId: 't1', checkName, isSuppressed: false, atMs: world.clock.nowMs(), clientId };
    world.findingRows.set('f1', { ...finding, ...(principals === undefined ? {} : { principals }) });
    await world.intake({ kind: 'audit-finding', findingId: 'f1', taskId: 't1', checkName });
  }
  it('contains the thing whose certificate took the name, and not the victim', async () => {
    const world = fleetOf(100);
    seen(world, certificateNumber(1), 'pump-1', 'pump-1');
    seen(world, certificateNumber(2), 'pump-1', 'pump-2');
    await find(world, 'pump-1');
    expect(started(world)).toEqual(['pump-2']);
    expect([...world.executions.values()][0]!.trigger.evidence).toMatchObject({ resource: 'pump-1', whose: 'client-id-taken' });
  });
  it('contains the thing itself where its own certificate alone has used its name', async () => {
    const world = fleetOf(100);
    seen(world, certificateNumber(1), 'pump-1', 'pump-1');
    await find(world, 'pump-1');
    expect(started(world)).toEqual(['pump-1']);
  });
  it('contains nobody where nothing is known, or what is known is too old', async () => {
    const world = fleetOf(100);
    seen(world, certificateNumber(2), 'pump-1', 'pump-2', 39 * DAY);
    seen(world, certificateNumber(1), 'pump-1', 'pump-1', 39 * DAY);
    await find(world, 'pump-1');
    expect([started(world), told(world, 'pump-1')]).toEqual([[], ['offender-unknown']]);
  });
  it('does not count what the thing’s own certificate is called now', async () => {
    const world = fleetOf(100);
    seen(world, certificateNumber(1), 'client-9', 'pump-1');
    await find(world, 'pump-1');
    expect(told(world, 'pump-1')).toEqual(['offender-unknown']);
  });
  it('counts what AWS IoT names, before what was seen', async () => {
    const world = fleetOf(100);
    seen(world, certificateNumber(2), 'pump-1', 'pump-2');
    await find(world, 'pump-1', [certificateNumber(1), certificateNumber(3)]);
    expect(started(world)).toEqual(['pump-3']);
  });
  it('of a client id of very many certificates contains nobody', async () => {
    const world = fleetOf(100);
    for (let index = 2; index <= 12; index += 1) seen(world, certificateNumber(index), 'pump-1', `pump-${index}`);
    await find(world, 'pump-1');
    expect([started(world), told(world, 'pump-1')]).toEqual([[], ['offender-unknown']]);
  });
  it('about a client id that no thing can be called is looked at all the same', async () => {
    const world = fleetOf(100);
    seen(world, certificateNumber(2), 'line 4/pump', 'pump-2');
    await find(world, 'line 4/pump');
    expect(started(world)).toEqual(['pump-2']);
  });
});

describe('a look at one thing', () => {
  const appear = (world: QuarantineWorld, on = 'pump-1', number = 99): CertificateId => {
    const id = certificateNumber(number);
    world.iot.addCertificate(id, 'ACTIVE', ['device']);
    world.iot.things.get(on)!.certificates.add(id);
    return id;
  };
  it('shuts the certificate that has appeared on it, and leaves other things to the regular look', async () => {
    const world = fleetOf(10);
    await world.run(world.inputFor('pump-1'));
    await world.run(world.inputFor('pump-2'));
    const [id, other] = [appear(world), appear(world, 'pump-2', 98)];
    await watchRun(world.stepPorts, world.settings, thingName('pump-1'));
    expect([id, other].map((each) => world.iot.certificates.get(each)!.status)).toEqual(['INACTIVE', 'ACTIVE']);
    expect(world.signals.metrics.has(METRICS.thingsContained)).toBe(false);
    await world.watch();
    expect(world.metric(METRICS.thingsContained)).toBe(2);
  });
  it('at a thing that is not contained does nothing', async () => {
    const world = fleetOf(10);
    const id = appear(world);
    await watchRun(world.stepPorts, world.settings, thingName('pump-1'));
    expect([world.iot.certificates.get(id)!.status, world.iot.changes]).toEqual(['ACTIVE', []]);
  });
  it('together with another look keeps what the first one found: a release gives it back', async () => {
    const world = fleetOf(10);
    const input = world.inputFor('pump-1');
    await world.run(input);
    const id = appear(world);
    // The other look has read the row before this one wrote, and the certificate after this one had shut it.
    const before = world.records.rows.get('pump-1')!;
    await watchRun(world.stepPorts, world.settings, thingName('pump-1'));
    let reads = 0;
    const late = Object.assign(Object.create(world.records) as typeof world.records, {
      get: async (thing: ReturnType<typeof thingName>) => ((reads += 1) === 1 ? before : world.records.get(thing)),
    });
    await watchRun({ ...world.stepPorts, records: late }, world.settings, thingName('pump-1'));
    expect(world.records.rows.get('pump-1')!.adopted).toEqual([{ certificateId: id, status: 'ACTIVE', policies: ['device'] }]);
    expect(world.reasonsOf('pump-1', 'inherit')).toEqual(['adopted-certificate']);
    await world.askRelease('pump-1');
    await world.run(input, { until: 'nothing' });
    expect(world.iot.certificates.get(id)).toEqual({ status: 'ACTIVE', policies: new Set(['device']) });
  });
});
