/** The workflow on memory ports: its steps in order, what becomes of silence, time boxes, re-keys, certificates that appear, and an intake that dies anywhere. */
import { METRICS } from '../../domain/fleet/metrics.js';
import { thingName } from '../../domain/fleet/thing-name.js';
import { IntakeMessage } from '../../domain/protocol/containment.js';
import { run as intake } from '../../lambda/quarantine/intake/run.js';
import { isAbandoned } from '../../lambda/quarantine/watch/decide.js';
import { run as watchRun } from '../../lambda/quarantine/watch/run.js';
import { crashing, Death } from '../revocation/memory/crashing.js';
import { certificateNumber } from './memory/iot.js';
import { QUARANTINE, QuarantineWorld, REPAIR } from './memory/world.js';

const MINUTE = 60_000;

function single(): { world: QuarantineWorld; id: ReturnType<typeof certificateNumber>; input: ReturnType<QuarantineWorld['inputFor']> } {
  const world = new QuarantineWorld();
  const id = certificateNumber(1);
  world.iot.addCertificate(id, 'ACTIVE', ['device']);
  world.iot.addGroup('line', ['line-policy']);
  world.iot.addThing('pump-1', [id], ['line']);
  return { world, id, input: world.inputFor('pump-1') };
}

describe('a containment', () => {
  it('first cuts off, then swaps the rights, and opens only when these have had time to count', async () => {
    const { world, id, input } = single();
    const startedAtMs = world.clock.nowMs();
    await world.run(input);
    expect(world.iot.changes).toEqual([
      `${id} INACTIVE`,
      'drop pump-1',
      `${id} -device`,
      `${id} +${REPAIR}`,
      'pump-1 out of line',
      `pump-1 in ${QUARANTINE}`,
      `${id} ACTIVE`,
    ]);
    const opened = world.decisions.rows.find(({ act, step }) => act === 'reopen' && step === 'outcome');
    expect(opened!.atMs - startedAtMs).toBeGreaterThanOrEqual(10 * MINUTE);
  });
  it('drops the connection under every client id that was seen, and not only under the thing’s name', async () => {
    const { world, id, input } = single();
    const record = { certificateId: id, issuerId: 'i', serialNumber: '1' as never, thingName: 'pump-1' as never, clientId: 'client-77' };
    world.inventory.records.set(id, { ...record, notBeforeMs: 0, notAfterMs: 1, status: 'ACTIVE', source: 'presence' });
    await world.run(input);
    expect(world.iot.dropped).toEqual(expect.arrayContaining(['pump-1', 'client-77']));
  });
  it.each(['QUEUED', 'REJECTED', 'FAILED'])('whose shut-off ends as %s is deactivated', async (status) => {
    const { world, id, input } = single();
    world.jobs.answer = () => status;
    await world.run(input);
    expect([world.stateOf('pump-1'), world.iot.certificates.get(id)!.status]).toEqual(['deactivated', 'INACTIVE']);
    expect(world.metric(METRICS.shutOffUnanswered)).toBe(1);
  });
  it('with the response shut-off only asks; a device that answers keeps its rights', async () => {
    const { world, id } = single();
    await world.run(world.inputFor('pump-1', 'shut-off'));
    expect([world.stateOf('pump-1'), world.iot.certificates.get(id)!.status, world.iot.changes]).toEqual(['recorded', 'ACTIVE', []]);
  });
  it('leaves a certificate shut to which somebody has given more than repair', async () => {
    const { world, id, input } = single();
    await world.run(input, { until: 'Settle' });
    world.iot.policies.add('extra');
    await world.iot.attachPolicy(id, 'extra');
    await world.run(input);
    expect([world.stateOf('pump-1'), world.iot.certificates.get(id)!.status]).toEqual(['deactivated', 'INACTIVE']);
    expect(world.metric(METRICS.containmentWeakened)).toBeGreaterThan(0);
  });
  it('cancels the rotation of its certificate, row and execution', async () => {
    const { world, id, input } = single();
    const rotation = {
      oldCertificateId: id,
      thingName: 'pump-1' as never,
      campaignId: 'c',
      jobId: 'fleetwarden-rotation-c',
      state: 'offered',
      reason: 'operator',
    } as const;
    await world.rotations.open({ ...rotation, foundBy: 'x', deadlineMs: 0, createdAtMs: 0, updatedAtMs: 0 });
    await world.run(input);
    expect(world.cancelled).toEqual(['fleetwarden-rotation-c']);
    expect(world.rotations.rows.get(id)).toMatchObject({ state: 'withdrawn', stateReason: 'thing-contained' });
  });
  it('stands still under the emergency stop, and goes on when it is lifted', async () => {
    const { world, id, input } = single();
    await world.run(input, { until: 'Cut' });
    await world.stop.set(true, 'ops', 'x', 0);
    expect(await world.step('Cut', input)).toEqual({ next: 'Paused', seconds: 60 });
    expect(world.iot.changes).toEqual([]);
    await world.stop.set(false, 'ops', 'x', 0);
    await world.run(input);
    expect(world.iot.certificates.get(id)!.status).toBe('ACTIVE');
    expect(world.stateOf('pump-1')).toBe('reopened');
  });
  it('whose release is asked for while the policies settle is released at once', async () => {
    const { world, id, input } = single();
    await world.run(input, { until: 'Settle' });
    await world.step('Settle', input);
    await world.askRelease('pump-1');
    expect(world.woken).toEqual(['token-pump-1']);
    await world.run(input, { until: 'nothing' });
    expect([...world.iot.certificates.get(id)!.policies]).toEqual(['device']);
  });
  it('loses no word: one that comes before the workflow waits wakes it when it does', async () => {
    const { world, input } = single();
    await world.run(input);
    const { taskToken: _settled, ...row } = world.records.rows.get('pump-1')!;
    world.records.rows.set('pump-1', row); // it has not begun to wait yet
    await world.askRelease('pump-1');
    expect(world.woken).toEqual([]);
    await world.step('AwaitWord', input);
    expect(world.woken).toEqual(['token-pump-1']);
  });
});

