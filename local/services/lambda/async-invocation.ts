/**
 * Asynchronous invocation: accepted at once, run later, tried again twice after one and two minutes of the desk's clock, then handed to the
 * failure destination and the dead-letter queue under the function's own role (Lambda developer guide, "Invoking a function asynchronously").
 */
import { randomUUID } from 'node:crypto';
import type { Cloud } from '../../cloud.js';
import { AwsError } from '../../models/service.js';
import type { LambdaFunction } from './function.js';
import type { Invocations, Invoked } from './invocation.js';

interface Queued {
  readonly requestId: string;
  readonly event: string;
  readonly acceptedAtMs: number;
  attempts: number;
}

/** Pause before the second and the third attempt. */
const RETRY_PAUSES_MS = [60_000, 120_000];
/** A throttled event is tried again until its age is over, with a growing pause from one second to five minutes. */
const LONGEST_THROTTLE_PAUSE_MS = 300_000;

export class AsyncInvocations {
  private stopped = false;

  constructor(
    private readonly cloud: Cloud,
    private readonly invocations: Invocations,
  ) {}

  accept(lambda: LambdaFunction, event: string): string {
    const queued: Queued = { requestId: randomUUID(), event, acceptedAtMs: this.cloud.world.clock.nowMs(), attempts: 0 };
    void this.attempt(lambda, queued, 0);
    return queued.requestId;
  }

  stop(): void {
    this.stopped = true;
  }

  private async attempt(lambda: LambdaFunction, queued: Queued, throttles: number): Promise<void> {
    if (this.stopped) return;
    let result: Invoked;
    try {
      result = await this.invocations.invoke(lambda, queued.event);
    } catch (error) {
      if (this.stopped) return;
      if (error instanceof AwsError && error.code === 'TooManyRequestsException') {
        return this.later(lambda, queued, Math.min(1000 * 2 ** throttles, LONGEST_THROTTLE_PAUSE_MS), throttles + 1);
      }
      result = {
        requestId: queued.requestId,
        ok: false,
        payload: null,
        text: 'null',
        lines: [],
        errorType: (error as Error).name,
        errorMessage: (error as Error).message,
      };
    }
    queued.attempts++;
    if (result.ok) return this.send(lambda, lambda.async.onSuccessArn, record(lambda, queued, result, 'Success', this.now()));
    if (queued.attempts <= lambda.async.maximumRetries) return this.later(lambda, queued, RETRY_PAUSES_MS[queued.attempts - 1]!, 0, result);
    await this.giveUp(lambda, queued, 'RetriesExhausted', result);
  }

  private async later(lambda: LambdaFunction, queued: Queued, pauseMs: number, throttles: number, last?: Invoked): Promise<void> {
    const ageMs = this.cloud.world.clock.nowMs() + pauseMs - queued.acceptedAtMs;
    if (ageMs > lambda.async.maximumAgeSeconds * 1000) return this.giveUp(lambda, queued, 'EventAgeExceeded', last);
    this.cloud.world.clock.after(pauseMs, () => void this.attempt(lambda, queued, throttles));
  }

  private async giveUp(lambda: LambdaFunction, queued: Queued, condition: string, last: Invoked | undefined): Promise<void> {
    this.metric(lambda, 'AsyncEventsDropped');
    await this.send(lambda, lambda.async.onFailureArn, record(lambda, queued, last, condition, this.now()));
    const deadLetterArn = lambda.definition.deadLetterArn;
    const attributes = { RequestID: queued.requestId, ErrorCode: '200', ErrorMessage: (last?.errorMessage ?? condition).slice(0, 1024) };
    await this.send(lambda, deadLetterArn, queued.event, attributes);
  }

  /** Under the function's own role: a missing grant loses the record, as on AWS; journal and metric say so. */
  private async send(
    lambda: LambdaFunction,
    targetArn: string | undefined,
    payload: unknown,
    attributes?: Readonly<Record<string, string>>,
  ): Promise<void> {
    if (targetArn === undefined) return;
    let why: string;
    try {
      const decision = await this.cloud.deliver({
        service: 'lambda.amazonaws.com',
        sourceArn: lambda.arn,
        targetArn,
        payload,
        roleArn: lambda.definition.roleArn,
        ...(attributes ? { message: { attributes } } : {}),
      });
      if (decision.allowed) return;
      why = decision.why;
    } catch (error) {
      why = (error as Error).message;
    }
    this.metric(lambda, attributes ? 'DeadLetterErrors' : 'DestinationDeliveryFailures');
    this.cloud.world.journal.add({ kind: 'delivery', what: `lambda → ${targetArn}`, who: lambda.name, ok: false, detail: why });
  }

  private now(): string {
    return this.cloud.world.clock.date().toISOString();
  }

  private metric(lambda: LambdaFunction, name: string): void {
    this.cloud.parts.metrics?.([{ namespace: 'AWS/Lambda', name, dimensions: { FunctionName: lambda.name }, value: 1, unit: 'Count' }]);
  }
}

/** The invocation record of a destination (Lambda developer guide, "Capturing records of asynchronous invocations"). */
function record(lambda: LambdaFunction, queued: Queued, result: Invoked | undefined, condition: string, timestamp: string): unknown {
  return {
    version: '1.0',
    timestamp,
    requestContext: {
      requestId: queued.requestId,
      functionArn: `${lambda.arn}:$LATEST`,
      condition,
      approximateInvokeCount: queued.attempts,
    },
    requestPayload: JSON.parse(queued.event) as unknown,
    ...(result
      ? {
          responseContext: { statusCode: 200, executedVersion: '$LATEST', ...(result.ok ? {} : { functionError: 'Unhandled' }) },
          responsePayload: result.payload,
        }
      : {}),
  };
}
