/** From a message to a containment that is begun, held or left, case by case: what is counted, what is asked how often, what is on record, what comes again. */
import { METRICS } from '../../domain/fleet/metrics.js';
import { thingName } from '../../domain/fleet/thing-name.js';
import { IntakeMessage } from '../../domain/protocol/containment.js';
import type { IntakePorts } from '../../lambda/quarantine/intake/ports.js';
import { run as intake } from '../../lambda/quarantine/intake/run.js';
import { listed } from '../../lambda/quarantine/evidence.js';
import { anySource } from '../../lambda/quarantine/sources.js';
import { certificateNumber } from './memory/iot.js';
import { QuarantineWorld } from './memory/world.js';

const PROFILE = 'fleetwarden-built-in';
const HOUR = 3_600_000;
const DAY = 24 * HOUR;

function fleetOf(size: number): QuarantineWorld {
  const world = new QuarantineWorld();
  for (let index = 0; index < size; index += 1) {
    world.iot.addCertificate(certificateNumber(index + 1), 'ACTIVE', ['device']);
    world.iot.addThing(`pump-${index}`, [certificateNumber(index + 1)]);
  }
  world.inventory.active = size;
  return world;
}
function violate(world: QuarantineWorld, name: string, behavior = 'flood', violationId = `v-${name}-${behavior}`): IntakeMessage {
  const nowMs = world.clock.nowMs();
  const said = { violationId, thingName: name, securityProfileName: PROFILE } as const;
  world.violations.rows.set(violationId, {
    ...said,
    behavior,
    isOpen: true,
    lastEventType: 'in-alarm',
    startedAtMs: nowMs,
    updatedAtMs: nowMs,
  });
  return IntakeMessage.parse({ ...said, violationEventTime: nowMs, behavior: { name: behavior }, violationEventType: 'in-alarm' });
}
const many = (world: QuarantineWorld, count: number, from = 0): IntakeMessage[] =>
  Array.from({ length: count }, (_, index) => violate(world, `pump-${from + index}`));
const order = (name: string, response: 'shut-off' | 'contain' | 'deactivate' = 'contain', requestId = 'a1b2c3d4e5f6'): IntakeMessage =>
  IntakeMessage.parse({ kind: 'operator', thingName: name, response, by: 'ops', reason: 'r', requestId });
const started = (world: QuarantineWorld): string[] =>
  [...world.executions.values()].map(({ thingName: name, response }) => `${name} ${response}`).sort();
const holdsOf = (world: QuarantineWorld) => [...world.holds.rows.values()].map(({ state, count, reason }) => `${state} ${count} ${reason}`);
const heldHash = (world: QuarantineWorld): string => [...world.holds.rows.values()].find(({ state }) => state === 'HELD')!.hash;
const approve = async (world: QuarantineWorld, hash = heldHash(world)): Promise<void> => {
  await world.holds.move(hash, 'HELD', 'APPROVED', 'ann', world.clock.nowMs());
  await world.intake({ kind: 'approved', hash });
};
/** The same ports, one method of one of them another. */
const withPort = <Name extends keyof IntakePorts>(world: QuarantineWorld, name: Name, change: Partial<IntakePorts[Name]>): IntakePorts => ({
  ...world.intakePorts,
  [name]: Object.assign(Object.create(world.intakePorts[name] as object) as object, change),
});

