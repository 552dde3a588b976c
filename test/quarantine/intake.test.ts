/** The intake on memory ports: what is confirmed, what is left and why, the brake both ways, storms, approvals, the emergency stop. */
import fc from 'fast-check';
import { readHeldContainments } from '../../domain/fleet/held-containments.js';
import { thingName } from '../../domain/fleet/thing-name.js';
import { IntakeMessage } from '../../domain/protocol/containment.js';
import { METRICS } from '../../domain/fleet/metrics.js';
import { escalate } from '../../lambda/quarantine/intake/escalate.js';
import { run as intakeRun } from '../../lambda/quarantine/intake/run.js';
import { certificateNumber } from './memory/iot.js';
import { QuarantineWorld } from './memory/world.js';

const PROFILE = 'fleetwarden-built-in';

/** A fleet of things, each with one ACTIVE certificate. */
function fleetOf(size: number): QuarantineWorld {
  const world = new QuarantineWorld();
  for (let index = 0; index < size; index += 1) {
    const id = certificateNumber(index + 1);
    world.iot.addCertificate(id, 'ACTIVE', ['device']);
    world.iot.addThing(`pump-${index}`, [id]);
  }
  world.inventory.active = size;
  return world;
}

function alarm(world: QuarantineWorld, name: string, violationId: string, behavior = 'flood', eventType = 'in-alarm'): IntakeMessage {
  return IntakeMessage.parse({
    violationEventTime: world.clock.nowMs(),
    thingName: name,
    behavior: { name: behavior, metric: 'aws:num-messages-sent', criteria: { value: { count: 100 }, durationSeconds: 300 } },
    violationEventType: eventType,
    metricValue: { count: 5000 },
    violationId,
    securityProfileName: PROFILE,
  });
}
function atSource(world: QuarantineWorld, name: string, violationId: string, behavior = 'flood', isOpen = true): void {
  const nowMs = world.clock.nowMs();
  const said = {
    violationId,
    thingName: name,
    behavior,
    securityProfileName: PROFILE,
    lastEventType: isOpen ? 'in-alarm' : 'alarm-cleared',
  } as const;
  world.violations.rows.set(violationId, { ...said, isOpen, startedAtMs: nowMs, updatedAtMs: nowMs, metricValue: { count: 5000 } });
}
const violate = (world: QuarantineWorld, name: string, violationId = `v-${name}`, behavior = 'flood'): IntakeMessage => {
  atSource(world, name, violationId, behavior);
  return alarm(world, name, violationId, behavior);
};
const started = (world: QuarantineWorld): string[] => [...world.executions.values()].map(({ thingName: name }) => name).sort();
const heldNow = (world: QuarantineWorld) => [...world.holds.rows.values()].filter(({ state }) => state === 'HELD');

