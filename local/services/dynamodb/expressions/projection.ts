/** Projection expressions: which parts of an item are given back. */
import { attributeOf, copyValue, setAttribute, type AttributeValue, type Item } from '../attribute-value.js';
import { assertDisjoint, parsePath, type DocumentPath } from './document-path.js';
import type { Placeholders } from './placeholders.js';
import { TokenReader } from './token-reader.js';

export function parseProjection(source: string, placeholders: Placeholders): readonly DocumentPath[] {
  const reader = new TokenReader(source, 'ProjectionExpression');
  const paths = [parsePath(reader, placeholders)];
  while (reader.takeIf(',')) paths.push(parsePath(reader, placeholders));
  reader.expectEnd();
  assertDisjoint(paths, reader);
  return paths;
}

/** A copy of the parts that the paths name. Elements of lists move up: `a[2], a[5]` gives a list of two. */
export function project(item: Item, paths: readonly DocumentPath[]): Record<string, AttributeValue> {
  const result: Record<string, AttributeValue> = {};
  for (const [name, rests] of byHead(paths)) {
    const value = attributeOf(item, String(name));
    const part = value && projectValue(value, rests);
    if (part) setAttribute(result, String(name), part);
  }
  return result;
}

function projectValue(value: AttributeValue, paths: readonly (readonly (string | number)[])[]): AttributeValue | undefined {
  if (paths.some((path) => path.length === 0)) return copyValue(value);
  const heads = [...byHead(paths)];
  if (value.M) {
    const members: Record<string, AttributeValue> = {};
    for (const [name, rests] of heads) {
      const member = typeof name === 'string' ? attributeOf(value.M, name) : undefined;
      const part = member && projectValue(member, rests);
      if (part) setAttribute(members, String(name), part);
    }
    return Object.keys(members).length > 0 ? { M: members } : undefined;
  }
  if (!value.L) return undefined;
  const elements: AttributeValue[] = [];
  const indexes = heads.filter((head): head is [number, (string | number)[][]] => typeof head[0] === 'number');
  for (const [index, rests] of indexes.sort(([a], [b]) => a - b)) {
    const element = value.L[index];
    const part = element && projectValue(element, rests);
    if (part) elements.push(part);
  }
  return elements.length > 0 ? { L: elements } : undefined;
}

function byHead(paths: readonly (readonly (string | number)[])[]): Map<string | number, (string | number)[][]> {
  const heads = new Map<string | number, (string | number)[][]>();
  for (const [head, ...rest] of paths) {
    if (head === undefined) continue;
    const rests = heads.get(head);
    if (rests) rests.push(rest);
    else heads.set(head, [rest]);
  }
  return heads;
}