describe('a batch', () => {
  it('is settled without a look where quarantine is off', async () => {
    const world = fleetOf(3);
    const messages = [violate(world, 'pump-0'), order('pump-1')];
    const results = await intake({} as IntakePorts, { ...world.intakeSettings, mode: 'off' }, messages);
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled']);
  });

  it('that is about nobody leaves no row, and one that nothing stops does not say that it was stopped', async () => {
    const world = fleetOf(3);
    await world.intake({ kind: 'audit-finding', findingId: 'made-up', taskId: 't', checkName: 'DEVICE_CERTIFICATE_SHARED_CHECK' });
    expect([world.decisions.rows, world.metric(METRICS.violationForged), world.metric(METRICS.stopped)]).toEqual([[], 1, 0]);
  });

  it('looks once at what comes many times, and all of it comes again where the look fails', async () => {
    const world = fleetOf(100);
    const message = violate(world, 'pump-0');
    let looks = 0;
    const ports = withPort(world, 'violations', {
      read: async () => {
        looks += 1;
        throw new Error('ServiceUnavailable');
      },
    });
    const results = await intake(ports, world.intakeSettings, [message, message, message, order('pump-1')]);
    expect([looks, results.map(({ status }) => status)]).toEqual([1, ['rejected', 'rejected', 'rejected', 'fulfilled']]);
    expect(started(world)).toEqual(['pump-1 contain']);
  });

  it('comes again, and only what had a part in it, where what is wanted cannot be booked', async () => {
    const world = fleetOf(100);
    const ports = withPort(world, 'budget', { book: () => Promise.reject(new Error('ServiceUnavailable')) });
    const messages = [violate(world, 'pump-0'), violate(world, 'pump-1', 'chatty')];
    const results = await intake(ports, world.intakeSettings, messages);
    expect(results.map(({ status }) => status)).toEqual(['rejected', 'fulfilled']);
    expect(started(world)).toEqual([]);
    await world.intake(...messages);
    expect(started(world)).toEqual(['pump-0 contain']);
  });

  it('answers a thing for the most that is asked, and for a person’s word before a machine’s', async () => {
    const world = fleetOf(1000);
    await world.intake(violate(world, 'pump-0', 'loud'), violate(world, 'pump-0', 'wild'), violate(world, 'pump-0'));
    await world.intake(violate(world, 'pump-1', 'wild'), order('pump-1', 'shut-off'));
    expect(started(world)).toEqual(['pump-0 deactivate', 'pump-1 shut-off']);
    expect(world.metric(METRICS.containmentsFound)).toBe(2);
  });

  it('says in observe what it would do, and raises nothing', async () => {
    const world = fleetOf(100);
    await world.run(world.inputFor('pump-1'));
    world.mode = 'observe';
    await world.intake(violate(world, 'pump-0'), violate(world, 'pump-1', 'wild'));
    expect(world.signals.lines.find(({ message }) => message === 'would contain')?.ids).toMatchObject({
      things: ['pump-0:contain'],
      found: 1,
    });
    expect(world.records.rows.get('pump-1')?.response).toBe('contain');
  });

  it('is put off under the emergency stop for as long as a queue can, and read again then', async () => {
    const world = fleetOf(100);
    await world.stop.set(true, 'ops', 'x', 0);
    const sent: unknown[][] = [];
    const ports = withPort(world, 'queue', { send: async (...given) => void sent.push(given) });
    const [message, approved] = [violate(world, 'pump-0'), { kind: 'approved', hash: 'a'.repeat(64) } as const];
    await intake(ports, world.intakeSettings, [message, approved]);
    expect(sent).toEqual([
      [message, 900],
      [approved, 900],
    ]);
    expect([world.decisions.rows, world.metric(METRICS.stopped)]).toEqual([[], 1]);
    await intake(ports, { ...world.intakeSettings, mode: 'observe' }, [message, approved]);
    expect([sent.length, world.metric(METRICS.containmentsFound)]).toEqual([2, 1]);
  });

  it('leaves on record, for each thing, what was considered and why nothing came of it', async () => {
    const world = fleetOf(100);
    world.neverContain = { things: ['pump-0'], types: [], groups: [], attributes: [] };
    const message = violate(world, 'pump-1', 'chatty');
    await world.intake(violate(world, 'pump-0'), message, { ...message, violationId: 'made-up' } as IntakeMessage);
    const rows = world.decisions.rows.map(({ subject, step, act, reason, by, detail }) => [subject, step, act, reason, by, detail]);
    const profile = expect.objectContaining({ securityProfileName: PROFILE }) as object;
    expect(rows).toHaveLength(3);
    expect(rows).toEqual(
      expect.arrayContaining([
        [
          'THING#pump-0',
          'outcome',
          'consider',
          'never-listed',
          'quarantine-intake',
          expect.objectContaining({ neverListed: 'thing pump-0' }),
        ],
        ['THING#pump-1', 'outcome', 'consider', 'people-told', 'quarantine-intake', profile],
        ['THING#pump-1', 'outcome', 'consider', 'forged', 'quarantine-intake', expect.objectContaining({ trigger: 'made-up' })],
      ]),
    );
    expect(
      [METRICS.neverListed, METRICS.violationNotified, METRICS.violationForged, METRICS.violationsLeft].map((name) => world.metric(name)),
    ).toEqual([1, 1, 1, 1]);
  });

  it('asks for the groups of a thing only where groups are on the never-list, and not of what there is not', async () => {
    const asking = (world: QuarantineWorld, asked: string[]) =>
      withPort(world, 'rights', {
        groupsOf: async (name) => {
          asked.push(name);
          return world.iot.groupsOf(name);
        },
      });
    const asked: string[] = [];
    const world = fleetOf(100);
    world.mode = 'observe';
    await intake(asking(world, asked), world.intakeSettings, [violate(world, 'pump-0')]);
    expect(asked).toEqual([]);
    world.neverContain = { ...world.neverContain, groups: ['hall'] };
    await intake(asking(world, asked), world.intakeSettings, [violate(world, 'pump-1'), violate(world, 'not-there')]);
    expect(asked).toEqual(['pump-1']);
  });
});

