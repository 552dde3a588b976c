/** DynamoDB's typed values: reading them in (checked, numbers made canonical, copied), comparing, copying out. */
import { validation, invalidParameter } from './errors.js';
import { canonicalNumber } from './number.js';

export type AttributeType = 'S' | 'N' | 'B' | 'BOOL' | 'NULL' | 'SS' | 'NS' | 'BS' | 'L' | 'M';

/** Exactly one member is set, as in the SDK client's schema. */
export interface AttributeValue {
  readonly S?: string;
  readonly N?: string;
  readonly B?: Uint8Array;
  readonly BOOL?: boolean;
  readonly NULL?: boolean;
  readonly SS?: readonly string[];
  readonly NS?: readonly string[];
  readonly BS?: readonly Uint8Array[];
  readonly L?: readonly AttributeValue[];
  readonly M?: Item;
}
export type Item = Readonly<Record<string, AttributeValue>>;

export const ATTRIBUTE_TYPES: readonly AttributeType[] = ['S', 'N', 'B', 'BOOL', 'NULL', 'SS', 'NS', 'BS', 'L', 'M'];
/** Depth of lists and maps. */
const DEEPEST = 32;

/** Type of a value that has been read by `readValue`. */
export const typeOf = (value: AttributeValue): AttributeType => Object.keys(value)[0] as AttributeType;

/** Sets an attribute under any name, also one that JavaScript takes for the prototype. */
export function setAttribute(item: Record<string, AttributeValue>, name: string, value: AttributeValue): void {
  if (name === '__proto__') Object.defineProperty(item, name, { value, enumerable: true, configurable: true, writable: true });
  else item[name] = value;
}

export const attributeOf = (item: Item, name: string): AttributeValue | undefined => (Object.hasOwn(item, name) ? item[name] : undefined);

/** A checked copy of an item that came from outside; numbers in canonical form. Nothing of the caller's is kept. */
export function readItem(item: Readonly<Record<string, unknown>>, depth = 0): Item {
  const copy: Record<string, AttributeValue> = {};
  for (const name of Object.keys(item)) setAttribute(copy, name, readValue(item[name] as AttributeValue, depth));
  return copy;
}

export function readValue(value: AttributeValue, depth = 0): AttributeValue {
  const types = Object.keys(value).filter((name) => value[name as AttributeType] !== undefined);
  const type = types[0] as AttributeType | undefined;
  if (type === undefined || !ATTRIBUTE_TYPES.includes(type)) {
    throw validation('Supplied AttributeValue is empty, must contain exactly one of the supported datatypes');
  }
  if (types.length > 1) {
    throw validation('Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported datatypes');
  }
  if (depth > DEEPEST)
    throw validation('Nesting Levels have exceeded supported limits: Attributes in the item have nested levels beyond supported limit');
  if (value.S !== undefined) return { S: value.S };
  if (value.N !== undefined) return { N: canonicalNumber(value.N) };
  if (value.M !== undefined) return { M: readItem(value.M, depth + 1) };
  if (value.L !== undefined) return { L: value.L.map((element) => readValue(element, depth + 1)) };
  if (value.B !== undefined) return { B: Uint8Array.from(value.B) };
  if (value.BOOL !== undefined) return { BOOL: value.BOOL };
  if (value.NULL !== undefined) {
    if (!value.NULL) throw invalidParameter('Null attribute value types must have the value of true');
    return { NULL: true };
  }
  return readSet(value);
}

function readSet(value: AttributeValue): AttributeValue {
  if (value.SS !== undefined) {
    if (value.SS.length === 0) throw invalidParameter('An string set  may not be empty');
    if (value.SS.includes('')) throw invalidParameter('An string set may not have a empty string as a member');
    if (new Set(value.SS).size < value.SS.length) throw invalidParameter(`Input collection [${value.SS.join(', ')}] contains duplicates.`);
    return { SS: [...value.SS] };
  }
  if (value.NS !== undefined) {
    if (value.NS.length === 0) throw invalidParameter('An number set  may not be empty');
    const numbers = value.NS.map(canonicalNumber);
    if (new Set(numbers).size < numbers.length) throw validation('Input collection contains duplicates');
    return { NS: numbers };
  }
  const members = value.BS ?? [];
  if (members.length === 0) throw invalidParameter('Binary sets should not be empty');
  if (members.some((member) => member.length === 0)) throw invalidParameter('Binary sets may not contain empty values');
  if (new Set(members.map(bytesKey)).size < members.length) throw invalidParameter('Input collection of type BS contains duplicates.');
  return { BS: members.map((member) => Uint8Array.from(member)) };
}

/** A copy for the caller: changing it does not change what is stored. */
export function copyItem(item: Item): Record<string, AttributeValue> {
  const copy: Record<string, AttributeValue> = {};
  for (const name of Object.keys(item)) setAttribute(copy, name, copyValue(item[name] as AttributeValue));
  return copy;
}

export function copyValue(value: AttributeValue): AttributeValue {
  if (value.S !== undefined) return { S: value.S };
  if (value.N !== undefined) return { N: value.N };
  if (value.M) return { M: copyItem(value.M) };
  if (value.L) return { L: value.L.map(copyValue) };
  if (value.B) return { B: Uint8Array.from(value.B) };
  if (value.SS) return { SS: [...value.SS] };
  if (value.NS) return { NS: [...value.NS] };
  if (value.BS) return { BS: value.BS.map((member) => Uint8Array.from(member)) };
  return { ...value };
}

/** Equality as conditions see it: same type, same content; sets without order. */
export function sameValue(a: AttributeValue, b: AttributeValue): boolean {
  const type = typeOf(a);
  if (type !== typeOf(b)) return false;
  if (a.B && b.B) return bytesKey(a.B) === bytesKey(b.B);
  if (a.L && b.L) return a.L.length === b.L.length && a.L.every((element, i) => sameValue(element, b.L?.[i] as AttributeValue));
  if (a.M && b.M) return sameItem(a.M, b.M);
  const members = setMembers(a);
  if (members) {
    const others = new Set(setMembers(b));
    return members.length === others.size && members.every((member) => others.has(member));
  }
  return a[type] === b[type];
}

function sameItem(a: Item, b: Item): boolean {
  const names = Object.keys(a);
  if (names.length !== Object.keys(b).length) return false;
  return names.every((name) => {
    const other = attributeOf(b, name);
    return other !== undefined && sameValue(a[name] as AttributeValue, other);
  });
}

/** Members of a set as comparable strings; undefined where the value is not a set. */
export const setMembers = (value: AttributeValue): readonly string[] | undefined => value.SS ?? value.NS ?? value.BS?.map(bytesKey);

/** Bytes as a string of the same order: one character below U+0100 for each byte. */
export const bytesKey = (bytes: Uint8Array): string => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
