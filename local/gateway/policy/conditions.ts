/**
 * Condition operators of policies (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html),
 * as far as AWS IoT documents them. A key that is absent does not match, except for …IfExists and for the negated operators.
 */
import type { PolicyStatement } from '../../iam/principal.js';
import { matches, type Pattern } from './wildcard.js';

type Compare = (value: string, wanted: string, asPattern: Pattern) => boolean;

const numbers =
  (compare: (value: number, wanted: number) => boolean): Compare =>
  (value, wanted) =>
    compare(Number(value), Number(wanted));
const dates =
  (compare: (value: number, wanted: number) => boolean): Compare =>
  (value, wanted) =>
    compare(Date.parse(value), Date.parse(wanted));

function inNetwork(address: string, network: string): boolean {
  const [base, bits = '32'] = network.split('/');
  const asNumber = (text: string): number => text.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
  const size = 2 ** (32 - Number(bits));
  return Math.floor(asNumber(address) / size) === Math.floor(asNumber(base ?? '') / size);
}

const POSITIVE: Readonly<Record<string, Compare>> = {
  StringEquals: (value, wanted) => value === wanted,
  StringEqualsIgnoreCase: (value, wanted) => value.toLowerCase() === wanted.toLowerCase(),
  StringLike: (value, _, asPattern) => matches(asPattern, value),
  ArnEquals: (value, _, asPattern) => matches(asPattern, value),
  ArnLike: (value, _, asPattern) => matches(asPattern, value),
  Bool: (value, wanted) => value.toLowerCase() === wanted.toLowerCase(),
  NumericEquals: numbers((value, wanted) => value === wanted),
  NumericLessThan: numbers((value, wanted) => value < wanted),
  NumericLessThanEquals: numbers((value, wanted) => value <= wanted),
  NumericGreaterThan: numbers((value, wanted) => value > wanted),
  NumericGreaterThanEquals: numbers((value, wanted) => value >= wanted),
  DateLessThan: dates((value, wanted) => value < wanted),
  DateGreaterThan: dates((value, wanted) => value > wanted),
  IpAddress: (value, wanted) => inNetwork(value, wanted),
};
/** Negated operator → the operator that it denies. */
const NEGATED: Readonly<Record<string, string>> = {
  StringNotEquals: 'StringEquals',
  StringNotEqualsIgnoreCase: 'StringEqualsIgnoreCase',
  StringNotLike: 'StringLike',
  ArnNotEquals: 'ArnEquals',
  ArnNotLike: 'ArnLike',
  NumericNotEquals: 'NumericEquals',
  NotIpAddress: 'IpAddress',
};

interface Operator {
  readonly compare: Compare | 'Null';
  readonly negated: boolean;
  readonly ifExists: boolean;
  readonly quantifier?: 'ForAllValues' | 'ForAnyValue';
}

function parseOperator(text: string): Operator | undefined {
  const match = /^(?:(ForAllValues|ForAnyValue):)?([A-Za-z]+?)(IfExists)?$/.exec(text);
  const name = match?.[2] ?? '';
  const compare = name === 'Null' ? ('Null' as const) : POSITIVE[NEGATED[name] ?? name];
  if (!match || !compare) return undefined;
  const quantifier = match[1] as Operator['quantifier'];
  return { compare, negated: name in NEGATED, ifExists: match[3] !== undefined, ...(quantifier ? { quantifier } : {}) };
}

export const isConditionOperator = (text: string): boolean => parseOperator(text) !== undefined;

function holds(
  operator: Operator,
  values: readonly string[] | undefined,
  wanted: readonly { readonly text: string; readonly pattern: Pattern }[],
): boolean {
  if (operator.compare === 'Null') return wanted.some(({ text }) => (text.toLowerCase() === 'true') === (values === undefined));
  if (values === undefined || values.length === 0) return operator.ifExists || operator.negated || operator.quantifier === 'ForAllValues';
  const compare = operator.compare;
  const one = (value: string): boolean => wanted.some(({ text, pattern }) => compare(value, text, pattern)) !== operator.negated;
  return operator.quantifier === 'ForAllValues' ? values.every(one) : values.some(one);
}

/**
 * Whether all conditions of a statement hold. `resolve` gives the values of a key, `substitute` fills variables into a wanted value
 * (undefined: a variable does not resolve, and the value cannot be met).
 */
export function conditionsHold(
  condition: PolicyStatement['Condition'],
  resolve: (key: string) => readonly string[] | undefined,
  substitute: (text: string) => { readonly text: string; readonly pattern: Pattern } | undefined,
): boolean {
  for (const [name, block] of Object.entries(condition ?? {})) {
    const operator = parseOperator(name);
    if (!operator) return false;
    for (const [key, raw] of Object.entries(block)) {
      const list = (Array.isArray(raw) ? raw : [raw]).map(String).map(substitute);
      const wanted = list.filter((item) => item !== undefined);
      if (!holds(operator, resolve(key), wanted)) return false;
    }
  }
  return true;
}
