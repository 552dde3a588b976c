/** JSON as an execution carries it from state to state. */
export type Json = null | boolean | number | string | readonly Json[] | JsonObject;
export interface JsonObject {
  readonly [key: string]: Json;
}

export const isObject = (value: unknown): value is JsonObject => value !== null && typeof value === 'object' && !Array.isArray(value);
export const isArray = (value: unknown): value is readonly Json[] => Array.isArray(value);

/** 256 KiB as UTF-8 for the input or output of a task, a state or an execution (Step Functions service quotas). */
export const LARGEST_PAYLOAD = 262_144;
export const tooLarge = (text: string): boolean => text.length > LARGEST_PAYLOAD / 4 && Buffer.byteLength(text) > LARGEST_PAYLOAD;

/** Deep equality, whatever the order of keys. */
export function sameJson(a: Json, b: Json): boolean {
  if (a === b) return true;
  if (isArray(a) && isArray(b)) return a.length === b.length && a.every((element, index) => sameJson(element, b[index]!));
  if (!isObject(a) || !isObject(b)) return false;
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => Object.hasOwn(b, key) && sameJson(a[key]!, b[key]!));
}
