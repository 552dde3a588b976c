/**
 * One shard of a mapping: batches in the order of the shard, one at a time. A failed batch holds up its shard until it succeeds, is too old, or has
 * been tried often enough (Lambda developer guide, "Retain discarded batch records for a Kinesis Data Streams event source in Lambda").
 *
 *     arrival, timer ──► pump ──► read ──► [final invocation of the window before] ──► batch ──► invoke ──► done │ retry later │ discard
 */
import { randomUUID } from 'node:crypto';
import type { Cloud } from '../../cloud.js';
import type { LambdaFunction } from './function.js';
import type { Invocations, Invoked } from './invocation.js';
import { ShardRecords, type StartingPoint } from './shard-records.js';
import { type StreamBatch, discardRecord, recordsDone, remaining } from './stream-batch.js';
import { type KinesisRecord, eventBytes, streamRecord } from './stream-record.js';
import type { StreamSettings } from './stream-settings.js';
import { TumblingWindow, carriesState } from './tumbling-window.js';

/** What the mapping tells each of its shards. */
export interface OfMapping {
  readonly cloud: Cloud;
  readonly invocations: Invocations;
  readonly lambda: LambdaFunction;
  readonly streamArn: string;
  settings(): StreamSettings;
  /** Enabled, not stopped, and the function's role may read. */
  mayRun(): boolean;
  report(result: string): void;
}

/** The event with its state must fit a synchronous invocation of 6 MB. */
const MOST_EVENT_BYTES = 6 * 1024 * 1024 - 64 * 1024;
const FIRST_PAUSE_MS = 1000;
const LONGEST_PAUSE_MS = 60_000;

export class ShardPoller {
  private readonly source: ShardRecords;
  private batches: readonly StreamBatch[] = [];
  private window: TumblingWindow | undefined;
  /** Since when the records wait of which the next batch is made. */
  private gatheringSinceMs: number | undefined;
  private failures = 0;
  private notBeforeMs = 0;
  private pumping = false;
  private again = false;
  private cancelWake = (): void => undefined;

  constructor(
    private readonly of: OfMapping,
    private readonly shardId: string,
    start: StartingPoint,
  ) {
    this.source = new ShardRecords(of.cloud, of.streamArn, shardId, start);
  }

  /** Works until there is nothing to do now. Moved time waits for it. */
  wake(): void {
    this.source.arrived = true;
    void this.of.cloud.world.clock.track(this.pump());
  }

  stop(): void {
    this.cancelWake();
  }

  private async pump(): Promise<void> {
    if (this.pumping) {
      this.again = true;
      return;
    }
    this.pumping = true;
    try {
      do {
        this.again = false;
        let next = await this.step();
        while (next === 'on' && this.of.mayRun()) next = await this.step();
        if (typeof next === 'number') this.wakeAt(next);
      } while (this.again && this.of.mayRun());
    } catch (error) {
      this.failed((error as Error).message);
      if (this.of.mayRun()) this.wakeAt(this.notBeforeMs);
    } finally {
      this.pumping = false;
    }
  }

  private wakeAt(atMs: number): void {
    const { clock } = this.of.cloud.world;
    this.cancelWake();
    this.cancelWake = clock.after(Math.max(0, atMs - clock.nowMs()), () => this.pump());
  }

  /** One thing at a time. Answers `on` where more can be done now, when to look again, or nothing: an arrival wakes it. */
  private async step(): Promise<'on' | number | undefined> {
    if (!this.of.mayRun()) return undefined;
    if (this.now() < this.notBeforeMs) return this.notBeforeMs;
    const settings = this.of.settings();
    if (this.window?.stateIsTooLarge) return this.closeWindow(true);
    if (this.batches.length > 0) return this.runBatch(settings);
    await this.source.fill(settings.batchSize, settings.filters);
    if (this.windowIsOver(settings)) return this.closeWindow(false);
    return this.nextBatch(settings);
  }

