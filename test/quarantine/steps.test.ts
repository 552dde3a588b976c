/**
 * What each step does and in which order: intent on record, then the acts, then the outcome on record, and only then the row goes on. And what a step does that
 * comes late, twice, or for a containment that is not there any more: nothing.
 */
import { METRICS } from '../../domain/fleet/metrics.js';
import type { ContainmentState } from '../../domain/protocol/containment.js';
import { CONTAIN_STEPS, RELEASE_STEPS, type WorkflowInput } from '../../domain/protocol/containment-workflow.js';
import type { Containment } from '../../lambda/ports/containment-records.js';
import { certificateNumber } from './memory/iot.js';
import { QUARANTINE, QuarantineWorld, REPAIR } from './memory/world.js';

const MINUTE = 60_000;
const id = certificateNumber(1);

function single(): { world: QuarantineWorld; input: WorkflowInput } {
  const world = new QuarantineWorld();
  world.iot.addCertificate(id, 'ACTIVE', ['device']);
  world.iot.addGroup('line', ['line-policy']);
  world.iot.addThing('pump-1', [id], ['line']);
  return { world, input: world.inputFor('pump-1') };
}

/** Everything that is kept or changed from now on, in order. */
function traced(world: QuarantineWorld): string[] {
  const trace: string[] = [];
  const before = <Given extends unknown[], Result>(
    act: (...given: Given) => Promise<Result>,
    say: (...given: NoInfer<Given>) => string,
  ): ((...given: Given) => Promise<Result>) => {
    return (...given) => {
      trace.push(say(...given));
      return act(...given);
    };
  };
  const { decisions, records, claims, jobs, budget, iot } = world;
  iot.meanwhile = (change) => void trace.push(change);
  decisions.append = before(decisions.append.bind(decisions), ({ step, act, reason }) => `${step} ${act}: ${reason}`);
  records.open = before(records.open.bind(records), () => 'row opened');
  records.move = before(
    records.move.bind(records),
    (_thing, _id, _from, { updatedAtMs: _updatedAtMs, ...change }) => `row ${change.state ?? Object.keys(change).join(', ')}`,
  );
  records.close = before(records.close.bind(records), () => 'row closed');
  claims.claim = before(claims.claim.bind(claims), () => 'claimed');
  claims.forget = before(claims.forget.bind(claims), () => 'claim forgotten');
  jobs.create = before(jobs.create.bind(jobs), (_jobId, _thing, { operation }) => `job ${operation}`);
  jobs.cancel = before(jobs.cancel.bind(jobs), () => 'job cancelled');
  budget.free = before(budget.free.bind(budget), () => 'budget freed');
  return trace;
}

/** A row as it stands on record; nothing was done for it in the registry. */
async function standing(world: QuarantineWorld, input: WorkflowInput, more: Partial<Containment>): Promise<void> {
  await world.run(input, { until: 'Cut' });
  const row = world.records.rows.get('pump-1')!;
  world.records.rows.set('pump-1', { ...row, ...more });
}
const asked = { jobId: 'j', askedAtMs: 0 } as const;
const release = { by: 'ops', reason: 'repaired', rekey: false, force: true, atMs: 0 };

