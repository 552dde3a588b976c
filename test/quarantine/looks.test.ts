/** The look at what is contained, case by case; and that nothing is asked of AWS IoT without a slot of the pace that all of quarantine shares. */
import { METRICS } from '../../domain/fleet/metrics.js';
import { thingName } from '../../domain/fleet/thing-name.js';
import { run as watchRun } from '../../lambda/quarantine/watch/run.js';
import type { WorkflowInput } from '../../domain/protocol/containment-workflow.js';
import { certificateNumber } from './memory/iot.js';
import { QuarantineWorld, REPAIR } from './memory/world.js';

const MINUTE = 60_000;
const [id, other] = [certificateNumber(1), certificateNumber(9)];

function single(): { world: QuarantineWorld; input: WorkflowInput } {
  const world = new QuarantineWorld();
  world.iot.addCertificate(id, 'ACTIVE', ['device']);
  world.iot.addGroup('line', ['line-policy']);
  world.iot.addThing('pump-1', [id], ['line']);
  return { world, input: world.inputFor('pump-1') };
}
function appear(world: QuarantineWorld, status: 'ACTIVE' | 'INACTIVE' | 'REVOKED' = 'ACTIVE'): void {
  world.iot.addCertificate(other, status, ['device']);
  world.iot.things.get('pump-1')!.certificates.add(other);
}
const adoptedBy = (world: QuarantineWorld) => world.records.rows.get('pump-1')?.adopted.map(({ certificateId }) => certificateId);

