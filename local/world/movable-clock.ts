/**
 * The one file below local/ that reads the wall clock. A heap of tasks ordered by simulated due time; one wall timer for the earliest of
 * them, so that ten thousand simulated timers cost one of Node's. `advance` jumps from task to task:
 *
 *     now ═jump═► task A ──awaited──► ═jump═► task B (set by A) ──awaited──► ═jump═► now + ms
 *
 * While a task is awaited, time goes on at the wall's rate: a task may wait for another timer (a function that sleeps, an answer that is
 * delayed) without a deadlock, and the execution environments' clocks differ only by an offset that changes at jumps.
 */
import type { DeskClock } from './clock.js';

interface Task {
  readonly dueMs: number;
  /** Keeps tasks that fall due together in the order in which they were set. */
  readonly order: number;
  readonly run: () => void | Promise<void>;
  cancelled: boolean;
}

/** The longest delay of Node's setTimeout; beyond it a timer fires at once. */
const LONGEST_WALL_DELAY_MS = 2 ** 31 - 1;

/** Up to a day, a jump runs every repetition of a repeated task; beyond, at most so many. */
const LONG_JUMP_MS = 24 * 60 * 60 * 1000;
const MOST_RUNS = 24;

export interface ClockOptions {
  /** Simulated time at the start. @default the wall clock's */
  readonly startAt?: Date;
  /** What a task threw. @default it is thrown again from a microtask: loud in tests */
  readonly onError?: (error: unknown) => void;
}

export class MovableClock implements DeskClock {
  private readonly heap: Task[] = [];
  private readonly onError: (error: unknown) => void;
  private offset: number;
  private order = 0;
  private timer: NodeJS.Timeout | undefined;
  /** Tasks and tracked work under way: `advance` goes on when there is none. */
  private readonly running = new Set<Promise<void>>();
  private jumping: { readonly lengthMs: number; readonly targetMs: number } | undefined;
  private advancing: Promise<void> = Promise.resolve();
  private stopped = false;

  constructor(options: ClockOptions = {}) {
    this.offset = options.startAt ? options.startAt.getTime() - Date.now() : 0;
    this.onError =
      options.onError ??
      ((error) => {
        queueMicrotask(() => {
          throw error;
        });
      });
  }

  get offsetMs(): number {
    return this.offset;
  }

  nowMs(): number {
    return Date.now() + this.offset;
  }

  date(): Date {
    return new Date(this.nowMs());
  }

  after(delayMs: number, task: () => void | Promise<void>): () => void {
    const entry: Task = { dueMs: this.nowMs() + Math.max(0, delayMs), order: this.order++, run: task, cancelled: false };
    if (this.stopped) return () => undefined;
    this.push(entry);
    if (this.heap[0] === entry) this.arm();
    return () => {
      entry.cancelled = true;
    };
  }

  every(periodMs: number, task: () => void | Promise<void>): () => void {
    if (!(periodMs > 0)) throw new RangeError(`period of a repeated task: got ${periodMs}, expected more than 0 ms`);
    let cancel = (): void => undefined;
    let ended = false;
    let dueMs = this.nowMs() + periodMs;
    const next = (): void => {
      cancel = this.after(dueMs - this.nowMs(), async () => {
        try {
          await task();
        } finally {
          dueMs = this.nextDue(dueMs, periodMs);
          if (!ended) next();
        }
      });
    };
    next();
    return () => {
      ended = true;
      cancel();
    };
  }

  track<T>(work: Promise<T>): Promise<T> {
    const settled = work.then(
      () => undefined,
      () => undefined,
    );
    this.running.add(settled);
    void settled.finally(() => this.running.delete(settled));
    return work;
  }

  /** Calls that overlap run one after the other: two movers of time must not jump over each other's tasks. */
  advance(ms: number): Promise<void> {
    if (!(ms >= 0)) throw new RangeError(`time to advance: got ${ms}, expected at least 0 ms (time does not go back)`);
    const run = this.advancing.then(() => this.jump(ms));
    this.advancing = run.catch(() => undefined);
    return run;
  }

  stop(): void {
    this.stopped = true;
    this.heap.length = 0;
    if (this.timer) clearTimeout(this.timer);
    this.timer = undefined;
  }

