/**
 * Event patterns, shared by EventBridge rules, filter policies of SNS and filter criteria of Lambda event sources: one language, three
 * users (EventBridge user guide, "Comparison operators for use in event patterns"). Checked when the rule is made: an operator that is
 * not known refuses the rule, it never silently matches or drops an event.
 */
import { BlockList, isIP } from 'node:net';

export type EventPattern = Readonly<Record<string, unknown>>;
export class InvalidPattern extends Error {
  override readonly name = 'InvalidPattern';
}

type Test = (value: unknown) => boolean;
type Matcher = (event: unknown) => boolean;
const fail = (message: string): never => {
  throw new InvalidPattern(`Event pattern is not valid. Reason: ${message}`);
};

/** Compiles a pattern once; the result says whether an event matches. Throws InvalidPattern. */
export function compilePattern(pattern: unknown): Matcher {
  if (typeof pattern === 'string') {
    try {
      return compilePattern(JSON.parse(pattern));
    } catch (error) {
      if (error instanceof InvalidPattern) throw error;
      return fail('Filter is not an object');
    }
  }
  return compileObject(pattern);
}

function compileObject(pattern: unknown): Matcher {
  if (pattern === null || typeof pattern !== 'object' || Array.isArray(pattern)) return fail('Filter is not an object');
  const entries = Object.entries(pattern);
  if (entries.length === 0) return fail('Empty objects are not allowed');
  const matchers = entries.map(([key, rule]): Matcher => (key === '$or' ? compileOr(rule) : compileField(key, rule)));
  return (event) => matchers.every((matcher) => matcher(event));
}

function compileOr(alternatives: unknown): Matcher {
  if (!Array.isArray(alternatives) || alternatives.length < 2) return fail('There must have at least 2 Objects in $or relationship');
  const matchers = alternatives.map(compileObject);
  return (event) => matchers.some((matcher) => matcher(event));
}

function compileField(key: string, rule: unknown): Matcher {
  const field = (event: unknown): unknown => (isObject(event) ? event[key] : undefined);
  if (!Array.isArray(rule)) {
    if (!isObject(rule)) return fail(`"${key}" must be an object or an array`);
    const inner = compileObject(rule);
    // An array of objects matches when one of them does.
    return (event) => {
      const value = field(event);
      return Array.isArray(value) ? value.some(inner) : inner(value ?? {});
    };
  }
  if (rule.length === 0) return fail('Empty arrays are not allowed');
  const tests = rule.map(compileTest);
  return (event) => {
    const value = field(event);
    // exists, and anything-but on a missing field, look at the field itself; all the others at each element of an array.
    if (Array.isArray(value)) return tests.some((test) => (value.length === 0 ? test(undefined) : value.some(test)));
    return tests.some((test) => test(value));
  };
}

function compileTest(rule: unknown): Test {
  if (rule === null || typeof rule === 'string' || typeof rule === 'number' || typeof rule === 'boolean') return (value) => value === rule;
  if (!isObject(rule)) return fail('Match value must be String, number, true, false, or null');
  const [operator, ...others] = Object.keys(rule);
  if (operator === undefined || others.length > 0) return fail('Only one key allowed in match expression');
  const compile = OPERATORS[operator];
  return compile ? compile(rule[operator]) : fail(`Unrecognized match type ${operator}`);
}

const OPERATORS: Readonly<Record<string, (argument: unknown) => Test>> = {
  exists: (argument) => {
    if (typeof argument !== 'boolean') return fail('exists match pattern must be either true or false.');
    return (value) => (value !== undefined && !isObject(value)) === argument;
  },
  prefix: (argument) => affix(argument, 'prefix', (text, part) => text.startsWith(part)),
  suffix: (argument) => affix(argument, 'suffix', (text, part) => text.endsWith(part)),
  'equals-ignore-case': (argument) => {
    const wanted = text(argument, 'equals-ignore-case').toLowerCase();
    return (value) => typeof value === 'string' && value.toLowerCase() === wanted;
  },
  wildcard: (argument) => wildcard(text(argument, 'wildcard')),
  'anything-but': anythingBut,
  numeric,
  cidr,
};

