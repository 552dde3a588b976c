/**
 * Size of an item in bytes, as DynamoDB counts it against 400 KB and against the 1 MB of a page: names and strings in UTF-8, numbers about
 * one byte for two digits plus one, lists and maps 3 bytes plus one for each element.
 * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html
 */
import type { AttributeValue, Item } from './attribute-value.js';

export const LARGEST_ITEM = 400 * 1024;

export function itemSize(item: Item): number {
  let size = 0;
  for (const name of Object.keys(item)) size += Buffer.byteLength(name) + valueSize(item[name] as AttributeValue);
  return size;
}

function valueSize(value: AttributeValue): number {
  if (value.S !== undefined) return Buffer.byteLength(value.S);
  if (value.N !== undefined) return numberSize(value.N);
  if (value.B) return value.B.length;
  if (value.SS) return value.SS.reduce((size, member) => size + Buffer.byteLength(member), 0);
  if (value.NS) return value.NS.reduce((size, member) => size + numberSize(member), 0);
  if (value.BS) return value.BS.reduce((size, member) => size + member.length, 0);
  if (value.L) return value.L.reduce((size, element) => size + 1 + valueSize(element), 3);
  if (value.M) return 3 + Object.keys(value.M).length + itemSize(value.M);
  return 1;
}

function numberSize(text: string): number {
  const digits = text.replace(/[-.]/g, '').replace(/^0+|0+$/g, '').length;
  return Math.ceil(digits / 2) + 1 + (text.startsWith('-') ? 1 : 0);
}
