/**
 * AWS IoT Jobs from the device's side, over one connection. Requests and answers are matched by `clientToken`; a request without an answer is sent
 * again, which is safe: reading changes nothing, and an update names the version that it expects.
 *
 * `start-next` is not used: it starts whatever is next, which may be another program's job.
 */
import { randomUUID } from 'node:crypto';
import { jobsTopic } from '../../domain/protocol/topics.js';
import type { Clock } from '../clock.js';
import { jitteredMs } from '../retry.js';
import type { AgentSettings } from '../settings.js';
import type { Connection } from '../transport/transport.js';
import { JobExecution, NextJob, OVER_CODES, PendingJobs, Rejection, TRANSIENT_CODES, Updated } from './job-messages.js';

/** Five filters, with the topic of the rotation's answers six: one SUBSCRIBE of AWS IoT takes eight. */
export const JOB_FILTERS = ['notify-next', 'notify', 'get/+', '+/get/+', '+/update/+'] as const;

export interface JobsContext {
  readonly thingName: string;
  readonly clock: Clock;
  readonly random: () => number;
  readonly settings: Pick<AgentSettings, 'jobAnswerMs' | 'jobTries' | 'ask'>;
  /** Aborted when the connection is over. */
  readonly signal: AbortSignal;
}

type Answer = { readonly accepted: unknown } | { readonly rejected: Rejection };
/** `over`: the execution takes no update any more, whoever ended it. */
export type UpdateResult = { readonly versionNumber: number } | 'over';

export class JobsClient {
  private readonly waiting = new Map<string, (answer: Answer) => void>();

  constructor(
    private readonly connection: Connection,
    private readonly context: JobsContext,
  ) {}

  /** Takes an answer. `false`: this message is not one. */
  receive(topic: string, message: unknown): boolean {
    if (!topic.startsWith(jobsTopic(this.context.thingName, ''))) return false;
    const outcome = /\/(accepted|rejected)$/.exec(topic)?.[1];
    if (outcome === undefined) return false;
    const token = (message as { readonly clientToken?: unknown } | null)?.clientToken;
    const settle = typeof token === 'string' ? this.waiting.get(token) : undefined;
    // Without a token it is an answer to something that we did not ask, or that we have stopped waiting for.
    settle?.(outcome === 'accepted' ? { accepted: message } : { rejected: Rejection.parse(message) });
    return true;
  }

  /** The first job that is not over, with its document. */
  async next(): Promise<JobExecution | undefined> {
    return this.read('$next');
  }

  /** `undefined`: there is no such execution, or it is over. */
  async describe(jobId: string): Promise<JobExecution | undefined> {
    return this.read(jobId);
  }

  /** Ids of all jobs that are not over, those in progress first. */
  async pending(): Promise<readonly string[]> {
    const answer = await this.request('get', {});
    if ('rejected' in answer) throw new JobRejected(answer.rejected);
    const { inProgressJobs, queuedJobs } = PendingJobs.parse(answer.accepted);
    return [...inProgressJobs, ...queuedJobs].map(({ jobId }) => jobId);
  }

  /** Another version than expected (an operator, or our own update whose answer was lost): takes the one that the rejection names, and tries again. */
  async update(
    { jobId, executionNumber, versionNumber }: Pick<JobExecution, 'jobId' | 'executionNumber' | 'versionNumber'>,
    status: 'IN_PROGRESS' | 'SUCCEEDED' | 'FAILED' | 'REJECTED',
    statusDetails: Readonly<Record<string, string>>,
  ): Promise<UpdateResult> {
    let expectedVersion = versionNumber;
    for (let attempt = 0; attempt < this.context.settings.jobTries; attempt++) {
      const answer = await this.request(`${jobId}/update`, {
        status,
        statusDetails,
        expectedVersion: String(expectedVersion),
        executionNumber,
        includeJobExecutionState: true,
      });
      if ('accepted' in answer) return Updated.parse(answer.accepted).executionState;
      const { code, executionState } = answer.rejected;
      if (OVER_CODES.has(code)) return 'over';
      if (code !== 'VersionMismatch') throw new JobRejected(answer.rejected);
      const current = executionState ?? (await this.describe(jobId));
      if (!current || (current.status !== 'QUEUED' && current.status !== 'IN_PROGRESS')) return 'over';
      expectedVersion = current.versionNumber;
    }
    throw new NoAnswer(`${jobId}/update`);
  }

  private async read(jobId: string): Promise<JobExecution | undefined> {
    const answer = await this.request(`${jobId}/get`, { includeJobDocument: true });
    if ('accepted' in answer) return NextJob.parse(answer.accepted).execution;
    if (OVER_CODES.has(answer.rejected.code)) return undefined;
    throw new JobRejected(answer.rejected);
  }

  /** Rejects with NoAnswer, or when the connection is over. */
  private async request(suffix: string, body: Readonly<Record<string, unknown>>): Promise<Answer> {
    const { thingName, clock, random, settings, signal } = this.context;
    for (let attempt = 0; attempt < settings.jobTries; attempt++) {
      if (attempt > 0) await clock.sleep(jitteredMs(settings.ask, attempt - 1, random), signal);
      const clientToken = randomUUID();
      const waited = new AbortController();
      try {
        const answered = new Promise<Answer>((resolve) => this.waiting.set(clientToken, resolve));
        const payload = JSON.stringify({ ...body, clientToken });
        await this.connection.publish(jobsTopic(thingName, suffix), payload, 1);
        const answer = await Promise.race([
          answered,
          clock.sleep(settings.jobAnswerMs, AbortSignal.any([signal, waited.signal])).then(() => undefined),
        ]);
        if (answer && !('rejected' in answer && TRANSIENT_CODES.has(answer.rejected.code))) return answer;
      } finally {
        this.waiting.delete(clientToken);
        waited.abort();
      }
    }
    throw new NoAnswer(suffix);
  }
}

/** A rejection that neither waiting nor reading again can help against. */
export class JobRejected extends Error {
  constructor(rejection: Rejection) {
    super(`AWS IoT Jobs: ${rejection.code}: ${rejection.message ?? ''}`);
    this.name = 'JobRejected';
  }
}

export class NoAnswer extends Error {
  constructor(suffix: string) {
    super(`AWS IoT Jobs: no answer to ${suffix}`);
    this.name = 'NoAnswer';
  }
}
