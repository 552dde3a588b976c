/** Choice rules: data tests and their combinations (https://states-language.net/#choice-state). */
import { RuntimeFault } from './failure.js';
import { timestampMs } from './timestamp.js';
import { type Json, type JsonObject, isArray, isObject } from './values.js';

/** Answers the value at a path, or nothing. */
export type Lookup = (path: string) => Json | undefined;

type Comparison = (value: Json | undefined, operand: Json) => boolean;

const ORDERS: Readonly<Record<string, (order: number) => boolean>> = {
  Equals: (order) => order === 0,
  LessThan: (order) => order < 0,
  LessThanEquals: (order) => order <= 0,
  GreaterThan: (order) => order > 0,
  GreaterThanEquals: (order) => order >= 0,
};

/** A value of another type never matches: it is no error. */
const ORDER_OF: Readonly<Record<string, (value: Json, operand: Json) => number | undefined>> = {
  String: (a, b) => (typeof a === 'string' && typeof b === 'string' ? (a < b ? -1 : Number(a > b)) : undefined),
  Numeric: (a, b) => (typeof a === 'number' && typeof b === 'number' ? a - b : undefined),
  Timestamp: (a, b) => {
    const [left, right] = [timestampMs(a), timestampMs(b)];
    return left === undefined || right === undefined ? undefined : left - right;
  },
};

const COMPARISONS: Readonly<Record<string, Comparison>> = Object.fromEntries([
  ...Object.entries(ORDER_OF).flatMap(([type, orderOf]) =>
    Object.entries(ORDERS).map(([name, holds]): [string, Comparison] => [
      `${type}${name}`,
      (value, operand) => {
        const order = orderOf(value ?? null, operand);
        return order !== undefined && holds(order);
      },
    ]),
  ),
  ['BooleanEquals', (value: Json | undefined, operand: Json) => typeof value === 'boolean' && value === operand],
]);

/** The kind of constant that an operator takes. */
export type OperandKind = 'string' | 'number' | 'boolean' | 'timestamp' | 'path';

/** Every data-test operator with what it compares with. */
export const OPERATORS: ReadonlyMap<string, OperandKind> = new Map<string, OperandKind>([
  ...Object.keys(COMPARISONS).flatMap((name): [string, OperandKind][] => [
    [
      name,
      name.startsWith('String') ? 'string' : name.startsWith('Numeric') ? 'number' : name.startsWith('Boolean') ? 'boolean' : 'timestamp',
    ],
    [`${name}Path`, 'path'],
  ]),
  ['StringMatches', 'string'],
  ...['IsNull', 'IsPresent', 'IsNumeric', 'IsString', 'IsBoolean', 'IsTimestamp'].map((name): [string, OperandKind] => [name, 'boolean']),
]);

const TYPE_TESTS: Readonly<Record<string, (value: Json | undefined) => boolean>> = {
  IsNull: (value) => value === null,
  IsNumeric: (value) => typeof value === 'number',
  IsString: (value) => typeof value === 'string',
  IsBoolean: (value) => typeof value === 'boolean',
  IsTimestamp: (value) => timestampMs(value) !== undefined,
};

/** Whether a rule matches. Throws RuntimeFault when a path that must be there leads nowhere. */
export function ruleMatches(rule: JsonObject, lookup: Lookup): boolean {
  if (isArray(rule.And)) return rule.And.every((part) => ruleMatches(part as JsonObject, lookup));
  if (isArray(rule.Or)) return rule.Or.some((part) => ruleMatches(part as JsonObject, lookup));
  if (isObject(rule.Not)) return !ruleMatches(rule.Not, lookup);
  const operator = Object.keys(rule).find((field) => OPERATORS.has(field))!;
  const variable = rule.Variable as string;
  const operand = rule[operator]!;
  if (operator === 'IsPresent') return (lookup(variable) !== undefined) === operand;
  const value = present(lookup, variable);
  const typeTest = TYPE_TESTS[operator];
  if (typeTest) return typeTest(value) === operand;
  if (operator === 'StringMatches') return typeof value === 'string' && wildcard(operand as string).test(value);
  return operator.endsWith('Path')
    ? COMPARISONS[operator.slice(0, -'Path'.length)]!(value, present(lookup, operand as string))
    : COMPARISONS[operator]!(value, operand);
}

function present(lookup: Lookup, path: string): Json {
  const value = lookup(path);
  if (value === undefined) throw new RuntimeFault(`Invalid path '${path}': The choice state's condition path references an invalid value.`);
  return value;
}

/** `*` stands for any text; `\\*` is a star and `\\\\` a backslash. */
function wildcard(pattern: string): RegExp {
  const body = pattern.replace(/\\[\\*]|\*|[\\^$.*+?()[\]{}|]/g, (token) =>
    token === '*' ? '.*' : token.length === 2 ? `\\${token[1]}` : `\\${token}`,
  );
  return new RegExp(`^${body}$`, 's');
}
