/**
 * Values of a command's parameters: what a request gives, else what the command sets, else its default; then the conditions
 * (iot-remote-command-concepts.html, "Parameter value conditions", "Parameter value priority and evaluation").
 */
import type { CommandParameter, ParameterType, ParameterValue, ValueCondition } from './command.js';
import { invalid } from './errors.js';

type Values = Readonly<Record<string, ParameterValue>>;

const MEMBER_OF: Readonly<Record<ParameterType, keyof ParameterValue>> = {
  STRING: 'S',
  INTEGER: 'I',
  DOUBLE: 'D',
  LONG: 'L',
  UNSIGNEDLONG: 'UL',
  BOOLEAN: 'B',
  BINARY: 'BIN',
};
const NUMERIC: readonly (keyof ParameterValue)[] = ['I', 'L', 'D', 'UL'];

/** The one member that is set. */
export function memberOf(name: string, value: ParameterValue): keyof ParameterValue {
  const set = (Object.keys(value) as (keyof ParameterValue)[]).filter((member) => value[member] !== undefined && value[member] !== null);
  const [member] = set;
  if (member === undefined || set.length > 1) throw invalid(`Parameter ${name}: exactly one value must be set, got ${set.length}`);
  if (member === 'I' && !(Number.isInteger(value.I) && Math.abs(value.I!) <= 2 ** 31))
    throw invalid(`Parameter ${name}: I is not an integer`);
  if (member === 'L' && !Number.isInteger(value.L)) throw invalid(`Parameter ${name}: L is not an integer`);
  if (member === 'UL' && !/^[0-9]{1,20}$/.test(value.UL!)) throw invalid(`Parameter ${name}: UL is not an unsigned integer`);
  return member;
}

/** As text, for conditions and inside a longer text. */
export function textOf(value: ParameterValue): string {
  const [only] = Object.values(value).filter((member) => member !== undefined);
  return only instanceof Uint8Array ? Buffer.from(only).toString('base64') : String(only);
}

export function checkParameters(parameters: readonly CommandParameter[]): void {
  const names = new Set<string>();
  for (const { name, type, value, defaultValue, valueConditions } of parameters) {
    if (!/^[.$a-zA-Z0-9_-]{1,192}$/.test(name)) throw invalid(`Invalid parameter name: ${name.slice(0, 200)}`);
    if (names.has(name)) throw invalid(`Parameter ${name} is named twice`);
    names.add(name);
    if (type !== undefined && !(type in MEMBER_OF)) throw invalid(`Parameter ${name}: unknown type ${String(type)}`);
    for (const given of [value, defaultValue]) {
      if (given === undefined) continue;
      checkType({ name, ...(type === undefined ? {} : { type }) }, given);
      for (const condition of valueConditions ?? []) checkCondition(name, given, condition);
    }
  }
}

function checkType({ name, type }: Pick<CommandParameter, 'name' | 'type'>, value: ParameterValue): void {
  const member = memberOf(name, value);
  if (type !== undefined && member !== MEMBER_OF[type])
    throw invalid(`Parameter ${name}: got ${member}, expected ${MEMBER_OF[type]} (${type})`);
}

/** The final values of a dynamic command's parameters. */
export function resolveParameters(parameters: readonly CommandParameter[], given: Values): Values {
  for (const name of Object.keys(given))
    if (!parameters.some((parameter) => parameter.name === name)) throw invalid(`The command has no parameter ${name}`);
  return Object.fromEntries(
    parameters.map((parameter) => {
      const value = given[parameter.name] ?? parameter.value ?? parameter.defaultValue;
      if (value === undefined) throw invalid(`Parameter ${parameter.name} has no value`);
      checkType(parameter, value);
      for (const condition of parameter.valueConditions ?? []) checkCondition(parameter.name, value, condition);
      return [parameter.name, value];
    }),
  );
}

function checkCondition(name: string, value: ParameterValue, { comparisonOperator, operand }: ValueCondition): void {
  const member = memberOf(name, value);
  const met = NUMERIC.includes(member)
    ? numberMeets(name, textOf(value), comparisonOperator, operand)
    : member === 'S'
      ? textMeets(name, value.S!, comparisonOperator, operand)
      : undefined;
  if (met === undefined) throw invalid(`Parameter ${name}: conditions on ${member} with ${comparisonOperator} are not supported`);
  if (!met) throw invalid(`Parameter ${name}: the value does not meet ${comparisonOperator}`);
}

function textMeets(name: string, value: string, operator: string, operand: ValueCondition['operand']): boolean | undefined {
  const one = (): string => required(name, operand.string, 'string');
  const many = (): readonly string[] => required(name, operand.strings, 'strings');
  if (operator === 'EQUALS') return value === one();
  if (operator === 'NOT_EQUALS') return value !== one();
  if (operator === 'IN_SET') return many().includes(value);
  return operator === 'NOT_IN_SET' ? !many().includes(value) : undefined;
}

function numberMeets(name: string, text: string, operator: string, operand: ValueCondition['operand']): boolean | undefined {
  const value = Number(text);
  const one = (): number => Number(required(name, operand.number, 'number'));
  const many = (): readonly number[] => required(name, operand.numbers, 'numbers').map(Number);
  const within = (): boolean => {
    const { min, max } = required(name, operand.numberRange, 'numberRange');
    return value >= Number(min) && value <= Number(max);
  };
  const meets: Readonly<Record<string, () => boolean>> = {
    EQUALS: () => value === one(),
    NOT_EQUALS: () => value !== one(),
    LESS_THAN: () => value < one(),
    LESS_THAN_EQUALS: () => value <= one(),
    GREATER_THAN: () => value > one(),
    GREATER_THAN_EQUALS: () => value >= one(),
    IN_SET: () => many().includes(value),
    NOT_IN_SET: () => !many().includes(value),
    IN_RANGE: within,
    NOT_IN_RANGE: () => !within(),
  };
  return meets[operator]?.();
}

function required<T>(name: string, operand: T | undefined, kind: string): T {
  if (operand === undefined) throw invalid(`Parameter ${name}: the condition needs an operand of ${kind}`);
  return operand;
}