describe('one message', () => {
  it('begins a containment, once, however often it comes', async () => {
    const world = fleetOf(1000);
    const message = violate(world, 'pump-1');
    await world.intake(message, message);
    await world.intake(message);
    expect(started(world)).toEqual(['pump-1']);
    expect(world.budget.rows.size).toBe(1);
    expect([...world.executions.values()][0]).toMatchObject({
      response: 'contain',
      trigger: { behavior: 'flood', evidence: { value: 5000, normal: 100, windowSeconds: 300 } },
    });
  });
  it('says why nothing is done: forged, over, told only, unknown', async () => {
    const world = fleetOf(1000);
    atSource(world, 'pump-2', 'over', 'flood', false);
    atSource(world, 'pump-9', 'of-another');
    await world.intake(
      alarm(world, 'pump-1', 'made-up'),
      alarm(world, 'pump-2', 'over'),
      violate(world, 'pump-3', 'v3', 'chatty'),
      violate(world, 'pump-4', 'v4', 'odd'),
      violate(world, 'pump-5', 'v5', 'nobody-knows'),
      alarm(world, 'pump-6', 'of-another'),
      violate(world, 'not-registered'),
    );
    expect(started(world)).toEqual([]);
    expect(['pump-1', 'pump-2', 'pump-3', 'pump-4', 'pump-5', 'pump-6', 'not-registered'].map((name) => world.reasonsOf(name))).toEqual([
      ['forged'],
      ['alarm-over'],
      ['people-told'],
      ['only-observed'],
      ['unknown-behaviour'],
      ['forged'],
      ['no-such-thing'],
    ]);
    expect(world.metric(METRICS.violationForged)).toBe(2);
  });
  it('of a client id that no thing can have is told to people, and is not tried again for ever', async () => {
    const world = fleetOf(1000);
    const name = 'somebody/else #1';
    const results = await world.intake(violate(world, name, 'v1'), alarm(world, name, 'v2', 'flood', 'alarm-cleared'));
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled']);
    expect(world.metric(METRICS.violationNotified)).toBe(1);
    const told = world.decisions.rows.filter(({ subject }) => subject === `THING#${name}`).map(({ reason }) => reason);
    expect(told.sort()).toEqual(['no-such-thing', 'not-in-alarm']);
  });
  it('is not swallowed by one of the same batch that only looks like it', async () => {
    const world = fleetOf(1000);
    const order = { kind: 'operator', response: 'contain', by: 'ops', reason: 'r', requestId: 'a1b2c3d4e5f6' } as const;
    const detail = { thingName: 'pump-3', violationId: 'v', behavior: 'scan', violationEventType: 'in-alarm' };
    const event = (id: string, agoMs: number): IntakeMessage =>
      IntakeMessage.parse({
        id,
        'detail-type': 'Fleetwarden Violation',
        source: 'com.example.ids',
        account: '111122223333',
        time: new Date(world.clock.nowMs() - agoMs).toISOString(),
        detail,
      });
    await world.intake({ ...order, thingName: 'pump-1' }, { ...order, thingName: 'pump-2' }, event('stale', 86_400_000), event('fresh', 0));
    expect(started(world)).toEqual(['pump-1', 'pump-2', 'pump-3']);
  });
  it('of another detector cannot fill an execution with its evidence, nor write over what we say', async () => {
    const world = fleetOf(1000);
    const evidence = Object.fromEntries(Array.from({ length: 200 }, (_, index) => [`e${index}`, 'x'.repeat(1024)]));
    const detail = { thingName: 'pump-3', violationId: 'v', behavior: 'scan', violationEventType: 'in-alarm' };
    const event = {
      id: 'e',
      'detail-type': 'Fleetwarden Violation',
      source: 'com.example.ids',
      account: '111122223333',
      time: new Date(world.clock.nowMs()).toISOString(),
      detail: { ...detail, evidence: { source: 'an operator', ...evidence } },
    };
    await world.intake(IntakeMessage.parse(event));
    const [input] = [...world.executions.values()];
    expect(JSON.stringify(input).length).toBeLessThan(32_000);
    expect(input!.trigger.evidence['source']).toBe('com.example.ids');
  });
  it('is understood in seconds and in milliseconds', () => {
    const world = fleetOf(1);
    const seconds = { ...(alarm(world, 'pump-0', 'v') as object), violationEventTime: 1_795_342_500 };
    expect(IntakeMessage.parse(seconds)).toMatchObject({ violationEventTime: 1_795_342_500_000 });
  });
  it.each([
    ['without a thing', { thingName: undefined }],
    ['with an event type that is none', { violationEventType: 'in-alarm-really' }],
    ['with an id that is none', { violationId: '../x' }],
    ['with a value that is none', { metricValue: 'many' }],
    ['with a time that is none', { violationEventTime: 'now' }],
  ])('%s is refused as a whole', (_, wrong) => {
    const world = fleetOf(1);
    expect(IntakeMessage.safeParse({ ...(alarm(world, 'pump-0', 'v') as object), ...wrong }).success).toBe(false);
  });
  it('goes back to the queue when its source is down, and the others of the batch are settled', async () => {
    const world = fleetOf(1000);
    const order = {
      kind: 'operator',
      thingName: 'pump-2',
      response: 'contain',
      by: 'ops',
      reason: 'r',
      requestId: 'a1b2c3d4e5f6',
    } as const;
    const message = violate(world, 'pump-1');
    world.violations.isDown = true;
    const results = await world.intake(message, order);
    expect(results.map(({ status }) => status)).toEqual(['rejected', 'fulfilled']);
    expect(started(world)).toEqual(['pump-2']);
  });
  it('that comes before its alarm, cleared, does nothing; the alarm that follows does', async () => {
    const world = fleetOf(1000);
    await world.intake(alarm(world, 'pump-1', 'v', 'flood', 'alarm-cleared'));
    expect(started(world)).toEqual([]);
    await world.intake(violate(world, 'pump-1', 'v'));
    expect(started(world)).toEqual(['pump-1']);
  });
  it('of a thing that is contained already takes it to the higher rung, and wakes its workflow', async () => {
    const world = fleetOf(1000);
    const input = world.inputFor('pump-1');
    await world.run(input);
    await world.step('AwaitWord', input);
    await world.intake(violate(world, 'pump-1', 'worse', 'wild'));
    expect(world.woken).toContain('token-pump-1');
    await world.run(input);
    expect(world.stateOf('pump-1')).toBe('deactivated');
  });
  it('of a certificate that other things have, too, is for a person: they would be cut off with it', async () => {
    const world = fleetOf(1000);
    world.iot.things.get('pump-2')!.certificates.add(certificateNumber(2));
    await world.intake(violate(world, 'pump-1'), violate(world, 'pump-5'));
    expect(started(world)).toEqual(['pump-5']);
    expect(heldNow(world)).toMatchObject([{ count: 1, reason: 'shared-certificate' }]);
  });
  it('of a thing on the never-list pages a person; a person may contain it', async () => {
    const world = fleetOf(1000);
    world.neverContain = { things: [], types: [], groups: ['hall'], attributes: [] };
    world.iot.addGroup('hall');
    world.iot.things.get('pump-1')!.groups.add('hall');
    await world.intake(violate(world, 'pump-1'));
    expect([started(world), world.metric(METRICS.neverListed)]).toEqual([[], 1]);
    await world.intake({ kind: 'operator', thingName: 'pump-1', response: 'contain', by: 'ops', reason: 'r', requestId: 'a1b2c3d4e5f6' });
    expect(started(world)).toEqual(['pump-1']);
  });
  it('of the audit names the things of its certificate', async () => {
    const world = fleetOf(1000);
    const finding = {
      findingId: 'f1',
      taskId: 't1',
      checkName: 'DEVICE_CERTIFICATE_SHARED_CHECK',
      isSuppressed: false,
      atMs: world.clock.nowMs(),
    };
    world.findingRows.set('f1', { ...finding, certificateId: certificateNumber(4) });
    await world.intake({ kind: 'audit-finding', findingId: 'f1', taskId: 't1', checkName: finding.checkName });
    await world.intake({ kind: 'audit-finding', findingId: 'f2', taskId: 't1', checkName: finding.checkName });
    expect(started(world)).toEqual(['pump-3']);
  });
});

