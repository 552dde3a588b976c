/**
 * Checks a definition as CreateStateMachine does: what is wrong and where. What Step Functions has and the desk has not (JSONata, variables,
 * distributed maps, activities) is refused here by name, so that no execution stumbles over it.
 */
import { OPERATORS } from './choice.js';
import { parseIntrinsic, pathsIn } from './intrinsics.js';
import { parsePath } from './json-path.js';
import { taskResource } from './task-resource.js';
import { timestampMs } from './timestamp.js';
import { type Json, type JsonObject, isArray, isObject } from './values.js';

export interface Diagnostic {
  readonly code: 'SCHEMA_VALIDATION_FAILED' | 'MISSING_TRANSITION_TARGET' | 'INVALID_JSON_DESCRIPTION';
  readonly message: string;
  readonly location?: string;
}

/** 1 MB (Step Functions service quotas). */
const LARGEST_DEFINITION = 1_048_576;

type FieldKind =
  | 'text'
  | 'whole'
  | 'positive'
  | 'seconds'
  | 'path'
  | 'nullPath'
  | 'reference'
  | 'nullReference'
  | 'template'
  | 'flag'
  | 'any'
  | 'expression';

const COMMON: Readonly<Record<string, FieldKind>> = { Type: 'text', Comment: 'text', QueryLanguage: 'text' };
const THROUGH: Readonly<Record<string, FieldKind>> = { Next: 'text', End: 'flag' };
const IN_OUT: Readonly<Record<string, FieldKind>> = { InputPath: 'nullPath', OutputPath: 'nullPath' };
const WORK: Readonly<Record<string, FieldKind>> = {
  ...THROUGH,
  ...IN_OUT,
  Parameters: 'template',
  ResultSelector: 'template',
  ResultPath: 'nullReference',
  Retry: 'any',
  Catch: 'any',
};