describe('a certificate that appears on a contained thing', () => {
  it('is on record before it is shut, as it was found, and everybody is told', async () => {
    const { world, input } = single();
    await world.run(input);
    appear(world);
    const recordedFirst: boolean[] = [];
    world.iot.meanwhile = () => void recordedFirst.push(adoptedBy(world)?.includes(other) === true);
    await world.watch();
    expect(recordedFirst.length).toBeGreaterThan(0);
    expect(recordedFirst).not.toContain(false);
    expect(world.records.rows.get('pump-1')?.adopted).toEqual([{ certificateId: other, status: 'ACTIVE', policies: ['device'] }]);
    const told = world.decisions.rows.filter(({ act }) => act === 'inherit').map(({ step, reason, detail }) => [step, reason, detail]);
    expect(told).toEqual([
      ['intent', 'adopted-certificate', { certificateId: other, status: 'ACTIVE' }],
      ['outcome', 'adopted-certificate', { certificates: other }],
    ]);
    expect(world.metric(METRICS.certificatesAdopted)).toBe(1);
  });

  it('is not left as the second look finds it: the first one counts', async () => {
    const { world, input } = single();
    await world.run(input);
    appear(world);
    await world.watch();
    await world.watch();
    expect(world.records.rows.get('pump-1')?.adopted).toEqual([{ certificateId: other, status: 'ACTIVE', policies: ['device'] }]);
    expect(world.metric(METRICS.certificatesAdopted)).toBe(1);
  });

  it('and is another thing’s as well is left, and people are told: that thing would be cut off with it', async () => {
    const { world, input } = single();
    await world.run(input);
    appear(world);
    world.iot.addThing('gateway-1', [other]);
    const before = world.iot.changes.length;
    await world.watch();
    expect([adoptedBy(world), world.iot.changes.slice(before), world.metric(METRICS.containmentWeakened)]).toEqual([[], [], 1]);
  });
  it('and is of nobody but contained things is taken in', async () => {
    const { world, input } = single();
    await world.run(input);
    appear(world);
    world.iot.addThing('pump-2', []);
    await world.run(world.inputFor('pump-2'));
    world.iot.things.get('pump-2')!.certificates.add(other);
    await world.watch();
    expect([adoptedBy(world), world.iot.certificates.get(other)?.status]).toEqual([[other], 'INACTIVE']);
  });
  it('and is made ACTIVE again is shut again', async () => {
    const { world, input } = single();
    await world.run(input);
    appear(world);
    await world.watch();
    await world.iot.setStatus(other, 'ACTIVE');
    await world.watch();
    expect(world.iot.certificates.get(other)?.status).toBe('INACTIVE');
    expect(world.decisions.rows.at(-1)).toMatchObject({ act: 'inherit', reason: 'active-again', step: 'intent' });
  });

  it('and can do nothing, because it is REVOKED or gone, is left', async () => {
    for (const spoil of [() => undefined, (world: QuarantineWorld) => world.iot.certificates.delete(other)]) {
      const { world, input } = single();
      await world.run(input);
      appear(world, 'REVOKED');
      spoil(world);
      await world.watch();
      expect([adoptedBy(world), world.metric(METRICS.certificatesAdopted)]).toEqual([[], 0]);
    }
  });

  it.each<[string, string]>([
    ['before the first cut, because the workflow is at it', 'Cut'],
    ['while the thing is given back', 'Restore'],
  ])('is left %s', async (_when, until) => {
    const { world, input } = single();
    await world.run(input, until === 'Cut' ? { until } : {});
    if (until === 'Restore') {
      const row = world.records.rows.get('pump-1')!;
      world.records.rows.set('pump-1', { ...row, state: 'releasing' });
    }
    appear(world);
    await world.watch();
    expect([adoptedBy(world), world.iot.certificates.get(other)?.status]).toEqual([[], 'ACTIVE']);
  });

  it.each(['under the emergency stop', 'in observe'])('is told and left %s', async (when) => {
    const { world, input } = single();
    await world.run(input);
    appear(world);
    if (when === 'in observe') world.mode = 'observe';
    else await world.stop.set(true, 'ops', 'x', 0);
    await world.watch();
    expect([adoptedBy(world), world.iot.certificates.get(other)?.status]).toEqual([[], 'ACTIVE']);
    expect(world.decisions.rows.at(-1)).toMatchObject({ act: 'inherit', step: 'outcome', reason: 'adopted-certificate' });
    expect(world.metric(METRICS.stopped)).toBe(when === 'in observe' ? 0 : 1);
  });

  it('is left to the next look where the containment has gone on in between', async () => {
    const { world, input } = single();
    await world.run(input);
    appear(world);
    const move = world.records.move.bind(world.records);
    world.records.move = async (thing, containmentId, from, change) => {
      if (change.adopted === undefined) return move(thing, containmentId, from, change);
      world.records.move = move;
      await move(thing, containmentId, from, { state: 'deactivated' });
      return world.records.move(thing, containmentId, from, change);
    };
    await world.watch();
    expect([adoptedBy(world), world.iot.certificates.get(other)?.status]).toEqual([[], 'ACTIVE']);
    await world.watch();
    expect([adoptedBy(world), world.iot.certificates.get(other)?.status]).toEqual([[other], 'INACTIVE']);
  });

  it('and is the new one of a rotation that nobody has let through, is shut as any other', async () => {
    const { world, input } = single();
    await world.run(input);
    appear(world);
    const rotation = {
      oldCertificateId: id,
      thingName: 'pump-1' as never,
      campaignId: 'c',
      jobId: 'j',
      state: 'proved',
      reason: 'operator',
    } as const;
    const times = { foundBy: 'x', deadlineMs: 0, createdAtMs: 0, updatedAtMs: 0, provedAtMs: 0 };
    world.rotations.rows.set(id, { ...rotation, ...times, newCertificateId: other });
    await world.watch();
    expect(world.iot.certificates.get(other)?.status).toBe('INACTIVE');
  });

  it('while a new key is made is shut where it is not that of the rotation', async () => {
    const { world, input } = single();
    await world.run(input);
    await world.askRelease('pump-1', { rekey: true });
    await world.run(input, { until: 'AwaitKey' });
    appear(world);
    await world.watch();
    expect(world.iot.certificates.get(other)?.status).toBe('INACTIVE');
  });
});

describe('rights that somebody gave beside repair', () => {
  const policy = (world: QuarantineWorld): void => {
    world.iot.policies.add('extra');
    world.iot.certificates.get(id)!.policies.add('extra');
  };
  const group = (world: QuarantineWorld): void => {
    world.iot.addGroup('powers', ['more']);
    world.iot.things.get('pump-1')!.groups.add('powers');
  };
  it.each([
    ['a policy of its certificate', policy, { policies: 'extra' }],
    ['a group', group, { groups: 'powers' }],
  ] as const)('by %s are told, and left', async (_what, give, said) => {
    const { world, input } = single();
    await world.run(input);
    await world.watch();
    expect(world.metric(METRICS.containmentWeakened)).toBe(0);
    give(world);
    await world.watch();
    expect(world.metric(METRICS.containmentWeakened)).toBe(1);
    expect(world.signals.lines.at(-1)).toMatchObject({ message: 'containment weakened', ids: { reason: 'rights-added', ...said } });
    expect([...world.iot.certificates.get(id)!.policies]).toContain(REPAIR);
  });
  it('are no news before they are swapped', async () => {
    const { world, input } = single();
    await world.run(input, { until: 'Lock' });
    policy(world);
    group(world);
    await world.watch();
    expect(world.metric(METRICS.containmentWeakened)).toBe(0);
  });
  it('are its own where it was only asked to shut off, and then deactivated', async () => {
    const { world } = single();
    world.jobs.answer = () => 'FAILED';
    await world.run(world.inputFor('pump-1', 'shut-off'));
    expect(world.stateOf('pump-1')).toBe('deactivated');
    await world.watch();
    expect([world.metric(METRICS.containmentWeakened), world.iot.certificates.get(id)?.policies]).toEqual([0, new Set(['device'])]);
  });
});

