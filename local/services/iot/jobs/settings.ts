/**
 * What CreateJob, UpdateJob and CreateJobTemplate accept as rollout, abort, time-out and retry configuration. The SDK's schemas carry no constraints, so the
 * ranges of the API reference are checked here (https://docs.aws.amazon.com/iot/latest/apireference/API_CreateJob.html, FACTS D1).
 */
import { JOB_LIMITS } from '../../../world/quotas.js';
import { invalidRequest } from '../errors.js';

export interface RolloutConfig {
  readonly maximumPerMinute?: number;
  readonly exponentialRate?: {
    readonly baseRatePerMinute: number;
    readonly incrementFactor: number;
    readonly rateIncreaseCriteria: { readonly numberOfNotifiedThings?: number; readonly numberOfSucceededThings?: number };
  };
}
export interface AbortCriterion {
  readonly failureType: 'FAILED' | 'REJECTED' | 'TIMED_OUT' | 'ALL';
  readonly action: 'CANCEL';
  readonly thresholdPercentage: number;
  readonly minNumberOfExecutedThings: number;
}
export interface RetryCriterion {
  readonly failureType: 'FAILED' | 'TIMED_OUT' | 'ALL';
  readonly numberOfRetries: number;
}

/** In the members of the API, so that DescribeJob gives back what it was given. */
export interface JobSettings {
  readonly jobExecutionsRolloutConfig?: RolloutConfig;
  readonly abortConfig?: { readonly criteriaList: readonly AbortCriterion[] };
  readonly timeoutConfig?: { readonly inProgressTimeoutInMinutes: number };
  readonly jobExecutionsRetryConfig?: { readonly criteriaList: readonly RetryCriterion[] };
}

function within(label: string, value: unknown, least: number, most: number, whole = true): void {
  if (typeof value !== 'number' || value < least || value > most || (whole && !Number.isInteger(value)))
    throw invalidRequest(
      `Invalid value for ${label}: got ${String(value)}, expected ${whole ? 'a whole number' : 'a number'} from ${least} to ${most}`,
    );
}

function oneOf(label: string, value: unknown, words: readonly string[]): void {
  if (typeof value !== 'string' || !words.includes(value))
    throw invalidRequest(`Invalid value for ${label}: got ${String(value)}, expected one of ${words.join(', ')}`);
}

function checkRollout({ maximumPerMinute, exponentialRate }: RolloutConfig): void {
  if (maximumPerMinute !== undefined) within('maximumPerMinute', maximumPerMinute, 1, JOB_LIMITS.rolloutPerMinute);
  if (!exponentialRate) return;
  within('baseRatePerMinute', exponentialRate.baseRatePerMinute, 1, JOB_LIMITS.rolloutPerMinute);
  within('incrementFactor', exponentialRate.incrementFactor, 1.1, 5, false);
  const { numberOfNotifiedThings: notified, numberOfSucceededThings: succeeded } = exponentialRate.rateIncreaseCriteria;
  if ((notified === undefined) === (succeeded === undefined))
    throw invalidRequest('rateIncreaseCriteria needs exactly one of numberOfNotifiedThings and numberOfSucceededThings');
  within('rateIncreaseCriteria', notified ?? succeeded, 1, Number.MAX_SAFE_INTEGER);
}

function checkAbort(criteria: readonly AbortCriterion[]): void {
  if (criteria.length === 0) throw invalidRequest('abortConfig needs at least one criterion');
  for (const { failureType, action, thresholdPercentage, minNumberOfExecutedThings } of criteria) {
    oneOf('failureType', failureType, ['FAILED', 'REJECTED', 'TIMED_OUT', 'ALL']);
    oneOf('action', action, ['CANCEL']);
    within('thresholdPercentage', thresholdPercentage, Number.MIN_VALUE, 100, false);
    within('minNumberOfExecutedThings', minNumberOfExecutedThings, 1, Number.MAX_SAFE_INTEGER);
  }
}

/** Ten retries of a device over both failure types; retries after time-outs need a timer (jobs-configurations-details.html). */
function checkRetries(criteria: readonly RetryCriterion[], hasTimeout: boolean): void {
  if (criteria.length < 1 || criteria.length > 2) throw invalidRequest('jobExecutionsRetryConfig takes one or two criteria');
  const types = criteria.map(({ failureType }) => failureType);
  if (criteria.length === 2 && (types.includes('ALL') || types[0] === types[1]))
    throw invalidRequest('jobExecutionsRetryConfig: failure types overlap');
  for (const { failureType, numberOfRetries } of criteria) {
    oneOf('failureType', failureType, ['FAILED', 'TIMED_OUT', 'ALL']);
    within('numberOfRetries', numberOfRetries, 0, JOB_LIMITS.retriesOfADevice);
  }
  if (criteria.reduce((sum, { numberOfRetries }) => sum + numberOfRetries, 0) > JOB_LIMITS.retriesOfADevice)
    throw invalidRequest(`At most ${JOB_LIMITS.retriesOfADevice} retries for both failure types together`);
  if (types.some((type) => type !== 'FAILED') && !hasTimeout)
    throw invalidRequest('Retries of executions that timed out need a timeoutConfig');
}

/** Throws InvalidRequestException for what AWS would not take. */
export function readSettings(input: JobSettings): JobSettings {
  const { jobExecutionsRolloutConfig, abortConfig, jobExecutionsRetryConfig } = input;
  // An empty timeoutConfig means no timer, as with none at all.
  const minutes = input.timeoutConfig?.inProgressTimeoutInMinutes;
  if (jobExecutionsRolloutConfig) checkRollout(jobExecutionsRolloutConfig);
  if (abortConfig) checkAbort(abortConfig.criteriaList);
  if (minutes !== undefined) within('inProgressTimeoutInMinutes', minutes, 1, JOB_LIMITS.timeoutMinutes);
  if (jobExecutionsRetryConfig) checkRetries(jobExecutionsRetryConfig.criteriaList, minutes !== undefined);
  return {
    ...(jobExecutionsRolloutConfig ? { jobExecutionsRolloutConfig } : {}),
    ...(abortConfig ? { abortConfig } : {}),
    ...(minutes === undefined ? {} : { timeoutConfig: { inProgressTimeoutInMinutes: minutes } }),
    ...(jobExecutionsRetryConfig ? { jobExecutionsRetryConfig } : {}),
  };
}
