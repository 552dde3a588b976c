/** Retry and Catch of a definition. */
import type { Findings } from './diagnostics.js';
import { type Fields, checkFields } from './field-check.js';
import { type Json, type JsonObject, isArray, isObject } from './values.js';

const RETRIER: Fields = {
  ErrorEquals: 'any',
  IntervalSeconds: 'positive',
  MaxAttempts: 'whole',
  BackoffRate: 'any',
  MaxDelaySeconds: 'positive',
  JitterStrategy: 'text',
  Comment: 'text',
};
const CATCHER: Fields = { ErrorEquals: 'any', Next: 'text', ResultPath: 'nullReference', Comment: 'text' };
/** A year (https://states-language.net/#retrying-after-error). */
const LONGEST_DELAY_SECONDS = 31_622_400;

export function checkRetry(findings: Findings, retry: Json | undefined, at: string): void {
  for (const { element: retrier, place, last } of elements(findings, retry, at)) {
    const { BackoffRate: rate, JitterStrategy: jitter, IntervalSeconds: interval = 1, MaxDelaySeconds: most } = retrier;
    checkFields(findings, retrier, RETRIER, place);
    checkErrorNames(findings, retrier.ErrorEquals, last, place);
    if (rate !== undefined && (typeof rate !== 'number' || rate < 1))
      findings.schema('Value must be greater than or equal to 1.0', `${place}/BackoffRate`);
    if (jitter !== undefined && jitter !== 'FULL' && jitter !== 'NONE')
      findings.schema('Value must be one of [FULL, NONE]', `${place}/JitterStrategy`);
    if (typeof most === 'number' && (most > LONGEST_DELAY_SECONDS || most <= Number(interval)))
      findings.schema(
        `MaxDelaySeconds must be greater than IntervalSeconds and at most ${LONGEST_DELAY_SECONDS}`,
        `${place}/MaxDelaySeconds`,
      );
  }
}

/** `target` checks where a catcher leads. */
export function checkCatch(
  findings: Findings,
  catchers: Json | undefined,
  at: string,
  target: (next: Json | undefined, at: string) => void,
): void {
  for (const { element: catcher, place, last } of elements(findings, catchers, at)) {
    checkFields(findings, catcher, CATCHER, place);
    checkErrorNames(findings, catcher.ErrorEquals, last, place);
    target(catcher.Next, `${place}/Next`);
  }
}

function elements(
  findings: Findings,
  list: Json | undefined,
  at: string,
): readonly { readonly element: JsonObject; readonly place: string; readonly last: boolean }[] {
  if (list === undefined) return [];
  if (!isArray(list)) {
    findings.schema('Expected value of type Array', at);
    return [];
  }
  return list.flatMap((element, index) => {
    if (isObject(element)) return [{ element, place: `${at}/${index}`, last: index === list.length - 1 }];
    findings.schema('Expected value of type Object', `${at}/${index}`);
    return [];
  });
}

/** States.ALL stands alone and last (https://states-language.net/#errors). */
function checkErrorNames(findings: Findings, names: Json | undefined, last: boolean, at: string): void {
  if (!isArray(names) || names.length === 0 || !names.every((name) => typeof name === 'string'))
    return findings.schema('These fields are required: [ErrorEquals], a list of error names that is not empty', at);
  if (!names.includes('States.ALL')) return;
  if (names.length > 1) findings.schema('States.ALL must appear alone', `${at}/ErrorEquals`);
  if (!last) findings.schema('States.ALL must appear in the last element', `${at}/ErrorEquals`);
}