describe('one look', () => {
  const both = async () => {
    const { world, input } = single();
    world.iot.addCertificate(certificateNumber(2), 'ACTIVE', ['device']);
    world.iot.addThing('pump-2', [certificateNumber(2)]);
    await world.run(input);
    await world.run(world.inputFor('pump-2'));
    appear(world);
    world.iot.things.get('pump-2')!.certificates.add(other);
    return { world, input };
  };
  it('goes on with the others where one of them cannot be looked at, and says that it has failed', async () => {
    const { world } = await both();
    const certificatesOf = world.iot.certificatesOf.bind(world.iot);
    world.iot.certificatesOf = async (name) => {
      if (name === 'pump-1') throw new Error('ServiceUnavailable');
      return certificatesOf(name);
    };
    await expect(world.watch()).rejects.toThrow('ServiceUnavailable');
    expect(world.records.rows.get('pump-2')?.adopted).toHaveLength(1);
    expect(world.metric(METRICS.thingsContained)).toBe(2);
  });
  it('asks also of those that it could not look at whether they move', async () => {
    const { world, input } = await both();
    await world.workflows.start(input);
    world.clock.advance(26 * 60 * MINUTE);
    world.iot.certificatesOf = async () => Promise.reject(new Error('ServiceUnavailable'));
    await expect(world.watch()).rejects.toThrow('ServiceUnavailable');
    expect(world.metric(METRICS.containmentStuck)).toBe(2);
    expect([...world.executions.keys()]).toHaveLength(2);
  });
  it('that finds a workflow dead leaves it where it moves at that very moment', async () => {
    const { world } = await both();
    world.clock.advance(26 * 60 * MINUTE);
    world.records.move = async () => undefined;
    await world.watch();
    expect([[...world.executions.keys()], world.reasonsOf('pump-1', 'restart')]).toEqual([[], []]);
  });
  it('pages nobody for what the emergency stop holds up, and begins its dead workflow again all the same', async () => {
    const { world, input } = single();
    await world.run(input, { until: 'Lock' });
    world.clock.advance(60 * MINUTE);
    await world.stop.set(true, 'ops', 'x', 0);
    await world.watch();
    expect([world.metric(METRICS.containmentStuck), [...world.executions.keys()]]).toEqual([0, [`${input.containmentId}-again-1`]]);
  });
});

describe('a certificate that is ACTIVE again when its rights are swapped, because a person or the end of a hold made it so', () => {
  it('is shut before they are, and its connections are dropped: what it was allowed counts for minutes', async () => {
    const { world, input } = single();
    await world.run(input, { until: 'Lock' });
    await world.iot.setStatus(id, 'ACTIVE');
    const [changes, dropped] = [world.iot.changes.length, world.iot.dropped.length];
    await world.step('Lock', input);
    const since = world.iot.changes.slice(changes);
    expect(since[0]).toBe(`${id} INACTIVE`);
    expect(since).toContain(`${id} +${REPAIR}`);
    expect(world.iot.dropped.slice(dropped)).toEqual(['pump-1']);
    await world.askRelease('pump-1');
    await world.run(input, { until: 'nothing' });
    expect(world.iot.certificates.get(id)).toEqual({ status: 'ACTIVE', policies: new Set(['device']) });
  });
  it('and one that is not, is not asked for twice', async () => {
    const { world, input } = single();
    await world.run(input, { until: 'Lock' });
    const dropped = world.iot.dropped.length;
    await world.step('Lock', input);
    expect(world.iot.dropped.slice(dropped)).toEqual([]);
  });
});