  private async jump(ms: number): Promise<void> {
    const targetMs = this.nowMs() + ms;
    this.jumping = { lengthMs: ms, targetMs };
    try {
      await this.settle();
      for (let next = this.earliest(); next && next.dueMs <= targetMs; next = this.earliest()) {
        this.pop();
        this.moveTo(next.dueMs);
        this.arm();
        void this.start(next);
        await this.settle();
      }
      this.moveTo(targetMs);
    } finally {
      this.jumping = undefined;
      this.arm();
    }
  }

  /**
   * Waits until nothing is under way: the task itself, and what it set off (an event is delivered, a function runs). Two turns of the event loop
   * let a chain of promises get from a delivery to the next invocation.
   */
  private async settle(): Promise<void> {
    do {
      await Promise.all(this.running);
      for (let turn = 0; turn < 2; turn++) await new Promise((resolve) => setImmediate(resolve));
    } while (this.running.size > 0);
  }

  /**
   * The next multiple of the period; in a long jump so many periods later that a repeated task runs a bounded number of times, the last time at the
   * last multiple before the end: what is due at the end of the jump is done.
   */
  private nextDue(dueMs: number, periodMs: number): number {
    const { lengthMs = 0, targetMs = 0 } = this.jumping ?? {};
    const stride = lengthMs > LONG_JUMP_MS ? Math.max(1, Math.ceil(lengthMs / periodMs / MOST_RUNS)) : 1;
    const periods = (untilMs: number): number => Math.max(1, Math.ceil((untilMs - dueMs) / periodMs));
    // Never in the past where the task itself took longer than a period.
    const wanted = Math.max(1, Math.min(stride, Math.floor((targetMs - dueMs) / periodMs)));
    return dueMs + Math.max(wanted, periods(this.nowMs())) * periodMs;
  }

  /** Time never goes back: where the wall clock is ahead of `ms` already, nothing moves. */
  private moveTo(ms: number): void {
    this.offset = Math.max(this.offset, ms - Date.now());
  }

  private start(task: Task): Promise<void> {
    const run = (async () => {
      try {
        await task.run();
      } catch (error) {
        this.onError(error);
      }
    })();
    this.running.add(run);
    void run.finally(() => this.running.delete(run));
    return run;
  }

  /** Runs what is due by the wall clock. Tasks are started in order and not awaited: a slow one must not hold up the others. */
  private tick(): void {
    this.timer = undefined;
    for (let next = this.earliest(); next && next.dueMs <= this.nowMs(); next = this.earliest()) {
      this.pop();
      void this.start(next);
    }
    this.arm();
  }

  private arm(): void {
    if (this.timer) clearTimeout(this.timer);
    this.timer = undefined;
    const next = this.earliest();
    if (!next || this.stopped) return;
    const delayMs = Math.min(Math.max(0, next.dueMs - this.nowMs()), LONGEST_WALL_DELAY_MS);
    this.timer = setTimeout(() => this.tick(), delayMs);
    // The desk's open sockets keep the process alive, not its future tasks.
    this.timer.unref();
  }

  private earliest(): Task | undefined {
    while (this.heap[0]?.cancelled) this.pop();
    return this.heap[0];
  }

  private push(task: Task): void {
    this.heap.push(task);
    for (let i = this.heap.length - 1; i > 0;) {
      const parent = (i - 1) >> 1;
      if (!before(this.heap[i], this.heap[parent])) return;
      this.swap(i, parent);
      i = parent;
    }
  }

  private pop(): void {
    const last = this.heap.pop();
    if (!last || this.heap.length === 0) return;
    this.heap[0] = last;
    for (let i = 0; ;) {
      const left = 2 * i + 1;
      const smallest = [left, left + 1].reduce((best, child) => (before(this.heap[child], this.heap[best]) ? child : best), i);
      if (smallest === i) return;
      this.swap(i, smallest);
      i = smallest;
    }
  }

  private swap(i: number, j: number): void {
    const a = this.heap[i];
    const b = this.heap[j];
    if (a && b) [this.heap[i], this.heap[j]] = [b, a];
  }
}

function before(a: Task | undefined, b: Task | undefined): boolean {
  if (!a || !b) return a !== undefined;
  return a.dueMs < b.dueMs || (a.dueMs === b.dueMs && a.order < b.order);
}
