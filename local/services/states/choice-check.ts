import { OPERATORS, type OperandKind } from './choice.js';
import type { Findings } from './diagnostics.js';
import { checkPath } from './field-check.js';
import { timestampMs } from './timestamp.js';
import { type Json, type JsonObject, isArray, isObject } from './values.js';

/** One rule of a Choice: one operator with its Variable, or one of And, Or, Not. */
export function checkRule(findings: Findings, rule: JsonObject, at: string): void {
  const [combinator, ...others] = ['And', 'Or', 'Not'].filter((field) => rule[field] !== undefined);
  const operators = Object.keys(rule).filter((field) => OPERATORS.has(field));
  if (others.length + operators.length + (combinator === undefined ? 0 : 1) !== 1)
    return findings.schema('Exactly one comparison operator or one of [And, Or, Not] is required', at);
  if (combinator !== undefined) return checkParts(findings, combinator, rule[combinator]!, at);
  const operator = operators[0]!;
  if (typeof rule.Variable === 'string') checkPath(findings, rule.Variable, `${at}/Variable`);
  else findings.schema('These fields are required: [Variable]', at);
  checkOperand(findings, rule[operator]!, OPERATORS.get(operator)!, `${at}/${operator}`);
}

function checkParts(findings: Findings, combinator: string, given: Json, at: string): void {
  const parts = combinator === 'Not' ? [given] : given;
  if (!isArray(parts) || parts.length === 0 || !parts.every(isObject))
    return findings.schema('Value cannot be empty', `${at}/${combinator}`);
  for (const [index, part] of parts.entries()) checkRule(findings, part, `${at}/${combinator}${combinator === 'Not' ? '' : `/${index}`}`);
}

function checkOperand(findings: Findings, value: Json, kind: OperandKind, at: string): void {
  if (kind === 'timestamp') {
    if (timestampMs(value) === undefined) findings.schema('String does not match RFC3339 timestamp', at);
    return;
  }
  const type = kind === 'path' ? 'string' : kind;
  if (typeof value !== type) findings.schema(`Expected value of type ${type[0]!.toUpperCase()}${type.slice(1)}`, at);
  else if (kind === 'path') checkPath(findings, value as string, at);
}
