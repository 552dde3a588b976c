/**
 * The poller of an event source mapping of a queue. It polls with the permissions of the *function's role*: without them nothing is delivered and the
 * journal says "denied". A batch succeeds and is deleted, or fails and becomes visible again after the queue's visibility timeout; with
 * ReportBatchItemFailures only the named messages fail (Lambda developer guide, "Using Lambda with Amazon SQS").
 *
 *     message visible ──► receive ──► filter ──► invoke ──► delete what succeeded
 *     (woken by the queue, no fixed polling interval; up to MaximumConcurrency batches in flight)
 */
import type { Cloud } from '../../cloud.js';
import type { LambdaFunction } from './function.js';
import type { Invocations, Invoked } from './invocation.js';
import type { Filters } from './event-source-mapping.js';
import { type SqsMessage, filterView, sqsRecord } from './sqs-record.js';

export interface QueueSettings {
  readonly batchSize: number;
  readonly windowSeconds: number;
  /** `undefined`: not limited by the mapping. */
  readonly maximumConcurrency: number | undefined;
  readonly reportsItemFailures: boolean;
  readonly filters: Filters;
}

const ACTIONS = ['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes'];
/** A denied mapping looks again: a policy may be attached after the mapping was made. */
const DENIED_PAUSE_MS = 60_000;
const MESSAGES_PER_CALL = 10;

export class QueuePoller {
  private readonly queueUrl: string;
  private readonly stopListening: () => void;
  private inFlight = 0;
  private pumping = false;
  private again = false;
  private denied = false;
  private stopped = false;
  private onArrival: (() => void) | undefined;

  constructor(
    private readonly cloud: Cloud,
    private readonly invocations: Invocations,
    private readonly lambda: LambdaFunction,
    private readonly queueArn: string,
    public settings: QueueSettings,
    public enabled: boolean,
  ) {
    this.queueUrl = `${cloud.endpoint}/${cloud.world.accountId}/${queueArn.split(':')[5]}`;
    this.stopListening = cloud.parts.queueArrivals!(queueArn, () => {
      this.onArrival?.();
      this.pump();
    });
    this.pump();
  }

  /** Takes new settings, or starts and stops polling. Batches in flight end as they were begun. */
  update(settings: QueueSettings, enabled: boolean): void {
    this.settings = settings;
    this.enabled = enabled;
    this.pump();
  }

  stop(): void {
    this.stopped = true;
    this.stopListening();
  }

  private pump(): void {
    if (this.pumping) {
      this.again = true;
      return;
    }
    this.pumping = true;
    void this.fill().finally(() => {
      this.pumping = false;
      if (!this.again) return;
      this.again = false;
      this.pump();
    });
  }

  /** Takes batches until the queue is empty or the limit is reached. */
  private async fill(): Promise<void> {
    try {
      while (this.running && this.inFlight < (this.settings.maximumConcurrency ?? this.lambda.pool.limit)) {
        const batch = await this.nextBatch();
        if (batch.length === 0) return;
        this.inFlight++;
        void this.run(batch).finally(() => {
          this.inFlight--;
          this.pump();
        });
      }
    } catch (error) {
      // The queue is gone, or the desk stops: like a mapping on AWS, it goes on trying and says why.
      if (this.running)
        this.cloud.world.journal.add({
          kind: 'delivery',
          what: `sqs → ${this.lambda.name}`,
          who: this.queueArn,
          ok: false,
          detail: (error as Error).message,
        });
    }
  }

  private get running(): boolean {
    return this.enabled && !this.stopped;
  }

  private async nextBatch(): Promise<SqsMessage[]> {
    if (!this.mayPoll()) return [];
    const batch = await this.receive(this.settings.batchSize);
    if (batch.length === 0 || this.settings.windowSeconds === 0) return batch;
    const { clock } = this.cloud.world;
    const untilMs = clock.nowMs() + this.settings.windowSeconds * 1000;
    while (this.running && batch.length < this.settings.batchSize && clock.nowMs() < untilMs) {
      await this.arrivalOr(untilMs - clock.nowMs());
      batch.push(...(await this.receive(this.settings.batchSize - batch.length)));
    }
    return batch;
  }

