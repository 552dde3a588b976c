import { CommanderError } from 'commander';
import { Misused, Refused } from './answer.js';

export interface Failure {
  readonly exitCode: 0 | 1 | 2;
  /** Empty where everything has been said already. */
  readonly text: string;
}

const HINTS: readonly (readonly [RegExp, string])[] = [
  [
    /CredentialsProviderError|Could not load credentials/,
    'no AWS credentials: expected a profile or keys in the environment; at the desk: source .desk/env',
  ],
  [/Region is missing/, 'no region: expected AWS_REGION in the environment; at the desk: source .desk/env'],
  [
    /ECONNREFUSED|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|TimeoutError/,
    'AWS cannot be reached: expected an answer from the endpoint; is the desk running, is AWS_ENDPOINT_URL right?',
  ],
  [/ExpiredToken|UnrecognizedClient|InvalidClientTokenId|InvalidSignature|SignatureDoesNotMatch/, 'AWS does not accept these credentials'],
  [/AccessDenied|not authorized/i, 'these credentials may not do that'],
];

/** How a command that failed ends, in words that say what was expected. */
export function failureOf(error: unknown): Failure {
  // Commander has written its own message; asked for help is not a failure.
  if (error instanceof CommanderError) return { exitCode: error.exitCode === 0 ? 0 : 2, text: '' };
  if (error instanceof Refused) return { exitCode: 1, text: `refused: ${error.message}` };
  if (error instanceof Misused) return { exitCode: 2, text: `not understood: ${error.message}` };
  const said = saidBy(error);
  const hint = HINTS.find(([pattern]) => pattern.test(said))?.[1];
  return { exitCode: 2, text: hint === undefined ? `failed: ${said}` : `failed: ${hint}\n  (${said})` };
}

/** Name, code and message; of several attempts at several addresses (AggregateError), the first. */
function saidBy(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return saidBy(error.errors[0]);
  if (!(error instanceof Error)) return String(error);
  return `${error.name}: ${error.message}`;
}
