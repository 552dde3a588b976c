import { invalidRequest } from '../errors.js';

/** Names of security profiles, dimensions and custom metrics: 1 to 128 of [a-zA-Z0-9:_-]. */
export function checkDetectName(label: string, value: unknown): string {
  if (typeof value === 'string' && /^[a-zA-Z0-9:_-]{1,128}$/.test(value)) return value;
  throw invalidRequest(
    `Value '${String(value).slice(0, 140)}' at '${label}' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z0-9:_-]+`,
  );
}
