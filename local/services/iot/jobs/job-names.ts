/** Names and texts of jobs (API_CreateJob), and what the desk refuses rather than ignores. */
import { JOB_LIMITS } from '../../../world/quotas.js';
import { invalidRequest, notServed } from '../errors.js';

export function checkJobId(value: unknown, label = 'jobId'): string {
  if (typeof value !== 'string' || !/^[a-zA-Z0-9_-]{1,64}$/.test(value))
    throw invalidRequest(`Invalid ${label}: got ${String(value).slice(0, 100)}, expected 1 to 64 of a-z, A-Z, 0-9, _ and -`);
  return value;
}

export function checkJobText(label: string, value: unknown, pattern: RegExp): string | undefined {
  if (value === undefined) return undefined;
  if (typeof value !== 'string' || !pattern.test(value)) throw invalidRequest(`Invalid ${label}: expected ${pattern.source}`);
  return value;
}

export const checkDescription = (value: unknown): void => void checkJobText('description', value, /^[^\p{C}]{0,2028}$/u);

/** UTF-8 encoded JSON (key-concepts-jobs.html). Devices get it as the object that it is, so it has to be one. */
export function checkDocument(document: unknown): string {
  if (typeof document !== 'string' || document === '') throw invalidRequest('A job needs a document');
  if (document.length > JOB_LIMITS.documentCharacters)
    throw invalidRequest(`The job document has ${document.length} characters, at most ${JOB_LIMITS.documentCharacters} are allowed`);
  try {
    const parsed: unknown = JSON.parse(document);
    if (typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)) return document;
  } catch {
    // One answer for both.
  }
  throw invalidRequest('The job document is not a JSON object');
}

const UNSERVED = ['documentSource', 'presignedUrlConfig', 'documentParameters', 'destinationPackageVersions', 'namespaceId'];

export function refuseUnserved(input: Readonly<Record<string, unknown>>): void {
  const found = UNSERVED.find((member) => input[member] !== undefined);
  if (found) throw notServed(`${found} of a job`);
}