describe('two at once for one thing', () => {
  it('are one containment: the other takes nothing of the brake for ever, and its stronger response is kept', async () => {
    const { world } = single();
    world.inventory.active = 1000;
    const order = (requestId: string, response: 'shut-off' | 'deactivate'): IntakeMessage =>
      IntakeMessage.parse({ kind: 'operator', thingName: 'pump-1', response, by: 'ops', reason: 'x', requestId });
    await world.intake(order('aaaaaaaaaaaa', 'shut-off'));
    await world.intake(order('bbbbbbbbbbbb', 'deactivate'));
    const [first, second] = [...world.executions.values()];
    await world.run(first!);
    await world.step('AwaitWord', first!);
    expect(await world.run(second!)).toBe('Released');
    expect([...world.budget.rows.values()].map(({ freedAtMs }) => freedAtMs === undefined)).toEqual([true, false]);
    expect(world.woken).toEqual(['token-pump-1']);
    await world.run(first!);
    expect(world.stateOf('pump-1')).toBe('deactivated');
  });
  it('what was deleted before it was contained counts no longer', async () => {
    const { world } = single();
    const order = {
      kind: 'operator',
      thingName: 'pump-1',
      response: 'contain',
      by: 'ops',
      reason: 'x',
      requestId: 'aaaaaaaaaaaa',
    } as const;
    await world.intake(order);
    world.iot.things.delete('pump-1');
    expect(await world.run([...world.executions.values()][0]!)).toBe('Released');
    expect([...world.budget.rows.values()].map(({ freedAtMs }) => freedAtMs)).toEqual([expect.any(Number)]);
  });
  it('one that an emergency stop held up is not begun when its alarm is over by then', async () => {
    const { world, id } = single();
    const said = { violationId: 'v', thingName: 'pump-1', behavior: 'flood', securityProfileName: 'p', lastEventType: 'in-alarm' } as const;
    const times = { startedAtMs: world.clock.nowMs(), updatedAtMs: world.clock.nowMs() };
    world.violations.rows.set('v', { ...said, ...times, isOpen: true });
    const trigger = { kind: 'violation', id: 'v', by: 'x', reason: 'flood', atMs: 0, evidence: { securityProfileName: 'p' } } as const;
    const input = { ...world.inputFor('pump-1'), trigger };
    await world.stop.set(true, 'ops', 'false alarms', 0);
    expect(await world.step('Record', input)).toMatchObject({ next: 'Paused' });
    world.violations.rows.set('v', { ...said, ...times, isOpen: false });
    await world.stop.set(false, 'ops', 'over', 0);
    expect(await world.run(input)).toBe('Released');
    expect([world.iot.certificates.get(id)!.status, world.reasonsOf('pump-1')]).toEqual(['ACTIVE', ['alarm-over']]);
  });
});

