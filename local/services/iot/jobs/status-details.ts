import { JOB_LIMITS } from '../../../world/quotas.js';

/**
 * What is wrong with status details, if anything: at most ten pairs, keys `[a-zA-Z0-9:_-]{1,128}`, values of 1 to 1024 characters without control
 * characters, so no PEM (https://docs.aws.amazon.com/general/latest/gr/iot_device_management.html, FACTS D2).
 */
export function statusDetailsProblem(details: unknown): string | undefined {
  if (typeof details !== 'object' || details === null || Array.isArray(details)) return 'statusDetails: expected a map of strings';
  const pairs = Object.entries(details as Record<string, unknown>);
  if (pairs.length > JOB_LIMITS.statusDetails)
    return `statusDetails: got ${pairs.length} pairs, at most ${JOB_LIMITS.statusDetails} are allowed`;
  for (const [key, value] of pairs) {
    if (!/^[a-zA-Z0-9:_-]{1,128}$/.test(key)) return `statusDetails: invalid key ${key.slice(0, 140)}`;
    if (typeof value !== 'string' || value.length > JOB_LIMITS.statusDetailCharacters || !/^[^\p{C}]+$/u.test(value))
      return `statusDetails: invalid value of ${key}: expected 1 to ${JOB_LIMITS.statusDetailCharacters} characters, none of them a control character`;
  }
  return undefined;
}
