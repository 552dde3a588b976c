/**
 * Condition blocks, by the tables of the IAM user guide ("Condition operators", "Multivalued context keys"):
 *
 *     key absent          Equals …: false   Not…: true   …IfExists: true   Null "true": true   ForAllValues: true   ForAnyValue: false
 *     several values      of a policy: any may fit (Not…: none may); several operators or keys: all must hold
 */
import { isIP } from 'node:net';

import { matchesArn, matchesPattern } from './pattern.js';
import { substitute, unmark, type RequestContext } from './variables.js';

type Compare = (policyValue: string, requestValue: string) => boolean;
interface Operator {
  readonly compare: Compare;
  readonly negated: boolean;
}

const order = (toNumber: (text: string) => number, holds: (a: number, b: number) => boolean): Compare => {
  return (policyValue, requestValue) => {
    const limit = toNumber(unmark(policyValue));
    const value = toNumber(requestValue);
    return !Number.isNaN(limit) && !Number.isNaN(value) && holds(value, limit);
  };
};
const toDate = (text: string): number => (/^\d+$/.test(text) ? Number(text) * 1000 : Date.parse(text));
const toNumber = (text: string): number => (text.trim() === '' ? Number.NaN : Number(text));

const equals: Compare = (policyValue, requestValue) => unmark(policyValue) === requestValue;
const equalsIgnoreCase: Compare = (policyValue, requestValue) => unmark(policyValue).toLowerCase() === requestValue.toLowerCase();

const POSITIVE: Readonly<Record<string, Compare>> = {
  StringEquals: equals,
  StringEqualsIgnoreCase: equalsIgnoreCase,
  StringLike: (policyValue, requestValue) => matchesPattern(policyValue, requestValue),
  // ArnEquals and ArnLike behave identically (IAM user guide).
  ArnEquals: (policyValue, requestValue) => matchesArn(policyValue, requestValue),
  ArnLike: (policyValue, requestValue) => matchesArn(policyValue, requestValue),
  Bool: equalsIgnoreCase,
  BinaryEquals: equals,
  IpAddress: (policyValue, requestValue) => inRange(unmark(policyValue), requestValue),
  NumericEquals: order(toNumber, (a, b) => a === b),
  NumericLessThan: order(toNumber, (a, b) => a < b),
  NumericLessThanEquals: order(toNumber, (a, b) => a <= b),
  NumericGreaterThan: order(toNumber, (a, b) => a > b),
  NumericGreaterThanEquals: order(toNumber, (a, b) => a >= b),
  DateEquals: order(toDate, (a, b) => a === b),
  DateLessThan: order(toDate, (a, b) => a < b),
  DateLessThanEquals: order(toDate, (a, b) => a <= b),
  DateGreaterThan: order(toDate, (a, b) => a > b),
  DateGreaterThanEquals: order(toDate, (a, b) => a >= b),
};
const NEGATED: Readonly<Record<string, string>> = {
  StringNotEquals: 'StringEquals',
  StringNotEqualsIgnoreCase: 'StringEqualsIgnoreCase',
  StringNotLike: 'StringLike',
  ArnNotEquals: 'ArnEquals',
  ArnNotLike: 'ArnLike',
  NotIpAddress: 'IpAddress',
  NumericNotEquals: 'NumericEquals',
  DateNotEquals: 'DateEquals',
};

export interface Condition {
  readonly key: string;
  readonly values: readonly string[];
  readonly set: 'ForAllValues' | 'ForAnyValue' | undefined;
  readonly ifExists: boolean;
  /** `undefined`: the operator Null. */
  readonly operator: Operator | undefined;
}

const SET_PREFIX = /^(ForAllValues|ForAnyValue):(.+)$/;

/** Throws on an operator that is not known: a condition that is ignored would allow or deny by accident. */
export function parseCondition(name: string, key: string, values: readonly string[]): Condition {
  const [, set, unprefixed = name] = SET_PREFIX.exec(name) ?? [];
  const ifExists = unprefixed.endsWith('IfExists');
  const plain = ifExists ? unprefixed.slice(0, -'IfExists'.length) : unprefixed;
  const common = { key, values, set: set as Condition['set'], ifExists };
  if (plain === 'Null') {
    if (ifExists || set) throw new Error(`condition operator: got '${name}', expected Null without prefix or suffix`);
    return { ...common, operator: undefined };
  }
  const positive = NEGATED[plain];
  const compare = POSITIVE[positive ?? plain];
  if (!compare) throw new Error(`condition operator: got '${name}', expected one of IAM's`);
  return { ...common, operator: { compare, negated: positive !== undefined } };
}

export function holds(condition: Condition, context: RequestContext, version: string | undefined): boolean {
  const present = context.get(condition.key.toLowerCase());
  const { operator, set, ifExists } = condition;
  if (!operator) return condition.values.some((value) => (value.toLowerCase() === 'true') === (present === undefined));
  if (present === undefined || present.length === 0) {
    if (set) return set === 'ForAllValues' || ifExists;
    return ifExists || operator.negated;
  }
  const values = condition.values.flatMap((value) => substitute(value, context, version) ?? []);
  const fits = (requestValue: string): boolean => values.some((value) => operator.compare(value, requestValue)) !== operator.negated;
  if (set === 'ForAllValues') return present.every(fits);
  if (set === 'ForAnyValue') return present.some(fits);
  return operator.negated ? present.every(fits) : present.some(fits);
}

function inRange(range: string, address: string): boolean {
  const [network = '', bits] = range.split('/');
  const family = isIP(network);
  if (family === 0 || isIP(address) !== family) return false;
  const width = family === 4 ? 32 : 128;
  const shift = BigInt(width - Number(bits ?? width));
  return toBits(network, family) >> shift === toBits(address, family) >> shift;
}

function toBits(address: string, family: number): bigint {
  if (family === 4) return address.split('.').reduce((sum, part) => (sum << 8n) | BigInt(part), 0n);
  const [head = '', tail] = address.split('::');
  const left = head.split(':').filter(Boolean);
  const right = (tail ?? '').split(':').filter(Boolean);
  const zeros = tail === undefined ? [] : Array.from({ length: 8 - left.length - right.length }, () => '0');
  return [...left, ...zeros, ...right].reduce((sum, part) => (sum << 16n) | BigInt(`0x${part}`), 0n);
}