describe('in observe, and under the emergency stop', () => {
  it('observe begins nothing, and holds nothing', async () => {
    const world = fleetOf(10);
    world.mode = 'observe';
    await world.intake(...Array.from({ length: 8 }, (_, index) => violate(world, `pump-${index}`)));
    expect([started(world), world.holds.rows.size, world.budget.rows.size]).toEqual([[], 0, 0]);
    expect(world.metric(METRICS.containmentsFound)).toBe(8);
  });
  it('the stop keeps what would contain, and lets a release through', async () => {
    const world = fleetOf(1000);
    const input = world.inputFor('pump-2');
    await world.run(input);
    await world.stop.set(true, 'ops', 'storm', 0);
    await world.intake(violate(world, 'pump-1'));
    expect([started(world), world.deferred.length]).toEqual([[], 1]);
    await world.askRelease('pump-2');
    await world.run(input, { until: 'nothing' });
    expect(world.stateOf('pump-2')).toBeUndefined();
  });
  it('a state store that is down never releases', async () => {
    const world = fleetOf(10);
    const input = world.inputFor('pump-2');
    await world.run(input);
    await world.askRelease('pump-2');
    const down = {
      ...world.stepPorts,
      records: { ...world.stepPorts.records, get: () => Promise.reject(new Error('ServiceUnavailable')) },
    };
    await expect(world.step('Restore', input, down as never)).rejects.toThrow('ServiceUnavailable');
    expect(world.stateOf('pump-2')).toBe('reopened');
  });
  it('a release is refused while a violation is in alarm, and when its source is down', async () => {
    const world = fleetOf(10);
    await world.run(world.inputFor('pump-2'));
    atSource(world, 'pump-2', 'still');
    await world.askRelease('pump-2', { force: false });
    expect(world.records.rows.get('pump-2')?.release).toBeUndefined();
    world.violations.isDown = true;
    await expect(world.askRelease('pump-2', { force: false })).rejects.toThrow('ServiceUnavailable');
    expect(world.records.rows.get('pump-2')?.release).toBeUndefined();
  });
});

