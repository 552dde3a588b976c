/** JSON ↔ values in the SDK's shape, for restJson1 and awsJson. What does not fit stays as it is, for validation to name it. */
import type { NormalizedSchema } from '@smithy/core/schema';

import { readBase64, readTimestamp, timestampForm, writeBase64, writeTimestamp } from './simple.js';
import { isPlainObject } from './validate.js';

/** awsJson takes member names as they are; restJson1 honours `jsonName`. */
export interface JsonOptions {
  readonly jsonNames: boolean;
}

const wireName = (name: string, member: NormalizedSchema, options: JsonOptions): string =>
  options.jsonNames ? ((member.getMergedTraits().jsonName as string | undefined) ?? name) : name;

export function readJson(schema: NormalizedSchema, wire: unknown, options: JsonOptions): unknown {
  if (wire === undefined || wire === null) return undefined;
  if (schema.isStructSchema()) {
    if (!isPlainObject(wire)) return wire;
    const value: Record<string, unknown> = {};
    const rest = new Set(Object.keys(wire));
    for (const [name, member] of schema.structIterator()) {
      const key = wireName(name, member, options);
      if (wire[key] !== undefined && wire[key] !== null) value[name] = readJson(member, wire[key], options);
      rest.delete(key);
    }
    // `__type` names a shape and is no member of it (awsJson).
    for (const key of rest) if (key !== '__type') value[key] = wire[key];
    return value;
  }
  if (schema.isListSchema()) return Array.isArray(wire) ? wire.map((item) => readJson(schema.getValueSchema(), item, options)) : wire;
  if (schema.isMapSchema()) {
    if (!isPlainObject(wire)) return wire;
    return Object.fromEntries(Object.entries(wire).map(([key, item]) => [key, readJson(schema.getValueSchema(), item, options)]));
  }
  if (schema.isBlobSchema()) return readBase64(wire);
  if (schema.isTimestampSchema()) return readTimestamp(wire);
  if (schema.isBigIntegerSchema() && Number.isSafeInteger(wire)) return BigInt(wire as number);
  return wire;
}

export function writeJson(schema: NormalizedSchema, value: unknown, options: JsonOptions): unknown {
  if (value === undefined || value === null) return undefined;
  if (schema.isStructSchema()) {
    const wire: Record<string, unknown> = {};
    for (const [name, member] of schema.structIterator()) {
      const written = writeJson(member, (value as Record<string, unknown>)[name], options);
      if (written !== undefined) wire[wireName(name, member, options)] = written;
    }
    return wire;
  }
  if (schema.isListSchema()) return (value as unknown[]).map((item) => writeJson(schema.getValueSchema(), item, options) ?? null);
  if (schema.isMapSchema())
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, writeJson(schema.getValueSchema(), item, options) ?? null]));
  if (value instanceof Date) return writeTimestamp(value, timestampForm(schema, 'epoch-seconds'));
  if (value instanceof Uint8Array) return writeBase64(value);
  if (typeof value === 'bigint') return Number(value);
  return value;
}