  private async arrivalOr(waitMs: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const cancel = this.cloud.world.clock.after(waitMs, resolve);
      this.onArrival = () => {
        cancel();
        resolve();
      };
    });
    this.onArrival = undefined;
  }

  private mayPoll(): boolean {
    const { iam, world } = this.cloud;
    for (const action of ACTIONS) {
      const decision = iam.roleAllows(this.lambda.definition.roleArn, { action, resource: this.queueArn });
      if (decision.allowed) continue;
      if (!this.denied)
        world.journal.add({
          kind: 'denied',
          what: action,
          who: this.lambda.name,
          ok: false,
          detail: `${this.queueArn}: ${decision.why}`,
        });
      this.denied = true;
      world.clock.after(DENIED_PAUSE_MS, () => this.pump());
      return false;
    }
    this.denied = false;
    return true;
  }

  private async receive(wanted: number): Promise<SqsMessage[]> {
    const messages: SqsMessage[] = [];
    while (messages.length < wanted) {
      const answer = await this.cloud.call<{ Messages?: SqsMessage[] }>('sqs', 'ReceiveMessage', {
        QueueUrl: this.queueUrl,
        MaxNumberOfMessages: Math.min(MESSAGES_PER_CALL, wanted - messages.length),
        MessageSystemAttributeNames: ['All'],
        MessageAttributeNames: ['All'],
        WaitTimeSeconds: 0,
      });
      const got = answer.Messages ?? [];
      if (got.length === 0) break;
      const refused = got.filter((message) => !this.settings.filters.accepts(filterView(message)));
      // A message that the filter does not want is deleted, as on AWS.
      await this.delete(refused);
      messages.push(...got.filter((message) => !refused.includes(message)));
    }
    return messages;
  }

  private async run(batch: readonly SqsMessage[]): Promise<void> {
    const { region } = this.cloud.world;
    const event = { Records: batch.map((message) => sqsRecord(message, this.queueArn, region)) };
    try {
      const result = await this.invocations.invoke(this.lambda, JSON.stringify(event));
      await this.delete(succeeded(batch, result, this.settings.reportsItemFailures));
    } catch (error) {
      // Throttled, or the desk stops: the messages come back after their visibility timeout.
      if (!this.stopped)
        this.cloud.world.journal.add({
          kind: 'delivery',
          what: `sqs → ${this.lambda.name}`,
          who: this.queueArn,
          ok: false,
          detail: (error as Error).message,
        });
    }
  }

  private async delete(messages: readonly SqsMessage[]): Promise<void> {
    for (let from = 0; from < messages.length; from += MESSAGES_PER_CALL) {
      const Entries = messages
        .slice(from, from + MESSAGES_PER_CALL)
        .map((message, index) => ({ Id: String(index), ReceiptHandle: message.ReceiptHandle }));
      await this.cloud.call('sqs', 'DeleteMessageBatch', { QueueUrl: this.queueUrl, Entries });
    }
  }
}

/** Which messages may be deleted. An answer that names an unknown message, or is not of the documented shape, fails the whole batch. */
function succeeded(batch: readonly SqsMessage[], result: Invoked, reportsItemFailures: boolean): readonly SqsMessage[] {
  if (!result.ok) return [];
  if (!reportsItemFailures || result.payload === null) return batch;
  const failures = (result.payload as { batchItemFailures?: unknown }).batchItemFailures;
  if (failures === undefined || failures === null) return batch;
  if (!Array.isArray(failures)) return [];
  const failed = failures.map((failure: { itemIdentifier?: unknown } | null) => failure?.itemIdentifier);
  const ids = new Set<unknown>(batch.map((message) => message.MessageId));
  return failed.every((id) => ids.has(id)) ? batch.filter((message) => !failed.includes(message.MessageId)) : [];
}
