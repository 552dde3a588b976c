/** The JSON of a device's request, member by member. Members that AWS does not name are passed over: no page says that they are refused. */
import { JOB_LIMITS } from '../../../world/quotas.js';
import type { ExecutionStatus, Job, StatusDetails } from './job.js';
import { statusDetailsProblem } from './status-details.js';
import type { Json } from './wire.js';

/** Codes of jobs-api.html (ErrorResponse). */
export type JobErrorCode =
  | 'InvalidTopic'
  | 'InvalidJson'
  | 'InvalidRequest'
  | 'InvalidStateTransition'
  | 'ResourceNotFound'
  | 'VersionMismatch'
  | 'InternalError'
  | 'RequestThrottled'
  | 'TerminalStateReached';

export class JobRequestError extends Error {
  readonly job: Job | undefined;
  /** Only VersionMismatch and InvalidStateTransition tell the state. */
  readonly state: Json;

  constructor(
    readonly code: JobErrorCode,
    message: string,
    { job, executionState }: { readonly job?: Job; readonly executionState?: Json } = {},
  ) {
    super(message);
    this.job = job;
    this.state = executionState === undefined ? {} : { executionState };
  }
}

const REPORTABLE = ['IN_PROGRESS', 'FAILED', 'SUCCEEDED', 'REJECTED'] as const;
const invalid = (message: string): JobRequestError => new JobRequestError('InvalidRequest', message);

export class Body {
  /** `members`: a request that has been read already, as over HTTPS. */
  constructor(private readonly members: Json) {}

  static parse(payload: Uint8Array): Body {
    let parsed: unknown;
    try {
      parsed = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(payload));
    } catch {
      throw new JobRequestError('InvalidJson', 'The payload is not UTF-8 encoded JSON');
    }
    if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) throw invalid('The payload is not a JSON object');
    return new Body(parsed as Json);
  }

  text(name: string): string | undefined {
    const value = this.members[name];
    if (value === undefined || typeof value === 'string') return value;
    throw invalid(`${name}: expected a string`);
  }

  flag(name: string): boolean | undefined {
    const value = this.members[name];
    if (value === undefined || typeof value === 'boolean') return value;
    throw invalid(`${name}: expected true or false`);
  }

  /** AWS documents `expectedVersion` as a string and shows numbers as well. */
  whole(name: string): number | undefined {
    const value = this.members[name];
    if (value === undefined) return undefined;
    const number = typeof value === 'string' && /^\d{1,15}$/.test(value) ? Number(value) : value;
    if (typeof number === 'number' && Number.isSafeInteger(number)) return number;
    throw invalid(`${name}: expected a whole number`);
  }

  /** Minutes, or -1: no step timer any more. */
  stepTimeout(): number | undefined {
    const minutes = this.whole('stepTimeoutInMinutes');
    if (minutes === undefined || minutes === -1 || (minutes >= 1 && minutes <= JOB_LIMITS.timeoutMinutes)) return minutes;
    throw invalid(`stepTimeoutInMinutes: got ${minutes}, expected 1 to ${JOB_LIMITS.timeoutMinutes}, or -1`);
  }

  statusDetails(): StatusDetails | undefined {
    const details = this.members['statusDetails'];
    if (details === undefined) return undefined;
    const problem = statusDetailsProblem(details);
    if (problem !== undefined) throw invalid(problem);
    return details as StatusDetails;
  }

  status(): ExecutionStatus {
    const status = REPORTABLE.find((word) => word === this.members['status']);
    if (!status) throw invalid(`status: expected one of ${REPORTABLE.join(', ')}`);
    return status;
  }
}