/** The fields of each type (https://states-language.net/#table). */
const FIELDS: Readonly<Record<string, Readonly<Record<string, FieldKind>>>> = {
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
  Wait: { ...COMMON, ...THROUGH, ...IN_OUT, Seconds: 'seconds', SecondsPath: 'reference', Timestamp: 'text', TimestampPath: 'reference' },
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

const REQUIRED: Readonly<Record<string, readonly string[]>> = { Task: ['Resource'], Choice: ['Choices'], Parallel: ['Branches'] };
/** Of each group at most one, or exactly one. */
const EXCLUSIVE: readonly (readonly string[])[] = [
  ['TimeoutSeconds', 'TimeoutSecondsPath'],
  ['HeartbeatSeconds', 'HeartbeatSecondsPath'],
  ['Error', 'ErrorPath'],
  ['Cause', 'CausePath'],
  ['MaxConcurrency', 'MaxConcurrencyPath'],
  ['ItemProcessor', 'Iterator'],
];
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

/** What is wrong; nothing: the definition is good. */
export function diagnose(text: string): Diagnostic[] {
  if (Buffer.byteLength(text) > LARGEST_DEFINITION)
    return [{ code: 'SCHEMA_VALIDATION_FAILED', message: 'Definition exceeds the maximum size of 1048576 bytes' }];
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (error) {
    if (text === '') return [{ code: 'SCHEMA_VALIDATION_FAILED', message: 'Definition must be a valid JSON object' }];
    return [{ code: 'INVALID_JSON_DESCRIPTION', message: (error as Error).message }];
  }
  if (!isObject(parsed)) return [{ code: 'SCHEMA_VALIDATION_FAILED', message: 'Definition must be a valid JSON object' }];
  const checker = new Checker();
  checker.machine(parsed);
  return checker.found;
}

class Checker {
  readonly found: Diagnostic[] = [];

  machine(definition: JsonObject): void {
    this.fields(
      definition,
      { StartAt: 'text', States: 'any', Comment: 'text', Version: 'text', TimeoutSeconds: 'positive', QueryLanguage: 'text' },
      '',
    );
    if (definition.QueryLanguage !== undefined && definition.QueryLanguage !== 'JSONPath')
      this.schema(
        `QueryLanguage ${JSON.stringify(definition.QueryLanguage)} is not served by the desk, which has JSONPath only`,
        '/QueryLanguage',
      );
    this.list(definition, '');
  }

  private list(list: JsonObject, at: string): void {
    const missing = ['States', 'StartAt'].filter((field) => list[field] === undefined);
    if (missing.length > 0) return this.schema(`These fields are required: [${missing.join(', ')}]`, at || '/');
    const { States: states, StartAt: start } = list;
    if (!isObject(states)) return this.schema('Expected value of type Object', `${at}/States`);
    if (Object.keys(states).length === 0) return this.schema('Value cannot be empty', `${at}/States`);
    const targets = new Set<string>();
    this.target(start, states, `${at}/StartAt`, 'StartAt', targets);
    for (const [name, state] of Object.entries(states)) {
      if (name.length > 80) this.schema('State name cannot be longer than 80 characters', `${at}/States/${name}`);
      if (!isObject(state)) this.schema('Expected value of type Object', `${at}/States/${name}`);
      else this.state(state, states, `${at}/States/${name}`, targets);
    }
    for (const name of Object.keys(states))
      if (!targets.has(name)) this.add('MISSING_TRANSITION_TARGET', `State "${name}" is not reachable.`, `${at}/States/${name}`);
  }

  private state(state: JsonObject, states: JsonObject, at: string, targets: Set<string>): void {
    const type = state.Type;
    const fields = typeof type === 'string' ? FIELDS[type] : undefined;
    if (typeof type !== 'string' || !fields)
      return this.schema(type === undefined ? 'These fields are required: [Type]' : `Unknown state type: ${JSON.stringify(type)}`, at);
    this.fields(state, fields, at);
    const missing = (REQUIRED[type] ?? []).filter((field) => state[field] === undefined);
    if (missing.length > 0) this.schema(`These fields are required: [${missing.join(', ')}]`, at);
    for (const group of EXCLUSIVE)
      if (group.filter((field) => state[field] !== undefined).length > 1)
        this.schema(`You cannot set both of these fields: [${group.join(', ')}]`, at);
    if (fields.Next !== undefined) this.transition(state, states, at, targets);
    if (state.QueryLanguage !== undefined && state.QueryLanguage !== 'JSONPath')
      this.schema(
        `QueryLanguage ${JSON.stringify(state.QueryLanguage)} is not served by the desk, which has JSONPath only`,
        `${at}/QueryLanguage`,
      );
    this.ofType(type, state, states, at, targets);
    if (fields.Retry !== undefined) this.retriers(state.Retry, `${at}/Retry`);
    if (fields.Catch !== undefined) this.catchers(state.Catch, states, `${at}/Catch`, targets);
  }

  private ofType(type: string, state: JsonObject, states: JsonObject, at: string, targets: Set<string>): void {
    if (type === 'Task') this.task(state, at);
    if (type === 'Wait') this.wait(state, at);
    if (type === 'Choice') this.choices(state, states, at, targets);
    if (type === 'Parallel') this.branches(state.Branches, `${at}/Branches`);
    if (type === 'Map') this.processor(state, at);
  }

  private fields(object: JsonObject, known: Readonly<Record<string, FieldKind>>, at: string): void {
    for (const [name, value] of Object.entries(object)) {
      const kind = known[name];
      if (NOT_ON_THE_DESK.includes(name) && !kind) this.schema(`Field ${name} is not served by the desk`, `${at}/${name}`);
      else if (!kind) this.schema('Field is not supported', `${at}/${name}`);
      else this.field(name, value, kind, `${at}/${name}`);
    }
  }

  private field(name: string, value: Json, kind: FieldKind, at: string): void {
    if (kind === 'any') return;
    if (kind === 'flag') {
      if (typeof value !== 'boolean') this.schema('Expected value of type Boolean', at);
    } else if (kind === 'whole' || kind === 'positive' || kind === 'seconds') {
      const least = kind === 'positive' ? 1 : 0;
      if (typeof value !== 'number' || !Number.isInteger(value)) this.schema('Expected value of type Integer', at);
      else if (value < least || value > 99_999_999) this.schema(`Value is not in the range [${least}, 99999999]`, at);
    } else if (kind === 'template') {
      if (!isObject(value)) this.schema('Expected value of type Object', at);
      else this.template(value, at);
    } else if (value === null && (kind === 'nullPath' || kind === 'nullReference')) return;
    else if (typeof value !== 'string') this.schema('Expected value of type String', at);
    else if (kind === 'expression') this.expression(name, value, at);
    else if (kind !== 'text') this.path(value, kind === 'reference' || kind === 'nullReference', at, kind === 'nullReference');
  }

  private path(path: string, reference: boolean, at: string, intoData = false): void {
    try {
      const parsed = parsePath(path.startsWith('$$') && !intoData ? path.slice(1) : path);
      if (reference && !parsed.definite) this.schema('Value is not a Reference Path: it must identify one node', at);
    } catch (error) {
      this.schema(`Value is not a valid JSONPath: ${(error as Error).message}`, at);
    }
  }

  private template(template: Json, at: string): void {
    if (isArray(template)) for (const [index, element] of template.entries()) this.template(element, `${at}/${index}`);
    if (!isObject(template)) return;
    for (const [name, value] of Object.entries(template)) {
      if (name.endsWith('.$')) this.expression(name, value, at);
      else this.template(value, `${at}/${name}`);
    }
  }

  private expression(name: string, value: Json, at: string): void {
    try {
      if (typeof value !== 'string') throw new SyntaxError(`got ${JSON.stringify(value)}, expected a text`);
      const paths = value.startsWith('$') ? [value] : pathsIn(parseIntrinsic(value));
      for (const path of paths) parsePath(path.startsWith('$$') ? path.slice(1) : path);
    } catch {
      this.schema(`The value for the field '${name}' must be a valid JSONPath or a valid intrinsic function call`, at);
    }
  }

  private transition(state: JsonObject, states: JsonObject, at: string, targets: Set<string>): void {
    const { Next: next, End: end } = state;
    if (next !== undefined && end === true) return this.schema('You cannot set both of these fields: [Next, End]', at);
    if (next === undefined && end !== true) return this.schema('One of these fields is required: [Next, End]', at);
    if (next !== undefined) this.target(next, states, `${at}/Next`, 'Next', targets);
  }

  private target(name: Json | undefined, states: JsonObject, at: string, field: string, targets: Set<string>): void {
    if (typeof name !== 'string') return this.schema('Expected value of type String', at);
    if (Object.hasOwn(states, name)) targets.add(name);
    else this.add('MISSING_TRANSITION_TARGET', `Missing '${field}' target: ${name}`, at);
  }

  private task(state: JsonObject, at: string): void {
    const { Resource: arn } = state;
    if (typeof arn !== 'string') return;
    const resource = taskResource(arn);
    if (!resource)
      return this.schema(
        `The resource provided ${arn} is not recognized. The value is not a valid resource ARN, or the resource is not available on the desk (it has lambda:invoke, sqs:sendMessage, sns:publish, events:putEvents and functions' own ARNs).`,
        `${at}/Resource`,
      );
    const heartbeat = state.HeartbeatSeconds;
    const timeout = state.TimeoutSeconds;
    if (typeof heartbeat === 'number' && typeof timeout === 'number' && heartbeat >= timeout)
      this.schema('HeartbeatSeconds must be smaller than TimeoutSeconds', at);
  }

  private wait(state: JsonObject, at: string): void {
    const kinds = ['Seconds', 'SecondsPath', 'Timestamp', 'TimestampPath'].filter((field) => state[field] !== undefined);
    if (kinds.length !== 1) this.schema('Exactly one of these fields is required: [Seconds, SecondsPath, Timestamp, TimestampPath]', at);
    if (state.Timestamp !== undefined && timestampMs(state.Timestamp) === undefined)
      this.schema('String does not match RFC3339 timestamp', `${at}/Timestamp`);
  }

  private choices(state: JsonObject, states: JsonObject, at: string, targets: Set<string>): void {
    const { Choices: choices, Default: otherwise } = state;
    if (otherwise !== undefined) this.target(otherwise, states, `${at}/Default`, 'Default', targets);
    if (choices === undefined) return;
    if (!isArray(choices) || choices.length === 0) return this.schema('Value cannot be empty', `${at}/Choices`);
    for (const [index, rule] of choices.entries()) {
      const place = `${at}/Choices/${index}`;
      if (!isObject(rule)) this.schema('Expected value of type Object', place);
      else if (rule.Next === undefined) this.schema('These fields are required: [Next]', place);
      else {
        this.target(rule.Next, states, `${place}/Next`, 'Next', targets);
        this.rule(rule, place);
      }
    }
  }

  private rule(rule: JsonObject, at: string): void {
    const combined = ['And', 'Or', 'Not'].filter((field) => rule[field] !== undefined);
    const operators = Object.keys(rule).filter((field) => OPERATORS.has(field));
    if (combined.length + operators.length !== 1)
      return this.schema('Exactly one comparison operator or one of [And, Or, Not] is required', at);
    const [combinator] = combined;
    if (combinator !== undefined) {
      const parts = combinator === 'Not' ? [rule.Not!] : rule[combinator]!;
      if (!isArray(parts) || parts.length === 0 || !parts.every(isObject))
        return this.schema('Value cannot be empty', `${at}/${combinator}`);
      for (const [index, part] of parts.entries())
        this.rule(part as JsonObject, combinator === 'Not' ? `${at}/Not` : `${at}/${combinator}/${index}`);
      return;
    }
    const operator = operators[0]!;
    if (typeof rule.Variable !== 'string') this.schema('These fields are required: [Variable]', at);
    else this.path(rule.Variable, false, `${at}/Variable`);
    this.operand(rule[operator]!, OPERATORS.get(operator)!, `${at}/${operator}`);
  }

  private operand(value: Json, kind: string, at: string): void {
    if (kind === 'path') {
      if (typeof value === 'string') this.path(value, false, at);
      else this.schema('Expected value of type String', at);
    } else if (kind === 'timestamp') {
      if (timestampMs(value) === undefined) this.schema('String does not match RFC3339 timestamp', at);
    } else if (typeof value !== kind) this.schema(`Expected value of type ${kind[0]!.toUpperCase()}${kind.slice(1)}`, at);
  }

  private branches(branches: Json | undefined, at: string): void {
    if (branches === undefined) return;
    if (!isArray(branches) || branches.length === 0) return this.schema('Value cannot be empty', at);
    for (const [index, branch] of branches.entries()) this.nested(branch, `${at}/${index}`, {});
  }

  private processor(state: JsonObject, at: string): void {
    const field = state.ItemProcessor === undefined ? 'Iterator' : 'ItemProcessor';
    const processor = state[field];
    if (processor === undefined) return this.schema('One of these fields is required: [ItemProcessor, Iterator]', at);
    if (state.ItemSelector !== undefined && state.Parameters !== undefined)
      this.schema('You cannot set both of these fields: [ItemSelector, Parameters]', at);
    const mode = isObject(processor) && isObject(processor.ProcessorConfig) ? processor.ProcessorConfig.Mode : undefined;
    if (mode !== undefined && mode !== 'INLINE')
      this.schema('Distributed maps are not served by the desk, which has Mode INLINE only', `${at}/${field}/ProcessorConfig/Mode`);
    this.nested(processor, `${at}/${field}`, { ProcessorConfig: 'any' });
  }

  private nested(list: Json, at: string, more: Readonly<Record<string, FieldKind>>): void {
    if (!isObject(list)) return this.schema('Expected value of type Object', at);
    this.fields(list, { StartAt: 'text', States: 'any', Comment: 'text', ...more }, at);
    this.list(list, at);
  }

  private retriers(retry: Json | undefined, at: string): void {
    if (retry === undefined) return;
    if (!isArray(retry)) return this.schema('Expected value of type Array', at);
    for (const [index, retrier] of retry.entries()) {
      const place = `${at}/${index}`;
      if (!isObject(retrier)) {
        this.schema('Expected value of type Object', place);
        continue;
      }
      const { BackoffRate: rate, JitterStrategy: jitter, IntervalSeconds: interval, MaxDelaySeconds: most } = retrier;
      this.fields(
        retrier,
        {
          ErrorEquals: 'any',
          IntervalSeconds: 'positive',
          MaxAttempts: 'whole',
          BackoffRate: 'any',
          MaxDelaySeconds: 'positive',
          JitterStrategy: 'text',
          Comment: 'text',
        },
        place,
      );
      this.errorNames(retrier.ErrorEquals, index === retry.length - 1, place);
      if (rate !== undefined && (typeof rate !== 'number' || rate < 1))
        this.schema('Value must be greater than or equal to 1.0', `${place}/BackoffRate`);
      if (jitter !== undefined && jitter !== 'FULL' && jitter !== 'NONE')
        this.schema('Value must be one of [FULL, NONE]', `${place}/JitterStrategy`);
      if (typeof most === 'number' && (most > 31_622_400 || most <= (typeof interval === 'number' ? interval : 1)))
        this.schema('MaxDelaySeconds must be greater than IntervalSeconds and at most 31622400', `${place}/MaxDelaySeconds`);
    }
  }

  private catchers(catchers: Json | undefined, states: JsonObject, at: string, targets: Set<string>): void {
    if (catchers === undefined) return;
    if (!isArray(catchers)) return this.schema('Expected value of type Array', at);
    for (const [index, catcher] of catchers.entries()) {
      const place = `${at}/${index}`;
      if (!isObject(catcher)) {
        this.schema('Expected value of type Object', place);
        continue;
      }
      this.fields(catcher, { ErrorEquals: 'any', Next: 'text', ResultPath: 'nullReference', Comment: 'text' }, place);
      this.errorNames(catcher.ErrorEquals, index === catchers.length - 1, place);
      this.target(catcher.Next, states, `${place}/Next`, 'Next', targets);
    }
  }

  /** States.ALL stands alone and last (https://states-language.net/#errors). */
  private errorNames(names: Json | undefined, last: boolean, at: string): void {
    if (!isArray(names) || names.length === 0 || !names.every((name) => typeof name === 'string'))
      return this.schema('These fields are required: [ErrorEquals], a list of error names that is not empty', at);
    if (!names.includes('States.ALL')) return;
    if (names.length > 1) this.schema('States.ALL must appear alone', `${at}/ErrorEquals`);
    if (!last) this.schema('States.ALL must appear in the last element', `${at}/ErrorEquals`);
  }

  private schema(message: string, location: string): void {
    this.add('SCHEMA_VALIDATION_FAILED', message, location);
  }

  private add(code: Diagnostic['code'], message: string, location: string): void {
    this.found.push({ code, message, location });
  }
}
