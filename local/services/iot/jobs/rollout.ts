/**
 * How many things are told of a job in the next minute, and when a job aborts itself.
 * https://docs.aws.amazon.com/iot/latest/developerguide/jobs-configurations-details.html
 */
import { JOB_LIMITS } from '../../../world/quotas.js';
import type { Job, JobExecution } from './job.js';
import type { AbortCriterion } from './settings.js';

/**
 * A constant rate, or base × factor^n, where n counts how many times the criterion's number of things has been reached: 50 a minute with factor 2
 * and 1000 things gives 50, then 100 from 1000 things on, 200 from 2000, 400 from 3000.
 */
export function ratePerMinute(job: Job): number {
  const { maximumPerMinute = JOB_LIMITS.rolloutPerMinute, exponentialRate } = job.settings.jobExecutionsRolloutConfig ?? {};
  if (!exponentialRate) return maximumPerMinute;
  const { numberOfNotifiedThings, numberOfSucceededThings } = exponentialRate.rateIncreaseCriteria;
  const increases =
    numberOfNotifiedThings === undefined
      ? Math.floor(job.counts.SUCCEEDED / numberOfSucceededThings!)
      : Math.floor(job.notified / numberOfNotifiedThings);
  const rate = Math.floor(exponentialRate.baseRatePerMinute * exponentialRate.incrementFactor ** increases);
  return Math.min(rate, maximumPerMinute);
}

/** The criterion that is met now, looked at one after the other as on AWS. Percentages are of the executions that have ended, not of the targets. */
export function metAbortCriterion(job: Job): AbortCriterion | undefined {
  const { SUCCEEDED, FAILED, TIMED_OUT, REJECTED } = job.ended;
  const all = SUCCEEDED + FAILED + TIMED_OUT + REJECTED;
  return job.settings.abortConfig?.criteriaList.find(({ failureType, minNumberOfExecutedThings, thresholdPercentage }) => {
    const failures = failureType === 'ALL' ? FAILED + TIMED_OUT + REJECTED : job.ended[failureType];
    return failures > 0 && all >= minNumberOfExecutedThings && (failures / all) * 100 >= thresholdPercentage;
  });
}

/** Failures of one thing since it last joined the job: when it leaves a group and comes back, its retries begin anew. */
export function failuresOfThing(attempts: readonly JobExecution[]): Readonly<Record<'FAILED' | 'TIMED_OUT', number>> {
  const recent = attempts.slice(attempts.findLastIndex(({ status }) => status === 'REMOVED') + 1);
  const count = (wanted: string): number => recent.filter(({ status }) => status === wanted).length;
  return { FAILED: count('FAILED'), TIMED_OUT: count('TIMED_OUT') };
}

/** Whether a thing that has just failed this way is asked again; `failures` include this one. */
export function mayRetry(job: Job, failureType: 'FAILED' | 'TIMED_OUT', failures: ReturnType<typeof failuresOfThing>): boolean {
  const criteria = job.settings.jobExecutionsRetryConfig?.criteriaList ?? [];
  const criterion = criteria.find((candidate) => candidate.failureType === failureType || candidate.failureType === 'ALL');
  if (!criterion) return false;
  const failed = criterion.failureType === 'ALL' ? failures.FAILED + failures.TIMED_OUT : failures[failureType];
  return failed <= criterion.numberOfRetries;
}