describe('the brake over a batch', () => {
  it('counts what persons have begun, and holds the rest for it', async () => {
    const world = fleetOf(10);
    await world.intake(order('pump-0'), order('pump-1', 'contain', 'bbbbbbbbbbbb'), ...many(world, 2, 2));
    expect([started(world), holdsOf(world)]).toEqual([['pump-0 contain', 'pump-1 contain'], ['HELD 2 over-containment-brake']]);
    expect(world.budget.rows.size).toBe(2);
  });
  it('does not read the groups of a storm to learn that it is one', async () => {
    const world = fleetOf(100);
    const ports = withPort(world, 'rights', { groupsOf: () => Promise.reject(new Error('asked')) });
    const results = await intake(ports, world.intakeSettings, many(world, 50));
    expect(results.every(({ status }) => status === 'fulfilled')).toBe(true);
    expect(holdsOf(world)).toEqual(['HELD 50 over-containment-brake']);
  });
  it('books no thing that waits for a person because its certificate is shared', async () => {
    const world = fleetOf(1000);
    world.iot.things.get('pump-1')!.certificates.add(certificateNumber(1));
    await world.intake(...many(world, 1));
    expect([started(world), world.budget.rows.size, holdsOf(world)]).toEqual([[], 0, ['HELD 1 shared-certificate']]);
  });
  it('keeps with a booking the groups of its thing, and counts those that others take meanwhile', async () => {
    const world = fleetOf(1000);
    world.iot.addGroup('hall');
    world.iot.things.get('pump-0')!.groups.add('hall');
    await world.intake(...many(world, 1));
    expect([...world.budget.rows.values()]).toMatchObject([{ thingName: 'pump-0', groups: ['hall'] }]);
    const bookings = Array.from({ length: 10 }, (_, index) => `other-${index}`);
    const ports = withPort(world, 'budget', {
      book: async (wanted, admits) => {
        for (const name of bookings)
          world.budget.rows.set(name, { thingName: thingName(name), containmentId: name, sinceMs: world.clock.nowMs(), groups: [] });
        return world.budget.book(wanted, admits);
      },
    });
    await intake(ports, world.intakeSettings, many(world, 1, 5));
    expect([started(world), holdsOf(world)]).toEqual([['pump-0 contain'], ['HELD 1 over-containment-brake']]);
    expect(world.decisions.rows.at(-1)?.detail).toMatchObject({ limit: 'per-hour' });
  });
});