describe('the time box', () => {
  it('pages, and begins anew', async () => {
    const { world, input } = single();
    await world.run(input);
    world.clock.advance(25 * 60 * MINUTE);
    expect(await world.step('Watch', input)).toMatchObject({ next: 'AwaitWord' });
    expect(world.metric(METRICS.timeBoxOver)).toBe(1);
    expect(world.records.rows.get('pump-1')!.endsAtMs).toBeGreaterThan(world.clock.nowMs());
  });
  it('releases, where it is to and nothing speaks against it', async () => {
    const { world, id, input } = single();
    world.timeBoxThen = 'release';
    await world.run(input);
    world.clock.advance(25 * 60 * MINUTE);
    expect(await world.step('Watch', input)).toMatchObject({ next: 'Restore' });
    await world.run(input, { until: 'nothing' });
    expect([...world.iot.certificates.get(id)!.policies]).toEqual(['device']);
  });
  it('does not release when the source of violations is down', async () => {
    const { world, input } = single();
    world.timeBoxThen = 'release';
    await world.run(input);
    world.clock.advance(25 * 60 * MINUTE);
    world.violations.isDown = true;
    await expect(world.step('Watch', input)).rejects.toThrow('ServiceUnavailable');
    expect(world.records.rows.get('pump-1')!.release).toBeUndefined();
  });
  it('is lengthened by a person', async () => {
    const { world, input } = single();
    await world.run(input);
    await world.intake({ kind: 'extend', thingName: 'pump-1', by: 'ops', hours: 100 });
    expect(world.records.rows.get('pump-1')!.endsAtMs).toBe(world.clock.nowMs() + 100 * 60 * MINUTE);
  });
});