describe('the pace', () => {
  it('puts off a look at one thing, too, where there is no slot: it is no failure, and the regular look comes', async () => {
    const { world, input } = single();
    await world.run(input);
    appear(world);
    world.pace.nextAtMs.set('quarantine', world.clock.nowMs() + 10 * MINUTE);
    await watchRun(world.stepPorts, world.settings, thingName('pump-1'));
    expect(world.iot.certificates.get(other)?.status).toBe('ACTIVE');
    world.clock.advance(11 * MINUTE);
    await world.watch();
    expect(world.iot.certificates.get(other)?.status).toBe('INACTIVE');
  });

  /** Counts what is asked of AWS IoT against the slots that were taken before. */
  function counted(world: QuarantineWorld): { over: string[]; calls: Map<string, number>; slots: Map<string, number> } {
    const over: string[] = [];
    const calls = new Map<string, number>();
    const slots = new Map<string, number>();
    const reserve = world.pace.reserve.bind(world.pace);
    world.pace.reserve = async (name, count, ...rest) => {
      slots.set(name, (slots.get(name) ?? 0) + count);
      return reserve(name, count, ...rest);
    };
    const count = (call: string, pace: string, weight: number): void => {
      calls.set(call, (calls.get(call) ?? 0) + 1);
      if ((calls.get(call) ?? 0) * weight > (slots.get(pace) ?? 0) + 1e-6) over.push(call);
    };
    const counting = <Given extends unknown[], Result>(
      call: string,
      act: (...given: Given) => Promise<Result>,
      pace = 'quarantine',
      weight = 1,
    ) => {
      return (...given: Given): Promise<Result> => {
        count(call, pace, weight);
        return act(...given);
      };
    };
    const { iot, jobs } = world;
    iot.describe = counting('DescribeCertificate', iot.describe.bind(iot));
    iot.setStatus = counting('UpdateCertificate', iot.setStatus.bind(iot));
    // Fifteen a second, where a slot is a tenth of one.
    iot.attachPolicy = counting('AttachPolicy', iot.attachPolicy.bind(iot), 'quarantine', 10 / 15);
    iot.detachPolicy = counting('DetachPolicy', iot.detachPolicy.bind(iot), 'quarantine', 10 / 15);
    jobs.create = counting('CreateJob', jobs.create.bind(jobs), 'quarantine-jobs');
    jobs.execution = counting('DescribeJobExecution', jobs.execution.bind(jobs), 'quarantine-jobs');
    return { over, calls, slots };
  }

  it.each(['SUCCEEDED', 'FAILED', 'QUEUED'])('has a slot for each call of each step: a device that answers %s', async (answer) => {
    const { world, input } = single();
    world.jobs.answer = ({ operation }) => (operation === 'resume' ? 'SUCCEEDED' : answer);
    for (let index = 0; index < 9; index += 1) {
      world.iot.certificates.get(id)!.policies.add(`policy-${index}`);
      world.iot.policies.add(`policy-${index}`);
    }
    const { over, calls, slots } = counted(world);
    const called = new Set<string>();
    const by = async (step: string, act: () => Promise<unknown>): Promise<void> => {
      calls.clear();
      slots.clear();
      await act();
      for (const call of calls.keys()) called.add(call);
      const jobs = (calls.get('CreateJob') ?? 0) + (calls.get('DescribeJobExecution') ?? 0);
      expect([step, over, slots.get('quarantine-jobs') ?? 0]).toEqual([step, [], jobs]);
    };
    let at = (await world.step('Record', input)).next;
    for (const step of ['Cut', 'Lock', 'Settle', 'Reopen', 'ShutOff', 'AwaitAnswer', 'Deactivate', 'Watch'] as const) {
      if (at !== step) continue; // each goes on as its device answers
      if (step === 'Settle' || step === 'AwaitAnswer') world.clock.advance(15 * MINUTE);
      const next = step === 'AwaitAnswer' ? 'CheckAnswer' : step === 'Settle' ? 'Record' : step;
      await by(step, async () => (at = (await world.step(next, input)).next));
    }
    expect(at).toBe('AwaitWord');
    appear(world);
    await by('look', () => world.watch());
    world.iot.certificates.get(other)!.status = 'ACTIVE';
    await by('another look', () => world.watch());
    await world.askRelease('pump-1');
    await by('Restore', () => world.step('Restore', input));
    expect(world.stateOf('pump-1')).toBeUndefined();
    expect([...called].sort()).toEqual([
      'AttachPolicy',
      'CreateJob',
      'DescribeCertificate',
      'DescribeJobExecution',
      'DetachPolicy',
      'UpdateCertificate',
    ]);
  });
});
