/** Primary keys and index keys: checks, and their place in the order of a table. */
import { attributeOf, bytesKey, typeOf, type AttributeValue, type Item } from './attribute-value.js';
import { invalidParameter, validation } from './errors.js';
import type { KeyAttribute } from './expressions/key-condition.js';
import { sortableNumber } from './number.js';

/** A partition key and perhaps a sort key, of a table or an index. */
export interface KeySchema {
  readonly partition: KeyAttribute;
  readonly sort?: KeyAttribute;
}

/** A place in a table or index: partitions by a hash of their key, as AWS does, so that a Scan is in no useful order; within one by the sort key. */
export interface Position {
  readonly hash: number;
  readonly partition: string;
  readonly sort: string;
}

const LONGEST_PARTITION_KEY = 2048;
const LONGEST_SORT_KEY = 1024;
/** Hashes are below this: small integers, which cost no memory of their own. */
const HASHES = 2 ** 30;
const ASCII = /^[\0-\x7f]*$/;

export const keyAttributes = (schema: KeySchema): readonly KeyAttribute[] =>
  schema.sort ? [schema.partition, schema.sort] : [schema.partition];

export function positionOf(item: Item, schema: KeySchema): Position {
  const partition = sortable(attributeOf(item, schema.partition.name) as AttributeValue);
  const sort = schema.sort ? sortable(attributeOf(item, schema.sort.name) as AttributeValue) : '';
  return { hash: hashOf(partition), partition, sort };
}

export const positionOfPartition = (value: AttributeValue): Omit<Position, 'sort'> => {
  const partition = sortable(value);
  return { hash: hashOf(partition), partition };
};

export function comparePositions(a: Position, b: Position): number {
  if (a.hash !== b.hash) return a.hash - b.hash;
  if (a.partition !== b.partition) return a.partition < b.partition ? -1 : 1;
  return a.sort < b.sort ? -1 : a.sort > b.sort ? 1 : 0;
}

/** A string that orders as DynamoDB orders keys: strings and binaries by bytes (not by UTF-16 units), numbers by value. */
export function sortable(value: AttributeValue): string {
  if (value.S !== undefined) return ASCII.test(value.S) ? value.S : bytesKey(Buffer.from(value.S));
  return value.N === undefined ? bytesKey(value.B ?? new Uint8Array()) : sortableNumber(value.N);
}

/** Segment of a parallel scan: equal parts of the space of hashes. */
export const segmentOf = (position: Position, segments: number): number => Math.floor((position.hash / HASHES) * segments);

/** FNV-1a with a final mixing of bits: keys that differ in their last character end up far from each other. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) % HASHES;
}

/** The key of an item that is put: all there, of the right types, neither empty nor too long. */
export function checkItemKey(item: Item, schema: KeySchema): void {
  for (const key of keyAttributes(schema)) {
    const value = attributeOf(item, key.name);
    if (!value) throw invalidParameter(`Missing the key ${key.name} in the item`);
    if (typeOf(value) !== key.type)
      throw invalidParameter(`Type mismatch for key ${key.name} expected: ${key.type} actual: ${typeOf(value)}`);
    checkKeyValue(value, key, key === schema.partition);
  }
}

/** The `Key` of a request: exactly the key attributes. */
export function checkKey(key: Item, schema: KeySchema): void {
  const attributes = keyAttributes(schema);
  if (Object.keys(key).length !== attributes.length) throw mismatch();
  for (const attribute of attributes) {
    const value = attributeOf(key, attribute.name);
    if (!value || typeOf(value) !== attribute.type) throw mismatch();
    checkKeyValue(value, attribute, attribute === schema.partition);
  }
}

const mismatch = () => validation('The provided key element does not match the schema');

/** An attribute that is the key of an index may be missing (the index is sparse), but not of another type or empty. */
export function checkIndexKey(item: Item, schema: KeySchema, indexName: string): void {
  for (const key of keyAttributes(schema)) {
    const value = attributeOf(item, key.name);
    if (!value) continue;
    if (typeOf(value) !== key.type) {
      throw invalidParameter(
        `Type mismatch for Index Key ${key.name} Expected: ${key.type} Actual: ${typeOf(value)} IndexName: ${indexName}`,
      );
    }
    if (isEmpty(value)) {
      throw validation(
        `One or more parameter values are not valid. A value specified for a secondary index key is not supported. The AttributeValue for a key attribute cannot contain an empty ${key.type === 'S' ? 'string' : 'binary'} value. IndexName: ${indexName}, IndexKey: ${key.name}`,
      );
    }
    checkLength(value, key === schema.partition);
  }
}

const isEmpty = (value: AttributeValue) => value.S === '' || value.B?.length === 0;

function checkKeyValue(value: AttributeValue, key: KeyAttribute, isPartition: boolean): void {
  if (isEmpty(value)) {
    throw validation(
      `One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty ${key.type === 'S' ? 'string' : 'binary'} value. Key: ${key.name}`,
    );
  }
  checkLength(value, isPartition);
}

function checkLength(value: AttributeValue, isPartition: boolean): void {
  const length = value.B?.length ?? Buffer.byteLength(value.S ?? '');
  if (isPartition && length > LONGEST_PARTITION_KEY) {
    throw invalidParameter(`Size of hashkey has exceeded the maximum size limit of${LONGEST_PARTITION_KEY} bytes`);
  }
  if (!isPartition && length > LONGEST_SORT_KEY) {
    throw invalidParameter(`Aggregated size of all range keys has exceeded the size limit of ${LONGEST_SORT_KEY} bytes`);
  }
}

/** The key attributes of an item, as a copy for the caller. */
export function keyOf(item: Item, ...schemas: readonly KeySchema[]): Record<string, AttributeValue> {
  const key: Record<string, AttributeValue> = {};
  for (const schema of schemas) {
    for (const { name } of keyAttributes(schema)) {
      const value = attributeOf(item, name);
      if (value) key[name] = value.B ? { B: Uint8Array.from(value.B) } : { ...value };
    }
  }
  return key;
}
