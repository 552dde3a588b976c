/**
 * One synchronous invocation: an environment runs it, its lines go to the log group under the rights of the function's role, its metrics
 * to CloudWatch. The same path serves the Invoke API, event sources and asynchronous invocations.
 */
import type { Cloud, LambdaResult } from '../../cloud.js';
import type { Outcome } from '../../functions/execution-environment.js';
import { AwsError } from '../../models/service.js';
import { type LambdaFunction, logStreamOf } from './function.js';

/** 6 MB for a synchronous request or response (Lambda quotas). */
const MAXIMUM_PAYLOAD_BYTES = 6 * 1024 * 1024;

export interface Invoked extends LambdaResult {
  readonly requestId: string;
  /** JSON text: what the Invoke API sends. */
  readonly text: string;
  readonly lines: readonly string[];
}

export class Invocations {
  /** Functions of which it was said already that their role may not write logs. */
  private readonly mute = new Set<string>();
  private readonly inFlight = new Map<string, number>();

  constructor(private readonly cloud: Cloud) {}

  get underWay(): number {
    return [...this.inFlight.values()].reduce((sum, count) => sum + count, 0);
  }

  /** Throws TooManyRequestsException above the reserved concurrency; beyond the desk's own limit work waits instead. */
  async invoke(lambda: LambdaFunction, event: string): Promise<Invoked> {
    const running = this.inFlight.get(lambda.name) ?? 0;
    if (lambda.reservedConcurrency !== undefined && running >= lambda.reservedConcurrency) {
      this.metric(lambda, 'Throttles', 1, 'Count');
      throw new AwsError('TooManyRequestsException', 'Rate Exceeded.', 429, {
        Reason: 'ReservedFunctionConcurrentInvocationLimitExceeded',
      });
    }
    if (Buffer.byteLength(event) > MAXIMUM_PAYLOAD_BYTES)
      throw new AwsError(
        'RequestTooLargeException',
        `Request must be smaller than ${MAXIMUM_PAYLOAD_BYTES} bytes for the InvokeFunction operation`,
        413,
      );
    this.inFlight.set(lambda.name, running + 1);
    try {
      const run = lambda.pool.use(async (environment) => {
        const outcome = await environment.invoke(event, lambda.timeoutMs, this.cloud.world.clock.offsetMs);
        return this.finish(lambda, outcome, logStreamOf(environment));
      });
      // Moved time must not run ahead of functions at work: their queue would seem to stand still.
      return await this.cloud.world.clock.track(run);
    } finally {
      this.inFlight.set(lambda.name, this.inFlight.get(lambda.name)! - 1);
    }
  }

  private finish(lambda: LambdaFunction, outcome: Outcome, logStream: string): Invoked {
    const { requestId, durationMs } = outcome;
    const tooLarge = Buffer.byteLength(outcome.payload ?? '') > MAXIMUM_PAYLOAD_BYTES;
    const error = tooLarge
      ? {
          errorType: 'Function.ResponseSizeTooLarge',
          errorMessage: `Response payload size exceeded maximum allowed payload size (${MAXIMUM_PAYLOAD_BYTES} bytes).`,
          trace: [],
        }
      : outcome.error;
    const lines = [
      `START RequestId: ${requestId} Version: $LATEST`,
      ...outcome.lines,
      ...(error && outcome.error?.trace.length === 0 ? [error.errorMessage] : []),
      `END RequestId: ${requestId}`,
      report(lambda, outcome),
    ];
    this.log(lambda, logStream, lines);
    this.metric(lambda, 'Invocations', 1, 'Count');
    this.metric(lambda, 'Errors', error ? 1 : 0, 'Count');
    this.metric(lambda, 'Duration', durationMs, 'Milliseconds');
    this.cloud.world.journal.add({
      kind: 'function',
      what: 'invoked',
      who: lambda.name,
      ok: !error,
      detail: error ? `${error.errorType}: ${error.errorMessage}` : `${Math.round(durationMs)} ms`,
    });
    const text = error ? JSON.stringify(error) : (outcome.payload ?? 'null');
    return {
      requestId,
      text,
      lines,
      ok: !error,
      payload: JSON.parse(text) as unknown,
      ...(error ? { errorType: error.errorType, errorMessage: error.errorMessage } : {}),
    };
  }

  /** Logs leave a function under its own role: without logs:PutLogEvents there are none, and nothing says so on AWS. Here the journal does. */
  private log(lambda: LambdaFunction, stream: string, lines: readonly string[]): void {
    const { region, accountId, clock, journal } = this.cloud.world;
    const resource = `arn:aws:logs:${region}:${accountId}:log-group:${lambda.logGroup}:log-stream:${stream}`;
    for (const action of ['logs:CreateLogStream', 'logs:PutLogEvents']) {
      const decision = this.cloud.iam.roleAllows(lambda.definition.roleArn, { action, resource });
      if (decision.allowed) continue;
      if (!this.mute.has(lambda.name)) journal.add({ kind: 'denied', what: action, who: lambda.name, ok: false, detail: decision.why });
      this.mute.add(lambda.name);
      return;
    }
    const timestamp = clock.nowMs();
    this.cloud.parts.logs?.(
      lambda.logGroup,
      stream,
      lines.map((message) => ({ timestamp, message })),
    );
  }

  private metric(lambda: LambdaFunction, name: string, value: number, unit: string): void {
    this.cloud.parts.metrics?.([{ namespace: 'AWS/Lambda', name, dimensions: { FunctionName: lambda.name }, value, unit }]);
  }
}

function report(lambda: LambdaFunction, outcome: Outcome): string {
  const init = outcome.initMs === undefined ? '' : `\tInit Duration: ${outcome.initMs.toFixed(2)} ms`;
  const status = outcome.error?.errorType === 'Sandbox.Timedout' ? '\tStatus: timeout' : '';
  return `REPORT RequestId: ${outcome.requestId}\tDuration: ${outcome.durationMs.toFixed(2)} ms\tBilled Duration: ${Math.ceil(outcome.durationMs)} ms\tMemory Size: ${lambda.memoryMiB} MB\tMax Memory Used: ${outcome.maxMemoryMiB ?? 0} MB${init}${status}`;
}