  /** Makes a batch of what waits, or says when to look again. */
  private nextBatch(settings: StreamSettings): 'on' | number | undefined {
    const { waiting, arrived, pollAtMs } = this.source;
    // An arrival wakes this shard, but for one poll a second; a window ends by time.
    const pollMs = arrived ? pollAtMs : Infinity;
    if (waiting.length === 0) return finite(Math.min(pollMs, this.window?.overAtMs ?? Infinity));
    const nowMs = this.now();
    this.gatheringSinceMs ??= nowMs;
    const batch = this.gather(settings);
    const readyAtMs = Math.min(this.gatheringSinceMs + settings.batchingSeconds * 1000, this.window?.endMs ?? Infinity);
    const whole = batch.length === settings.batchSize || batch.length < waiting.length;
    if (!whole && nowMs < readyAtMs) return Math.min(readyAtMs, pollMs);
    waiting.splice(0, batch.length);
    this.gatheringSinceMs = undefined;
    this.batches = [{ records: batch, attempts: 0 }];
    return 'on';
  }

  /** The next records that may be in one event: of one window, within the sizes. */
  private gather(settings: StreamSettings): KinesisRecord[] {
    const batch: KinesisRecord[] = [];
    if (settings.windowSeconds > 0) this.window ??= TumblingWindow.of(this.source.waiting[0]!, settings.windowSeconds);
    let bytes = this.window?.stateBytes ?? 0;
    for (const record of this.source.waiting) {
      bytes += eventBytes(record);
      if (batch.length === settings.batchSize || (batch.length > 0 && bytes > MOST_EVENT_BYTES)) break;
      if (this.window && !this.window.holds(record)) break;
      batch.push(record);
    }
    return batch;
  }

  private windowIsOver(settings: StreamSettings): boolean {
    if (!this.window) return false;
    const [next] = this.source.waiting;
    return settings.windowSeconds === 0 || (next ? !this.window.holds(next) : this.now() >= this.window.overAtMs);
  }

  /** The last invocation of a window: no records, the whole state. Until it succeeds nothing else of the shard is processed. */
  private async closeWindow(early: boolean): Promise<'on'> {
    const window = this.window!;
    const result = await this.invoke([], window.members(this.shardId, this.of.streamArn, true, early));
    if (!result?.ok || !carriesState(result)) {
      this.failed(result ? 'Function call failed' : 'Function call throttled');
      return 'on';
    }
    this.succeeded();
    if (early) window.refresh();
    else this.window = undefined;
    return 'on';
  }

  private async runBatch(settings: StreamSettings): Promise<'on'> {
    const [batch, ...others] = this.withoutTooOld(settings);
    this.batches = batch ? [batch, ...others] : [];
    if (!batch) return 'on';
    this.age(batch);
    const result = await this.invoke(batch.records, this.window?.members(this.shardId, this.of.streamArn, false, false));
    // Throttled is no attempt of the function: only the records' age ends it.
    if (!result) this.failed('Function call throttled');
    else await this.finish(batch, others, result, settings);
    return 'on';
  }

  private async finish(batch: StreamBatch, others: readonly StreamBatch[], result: Invoked, settings: StreamSettings): Promise<void> {
    const answered = !this.window || (result.ok && carriesState(result));
    if (answered) this.window?.take(result);
    const done = answered ? recordsDone(batch, result, settings.reportsItemFailures) : 0;
    if (done === batch.records.length) {
      this.batches = others;
      return this.succeeded();
    }
    const [next, ...rest] = [...remaining(batch, done, settings.bisects), ...others];
    if (settings.maximumRetries < 0 || next!.attempts <= settings.maximumRetries) {
      this.batches = [next!, ...rest];
      this.failed('Function call failed');
      return;
    }
    this.batches = rest;
    this.succeeded();
    await this.discard(next!.records, 'RetryAttemptsExhausted', next!.attempts, result);
  }