describe('the brake', () => {
  it('lets what is within it through', async () => {
    const world = fleetOf(1000);
    await world.intake(...Array.from({ length: 10 }, (_, index) => violate(world, `pump-${index}`)));
    expect(started(world)).toHaveLength(10);
    expect(world.holds.rows.size).toBe(0);
  });
  it('lets a fleet of three be contained', async () => {
    const world = fleetOf(3);
    await world.intake(violate(world, 'pump-0'), violate(world, 'pump-1'), violate(world, 'pump-2'));
    expect(started(world)).toHaveLength(3);
  });
  it('holds all of what is over it, before the first of it is begun', async () => {
    const world = fleetOf(1000);
    await world.intake(...Array.from({ length: 11 }, (_, index) => violate(world, `pump-${index}`)));
    expect(started(world)).toEqual([]);
    expect(heldNow(world)).toMatchObject([{ count: 11, reason: 'over-containment-brake' }]);
    expect(world.metric(METRICS.containmentsHeld)).toBe(11);
  });
  it('holds more than a tenth of one group', async () => {
    const world = fleetOf(1000);
    world.iot.addGroup('hall');
    for (let index = 0; index < 20; index += 1) world.iot.things.get(`pump-${index}`)!.groups.add('hall');
    await world.intake(...Array.from({ length: 4 }, (_, index) => violate(world, `pump-${index}`)));
    expect([started(world), heldNow(world).length]).toEqual([[], 1]);
  });
  it('counts what is stuck, and not what was released more than an hour ago', async () => {
    const world = fleetOf(1000);
    await world.intake(...Array.from({ length: 10 }, (_, index) => violate(world, `pump-${index}`)));
    world.clock.advance(2 * 3_600_000);
    await world.intake(violate(world, 'pump-20'));
    expect(started(world)).toHaveLength(10);
    for (const booking of world.budget.rows.values())
      await world.budget.free(booking.thingName, booking.containmentId, world.clock.nowMs());
    await world.intake(violate(world, 'pump-21'));
    expect(started(world)).toHaveLength(11);
  });
  it('is over for all of a batch when it is over, and a person contains a thing all the same', async () => {
    const world = fleetOf(10);
    const order = {
      kind: 'operator',
      thingName: 'pump-9',
      response: 'contain',
      by: 'ops',
      reason: 'r',
      requestId: 'a1b2c3d4e5f6',
    } as const;
    await world.intake(order, ...Array.from({ length: 4 }, (_, index) => violate(world, `pump-${index}`)));
    expect(started(world)).toEqual(['pump-9']);
  });
});

test('what another detector writes as evidence names no other thing whose alarms would keep this one contained', async () => {
  const world = fleetOf(1000);
  atSource(world, 'pump-9', 'v9');
  const detail = {
    thingName: 'pump-1',
    violationId: 'x1',
    behavior: 'odd-traffic',
    violationEventType: 'in-alarm',
    evidence: { violator: 'pump-9' },
  };
  const time = new Date(world.clock.nowMs()).toISOString();
  const event = { id: 'e1', 'detail-type': 'Fleetwarden Violation', source: 'com.example.ids', account: '111122223333', time, detail };
  await world.intake(IntakeMessage.parse(event));
  const [input] = [...world.executions.values()];
  await world.run(input!);
  await world.askRelease('pump-1', { force: false });
  expect(world.records.rows.get('pump-1')?.release).toBeDefined();
});