describe('a containment', () => {
  it('says before each act what it is about to do and after it what it has done, and goes on after that', async () => {
    const { world, input } = single();
    const trace = traced(world);
    await world.run(input);
    expect(trace).toEqual([
      'intent contain: operator',
      'row opened',
      'outcome contain: recorded',
      'intent cut: recorded',
      'claimed',
      `${id} INACTIVE`,
      'drop pump-1',
      'outcome cut: cut-off',
      'row cut',
      'intent lock: cut-off',
      `${id} -device`,
      `${id} +${REPAIR}`,
      'pump-1 out of line',
      `pump-1 in ${QUARANTINE}`,
      'outcome lock: rights-swapped',
      'row locked',
      'row taskToken',
      'intent reopen: rights-swapped',
      'claimed',
      `${id} ACTIVE`,
      'outcome reopen: in-repair',
      'row reopened',
      'intent shut-off: shut-off-asked',
      'job shut-off',
      'row shutOff',
      'outcome shut-off: shut-off-done',
      'row shutOff',
    ]);
    expect([world.metric(METRICS.contained), world.metric(METRICS.shutOffDone)]).toEqual([1, 1]);
  });

  it('whose device does not answer is taken back, and says why', async () => {
    const { world, input } = single();
    world.jobs.answer = () => 'QUEUED';
    await world.run(input, { until: 'AwaitAnswer' });
    const trace = traced(world);
    await world.run(input);
    expect(trace).toEqual([
      'outcome shut-off: shut-off-unanswered',
      'job cancelled',
      'row shutOff',
      'intent deactivate: shut-off-unanswered',
      'claimed',
      `${id} INACTIVE`,
      'drop pump-1',
      'outcome deactivate: shut-off-unanswered',
      'row deactivated',
    ]);
  });

  it('is given back in the same way: the word is on record before anybody is woken, the row goes last', async () => {
    const { world, input } = single();
    await world.run(input);
    await world.step('AwaitWord', input);
    const trace = traced(world);
    await world.askRelease('pump-1');
    expect(trace).toEqual(['intent release: release-asked', 'row release']);
    expect(world.woken).toEqual(['token-pump-1']);
    await world.run(input, { until: 'nothing' });
    expect(trace.slice(2)).toEqual([
      'row releasing',
      'intent release: release-asked',
      `pump-1 out of ${QUARANTINE}`,
      'pump-1 in line',
      `${id} -${REPAIR}`,
      `${id} +device`,
      'job resume',
      'claim forgotten',
      'outcome release: released',
      'budget freed',
      'row closed',
    ]);
    expect(world.metric(METRICS.released)).toBe(1);
  });

  it('that was deactivated is ACTIVE again only when it may do what it could: policies first', async () => {
    const { world, input } = single();
    world.jobs.answer = () => 'FAILED';
    await world.run(input);
    await world.askRelease('pump-1');
    const trace = traced(world);
    await world.run(input, { until: 'nothing' });
    const order = [`pump-1 out of ${QUARANTINE}`, `${id} -${REPAIR}`, `${id} +device`, `${id} ACTIVE`, 'claim forgotten', 'row closed'];
    expect(trace.filter((line) => order.includes(line))).toEqual(order);
    expect(world.inventory.records.get(id)).toBeUndefined();
  });
});

