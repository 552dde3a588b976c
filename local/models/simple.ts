/**
 * Simple values as text and as JSON. A timestamp's form is its schema's (date-time, http-date, epoch-seconds) or, where the schema leaves it open,
 * the default of the place where it stands (Smithy specification, "Serialization and Protocol traits").
 */
import type { NormalizedSchema } from '@smithy/core/schema';

export type TimestampForm = 'date-time' | 'http-date' | 'epoch-seconds';
/** The SDK's numbers for the three forms; 4 is "default". */
const FORMS: Readonly<Record<number, TimestampForm>> = { 5: 'date-time', 6: 'http-date', 7: 'epoch-seconds' };

export function timestampForm(schema: NormalizedSchema, byDefault: TimestampForm): TimestampForm {
  return FORMS[schema.getSchema() as number] ?? byDefault;
}

export function writeTimestamp(value: Date, form: TimestampForm): string | number {
  if (form === 'epoch-seconds') return value.getTime() / 1000;
  if (form === 'http-date') return value.toUTCString();
  return value.toISOString().replace('.000Z', 'Z');
}

/** An unreadable timestamp comes back as it is, for validation to name it. */
export function readTimestamp(value: unknown): unknown {
  if (typeof value === 'number') return new Date(value * 1000);
  if (typeof value !== 'string') return value;
  const date = /^-?\d+(\.\d+)?(e\d+)?$/i.test(value) ? new Date(Number(value) * 1000) : new Date(value);
  return Number.isNaN(date.getTime()) ? value : date;
}

const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;

export function readBase64(value: unknown): unknown {
  if (typeof value !== 'string') return value;
  return BASE64.test(value) && value.length % 4 === 0 ? new Uint8Array(Buffer.from(value, 'base64')) : value;
}

export const writeBase64 = (value: Uint8Array): string => Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64');

/** A simple value from text: label, query parameter, header, form field, XML element. */
export function readText(schema: NormalizedSchema, text: string): unknown {
  if (schema.isBlobSchema()) return readBase64(text);
  if (schema.isTimestampSchema()) return readTimestamp(text);
  if (schema.isBooleanSchema()) return text === 'true' ? true : text === 'false' ? false : text;
  if (schema.isNumericSchema()) return text.trim() !== '' && !Number.isNaN(Number(text)) ? Number(text) : text;
  if (schema.isBigIntegerSchema()) return /^-?\d+$/.test(text) ? BigInt(text) : text;
  return text;
}

export function writeText(schema: NormalizedSchema, value: unknown, form: TimestampForm): string {
  if (value instanceof Date) return String(writeTimestamp(value, timestampForm(schema, form)));
  if (value instanceof Uint8Array) return writeBase64(value);
  return String(value);
}