describe('a list that is held', () => {
  const storm = async (count = 20) => {
    const world = fleetOf(100);
    await world.intake(...Array.from({ length: count }, (_, index) => violate(world, `pump-${index}`)));
    return { world, hash: heldNow(world)[0]!.hash };
  };
  it('is carried out when it is approved: what is over by then is left out', async () => {
    const { world, hash } = await storm();
    for (let index = 5; index < 20; index += 1) atSource(world, `pump-${index}`, `v-pump-${index}`, 'flood', false);
    await world.holds.move(hash, 'HELD', 'APPROVED', 'ops', world.clock.nowMs());
    await world.intake({ kind: 'approved', hash });
    await world.intake({ kind: 'approved', hash });
    expect(started(world)).toEqual(['pump-0', 'pump-1', 'pump-2', 'pump-3', 'pump-4']);
    expect(world.holds.rows.get(hash)?.state).toBe('APPLIED');
  });
  it.each(['FALSE_POSITIVE', 'BENIGN_POSITIVE'])(
    'leaves out what a person has marked %s before it was approved, and says so',
    async (verificationState) => {
      const { world, hash } = await storm();
      for (let index = 1; index < 20; index += 1) {
        const row = world.violations.rows.get(`v-pump-${index}`)!;
        world.violations.rows.set(row.violationId, { ...row, verificationState });
      }
      await approve(world, hash);
      expect([started(world), world.reasonsOf('pump-1', 'consider')]).toEqual([['pump-0'], ['marked-benign']]);
    },
  );
  it('loses no other violation of a thing that stood on it for one that is over by then: that one is judged anew', async () => {
    const { world, hash } = await storm();
    const { brake } = world;
    world.brake = { ...brake, floor: 0, perHour: 0 };
    const other = violate(world, 'pump-1', 'v-other');
    await world.intake(other, violate(world, 'pump-2', 'v-chatty', 'chatty'));
    expect(heldNow(world).map(({ count }) => count)).toEqual([20]);
    for (let index = 0; index < 20; index += 1) atSource(world, `pump-${index}`, `v-pump-${index}`, 'flood', false);
    await approve(world, hash);
    expect(started(world)).toEqual([]);
    expect(world.deferred.map((message) => ('violationId' in message ? message.violationId : ''))).toEqual(['v-other']);
    world.brake = brake;
    await world.intake(...world.deferred);
    expect(started(world)).toEqual(['pump-1']);
  });
  it('is not carried out without an approval, nor when somebody has altered it', async () => {
    const { world, hash } = await storm();
    await world.intake({ kind: 'approved', hash });
    expect(started(world)).toEqual([]);
    await world.holds.move(hash, 'HELD', 'APPROVED', 'ops', world.clock.nowMs());
    await world.lists.save(`holds/${hash}.json`, [Buffer.from('{"version":1,"kind":"contain","entries":[]}')]);
    await world.intake({ kind: 'approved', hash });
    expect([started(world), world.metric(METRICS.heldListAltered)]).toEqual([[], 1]);
  });
  const approve = async (world: QuarantineWorld, hash: string): Promise<void> => {
    await world.holds.move(hash, 'HELD', 'APPROVED', 'ops', world.clock.nowMs());
    await world.intake({ kind: 'approved', hash });
  };
  /** Those that have not come to their end. */
  const runAll = async (world: QuarantineWorld): Promise<void> => {
    for (const [name, input] of world.executions)
      if (!world.died.has(name) && (await world.run(input)) === 'Released') world.died.add(name);
  };
  const entriesOf = async (world: QuarantineWorld, listKey: string) => {
    const octets: Uint8Array[] = [];
    for await (const part of world.lists.load(listKey)) octets.push(part);
    return readHeldContainments(Buffer.concat(octets));
  };

  it('takes a thing that is contained for less to the higher rung when it is approved, once, and says so', async () => {
    const world = fleetOf(1000);
    world.brake = { ...world.brake, floor: 0, perHour: 0 };
    await world.intake(violate(world, 'pump-1', 'v-wild', 'wild'), violate(world, 'pump-2', 'v-flood', 'flood'));
    const input = world.inputFor('pump-1'); // a person contains it meanwhile
    await world.run(input);
    await world.step('AwaitWord', input);
    await approve(world, heldNow(world)[0]!.hash);
    expect(world.records.rows.get('pump-1')?.response).toBe('deactivate');
    expect([world.woken, started(world)]).toEqual([['token-pump-1'], ['pump-2']]);
    expect(world.reasonsOf('pump-1', 'consider')).toEqual(['approved']);
    expect(world.decisions.rows.findLast(({ act }) => act === 'apply-list')?.detail).toMatchObject({ begun: 1, escalated: 1 });
    await world.run(input);
    expect(world.stateOf('pump-1')).toBe('deactivated');
  });
  it('leaves a thing that is contained for as much, or is being released, as it is', async () => {
    const world = fleetOf(1000);
    world.brake = { ...world.brake, floor: 0, perHour: 0 };
    await world.intake(violate(world, 'pump-1', 'v-1', 'flood'), violate(world, 'pump-2', 'v-2', 'wild'));
    await world.run(world.inputFor('pump-1', 'deactivate'));
    await world.run(world.inputFor('pump-2'));
    await world.records.move(thingName('pump-2'), world.inputFor('pump-2').containmentId, ['reopened'], { state: 'releasing' });
    await approve(world, heldNow(world)[0]!.hash);
    expect(['pump-1', 'pump-2'].map((name) => world.records.rows.get(name)?.response)).toEqual(['deactivate', 'contain']);
    expect([started(world), world.woken]).toEqual([[], []]);
  });
  it('never takes a thing to a lower rung, whoever was faster', async () => {
    const world = fleetOf(10);
    await world.run(world.inputFor('pump-1', 'deactivate'));
    expect(await escalate(world.intakePorts, thingName('pump-1'), 'contain')).toBe(false);
    expect(await escalate(world.intakePorts, thingName('pump-2'), 'contain')).toBe(false);
    expect([world.records.rows.get('pump-1')?.response, world.woken]).toEqual(['deactivate', []]);
  });
  it('has each thing once, for the most that is asked for it, whichever comes first', async () => {
    for (const order of [
      ['loud', 'wild'],
      ['wild', 'loud'],
    ]) {
      const world = fleetOf(1000);
      world.brake = { ...world.brake, floor: 0, perHour: 0 };
      for (const behaviour of order) await world.intake(violate(world, 'pump-1', `v-${behaviour}`, behaviour));
      const lists = heldNow(world);
      expect(lists).toHaveLength(1);
      expect((await entriesOf(world, lists[0]!.listKey)).map(({ response }) => response)).toEqual(['deactivate']);
      // What asks for no more than stands there already is not held a second time.
      expect(world.metric(METRICS.containmentsHeld)).toBe(order[0] === 'loud' ? 2 : 1);
    }
  });

  describe('beside another that names the same things', () => {
    /** The first is looked at for a while, so it grows no more; the second names three of its things for another reason, and two more. */
    const overlapping = async () => {
      const { world, hash: first } = await storm(5);
      world.brake = { ...world.brake, perHour: 4 };
      world.clock.advance(11 * 60_000);
      const names = ['pump-2', 'pump-3', 'pump-4', 'pump-5', 'pump-6'];
      await world.intake(...names.map((name) => violate(world, name, `w-${name}`, 'wild')));
      const second = heldNow(world).find(({ hash }) => hash !== first)!.hash;
      return { world, first, second };
    };
    const ALL = ['pump-0', 'pump-1', 'pump-2', 'pump-3', 'pump-4', 'pump-5', 'pump-6'];

    it.each([
      ['one after the other', true],
      ['before the workflows of the first have begun', false],
    ])('contains each once when both are approved, %s, and each for the most that is asked', async (_, isBetween) => {
      for (const isFirstFirst of [true, false]) {
        const { world, first, second } = await overlapping();
        const [one, other] = isFirstFirst ? [first, second] : [second, first];
        await approve(world, one);
        if (isBetween) await runAll(world);
        await approve(world, other);
        await runAll(world);
        await runAll(world); // those that were taken to the higher rung go on
        expect([...world.records.rows.keys()].sort()).toEqual(ALL);
        const open = [...world.budget.rows.values()].filter(({ freedAtMs }) => freedAtMs === undefined).map(({ thingName: name }) => name);
        expect(open.sort()).toEqual(ALL);
        expect(['pump-0', 'pump-4', 'pump-6'].map((name) => world.records.rows.get(name)?.response)).toEqual([
          'contain',
          'deactivate',
          'deactivate',
        ]);
        for (const name of ALL) await world.askRelease(name);
        await runAll(world);
        expect([...world.iot.certificates.values()].every(({ status, policies }) => status === 'ACTIVE' && policies.has('device'))).toBe(
          true,
        );
      }
    });
    it('is not rejected with it', async () => {
      for (const isFirstRejected of [true, false]) {
        const { world, first, second } = await overlapping();
        const [rejected, approved] = isFirstRejected ? [first, second] : [second, first];
        await world.holds.move(rejected, 'HELD', 'REJECTED', 'ops', world.clock.nowMs());
        await approve(world, approved);
        expect(started(world)).toEqual(isFirstRejected ? ALL.slice(2) : ALL.slice(0, 5));
        expect(world.holds.rows.get(rejected)?.state).toBe('REJECTED');
      }
    });
    it('also not where a crash has left the shorter list beside the longer one that took its place', async () => {
      const { world, hash: shorter } = await storm(5);
      const dying = {
        ...world.intakePorts,
        holds: Object.assign(Object.create(world.holds) as typeof world.holds, { move: () => Promise.reject(new Error('dead')) }),
      };
      const more = Array.from({ length: 5 }, (_unused, index) => violate(world, `pump-${index + 5}`));
      const results = await intakeRun(dying, world.intakeSettings, more);
      expect(results.every(({ status }) => status === 'rejected')).toBe(true);
      const longer = heldNow(world).find(({ hash }) => hash !== shorter)!.hash;
      await world.holds.move(shorter, 'HELD', 'REJECTED', 'ops', world.clock.nowMs());
      await world.intake(...more); // what died comes again: it stands on the longer list
      expect(heldNow(world).map(({ hash, count }) => [hash, count])).toEqual([[longer, 10]]);
      await approve(world, longer);
      expect(started(world)).toHaveLength(10);
    });
  });

  it('that a person has rejected does not come up again for the same violations', async () => {
    const { world, hash } = await storm();
    await world.holds.move(hash, 'HELD', 'REJECTED', 'ops', world.clock.nowMs());
    world.clock.advance(60_000);
    await world.intake(...Array.from({ length: 20 }, (_, index) => violate(world, `pump-${index}`)));
    expect([heldNow(world), world.holds.rows.size]).toEqual([[], 1]);
  });
});

