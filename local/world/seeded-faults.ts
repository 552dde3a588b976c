import type { DeskClock } from './clock.js';
import type { Faults, FaultSettings } from './faults.js';
import { REQUEST_QUOTAS, TokenBucket } from './quotas.js';

const NONE: FaultSettings = { throttle: 0, serverError: 0, lostAnswer: 0, duplicate: 0, reorder: 0, lostEvent: 0 };
/** A delivery put behind later ones waits up to this long, in simulated ms. */
const LONGEST_REORDER_MS = 2_000;

/** Trouble from a seed: with the same seed and the same sequence of questions, the same answers. */
export class SeededFaults implements Faults {
  private settings = NONE;
  private state: number;
  private readonly buckets = new Map<string, TokenBucket>();

  constructor(
    readonly seed: number,
    private readonly clock: DeskClock,
  ) {
    this.state = seed >>> 0;
  }

  set(settings: Partial<FaultSettings>): void {
    const next = { ...this.settings, ...settings };
    for (const [name, share] of Object.entries(next)) {
      if (typeof share === 'number' && !(share >= 0 && share <= 1))
        throw new RangeError(`fault ${name}: got ${share}, expected a share from 0 to 1`);
    }
    if (next.throttle + next.serverError + next.lostAnswer > 1)
      throw new RangeError('throttle, serverError and lostAnswer: expected a sum of at most 1');
    this.settings = next;
  }

  request(action: string): 'none' | 'throttle' | 'serverError' | 'lostAnswer' {
    const { throttle, serverError, lostAnswer, only, quotas } = this.settings;
    if (quotas && this.overQuota(action)) return 'throttle';
    if (throttle + serverError + lostAnswer === 0 || (only && !only.includes(action))) return 'none';
    const drawn = this.random();
    if (drawn < throttle) return 'throttle';
    if (drawn < throttle + serverError) return 'serverError';
    return drawn < throttle + serverError + lostAnswer ? 'lostAnswer' : 'none';
  }

  delivery(): { readonly copies: number; readonly delayMs: number } {
    const { duplicate, reorder } = this.settings;
    return {
      copies: duplicate > 0 && this.random() < duplicate ? 2 : 1,
      delayMs: reorder > 0 && this.random() < reorder ? Math.ceil(this.random() * LONGEST_REORDER_MS) : 0,
    };
  }

  get quotasOn(): boolean {
    return this.settings.quotas === true;
  }

  losesEvent(): boolean {
    return this.settings.lostEvent > 0 && this.random() < this.settings.lostEvent;
  }

  /** mulberry32: 32 bits of state are plenty for choosing faults, and the seed fits on the screen. */
  random(): number {
    this.state = (this.state + 0x6d2b79f5) >>> 0;
    let t = this.state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  }

  private overQuota(action: string): boolean {
    const perSecond = REQUEST_QUOTAS[action];
    if (perSecond === undefined) return false;
    const nowMs = this.clock.nowMs();
    const bucket = this.buckets.get(action) ?? new TokenBucket(perSecond, nowMs);
    this.buckets.set(action, bucket);
    return !bucket.take(nowMs);
  }
}
