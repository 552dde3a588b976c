/**
 * The execution environments of one function: started when needed, used again, at most `limit` at a time; those that nobody used for five
 * minutes of wall time end, as on Lambda (whose time is not documented). Work beyond the limit waits in line.
 */
import type { ExecutionEnvironment } from './execution-environment.js';

const IDLE_MS = 5 * 60_000;

interface Entry {
  readonly environment: ExecutionEnvironment;
  /** Simulated time from which its session credentials are not good any more. */
  readonly usableUntilMs: number;
  idleTimer?: NodeJS.Timeout;
}

export interface Started {
  readonly environment: ExecutionEnvironment;
  readonly usableUntilMs: number;
}

export class EnvironmentPool {
  private readonly all = new Set<Entry>();
  private readonly idle: Entry[] = [];
  private readonly line: (() => void)[] = [];
  private stopped = false;

  constructor(
    private readonly start: () => Started,
    private readonly nowMs: () => number,
    public limit: number,
  ) {}

  get busyCount(): number {
    return this.all.size - this.idle.length;
  }

  /** Lends an environment for one piece of work, the newest idle one first, so that the others may end. */
  async use<T>(work: (environment: ExecutionEnvironment) => Promise<T>): Promise<T> {
    const entry = await this.take();
    try {
      return await work(entry.environment);
    } finally {
      this.giveBack(entry);
    }
  }

  async stop(): Promise<void> {
    this.stopped = true;
    for (const next of this.line.splice(0)) next();
    await Promise.all([...this.all].map(async (entry) => this.discard(entry)));
  }

  private async take(): Promise<Entry> {
    for (;;) {
      if (this.stopped) throw new Error('the desk is stopping');
      const entry = this.idle.pop();
      if (entry) {
        clearTimeout(entry.idleTimer);
        if (entry.environment.alive && entry.usableUntilMs > this.nowMs()) return entry;
        void this.discard(entry);
        continue;
      }
      if (this.all.size < this.limit) {
        const started: Entry = { ...this.start() };
        this.all.add(started);
        return started;
      }
      await new Promise<void>((resolve) => this.line.push(resolve));
    }
  }

  private giveBack(entry: Entry): void {
    if (!entry.environment.alive || this.stopped) void this.discard(entry);
    else {
      entry.idleTimer = setTimeout(() => {
        this.idle.splice(this.idle.indexOf(entry), 1);
        void this.discard(entry);
      }, IDLE_MS);
      entry.idleTimer.unref();
      this.idle.push(entry);
    }
    this.line.shift()?.();
  }

  private async discard(entry: Entry): Promise<void> {
    clearTimeout(entry.idleTimer);
    this.all.delete(entry);
    await entry.environment.stop();
  }
}