describe('a release with a new key', () => {
  const fresh = certificateNumber(2);
  const prove = async (world: QuarantineWorld, id: ReturnType<typeof certificateNumber>): Promise<void> => {
    const rotation = {
      oldCertificateId: id,
      thingName: 'pump-1' as never,
      campaignId: 'c',
      jobId: 'j',
      state: 'proved',
      reason: 'operator',
    } as const;
    const atMs = world.clock.nowMs();
    world.rotations.rows.set(id, {
      ...rotation,
      foundBy: 'x',
      deadlineMs: 0,
      createdAtMs: atMs,
      updatedAtMs: atMs,
      provedAtMs: atMs,
      newCertificateId: fresh,
    });
    world.iot.addCertificate(fresh, 'ACTIVE', [REPAIR]);
    world.iot.things.get('pump-1')!.certificates.add(fresh);
    await world.iot.setStatus(id, 'INACTIVE');
  };
  it('asks the rotation, waits for the proof, and gives the new certificate what the old one had', async () => {
    const { world, id, input } = single();
    await world.run(input);
    await world.askRelease('pump-1', { rekey: true });
    await world.run(input, { until: 'AwaitKey' });
    expect([world.rotated, world.records.rows.get('pump-1')?.rekeying]).toEqual([['pump-1'], true]);
    await prove(world, id);
    await world.watch(); // the new certificate is not taken for one that has crept in
    expect(world.iot.certificates.get(fresh)!.status).toBe('ACTIVE');
    await world.run(input, { until: 'nothing' });
    expect([...world.iot.certificates.get(fresh)!.policies]).toEqual(['device']);
    expect(world.iot.certificates.get(id)!.status).toBe('INACTIVE');
    expect(world.stateOf('pump-1')).toBeUndefined();
  });
  it('stays contained when the device does not prove its new key within the hour', async () => {
    const { world, input } = single();
    await world.run(input);
    await world.askRelease('pump-1', { rekey: true });
    await world.run(input, { until: 'AwaitKey' });
    world.clock.advance(61 * MINUTE);
    await world.step('CheckReKey', input);
    expect([world.stateOf('pump-1'), world.records.rows.get('pump-1')?.release, world.metric(METRICS.rekeyFailed)]).toEqual([
      'reopened',
      undefined,
      1,
    ]);
  });
  it('is released when the proof comes at the very moment at which it is given up: the old certificate works no more', async () => {
    const { world, id, input } = single();
    await world.run(input);
    await world.askRelease('pump-1', { rekey: true });
    await world.run(input, { until: 'AwaitKey' });
    world.clock.advance(61 * MINUTE);
    const nowMs = world.clock.nowMs();
    const rotation = { oldCertificateId: id, thingName: 'pump-1' as never, campaignId: 'c', jobId: 'j', reason: 'operator' } as const;
    await world.rotations.open({ ...rotation, state: 'registered', foundBy: 'x', deadlineMs: 0, createdAtMs: nowMs, updatedAtMs: nowMs });
    const move = world.rotations.move.bind(world.rotations);
    world.rotations.move = async (...change) => {
      await prove(world, id);
      return move(...change);
    };
    await world.step('CheckReKey', input);
    await world.watch(); // and the new certificate is not taken for one that has crept in, between this step and the next
    await world.run(input, { until: 'nothing' });
    expect([world.stateOf('pump-1'), world.iot.certificates.get(fresh)!.status]).toEqual([undefined, 'ACTIVE']);
    expect([...world.iot.certificates.get(fresh)!.policies]).toEqual(['device']);
  });
  it('stays contained when it cannot have one', async () => {
    const { world, input } = single();
    world.jobs.answer = () => 'FAILED';
    await world.run(input);
    await world.askRelease('pump-1', { rekey: true });
    await world.run(input);
    expect([world.stateOf('pump-1'), world.reasonsOf('pump-1', 're-key')]).toEqual(['deactivated', ['rekey-impossible']]);
  });
});

