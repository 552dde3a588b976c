/** Who goes first at the calls of which an account has few a second, and that all together never make more of them. */
import { NoSlotInTime } from '../../lambda/ports/pace.js';
import { nextSlot, type Slot } from '../../lambda/quarantine/pace.js';
import { TestClock } from '../revocation/memory/clock.js';
import { MemoryPace } from '../revocation/memory/ledger.js';

const PER_SECOND = 5;

function workers() {
  const ports = { clock: new TestClock(), pace: new MemoryPace() };
  const startMs = ports.clock.nowMs();
  const calls: { readonly name: string; readonly atMs: number }[] = [];
  const work = async (name: string, slot: Slot = {}): Promise<void> => {
    await nextSlot(ports, { perSecond: PER_SECOND }, slot);
    for (let call = 0; call < (slot.calls ?? 1); call += 1) calls.push({ name, atMs: ports.clock.nowMs() - startMs });
  };
  const many = (count: number, name: string, slot?: Slot) => Array.from({ length: count }, () => work(name, slot));
  return { ports, calls, many, timesOf: (wanted: string) => calls.filter(({ name }) => name === wanted).map(({ atMs }) => atMs) };
}

describe('the pace of quarantine', () => {
  it('lets what stands between the word and the cut go first: a hundred releases delay five cuts by a second at most', async () => {
    const { ports, many, timesOf } = workers();
    const releases = many(100, 'release');
    await ports.clock.sleepUntil(ports.clock.nowMs() + 4000);
    const sinceMs = 4000;
    await Promise.all(many(5, 'cut', { isUrgent: true }));
    expect(timesOf('cut').every((atMs) => atMs - sinceMs <= 1000 + 5 * 200)).toBe(true);
    await Promise.all(releases);
    expect(timesOf('release')).toHaveLength(100);
  });
  it('never lets all together make more calls in a second than it has', async () => {
    const { calls, many } = workers();
    await Promise.all([...many(30, 'release'), ...many(20, 'cut', { isUrgent: true }), ...many(3, 'lock', { calls: 4 })]);
    expect(calls).toHaveLength(62);
    for (const { atMs } of calls) {
      // Those of one slot are made at its beginning, and nobody else comes until it is over.
      const within = calls.filter((other) => other.atMs >= atMs && other.atMs < atMs + 1000);
      expect(within.length).toBeLessThanOrEqual(PER_SECOND + 3);
    }
    expect(Math.max(...calls.map(({ atMs }) => atMs))).toBeGreaterThanOrEqual(((62 - 5) / PER_SECOND) * 1000);
  });
  it('lets nobody wait for longer than a function may live: who has found no slot fails, and holds none', async () => {
    const { ports, many } = workers();
    const cuts = many(400, 'cut', { isUrgent: true }).map((cut) => cut.catch((error: unknown) => error));
    const release = many(1, 'release', { waitMs: 10_000 }).map((one) => one.catch((error: unknown) => error));
    expect(await Promise.all(release)).toEqual([expect.any(NoSlotInTime)]);
    const failed = (await Promise.all(cuts)).filter((one) => one instanceof NoSlotInTime);
    expect(failed.length).toBeGreaterThanOrEqual(90);
    expect(ports.clock.nowMs()).toBeLessThan(Date.parse('2026-11-22T10:02:00Z'));
  });
  it('gives up in time also where asking takes so long that its place in the queue is always free again', async () => {
    const clock = new TestClock();
    const pace = {
      reserve: async (name: string): Promise<number> => {
        clock.advance(1000);
        if (name === 'quarantine') throw new NoSlotInTime(name);
        return clock.nowMs();
      },
    };
    const startMs = clock.nowMs();
    await expect(nextSlot({ clock, pace }, { perSecond: PER_SECOND })).rejects.toThrow(NoSlotInTime);
    expect(clock.nowMs() - startMs).toBeLessThanOrEqual(62_000);
  });
  it('keeps a pace of its own for jobs: devices that are asked for their answer delay no cut', async () => {
    const { many, timesOf } = workers();
    const asked = many(50, 'answer', { of: 'jobs' });
    await Promise.all(many(2, 'cut', { isUrgent: true }));
    expect(Math.max(...timesOf('cut'))).toBeLessThanOrEqual(200);
    await Promise.all(asked);
  });
});
