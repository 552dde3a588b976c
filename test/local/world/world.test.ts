import { MovableClock } from '../../../local/world/movable-clock.js';
import { TokenBucket } from '../../../local/world/quotas.js';
import { RingJournal } from '../../../local/world/ring-journal.js';
import { SeededFaults } from '../../../local/world/seeded-faults.js';

const START = new Date('2026-11-22T10:00:00Z');
const clocks: MovableClock[] = [];
const clockAt = (startAt = START): MovableClock => {
  const clock = new MovableClock({ startAt });
  clocks.push(clock);
  return clock;
};
afterEach(() => clocks.splice(0).forEach((clock) => clock.stop()));
const DAY = 86_400_000;

describe('the movable clock', () => {
  it('starts where it is told to', () => expect(Math.abs(clockAt().nowMs() - START.getTime())).toBeLessThan(1000));

  it('runs what falls due on the way in the order of due times, each at its own time', async () => {
    const clock = clockAt();
    const ran: [string, number][] = [];
    const note = (name: string) => () => void ran.push([name, Math.floor((clock.nowMs() - START.getTime()) / DAY)]);
    clock.after(20 * DAY, note('b'));
    clock.after(10 * DAY, note('a'));
    clock.after(40 * DAY, note('later'));
    await clock.advance(30 * DAY);
    expect(ran).toEqual([
      ['a', 10],
      ['b', 20],
    ]);
    expect(Math.round((clock.nowMs() - START.getTime()) / DAY)).toBe(30);
  });

  it('awaits a task, and runs what that task set', async () => {
    const clock = clockAt();
    const ran: string[] = [];
    clock.after(1000, async () => {
      await new Promise((resolve) => setTimeout(resolve, 20));
      ran.push('first');
      clock.after(1000, () => void ran.push('second'));
    });
    await clock.advance(5000);
    expect(ran).toEqual(['first', 'second']);
  });

  it('does not deadlock on a task that waits for another timer', async () => {
    const clock = clockAt();
    let done = false;
    clock.after(1000, async () => {
      await new Promise<void>((resolve) => clock.after(30, resolve));
      done = true;
    });
    await clock.advance(60_000);
    expect(done).toBe(true);
  });

  it('lets the wall clock run tasks too', async () => {
    const clock = clockAt();
    await new Promise<void>((resolve) => clock.after(20, resolve));
    expect(clock.nowMs() - START.getTime()).toBeGreaterThanOrEqual(20);
  });

  it('waits for work that a task set off elsewhere before it goes on', async () => {
    const clock = clockAt();
    const ran: string[] = [];
    clock.after(1000, () => {
      void clock.track(new Promise<void>((resolve) => setTimeout(() => resolve(void ran.push('work')), 30)));
    });
    clock.after(2000, () => void ran.push('next'));
    await clock.advance(5000);
    expect(ran).toEqual(['work', 'next']);
  });

  it('repeats at most 24 times in a jump of more than a day, and keeps its beat afterwards', async () => {
    const clock = clockAt();
    let ran = 0;
    clock.every(60_000, () => void ran++);
    await clock.advance(30 * DAY);
    expect(ran).toBeGreaterThan(20);
    expect(ran).toBeLessThanOrEqual(25);
    await clock.advance(10 * 60_000);
    expect(ran).toBeGreaterThanOrEqual(33);
  });

  it('does not run a cancelled task', async () => {
    const clock = clockAt();
    let ran = false;
    clock.after(1000, () => void (ran = true))();
    await clock.advance(2000);
    expect(ran).toBe(false);
  });

  it('repeats until cancelled', async () => {
    const clock = clockAt();
    let ran = 0;
    const cancel = clock.every(60_000, () => void ran++);
    await clock.advance(5 * 60_000 + 5_000);
    expect(ran).toBe(5);
    cancel();
    await clock.advance(600_000);
    expect(ran).toBe(5);
  });

  it('runs ten thousand tasks in order', async () => {
    const clock = clockAt();
    const ran: number[] = [];
    for (let index = 0; index < 10_000; index++) {
      const due = (index * 7919) % 10_000;
      clock.after(1_000_000 + due * 1000, () => void ran.push(due));
    }
    await clock.advance(20_000_000);
    expect(ran).toEqual(Array.from({ length: 10_000 }, (_, index) => index));
  });

  it('refuses to go back', () => expect(() => clockAt().advance(-1)).toThrow('time does not go back'));
});

describe('faults', () => {
  const draw = (seed: number, settings: Parameters<SeededFaults['set']>[0], count = 1000): string[] => {
    const faults = new SeededFaults(seed, clockAt());
    faults.set(settings);
    return Array.from({ length: count }, () => faults.request('iot:UpdateCertificate'));
  };

  it('are off at first', () => expect(new Set(draw(1, {}))).toEqual(new Set(['none'])));
  it('are the same for the same seed', () => expect(draw(5, { throttle: 0.3 })).toEqual(draw(5, { throttle: 0.3 })));
  it('come in their share', () => {
    const drawn = draw(7, { throttle: 0.3, lostAnswer: 0.1 }, 10_000);
    expect(drawn.filter((fault) => fault === 'throttle').length / 10_000).toBeCloseTo(0.3, 1);
    expect(drawn.filter((fault) => fault === 'lostAnswer').length / 10_000).toBeCloseTo(0.1, 1);
  });
  it('can be for some operations only', () =>
    expect(new Set(draw(1, { throttle: 1, only: ['iot:DescribeCertificate'] }))).toEqual(new Set(['none'])));
  it('refuse a share that is none', () => expect(() => draw(1, { throttle: 1.5 })).toThrow('throttle'));
  it('enforce the quotas when told to: ten UpdateCertificate a second', async () => {
    const clock = clockAt();
    const faults = new SeededFaults(1, clock);
    faults.set({ quotas: true });
    const burst = Array.from({ length: 15 }, () => faults.request('iot:UpdateCertificate'));
    expect(burst.filter((fault) => fault === 'none')).toHaveLength(10);
    await clock.advance(1000);
    expect(faults.request('iot:UpdateCertificate')).toBe('none');
  });
  it('fill a bucket at the rate of the quota', () => {
    const bucket = new TokenBucket(2, 0);
    expect([bucket.take(0), bucket.take(0), bucket.take(0), bucket.take(500), bucket.take(500)]).toEqual([true, true, false, true, false]);
  });
});

describe('the journal', () => {
  it('keeps the newest twenty thousand entries and counts all calls', () => {
    const journal = new RingJournal(clockAt());
    for (let index = 0; index < 25_000; index++)
      journal.add({ kind: 'call', what: 'iot:DescribeCertificate', who: String(index), ok: true });
    const entries = journal.entries();
    expect([entries.length, entries[0]?.who, entries.at(-1)?.who]).toEqual([20_000, '5000', '24999']);
    expect(journal.counts().get('iot:DescribeCertificate')).toBe(25_000);
  });
});