describe('the look at what is contained', () => {
  it('takes in a certificate that has appeared, and a release gives it back as it was found', async () => {
    const { world, input } = single();
    await world.run(input);
    const other = certificateNumber(9);
    world.iot.addCertificate(other, 'ACTIVE', ['device', 'more']);
    world.iot.things.get('pump-1')!.certificates.add(other);
    await world.watch();
    expect(world.iot.certificates.get(other)).toMatchObject({ status: 'INACTIVE', policies: new Set([REPAIR]) });
    await world.askRelease('pump-1');
    await world.run(input, { until: 'nothing' });
    expect(world.iot.certificates.get(other)).toMatchObject({ status: 'ACTIVE', policies: new Set(['device', 'more']) });
  });
  it('shuts what somebody made ACTIVE, tells of rights that somebody gave, and of a workflow that does not move', async () => {
    const { world, id, input } = single();
    world.jobs.answer = () => 'FAILED';
    await world.run(input);
    await world.iot.setStatus(id, 'ACTIVE');
    world.iot.policies.add('extra');
    await world.iot.attachPolicy(id, 'extra');
    await world.watch();
    expect(world.iot.certificates.get(id)!.status).toBe('INACTIVE');
    await world.watch();
    expect(world.metric(METRICS.containmentWeakened)).toBeGreaterThan(0);
    expect(world.metric(METRICS.containmentStuck)).toBe(0);
    world.clock.advance(26 * 60 * MINUTE);
    await world.watch();
    expect(world.metric(METRICS.containmentStuck)).toBe(1);
  });
  it('begins a workflow again that somebody has stopped, so that a release on record is carried out', async () => {
    const { world, id, input } = single();
    await world.workflows.start(input);
    await world.run(input);
    world.died.add(input.containmentId);
    await world.askRelease('pump-1');
    await world.watch();
    expect([...world.executions.keys()]).toEqual([input.containmentId]); // it has had no time yet
    world.clock.advance(11 * MINUTE);
    await world.watch();
    await world.watch();
    const again = `${input.containmentId}-again-1`;
    expect([...world.executions.keys()]).toEqual([input.containmentId, again]);
    expect(world.executions.get(again)).toEqual(input);
    await world.run(world.executions.get(again)!, { until: 'nothing' });
    expect([world.stateOf('pump-1'), [...world.iot.certificates.get(id)!.policies]]).toEqual([undefined, ['device']]);
  });
  it('in observe begins one again that gives back, and none that takes', async () => {
    const { world, id, input } = single();
    await world.workflows.start(input);
    await world.run(input);
    world.died.add(input.containmentId);
    world.mode = 'observe';
    world.clock.advance(60 * MINUTE);
    await world.watch();
    expect(world.executions.size).toBe(1);
    await world.askRelease('pump-1');
    world.clock.advance(11 * MINUTE);
    await world.watch();
    const again = world.executions.get(`${input.containmentId}-again-1`);
    await world.run(again!, { until: 'nothing' });
    expect([world.stateOf('pump-1'), [...world.iot.certificates.get(id)!.policies]]).toEqual([undefined, ['device']]);
  });
  it('in observe begins one again that has died in the middle of giving back', async () => {
    const { world, input } = single();
    await world.workflows.start(input);
    await world.run(input);
    await world.askRelease('pump-1');
    const jobs = Object.assign(Object.create(world.jobs) as typeof world.jobs, {
      create: () => Promise.reject(new Error('ServiceUnavailable')),
    });
    await expect(world.step('Restore', input, { ...world.stepPorts, jobs })).rejects.toThrow('ServiceUnavailable');
    expect(world.stateOf('pump-1')).toBe('releasing');
    world.died.add(input.containmentId);
    world.mode = 'observe';
    world.clock.advance(11 * MINUTE);
    await world.watch();
    await world.run(world.executions.get(`${input.containmentId}-again-1`)!, { until: 'nothing' });
    expect(world.stateOf('pump-1')).toBeUndefined();
  });
  it('puts off what it can when many are being cut off, and still asks whether their workflows move', async () => {
    const { world, input } = single();
    await world.workflows.start(input);
    await world.run(input);
    const other = certificateNumber(9);
    world.iot.addCertificate(other, 'ACTIVE', ['device']);
    world.iot.things.get('pump-1')!.certificates.add(other);
    world.died.add(input.containmentId);
    await world.askRelease('pump-1');
    world.clock.advance(11 * MINUTE);
    world.pace.nextAtMs.set('quarantine', world.clock.nowMs() + 30_000);
    await world.watch();
    expect([world.iot.certificates.get(other)!.status, world.executions.size]).toEqual(['ACTIVE', 2]);
    world.clock.advance(5 * MINUTE);
    await world.watch();
    expect(world.iot.certificates.get(other)!.status).toBe('INACTIVE');
  });
  it('does not put off a look at a thing of which something new was heard', async () => {
    const { world, input } = single();
    await world.run(input);
    const other = certificateNumber(9);
    world.iot.addCertificate(other, 'ACTIVE', ['device']);
    world.iot.things.get('pump-1')!.certificates.add(other);
    world.pace.nextAtMs.set('quarantine', world.clock.nowMs() + 30_000);
    await watchRun(world.stepPorts, world.settings, thingName('pump-1'));
    expect(world.iot.certificates.get(other)!.status).toBe('INACTIVE');
  });
  it('begins none beside one that is at work, and in observe none at all', async () => {
    const { world, input } = single();
    await world.workflows.start(input);
    await world.run(input, { until: 'Cut' });
    world.clock.advance(60 * MINUTE);
    await world.watch();
    world.died.add(input.containmentId);
    world.mode = 'observe';
    await world.watch();
    expect([...world.executions.keys()]).toEqual([input.containmentId]);
    expect(world.metric(METRICS.containmentStuck)).toBe(2);
  });
  it('waits for a device as long as it may, without a false alarm', async () => {
    const { world, input } = single();
    world.jobs.answer = () => 'QUEUED';
    await world.workflows.start(input);
    await world.run(input, { until: 'AwaitAnswer' });
    world.clock.advance(14 * MINUTE);
    await world.watch();
    expect(world.executions.size).toBe(1);
  });
  it('changes nothing under the emergency stop', async () => {
    const { world, input } = single();
    await world.run(input);
    const other = certificateNumber(9);
    world.iot.addCertificate(other, 'ACTIVE', ['device']);
    world.iot.things.get('pump-1')!.certificates.add(other);
    await world.stop.set(true, 'ops', 'x', 0);
    await world.watch();
    expect(world.iot.certificates.get(other)!.status).toBe('ACTIVE');
  });
});