  /** Records beyond the maximum age are not given to the function any more. */
  private withoutTooOld(settings: StreamSettings): readonly StreamBatch[] {
    if (settings.maximumAgeSeconds < 0) return this.batches;
    const oldestMs = this.now() - settings.maximumAgeSeconds * 1000;
    const tooOld = (record: KinesisRecord): boolean => record.ApproximateArrivalTimestamp.getTime() < oldestMs;
    return this.batches.flatMap((batch) => {
      const old = batch.records.filter(tooOld);
      if (old.length === 0) return [batch];
      void this.of.cloud.world.clock.track(this.discard(old, 'RecordAgeExceeded', batch.attempts, undefined));
      const records = batch.records.slice(old.length);
      return records.length > 0 ? [{ records, attempts: batch.attempts }] : [];
    });
  }

  /** `undefined`: the function could not be invoked. */
  private async invoke(records: readonly KinesisRecord[], members: Record<string, unknown> = {}): Promise<Invoked | undefined> {
    const { cloud, invocations, lambda, streamArn } = this.of;
    const shard = { streamArn, shardId: this.shardId, roleArn: lambda.definition.roleArn, region: cloud.world.region };
    const event = { Records: records.map((record) => streamRecord(record, shard)), ...members };
    try {
      return await invocations.invoke(lambda, JSON.stringify(event));
    } catch (error) {
      const what = `kinesis → ${lambda.name}`;
      if (this.of.mayRun())
        cloud.world.journal.add({ kind: 'delivery', what, who: streamArn, ok: false, detail: (error as Error).message });
      return undefined;
    }
  }

  /** Under the function's own role, as all destinations. */
  private async discard(
    records: readonly KinesisRecord[],
    condition: 'RetryAttemptsExhausted' | 'RecordAgeExceeded',
    attempts: number,
    last: Invoked | undefined,
  ): Promise<void> {
    const { cloud, lambda, streamArn } = this.of;
    const { onFailureArn: targetArn } = this.of.settings();
    const { journal, clock } = cloud.world;
    journal.add({
      kind: 'delivery',
      what: `kinesis → ${lambda.name}`,
      who: streamArn,
      ok: false,
      detail: `${records.length} records discarded: ${condition}`,
    });
    if (targetArn === undefined) return;
    const requestId = last?.requestId ?? randomUUID();
    const functionArn = lambda.arn;
    const { shardId } = this;
    const payload = discardRecord({ records, condition, attempts, functionArn, streamArn, shardId, last, requestId, at: clock.date() });
    const roleArn = lambda.definition.roleArn;
    try {
      const decision = await cloud.deliver({ service: 'lambda.amazonaws.com', sourceArn: functionArn, targetArn, payload, roleArn });
      if (decision.allowed) return;
    } catch (error) {
      journal.add({ kind: 'delivery', what: `lambda → ${targetArn}`, who: lambda.name, ok: false, detail: (error as Error).message });
    }
    cloud.parts.metrics?.([
      { namespace: 'AWS/Lambda', name: 'DestinationDeliveryFailures', dimensions: { FunctionName: lambda.name }, value: 1, unit: 'Count' },
    ]);
  }

  private age(batch: StreamBatch): void {
    const value = Math.max(0, this.now() - batch.records.at(-1)!.ApproximateArrivalTimestamp.getTime());
    const dimensions = { FunctionName: this.of.lambda.name };
    this.of.cloud.parts.metrics?.([{ namespace: 'AWS/Lambda', name: 'IteratorAge', dimensions, value, unit: 'Milliseconds' }]);
  }

  private succeeded(): void {
    this.failures = 0;
    this.notBeforeMs = 0;
    this.of.report('OK');
  }

  /** Pauses the shard; AWS says only that it backs off. */
  private failed(why: string): void {
    this.notBeforeMs = this.now() + Math.min(FIRST_PAUSE_MS * 2 ** this.failures++, LONGEST_PAUSE_MS);
    this.of.report(`PROBLEM: ${why}`);
  }

  private now(): number {
    return this.of.cloud.world.clock.nowMs();
  }
}

const finite = (ms: number): number | undefined => (ms === Infinity ? undefined : ms);