function text(argument: unknown, operator: string): string {
  return typeof argument === 'string' ? argument : fail(`${operator} match pattern must be a string`);
}

function affix(argument: unknown, operator: string, holds: (text: string, part: string) => boolean): Test {
  if (isObject(argument)) {
    const wanted = text(argument['equals-ignore-case'], operator).toLowerCase();
    return (value) => typeof value === 'string' && holds(value.toLowerCase(), wanted);
  }
  const wanted = text(argument, operator);
  return (value) => typeof value === 'string' && holds(value, wanted);
}

function wildcard(pattern: string): Test {
  if (pattern.includes('**')) return fail('Consecutive wildcard characters at pos ' + pattern.indexOf('**'));
  // `\*` is a star itself; every other character but the star stands for itself.
  const expression = pattern.replace(/\\\*|\\\\|\*|[^*\\]+|\\/g, (part) => {
    if (part === '*') return '.*';
    const literal = part === '\\*' ? '*' : part === '\\\\' ? '\\' : part;
    return literal.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  });
  const compiled = new RegExp(`^${expression}$`, 's');
  return (value) => typeof value === 'string' && compiled.test(value);
}

/** Every value but these. A field that is absent does not match: anything-but needs a value (EventBridge user guide). */
function anythingBut(argument: unknown): Test {
  if (isObject(argument)) {
    const [operator, ...others] = Object.keys(argument);
    if (operator === undefined || others.length > 0 || !['prefix', 'suffix', 'equals-ignore-case', 'wildcard'].includes(operator)) {
      return fail(`Unsupported anything-but pattern: ${Object.keys(argument).join(', ')}`);
    }
    const tests = [argument[operator]].flat().map((one) => OPERATORS[operator]!(one));
    return (value) => value !== undefined && !tests.some((test) => test(value));
  }
  const excluded = [argument].flat();
  if (excluded.length === 0 || excluded.some((value) => typeof value !== 'string' && typeof value !== 'number')) {
    return fail('Inside anything but list, start|null|boolean is not supported.');
  }
  return (value) => value !== undefined && !excluded.includes(value);
}

const COMPARE: Readonly<Record<string, (value: number, bound: number) => boolean>> = {
  '=': (value, bound) => value === bound,
  '<': (value, bound) => value < bound,
  '<=': (value, bound) => value <= bound,
  '>': (value, bound) => value > bound,
  '>=': (value, bound) => value >= bound,
};

function numeric(argument: unknown): Test {
  if (!Array.isArray(argument) || argument.length === 0 || argument.length % 2 !== 0) return fail('Invalid member in numeric match');
  const bounds: Test[] = [];
  for (let at = 0; at < argument.length; at += 2) {
    const compare = COMPARE[String(argument[at])];
    const bound: unknown = argument[at + 1];
    if (!compare || typeof bound !== 'number') return fail(`Unrecognized numeric range operator: ${String(argument[at])}`);
    bounds.push((value) => compare(value as number, bound));
  }
  return (value) => typeof value === 'number' && bounds.every((holds) => holds(value));
}

function cidr(argument: unknown): Test {
  const [address = '', bits = ''] = text(argument, 'cidr').split('/');
  const version = isIP(address);
  if (version === 0 || !/^\d+$/.test(bits) || Number(bits) > (version === 4 ? 32 : 128)) return fail(`Malformed CIDR: ${String(argument)}`);
  const network = new BlockList();
  network.addSubnet(address, Number(bits), version === 4 ? 'ipv4' : 'ipv6');
  return (value) => typeof value === 'string' && isIP(value) !== 0 && network.check(value, isIP(value) === 4 ? 'ipv4' : 'ipv6');
}

function isObject(value: unknown): value is Record<string, unknown> {
  return value !== null && typeof value === 'object' && !Array.isArray(value);
}