describe('what the brake counts of a containment that never began', () => {
  const HOURS = 60 * MINUTE;
  const order = {
    kind: 'operator',
    thingName: 'pump-1',
    response: 'contain',
    by: 'ops',
    reason: 'x',
    requestId: 'aaaaaaaaaaaa',
  } as const;
  /** The message dies after it is booked: into its dead-letter queue. */
  const bookedOnly = async () => {
    const { world } = single();
    const down = { ...world.intakePorts, workflows: { ...world.workflows, start: () => Promise.reject(new Error('ServiceUnavailable')) } };
    const [result] = await intake(down, world.intakeSettings, [order]);
    expect(result?.status).toBe('rejected');
    const [booking] = [...world.budget.rows.values()];
    return { world, booking: booking!, isOpen: () => world.budget.rows.get(booking!.containmentId)!.freedAtMs === undefined };
  };
  it('is freed after two hours, with a word in the audit trail, and not before', async () => {
    const { world, isOpen } = await bookedOnly();
    world.clock.advance(2 * HOURS - 1);
    await world.watch();
    expect(isOpen()).toBe(true);
    world.clock.advance(1);
    await world.watch();
    expect(isOpen()).toBe(false);
    expect(world.reasonsOf('pump-1', 'book')).toEqual(['booking-abandoned']);
    expect(await world.budget.booked()).toEqual([]);
  });
  it('counts on while its execution runs, also before it has written its row', async () => {
    const { world, isOpen } = await bookedOnly();
    await world.intake(order);
    world.clock.advance(50 * HOURS);
    await world.watch();
    expect(isOpen()).toBe(true);
  });
  it('counts on while its thing is contained, also where the execution has died, until it is released', async () => {
    const { world, isOpen } = await bookedOnly();
    await world.intake(order);
    const [input] = [...world.executions.values()];
    await world.run(input!);
    world.died.add(input!.containmentId);
    world.mode = 'observe'; // so that none is begun in its place
    world.clock.advance(50 * HOURS);
    await world.watch();
    expect(isOpen()).toBe(true);
    await world.askRelease('pump-1');
    await world.run(input!, { until: 'nothing' });
    expect(isOpen()).toBe(false);
  });
  it('counts on while it is about to begin: a delivery that comes at the very moment renews it first', async () => {
    const { world, isOpen } = await bookedOnly();
    world.clock.advance(3 * HOURS);
    const ports = world.stepPorts;
    const isRunning = async (name: string): Promise<boolean> => {
      const was = await world.workflows.isRunning(name);
      await world.intake(order); // between the look and the act
      return was;
    };
    await watchRun({ ...ports, workflows: { ...world.workflows, isRunning } }, world.settings);
    expect([isOpen(), world.executions.size, world.reasonsOf('pump-1', 'book')]).toEqual([true, 1, []]);
  });
  it('is booked again when its message is sent anew by a person, days later', async () => {
    const { world, isOpen } = await bookedOnly();
    world.clock.advance(72 * HOURS);
    await world.watch();
    await world.intake(order);
    expect([isOpen(), world.executions.size]).toEqual([true, 1]);
  });
  it('counts on while its row is there, also where the list of all does not show it yet', async () => {
    const { world, isOpen } = await bookedOnly();
    await world.intake(order);
    const [input] = [...world.executions.values()];
    await world.run(input!);
    world.died.add(input!.containmentId);
    world.clock.advance(50 * HOURS);
    const all = async function* () {
      // nothing yet
    };
    const records = Object.assign(Object.create(world.records) as typeof world.records, { all });
    await watchRun({ ...world.stepPorts, records }, world.settings);
    expect(isOpen()).toBe(true);
  });
  it('is not asked about where its thing is contained: a week of waiting costs no call of the workflow engine', async () => {
    const { world } = await bookedOnly();
    await world.intake(order);
    await world.run([...world.executions.values()][0]!);
    world.clock.advance(3 * HOURS);
    const asked: string[] = [];
    const isRunning = async (name: string): Promise<boolean> => asked.push(name) > 0;
    await watchRun({ ...world.stepPorts, workflows: { ...world.workflows, isRunning } }, world.settings);
    expect(asked).toEqual([]);
  });
  it.each([
    ['neither runs nor contains anybody, and is two hours old', {}, true],
    ['is younger than two hours', { ageMs: 2 * HOURS - 1 }, false],
    ['has an execution', { isRunning: true }, false],
    ['has a row', { hasRow: true }, false],
  ])('is given up or not where it %s', (_, facts, expected) => {
    expect(isAbandoned({ ageMs: 2 * HOURS, isRunning: false, hasRow: false, ...facts })).toBe(expected);
  });
  it('is not asked about while it is young: a storm of an hour costs no call of the workflow engine', async () => {
    const { world } = await bookedOnly();
    world.clock.advance(HOURS);
    const asked: string[] = [];
    const isRunning = async (name: string): Promise<boolean> => asked.push(name) < 0;
    await watchRun({ ...world.stepPorts, workflows: { ...world.workflows, isRunning } }, world.settings);
    expect(asked).toEqual([]);
  });
  it('is left alone under the emergency stop: nothing begins then', async () => {
    const { world, isOpen } = await bookedOnly();
    world.clock.advance(3 * HOURS);
    await world.stop.set(true, 'ops', 'x', 0);
    await world.watch();
    expect(isOpen()).toBe(true);
  });
});