describe('a step whose turn it is not', () => {
  const states: readonly (readonly [string, ContainmentState, Partial<Containment>])[] = [
    ['recorded', 'recorded', {}],
    ['cut', 'cut', {}],
    ['locked, and settling', 'locked', { settledAtMs: Number.MAX_SAFE_INTEGER }],
    ['locked, and settled', 'locked', { settledAtMs: 0 }],
    ['reopened', 'reopened', { settledAtMs: 0, reopened: [id] }],
    ['reopened, and asked', 'reopened', { settledAtMs: 0, reopened: [id], shutOff: asked }],
    ['reopened, and refused', 'reopened', { settledAtMs: 0, reopened: [id], shutOff: { ...asked, outcome: 'refused' } }],
    ['deactivated', 'deactivated', { settledAtMs: 0 }],
    ['to be released', 'reopened', { settledAtMs: 0, release }],
    ['to be released with a new key', 'reopened', { settledAtMs: 0, release: { ...release, rekey: true } }],
    ['waiting for a new key', 'reopened', { settledAtMs: 0, rekeying: true, rekeyAskedAtMs: 0, release: { ...release, rekey: true } }],
    ['half-way back', 'releasing', { settledAtMs: 0, release }],
  ];
  const WAITS = new Set<string>(['Record', 'Settle', 'AwaitWord']);
  const ANSWERS: Readonly<Record<string, string>> = { AwaitAnswer: 'CheckAnswer', AwaitKey: 'CheckReKey' };

  it.each(states)('does nothing, and says what is next: %s', async (_name, state, more) => {
    for (const step of [...CONTAIN_STEPS, ...RELEASE_STEPS].filter((one) => !WAITS.has(one))) {
      const { world, input } = single();
      await standing(world, input, { state, ...more });
      const { next } = await world.step('Record', input);
      if (step === next || step === ANSWERS[next]) continue;
      const trace = traced(world);
      expect([step, (await world.step(step, input)).next, trace]).toEqual([step, next, []]);
      expect([step, world.rotated, world.records.rows.get('pump-1')?.state]).toEqual([step, [], state]);
    }
  });

  it.each([...CONTAIN_STEPS, ...RELEASE_STEPS].filter((step) => step !== 'Record'))(
    '%s of a containment that is over, or in the place of which there is another one, ends its workflow and changes nothing',
    async (step) => {
      for (const there of [undefined, 'deactivate'] as const) {
        const { world, input } = single();
        if (there !== undefined) await standing(world, world.inputFor('pump-1', there, 'bbbbbbbbbbbb'), { state: 'reopened', release });
        const trace = traced(world);
        expect(await world.step(step, input)).toEqual({ next: 'Released', seconds: 0 });
        expect([trace, world.woken]).toEqual([[], []]);
      }
    },
  );

  it('because another delivery has done it meanwhile, goes on from where that one has come', async () => {
    const { world, input } = single();
    await world.run(input, { until: 'Cut' });
    world.iot.meanwhile = () => {
      const row = world.records.rows.get('pump-1')!;
      if (row.state === 'recorded') world.records.rows.set('pump-1', { ...row, state: 'cut' });
    };
    expect((await world.step('Cut', input)).next).toBe('Lock');
  });

  it('because it was released meanwhile, goes nowhere', async () => {
    const { world, input } = single();
    await world.run(input, { until: 'Cut' });
    world.iot.meanwhile = () => void world.records.rows.delete('pump-1');
    expect((await world.step('Cut', input)).next).toBe('Released');
  });

  it('that gives back leaves to another delivery what that one has begun', async () => {
    const { world, input } = single();
    await world.run(input);
    await world.askRelease('pump-1');
    const move = world.records.move.bind(world.records);
    world.records.move = async (...given) => {
      world.records.move = move;
      await world.records.close(given[0], input.containmentId, world.clock.nowMs());
      return world.records.move(...given);
    };
    const trace = traced(world);
    expect(await world.step('Restore', input)).toEqual({ next: 'Record', seconds: 0 });
    expect(trace.filter((line) => !line.startsWith('row'))).toEqual([]);
  });
});