describe('a list that is held', () => {
  const storm = async (): Promise<QuarantineWorld> => {
    const world = fleetOf(100);
    await world.intake(...many(world, 20));
    return world;
  };
  it('is on record as a whole and for each of its things', async () => {
    const world = await storm();
    const hash = heldHash(world);
    const ofList = world.decisions.rows.filter(({ subject }) => subject === `HOLD#${hash}`);
    expect(ofList).toMatchObject([{ step: 'outcome', act: 'hold-list', detail: { kind: 'contain', count: 20, limit: 'per-hour' } }]);
    expect(world.decisions.rows.filter(({ act, detail }) => act === 'hold' && detail?.['hash'] === hash)).toHaveLength(20);
    expect(world.metric(METRICS.containmentsHeld)).toBe(20);
  });
  it('grows for ten minutes, under another hash each time; then what comes is a list of its own', async () => {
    const world = await storm();
    world.clock.advance(9 * 60_000);
    await world.intake(...many(world, 15, 20));
    expect(holdsOf(world).sort()).toEqual(['HELD 35 over-containment-brake', 'REJECTED 20 over-containment-brake']);
    world.clock.advance(60_000);
    await world.intake(...many(world, 12, 40));
    expect(
      holdsOf(world)
        .filter((one) => one.startsWith('HELD'))
        .sort(),
    ).toEqual(['HELD 12 over-containment-brake', 'HELD 35 over-containment-brake']);
  });
  it('takes nothing from a list that somebody has altered', async () => {
    const world = await storm();
    const [row] = [...world.holds.rows.values()];
    await world.lists.save(row!.listKey, [Buffer.from('{"version":1,"kind":"contain","entries":[]}')]);
    await world.intake(...many(world, 15, 20));
    expect(holdsOf(world)).toEqual(['HELD 20 over-containment-brake', 'HELD 15 over-containment-brake']);
  });
  it('that a person has rejected a week ago is forgotten, and one that is approved is not held again', async () => {
    const world = await storm();
    await world.holds.move(heldHash(world), 'HELD', 'REJECTED', 'ann', world.clock.nowMs());
    world.clock.advance(7 * DAY);
    await world.intake(...many(world, 20));
    expect(holdsOf(world).map((one) => one.split(' ')[0])).toEqual(['REJECTED', 'HELD']);
    await world.holds.move(heldHash(world), 'HELD', 'APPROVED', 'ann', world.clock.nowMs());
    await world.intake(...many(world, 20));
    expect(holdsOf(world).map((one) => one.split(' ')[0])).toEqual(['REJECTED', 'APPROVED']);
  });
  it('is carried out in the name of who approved it, with what it came to on record', async () => {
    const world = await storm();
    const hash = heldHash(world);
    world.neverContain = { things: ['pump-1'], types: [], groups: ['hall'], attributes: [] };
    world.iot.addGroup('hall');
    world.iot.things.get('pump-4')!.groups.add('hall');
    world.iot.things.delete('pump-2');
    await world.run(world.inputFor('pump-3'));
    await approve(world, hash);
    expect(started(world)).toHaveLength(16);
    const rows = world.decisions.rows.filter(({ act }) => act === 'apply-list').map(({ step, by, detail }) => [step, by, detail]);
    expect(rows).toMatchObject([
      ['intent', 'ann', { kind: 'contain', count: 20 }],
      ['outcome', 'ann', { kind: 'contain', begun: 16, escalated: 0 }],
    ]);
    expect(['pump-1', 'pump-2', 'pump-3', 'pump-4', 'pump-5'].map((name) => world.reasonsOf(name, 'consider'))).toEqual([
      ['never-listed'],
      ['no-such-thing'],
      ['already-contained'],
      ['never-listed'],
      [],
    ]);
  });
  it('of findings is carried out where AWS IoT still has them, and nobody has suppressed them', async () => {
    const world = fleetOf(100);
    const checkName = 'DEVICE_CERTIFICATE_SHARED_CHECK';
    const messages = Array.from({ length: 6 }, (_, index): IntakeMessage => {
      const named = { findingId: `f${index}`, taskId: 't', checkName };
      world.findingRows.set(`f${index}`, {
        ...named,
        isSuppressed: false,
        atMs: world.clock.nowMs(),
        certificateId: certificateNumber(index + 1),
      });
      return { kind: 'audit-finding', ...named };
    });
    await world.intake(...messages);
    expect(holdsOf(world)).toEqual(['HELD 6 over-containment-brake']);
    world.findingRows.delete('f0');
    world.findingRows.set('f1', { ...world.findingRows.get('f1')!, isSuppressed: true });
    await approve(world);
    expect(started(world)).toEqual(['pump-2 contain', 'pump-3 contain', 'pump-4 contain', 'pump-5 contain']);
    expect(['pump-0', 'pump-1'].map((name) => world.reasonsOf(name, 'consider'))).toEqual([['finding-suppressed'], ['finding-suppressed']]);
  });
  it.each([
    ['that nobody knows', 'f'.repeat(64), 'hold-unknown'],
    ['that is not approved', undefined, 'not-approved'],
  ])('%s is not carried out, and says so', async (_what, given, reason) => {
    const world = await storm();
    await world.intake({ kind: 'approved', hash: given ?? heldHash(world) });
    expect(started(world)).toEqual([]);
    expect(world.signals.lines.at(-1)).toMatchObject({ message: 'approval not carried out', ids: { reason } });
  });
  it('is not carried out in observe', async () => {
    const world = await storm();
    world.mode = 'observe';
    await approve(world);
    expect([started(world), holdsOf(world).map((one) => one.split(' ')[0])]).toEqual([[], ['APPROVED']]);
  });
});