describe.each(['before', 'after'] as const)('the intake dies %s any call, and the batch comes again', (moment) => {
  const prepared = (count: number): { world: QuarantineWorld; messages: IntakeMessage[] } => {
    const world = new QuarantineWorld();
    const nowMs = world.clock.nowMs();
    const messages: IntakeMessage[] = [];
    for (let index = 0; index < count; index += 1) {
      const [name, violationId] = [`pump-${index}`, `v-${index}`];
      world.iot.addCertificate(certificateNumber(index + 1), 'ACTIVE', []);
      world.iot.addThing(name, [certificateNumber(index + 1)]);
      const said = {
        violationId,
        thingName: name,
        behavior: 'flood',
        securityProfileName: 'p',
        isOpen: true,
        lastEventType: 'in-alarm',
      } as const;
      world.violations.rows.set(violationId, { ...said, startedAtMs: nowMs, updatedAtMs: nowMs });
      const behavior = { name: 'flood' };
      messages.push(
        IntakeMessage.parse({
          violationEventTime: nowMs,
          thingName: name,
          behavior,
          violationEventType: 'in-alarm',
          violationId,
          securityProfileName: 'p',
        }),
      );
    }
    return { world, messages };
  };
  const endOf = ({ executions, budget, holds }: QuarantineWorld) => ({
    executions: [...executions.keys()].sort(),
    booked: [...budget.rows.keys()].sort(),
    held: [...holds.rows.values()].map(({ hash, state }) => [hash, state]),
  });
  it.each([
    ['within the brake', 2],
    ['over the brake', 5],
  ])('%s: the same end', async (_, count) => {
    const undisturbed = prepared(count);
    await undisturbed.world.intake(...undisturbed.messages);
    let deaths = 0;
    for (let n = 1; ; n += 1) {
      const { world, messages } = prepared(count);
      const results = await intake(crashing(world.intakePorts, n, moment), world.intakeSettings, messages).catch((error: unknown) => {
        if (error instanceof Death) return [{ status: 'rejected' as const, reason: error }];
        throw error;
      });
      const died = results.some(({ status }) => status === 'rejected');
      if (died) await world.intake(...messages);
      expect([n, endOf(world)]).toEqual([n, endOf(undisturbed.world)]);
      if (!died) break;
      deaths += 1;
    }
    expect(deaths).toBeGreaterThan(10);
  });
});