describe('the first step', () => {
  it.each(['deleted', 'contained by another one'])(
    'of a thing that is %s begins nothing, gives its booking back, and says so',
    async (what) => {
      const { world, input } = single();
      await world.budget.book(
        [{ thingName: 'pump-1' as never, containmentId: input.containmentId, sinceMs: 0, groups: [] }],
        async () => true,
      );
      if (what === 'deleted') world.iot.things.delete('pump-1');
      else world.iot.meanwhile = () => undefined;
      if (what !== 'deleted') {
        // At the very moment at which this one looks.
        const describe = world.iot.describeThing.bind(world.iot);
        world.iot.describeThing = async (name) => {
          world.iot.describeThing = describe;
          await world.run(world.inputFor('pump-1', 'deactivate', 'bbbbbbbbbbbb'), { until: 'Cut' });
          return describe(name);
        };
      }
      expect(await world.run(input)).toBe('Released');
      expect(world.reasonsOf('pump-1', 'contain').at(-1)).toBe(what === 'deleted' ? 'no-such-thing' : 'already-contained');
      expect(world.budget.rows.get(input.containmentId)?.freedAtMs).toEqual(expect.any(Number));
      expect(world.iot.changes).toEqual([]);
      const ours = world.decisions.rows.filter(({ runId }) => runId === input.containmentId).map(({ step }) => step);
      expect(ours).toEqual(['intent', 'outcome']);
    },
  );

  it('repeated at the same moment keeps the first snapshot', async () => {
    const { world, input } = single();
    const open = world.records.open.bind(world.records);
    world.records.open = async (containment) => {
      world.records.open = open;
      await open({ ...containment, snapshot: { ...containment.snapshot, clientIds: ['first'] } });
      return open(containment);
    };
    expect((await world.step('Record', input)).next).toBe('Cut');
    expect(world.records.rows.get('pump-1')?.snapshot.clientIds).toEqual(['first']);
    expect(world.metric(METRICS.contained)).toBe(0);
  });

  it('of a containment that is over ends, and that of another one gives way, also under the emergency stop', async () => {
    const { world, input } = single();
    await world.run(input);
    await world.stop.set(true, 'ops', 'x', 0);
    expect(await world.step('Record', world.inputFor('pump-1', 'contain', 'bbbbbbbbbbbb'))).toMatchObject({ next: 'Released' });
    await world.askRelease('pump-1');
    await world.run(input, { until: 'nothing' });
    expect(await world.step('Record', input)).toMatchObject({ next: 'Released' });
    expect(world.stateOf('pump-1')).toBeUndefined();
  });

  it.each(['shut-off', 'contain'] as const)('that asks for %s lowers nothing, and wakes nobody', async (response) => {
    const { world, input } = single();
    await world.run(input);
    await world.step('AwaitWord', input);
    expect(await world.step('Record', world.inputFor('pump-1', response, 'bbbbbbbbbbbb'))).toMatchObject({ next: 'Released' });
    expect([world.records.rows.get('pump-1')?.response, world.woken]).toEqual(['contain', []]);
  });

  it('that asks for more raises the other one, which finds it there when it does not wait', async () => {
    const { world, input } = single();
    await world.run(input, { until: 'Lock' });
    await world.step('Record', world.inputFor('pump-1', 'deactivate', 'bbbbbbbbbbbb'));
    expect(world.records.rows.get('pump-1')?.response).toBe('deactivate');
    expect(world.woken).toHaveLength(0);
    await world.run(input);
    expect(world.stateOf('pump-1')).toBe('deactivated');
  });

  it('is taken neither in observe nor under the emergency stop', async () => {
    const { world, input } = single();
    world.mode = 'observe';
    expect(await world.step('Record', input)).toMatchObject({ next: 'Paused' });
    expect([world.records.rows.size, world.decisions.rows, world.metric(METRICS.stopped)]).toEqual([0, [], 0]);
    world.mode = 'enforce';
    await world.stop.set(true, 'ops', 'x', 0);
    expect(await world.step('Record', input)).toMatchObject({ next: 'Paused' });
    expect([world.records.rows.size, world.decisions.rows, world.metric(METRICS.stopped)]).toEqual([0, [], 1]);
  });
});

describe('what waits for a word', () => {
  it('keeps the token by which it is woken, and is not woken by itself', async () => {
    const { world, input } = single();
    await world.run(input);
    expect(await world.step('AwaitWord', input)).toMatchObject({ next: 'AwaitWord' });
    expect([world.records.rows.get('pump-1')?.taskToken, world.woken]).toEqual(['token-pump-1', []]);
  });

  it('goes on by itself where there is nothing to wait for', async () => {
    const { world, input } = single();
    await world.run(input, { until: 'Cut' });
    await world.step('AwaitWord', input);
    expect(world.woken).toEqual(['token-pump-1']);
  });

  it('waits until its time box ends, a day at a time', async () => {
    const { world, input } = single();
    await world.run(input);
    const { endsAtMs } = world.records.rows.get('pump-1')!;
    const left = Math.ceil((endsAtMs - world.clock.nowMs()) / 1000);
    expect(await world.step('Watch', input)).toEqual({ next: 'AwaitWord', seconds: left });
    await world.intake({ kind: 'extend', thingName: 'pump-1', by: 'ops', hours: 100 });
    expect(await world.step('Watch', input)).toEqual({ next: 'AwaitWord', seconds: 86_400 });
    world.clock.advance(100 * 60 * MINUTE);
    expect(await world.step('Watch', input)).toEqual({ next: 'AwaitWord', seconds: 86_400 });
    expect(world.reasonsOf('pump-1', 'time-box')).toEqual(['time-box-over']);
  });
});