describe('a storm: 10,000 violations of 1,000 things within a minute, 30 % duplicates, shuffled, in batches as they come', () => {
  it('contains nobody, and leaves one list with every thing once', async () => {
    await fc.assert(
      fc.asyncProperty(fc.infiniteStream(fc.nat()), fc.constantFrom(100, 1000), async (random, batchSize) => {
        const world = fleetOf(2000);
        const messages: IntakeMessage[] = [];
        for (let index = 0; index < 7000; index += 1) messages.push(violate(world, `pump-${index % 1000}`, `v-${index}`));
        const numbers = random[Symbol.iterator]();
        const next = (below: number): number => Number(numbers.next().value) % below;
        for (let index = 0; index < 3000; index += 1) messages.push(messages[next(7000)]!);
        for (let index = messages.length - 1; index > 0; index -= 1) {
          const other = next(index + 1);
          [messages[index], messages[other]] = [messages[other]!, messages[index]!];
        }
        for (let start = 0; start < messages.length; start += batchSize) {
          world.clock.advance((60_000 * batchSize) / messages.length);
          const results = await world.intake(...messages.slice(start, start + batchSize));
          expect(results.every(({ status }) => status === 'fulfilled')).toBe(true);
        }
        expect(started(world)).toEqual([]);
        const lists = heldNow(world);
        expect(lists).toHaveLength(1);
        const octets: Uint8Array[] = [];
        for await (const part of world.lists.load(lists[0]!.listKey)) octets.push(part);
        const names = readHeldContainments(Buffer.concat(octets)).map(({ thingName: name }) => name);
        expect(names).toHaveLength(1000);
        expect(new Set(names).size).toBe(1000);
      }),
      { numRuns: 2 },
    );
  }, 120_000);
  it('of one thing is one containment', async () => {
    const world = fleetOf(1000);
    const messages = Array.from({ length: 200 }, (_, index) => violate(world, 'pump-7', `v-${index % 20}`));
    await world.intake(...messages);
    await world.run([...world.executions.values()][0]!);
    await world.intake(...messages);
    expect(started(world)).toEqual(['pump-7']);
    expect(world.records.rows.get(thingName('pump-7'))?.state).toBe('reopened');
  });
});