describe('the word of a person', () => {
  const contained = async () => {
    const world = fleetOf(10);
    const input = world.inputFor('pump-1');
    await world.run(input);
    await world.step('AwaitWord', input);
    return world;
  };
  it('about a thing that is not contained is told to be for nothing', async () => {
    const world = fleetOf(10);
    await world.askRelease('pump-1');
    await world.intake({ kind: 'extend', thingName: 'pump-1', by: 'ops', hours: 1 });
    expect(world.signals.lines.map(({ ids }) => [ids['asked'], ids['reason']])).toEqual([
      ['release', 'not-contained'],
      ['extend', 'not-contained'],
    ]);
    expect(world.decisions.rows).toEqual([]);
  });
  it('counts the first time, and wakes each time', async () => {
    const world = await contained();
    await world.askRelease('pump-1', { rekey: true });
    const first = world.records.rows.get('pump-1')?.release;
    world.clock.advance(HOUR);
    await world.askRelease('pump-1', { force: false });
    expect(first).toMatchObject({ by: 'ops', reason: 'repaired', rekey: true, force: true });
    expect([world.records.rows.get('pump-1')?.release, world.woken]).toEqual([first, ['token-pump-1', 'token-pump-1']]);
  });
  it('is on record with what spoke against it, and is refused for what was seen since, not for what cannot be heard', async () => {
    const world = await contained();
    const nowMs = world.clock.nowMs();
    const said = { thingName: 'pump-1', behavior: 'b', securityProfileName: PROFILE, isOpen: true, lastEventType: 'in-alarm' } as const;
    const unheard = { ...said, violationId: 'u', metric: 'aws:listening-tcp-ports', startedAtMs: 0, updatedAtMs: 0 };
    world.violations.rows.set('u', unheard);
    world.violations.rows.set('s', { ...unheard, violationId: 's', seenAtMs: nowMs });
    await world.askRelease('pump-1', { force: false });
    expect([world.records.rows.get('pump-1')?.release, world.metric(METRICS.releaseRefused), world.woken]).toEqual([undefined, 1, []]);
    world.violations.rows.delete('s');
    await world.askRelease('pump-1', { force: false });
    const rows = world.decisions.rows
      .filter(({ act }) => act === 'release')
      .map(({ step, reason, by, detail }) => [step, reason, by, detail]);
    expect(rows).toEqual([
      ['intent', 'violation-open', 'ops', { why: 'repaired', rekey: false, force: false, openViolations: 1, unheard: 1 }],
      ['intent', 'release-asked', 'ops', { why: 'repaired', rekey: false, force: false, openViolations: 0, unheard: 1 }],
    ]);
    expect(world.woken).toEqual(['token-pump-1']);
  });
  it('is heard with all force while the source of violations is down', async () => {
    const world = await contained();
    world.violations.isDown = true;
    await world.askRelease('pump-1', { force: true });
    expect(world.records.rows.get('pump-1')?.release).toMatchObject({ force: true });
  });
  it('shortens no time box, and is on record where it lengthens one', async () => {
    const world = await contained();
    const { endsAtMs } = world.records.rows.get('pump-1')!;
    await world.intake({ kind: 'extend', thingName: 'pump-1', by: 'ops', hours: 1 });
    expect(world.records.rows.get('pump-1')?.endsAtMs).toBe(endsAtMs);
    await world.intake({ kind: 'extend', thingName: 'pump-1', by: 'ops', hours: 48 });
    expect(world.decisions.rows.at(-1)).toMatchObject({ act: 'extend', reason: 'extended', by: 'ops', detail: { hours: 48 } });
    expect(world.woken).toEqual(['token-pump-1', 'token-pump-1']);
  });
});

describe('several sources of violations', () => {
  it('are asked until one knows it, and all of them for what is open', async () => {
    const [one, other] = [fleetOf(1), fleetOf(1)];
    violate(one, 'pump-0', 'flood', 'v1');
    violate(other, 'pump-0', 'wild', 'v2');
    const both = anySource([one.violations, other.violations]);
    const read = (violationId: string) => both.read({ violationId, thingName: 'pump-0', securityProfileName: PROFILE });
    expect([(await read('v1'))?.behavior, (await read('v2'))?.behavior, await read('v3')]).toEqual(['flood', 'wild', undefined]);
    const open: string[] = [];
    for await (const { violationId } of both.openOf('pump-0')) open.push(violationId);
    expect(open).toEqual(['v1', 'v2']);
    other.violations.isDown = true;
    await expect(read('v3')).rejects.toThrow('ServiceUnavailable');
  });
});

it('a list in one field of the audit trail is cut where it grows too long for people', () => {
  expect(listed(['a', 'b'])).toBe('a b');
  expect(listed(['x'.repeat(1000)])).toHaveLength(1000);
  expect(listed(['x'.repeat(1001)])).toBe(`${'x'.repeat(1000)} …`);
});
