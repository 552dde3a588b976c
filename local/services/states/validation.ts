/**
 * Checks a definition as CreateStateMachine does: what is wrong and where. What Step Functions has and the desk has not (JSONata, variables,
 * distributed maps, activities) is refused here by name, so that no execution stumbles over it.
 */
import { checkRule } from './choice-check.js';
import { type Diagnostic, Findings } from './diagnostics.js';
import { checkCatch, checkRetry } from './error-check.js';
import { FIELDS, type Fields, checkFields } from './field-check.js';
import { taskResource } from './task-resource.js';
import { timestampMs } from './timestamp.js';
import { type Json, type JsonObject, isArray, isObject } from './values.js';

/** 1 MB (Step Functions service quotas). */
const LARGEST_DEFINITION = 1_048_576;

const LIST: Fields = { StartAt: 'text', States: 'any', Comment: 'text' };
const MACHINE: Fields = { ...LIST, Version: 'text', TimeoutSeconds: 'positive', QueryLanguage: 'text' };
const REQUIRED: Readonly<Record<string, readonly string[]>> = { Task: ['Resource'], Choice: ['Choices'], Parallel: ['Branches'] };
/** Of each group at most one. */
const EXCLUSIVE: readonly (readonly string[])[] = [
  ['TimeoutSeconds', 'TimeoutSecondsPath'],
  ['HeartbeatSeconds', 'HeartbeatSecondsPath'],
  ['Error', 'ErrorPath'],
  ['Cause', 'CausePath'],
  ['MaxConcurrency', 'MaxConcurrencyPath'],
  ['ItemProcessor', 'Iterator'],
  ['ItemSelector', 'Parameters'],
];
const WAITS = ['Seconds', 'SecondsPath', 'Timestamp', 'TimestampPath'];

/** What is wrong; nothing: the definition is good. */
export function diagnose(text: string): readonly Diagnostic[] {
  const unfit = (message: string, code: Diagnostic['code'] = 'SCHEMA_VALIDATION_FAILED'): Diagnostic[] => [{ code, message }];
  if (Buffer.byteLength(text) > LARGEST_DEFINITION) return unfit(`Definition exceeds the maximum size of ${LARGEST_DEFINITION} bytes`);
  if (text === '') return unfit('Definition must be a valid JSON object');
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (error) {
    return unfit((error as Error).message, 'INVALID_JSON_DESCRIPTION');
  }
  if (!isObject(parsed)) return unfit('Definition must be a valid JSON object');
  const findings = new Findings();
  checkFields(findings, parsed, MACHINE, '');
  checkLanguage(findings, parsed, '');
  checkList(findings, parsed, '');
  return findings.found;
}

/** States of one list, and which of them something leads to. */
interface List {
  readonly findings: Findings;
  readonly states: JsonObject;
  readonly targets: Set<string>;
}

function checkList(findings: Findings, list: JsonObject, at: string): void {
  const missing = ['States', 'StartAt'].filter((field) => list[field] === undefined);
  if (missing.length > 0) return findings.schema(`These fields are required: [${missing.join(', ')}]`, at || '/');
  const { States: states, StartAt: start } = list;
  if (!isObject(states)) return findings.schema('Expected value of type Object', `${at}/States`);
  if (Object.keys(states).length === 0) return findings.schema('Value cannot be empty', `${at}/States`);
  const known: List = { findings, states, targets: new Set() };
  checkTarget(known, start, `${at}/StartAt`, 'StartAt');
  for (const [name, state] of Object.entries(states)) {
    const place = `${at}/States/${name}`;
    if (name.length > 80) findings.schema('State name cannot be longer than 80 characters', place);
    if (isObject(state)) checkState(known, state, place);
    else findings.schema('Expected value of type Object', place);
  }
  for (const name of Object.keys(states)) {
    if (!known.targets.has(name)) findings.add('MISSING_TRANSITION_TARGET', `State "${name}" is not reachable.`, `${at}/States/${name}`);
  }
}

function checkState(list: List, state: JsonObject, at: string): void {
  const { findings } = list;
  const { Type: type } = state;
  if (type === undefined) return findings.schema('These fields are required: [Type]', at);
  const fields = typeof type === 'string' ? FIELDS[type] : undefined;
  if (typeof type !== 'string' || !fields) return findings.schema(`Unknown state type: ${JSON.stringify(type)}`, at);
  checkFields(findings, state, fields, at);
  checkLanguage(findings, state, at);
  const missing = (REQUIRED[type] ?? []).filter((field) => state[field] === undefined);
  if (missing.length > 0) findings.schema(`These fields are required: [${missing.join(', ')}]`, at);
  for (const group of EXCLUSIVE) {
    if (group.filter((field) => state[field] !== undefined).length > 1)
      findings.schema(`You cannot set both of these fields: [${group.join(', ')}]`, at);
  }
  if (fields.Next !== undefined) checkTransition(list, state, at);
  CHECKS[type]?.(list, state, at);
  if (fields.Retry !== undefined) checkRetry(findings, state.Retry, `${at}/Retry`);
  if (fields.Catch !== undefined) checkCatch(findings, state.Catch, `${at}/Catch`, (next, place) => checkTarget(list, next, place, 'Next'));
}

