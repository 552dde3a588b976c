/** The fields of each state type, and what stands in them. */
import type { Findings } from './diagnostics.js';
import { parseIntrinsic, pathsIn } from './intrinsics.js';
import { parsePath } from './json-path.js';
import { type Json, type JsonObject, isArray, isObject } from './values.js';

/** `null…`: null is allowed too. A reference path names one place; an expression is a path or an intrinsic function. */
export type FieldKind =
  'text' | 'flag' | 'whole' | 'positive' | 'path' | 'nullPath' | 'reference' | 'nullReference' | 'template' | 'expression' | 'any';
export type Fields = Readonly<Record<string, FieldKind>>;

const COMMON: Fields = { Type: 'text', Comment: 'text', QueryLanguage: 'text' };
const THROUGH: Fields = { Next: 'text', End: 'flag' };
const IN_OUT: Fields = { InputPath: 'nullPath', OutputPath: 'nullPath' };
const WORK: Fields = {
  ...THROUGH,
  ...IN_OUT,
  Parameters: 'template',
  ResultSelector: 'template',
  ResultPath: 'nullReference',
  Retry: 'any',
  Catch: 'any',
};

/** https://states-language.net/#table */
export const FIELDS: Readonly<Record<string, Fields>> = {
  Pass: { ...COMMON, ...THROUGH, ...IN_OUT, Parameters: 'template', ResultPath: 'nullReference', Result: 'any' },
  Task: {
    ...COMMON,
    ...WORK,
    Resource: 'text',
    TimeoutSeconds: 'positive',
    TimeoutSecondsPath: 'reference',
    HeartbeatSeconds: 'positive',
    HeartbeatSecondsPath: 'reference',
  },
  Choice: { ...COMMON, ...IN_OUT, Choices: 'any', Default: 'text' },
  Wait: { ...COMMON, ...THROUGH, ...IN_OUT, Seconds: 'whole', SecondsPath: 'reference', Timestamp: 'text', TimestampPath: 'reference' },
  Succeed: { ...COMMON, ...IN_OUT },
  Fail: { ...COMMON, Error: 'text', ErrorPath: 'expression', Cause: 'text', CausePath: 'expression' },
  Parallel: { ...COMMON, ...WORK, Branches: 'any' },
  Map: {
    ...COMMON,
    ...WORK,
    ItemProcessor: 'any',
    Iterator: 'any',
    ItemsPath: 'reference',
    ItemSelector: 'template',
    MaxConcurrency: 'whole',
    MaxConcurrencyPath: 'reference',
  },
};

/** Step Functions has them; the desk does not. */
const NOT_ON_THE_DESK = [
  'Assign',
  'Arguments',
  'Output',
  'Items',
  'Condition',
  'Credentials',
  'ItemReader',
  'ItemBatcher',
  'ResultWriter',
  'Label',
  'ToleratedFailureCount',
  'ToleratedFailureCountPath',
  'ToleratedFailurePercentage',
  'ToleratedFailurePercentagePath',
];
/** The largest number of seconds, and of anything else that is counted. */
const LARGEST = 99_999_999;

export function checkFields(findings: Findings, object: JsonObject, known: Fields, at: string): void {
  for (const [name, value] of Object.entries(object)) {
    const kind = known[name];
    const place = `${at}/${name}`;
    if (kind) checkField(findings, name, value, kind, place);
    else findings.schema(NOT_ON_THE_DESK.includes(name) ? `Field ${name} is not served by the desk` : 'Field is not supported', place);
  }
}

function checkField(findings: Findings, name: string, value: Json, kind: FieldKind, at: string): void {
  if (kind === 'any') return;
  if (kind === 'flag') {
    if (typeof value !== 'boolean') findings.schema('Expected value of type Boolean', at);
  } else if (kind === 'whole' || kind === 'positive') {
    const least = kind === 'positive' ? 1 : 0;
    if (typeof value !== 'number' || !Number.isInteger(value)) findings.schema('Expected value of type Integer', at);
    else if (value < least || value > LARGEST) findings.schema(`Value is not in the range [${least}, ${LARGEST}]`, at);
  } else if (kind === 'template') {
    if (isObject(value)) checkTemplate(findings, value, at);
    else findings.schema('Expected value of type Object', at);
  } else if (value === null && (kind === 'nullPath' || kind === 'nullReference')) return;
  else if (typeof value !== 'string') findings.schema('Expected value of type String', at);
  else if (kind === 'expression') checkExpression(findings, name, value, at);
  else if (kind !== 'text') checkPath(findings, value, at, kind === 'reference' || kind === 'nullReference', kind !== 'nullReference');
}

/** `reference`: it must name one place. `context`: `$$…` may stand here. */
export function checkPath(findings: Findings, path: string, at: string, reference = false, context = true): void {
  try {
    const parsed = parsePath(context && path.startsWith('$$') ? path.slice(1) : path);
    if (reference && !parsed.definite) findings.schema('Value is not a Reference Path: it must identify one node', at);
  } catch (error) {
    findings.schema(`Value is not a valid JSONPath: ${(error as Error).message}`, at);
  }
}

function checkTemplate(findings: Findings, template: Json, at: string): void {
  if (isArray(template)) for (const [index, element] of template.entries()) checkTemplate(findings, element, `${at}/${index}`);
  if (!isObject(template)) return;
  for (const [name, value] of Object.entries(template)) {
    if (name.endsWith('.$')) checkExpression(findings, name, value, at);
    else checkTemplate(findings, value, `${at}/${name}`);
  }
}

function checkExpression(findings: Findings, name: string, value: Json, at: string): void {
  try {
    if (typeof value !== 'string') throw new SyntaxError(`got ${JSON.stringify(value)}, expected a text`);
    const paths = value.startsWith('$') ? [value] : pathsIn(parseIntrinsic(value));
    for (const path of paths) parsePath(path.startsWith('$$') ? path.slice(1) : path);
  } catch (error) {
    const why = (error as Error).message;
    findings.schema(`The value for the field '${name}' must be a valid JSONPath or a valid intrinsic function call (${why})`, at);
  }
}
