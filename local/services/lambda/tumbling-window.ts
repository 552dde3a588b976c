/**
 * Windows of a stream (Lambda developer guide, "Implementing stateful Kinesis Data Streams processing in Lambda"):
 *
 *     records ──► invoke {window, state} ──► {state} ──► invoke {window, state} ──► … ──► invoke {isFinalInvokeForWindow, state, no records}
 *                 └─ a window is cut by the records' times of arrival, one state for each shard ─┘
 *
 * A window is over when a record of a later one is there; without such a record Lambda "waits for up to 2 minutes": here two minutes after the end.
 * A window without records is no window: nothing is invoked.
 */
import type { Invoked } from './invocation.js';
import type { KinesisRecord } from './stream-record.js';

export const LAST_RECORD_WAIT_MS = 120_000;
/** "Your state can be a maximum of 1 MB per shard. If it exceeds that size, Lambda terminates the window early." */
export const MAXIMUM_STATE_BYTES = 1024 * 1024;

const EMPTY = { state: {}, bytes: 2 };

export class TumblingWindow {
  private current: { readonly state: unknown; readonly bytes: number } = EMPTY;

  private constructor(
    readonly startMs: number,
    readonly endMs: number,
  ) {}

  /** The window that a record belongs to: windows begin at multiples of their length since 1970. */
  static of(record: KinesisRecord, seconds: number): TumblingWindow {
    const lengthMs = seconds * 1000;
    const startMs = Math.floor(record.ApproximateArrivalTimestamp.getTime() / lengthMs) * lengthMs;
    return new TumblingWindow(startMs, startMs + lengthMs);
  }

  holds(record: KinesisRecord): boolean {
    return record.ApproximateArrivalTimestamp.getTime() < this.endMs;
  }

  /** When the window is over although no later record has come. */
  get overAtMs(): number {
    return this.endMs + LAST_RECORD_WAIT_MS;
  }

  /** Takes the state from an answer. */
  take({ payload }: Invoked): void {
    const { state } = payload as { state: unknown };
    this.current = { state, bytes: Buffer.byteLength(JSON.stringify(state)) };
  }

  /** After an early end the same window goes on with a fresh state. */
  refresh(): void {
    this.current = EMPTY;
  }

  get stateBytes(): number {
    return this.current.bytes;
  }

  get stateIsTooLarge(): boolean {
    return this.stateBytes > MAXIMUM_STATE_BYTES;
  }

  /** The members of the event beside its records. */
  members(shardId: string, streamArn: string, final: boolean, early: boolean): Record<string, unknown> {
    return {
      window: { start: seconds(this.startMs), end: seconds(this.endMs) },
      state: this.current.state,
      shardId,
      eventSourceARN: streamArn,
      isFinalInvokeForWindow: final,
      isWindowTerminatedEarly: early,
    };
  }
}

/** Without a `state` an answer counts as a failed invocation, whatever else it says. */
export const carriesState = ({ payload }: Invoked): boolean =>
  typeof payload === 'object' && payload !== null && (payload as { state?: unknown }).state !== undefined;

/** `2020-12-09T07:04:00Z`: whole seconds, as in the guide's example. */
const seconds = (ms: number): string => new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z');