function checkLanguage(findings: Findings, { QueryLanguage: language }: JsonObject, at: string): void {
  if (language !== undefined && language !== 'JSONPath')
    findings.schema(`QueryLanguage ${JSON.stringify(language)} is not served by the desk, which has JSONPath only`, `${at}/QueryLanguage`);
}

function checkTransition(list: List, { Next: next, End: end }: JsonObject, at: string): void {
  if (next !== undefined && end === true) return list.findings.schema('You cannot set both of these fields: [Next, End]', at);
  if (next === undefined && end !== true) return list.findings.schema('One of these fields is required: [Next, End]', at);
  if (next !== undefined) checkTarget(list, next, `${at}/Next`, 'Next');
}

function checkTarget({ findings, states, targets }: List, name: Json | undefined, at: string, field: string): void {
  if (typeof name !== 'string') return findings.schema('Expected value of type String', at);
  if (Object.hasOwn(states, name)) targets.add(name);
  else findings.add('MISSING_TRANSITION_TARGET', `Missing '${field}' target: ${name}`, at);
}

/** What only one type has. */
const CHECKS: Readonly<Record<string, (list: List, state: JsonObject, at: string) => void>> = {
  Task: ({ findings }, { Resource: arn, HeartbeatSeconds: heartbeat, TimeoutSeconds: timeout }, at) => {
    if (typeof arn === 'string' && !taskResource(arn))
      findings.schema(
        `The resource provided ${arn} is not recognized. The value is not a valid resource ARN, or the resource is not available on the desk, which has lambda:invoke, sqs:sendMessage, sns:publish, events:putEvents and functions' own ARNs.`,
        `${at}/Resource`,
      );
    if (typeof heartbeat === 'number' && typeof timeout === 'number' && heartbeat >= timeout)
      findings.schema('HeartbeatSeconds must be smaller than TimeoutSeconds', at);
  },
  Wait: ({ findings }, state, at) => {
    if (WAITS.filter((field) => state[field] !== undefined).length !== 1)
      findings.schema(`Exactly one of these fields is required: [${WAITS.join(', ')}]`, at);
    if (state.Timestamp !== undefined && timestampMs(state.Timestamp) === undefined)
      findings.schema('String does not match RFC3339 timestamp', `${at}/Timestamp`);
  },
  Choice: (list, { Choices: choices, Default: otherwise }, at) => {
    if (otherwise !== undefined) checkTarget(list, otherwise, `${at}/Default`, 'Default');
    if (choices === undefined) return;
    if (!isArray(choices) || choices.length === 0) return list.findings.schema('Value cannot be empty', `${at}/Choices`);
    for (const [index, rule] of choices.entries()) {
      const place = `${at}/Choices/${index}`;
      if (!isObject(rule)) list.findings.schema('Expected value of type Object', place);
      else if (rule.Next === undefined) list.findings.schema('These fields are required: [Next]', place);
      else {
        checkTarget(list, rule.Next, `${place}/Next`, 'Next');
        checkRule(list.findings, rule, place);
      }
    }
  },
  Parallel: ({ findings }, { Branches: branches }, at) => {
    if (branches === undefined) return;
    if (!isArray(branches) || branches.length === 0) return findings.schema('Value cannot be empty', `${at}/Branches`);
    for (const [index, branch] of branches.entries()) checkNested(findings, branch, `${at}/Branches/${index}`, LIST);
  },
  Map: ({ findings }, state, at) => {
    const field = state.ItemProcessor === undefined ? 'Iterator' : 'ItemProcessor';
    const processor = state[field];
    if (processor === undefined) return findings.schema('One of these fields is required: [ItemProcessor, Iterator]', at);
    const mode = isObject(processor) && isObject(processor.ProcessorConfig) ? processor.ProcessorConfig.Mode : undefined;
    if (mode !== undefined && mode !== 'INLINE')
      findings.schema('Distributed maps are not served by the desk, which has Mode INLINE only', `${at}/${field}/ProcessorConfig/Mode`);
    checkNested(findings, processor, `${at}/${field}`, { ...LIST, ProcessorConfig: 'any' });
  },
};

function checkNested(findings: Findings, list: Json, at: string, fields: Fields): void {
  if (!isObject(list)) return findings.schema('Expected value of type Object', at);
  checkFields(findings, list, fields, at);
  checkList(findings, list, at);
}
