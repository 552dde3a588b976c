import type { NormalizedSchema } from '@smithy/core/schema';

import { requiredMembers } from './model.js';

/**
 * What is wrong with a value in the SDK's own shape (Date, Uint8Array, number, bigint), as sentences with the path. Empty: nothing.
 * Used in both directions: on a decoded request and on the answer of an operation. `null` counts as absent, as it does on the wire.
 */
export function problemsOf(schema: NormalizedSchema, value: unknown, path = ''): string[] {
  const problems: string[] = [];
  check(schema, value, path, problems);
  return problems;
}

function check(schema: NormalizedSchema, value: unknown, path: string, problems: string[]): void {
  if (value === undefined || value === null) return;
  const wrong = (expected: string): void => {
    problems.push(`${path || 'value'}: got ${nameOf(value)}, expected ${expected}`);
  };
  if (schema.isUnitSchema()) {
    if (Object.keys(value).length > 0) wrong('no members');
  } else if (schema.isStructSchema()) {
    if (!isPlainObject(value)) return wrong('a structure');
    checkStructure(schema, value, path, problems);
  } else if (schema.isListSchema()) {
    if (!Array.isArray(value)) return wrong('a list');
    const member = schema.getValueSchema();
    value.forEach((item, index) => check(member, item, `${path}[${index}]`, problems));
  } else if (schema.isMapSchema()) {
    if (!isPlainObject(value)) return wrong('a map');
    const member = schema.getValueSchema();
    for (const [key, item] of Object.entries(value)) check(member, item, `${path}{${key}}`, problems);
  } else if (!fitsSimple(schema, value)) wrong(simpleName(schema));
}

function checkStructure(schema: NormalizedSchema, value: Readonly<Record<string, unknown>>, path: string, problems: string[]): void {
  const at = (member: string): string => (path ? `${path}.${member}` : member);
  const known = new Set<string>();
  for (const [name, member] of schema.structIterator()) {
    known.add(name);
    check(member, value[name], at(name), problems);
  }
  for (const name of Object.keys(value))
    if (value[name] !== undefined && !known.has(name)) problems.push(`${at(name)}: not a member of ${schema.getName()}`);
  for (const name of requiredMembers(schema))
    if (value[name] === undefined || value[name] === null) problems.push(`${at(name)}: required member is missing`);
  if (schema.isUnionSchema()) {
    const set = Object.keys(value).filter((name) => value[name] !== undefined && value[name] !== null);
    if (set.length !== 1) problems.push(`${path || 'value'}: exactly one member of ${schema.getName()} must be set, got ${set.length}`);
  }
}

function fitsSimple(schema: NormalizedSchema, value: unknown): boolean {
  if (schema.isDocumentSchema()) return true;
  if (schema.isBlobSchema()) return value instanceof Uint8Array || (schema.isStreaming() && isReadable(value));
  if (schema.isTimestampSchema()) return value instanceof Date && !Number.isNaN(value.getTime());
  if (schema.isBooleanSchema()) return typeof value === 'boolean';
  if (schema.isNumericSchema()) return typeof value === 'number' && !Number.isNaN(value);
  if (schema.isBigIntegerSchema()) return typeof value === 'bigint' || Number.isSafeInteger(value);
  if (schema.isStringSchema()) return typeof value === 'string';
  return true;
}

function simpleName(schema: NormalizedSchema): string {
  if (schema.isBlobSchema()) return 'a blob';
  if (schema.isTimestampSchema()) return 'a timestamp';
  if (schema.isBooleanSchema()) return 'a boolean';
  if (schema.isStringSchema()) return 'a string';
  return 'a number';
}

export function isPlainObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array) && !(value instanceof Date);
}

const isReadable = (value: unknown): boolean => typeof value === 'object' && value !== null && Symbol.asyncIterator in value;

function nameOf(value: unknown): string {
  if (Array.isArray(value)) return 'a list';
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'an invalid date' : 'a date';
  if (value instanceof Uint8Array) return 'a blob';
  return value === null ? 'null' : `a value of type ${typeof value}`;
}
