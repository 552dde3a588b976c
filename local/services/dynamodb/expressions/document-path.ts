/** Paths into an item: `a.b[2].#c`. */
import { attributeOf, setAttribute, type AttributeValue, type Item } from '../attribute-value.js';
import { validation } from '../errors.js';
import type { Placeholders } from './placeholders.js';
import { isReserved } from './reserved-words.js';
import type { TokenReader } from './token-reader.js';

/** Attribute name first; then names of map members and indexes of lists. */
export type DocumentPath = readonly [string, ...(string | number)[]];

export const printPath = (path: DocumentPath): string =>
  `[${path.map((part) => (typeof part === 'number' ? `[${part}]` : part)).join(', ')}]`;

export function parsePath(reader: TokenReader, placeholders: Placeholders): DocumentPath {
  const path: [string, ...(string | number)[]] = [parseName(reader, placeholders)];
  for (;;) {
    if (reader.takeIf('.')) path.push(parseName(reader, placeholders));
    else if (reader.takeIf('[')) {
      if (reader.next.kind !== 'number') throw reader.syntaxError();
      path.push(Number(reader.take().text));
      reader.expect(']');
    } else return path;
  }
}

function parseName(reader: TokenReader, placeholders: Placeholders): string {
  const { kind, text } = reader.next;
  if (kind === '#name') {
    reader.take();
    const name = placeholders.name(text);
    if (name === undefined) {
      throw reader.invalid(`An expression attribute name used in the document path is not defined; attribute name: ${text}`);
    }
    return name;
  }
  if (kind !== 'name') throw reader.syntaxError();
  if (isReserved(text)) throw reader.invalid(`Attribute name is a reserved keyword; reserved keyword: ${text}`);
  reader.take();
  return text;
}

export function readPath(item: Item, path: DocumentPath): AttributeValue | undefined {
  let value = attributeOf(item, path[0]);
  for (const part of path.slice(1)) {
    if (value === undefined) return undefined;
    value = typeof part === 'number' ? value.L?.[part] : value.M && attributeOf(value.M, part);
  }
  return value;
}

/** The same place reached twice in one expression would make its outcome depend on order; AWS refuses it. */
export function assertDisjoint(paths: readonly DocumentPath[], reader: TokenReader): void {
  for (const [i, one] of paths.entries()) {
    for (const two of paths.slice(i + 1)) {
      const length = Math.min(one.length, two.length);
      const differs = one.slice(0, length).findIndex((part, at) => part !== two[at]);
      const where = `must remove or rewrite one of these paths; path one: ${printPath(one)}, path two: ${printPath(two)}`;
      if (differs === -1) throw reader.invalid(`Two document paths overlap with each other; ${where}`);
      if (typeof one[differs] !== typeof two[differs]) throw reader.invalid(`Two document paths conflict with each other; ${where}`);
    }
  }
}

/** Lists and maps of an item that is being changed; nobody else holds them. */
interface Writable {
  readonly L?: AttributeValue[];
  readonly M?: Record<string, AttributeValue>;
}

/** Sets a value in an item that belongs to the caller. A list index beyond the end appends. */
export function writePath(item: Record<string, AttributeValue>, path: DocumentPath, value: AttributeValue): void {
  const { parent, last } = parentOf(item, path);
  if (typeof last === 'string' && parent.M) setAttribute(parent.M, last, value);
  else if (typeof last === 'number' && parent.L) parent.L[Math.min(last, parent.L.length)] = value;
  else throw invalidForUpdate();
}

export function removePath(item: Record<string, AttributeValue>, path: DocumentPath): void {
  const { parent, last } = parentOf(item, path);
  if (typeof last === 'string' && parent.M) delete parent.M[last];
  else if (typeof last === 'number' && parent.L) parent.L.splice(last, 1);
  else throw invalidForUpdate();
}

function parentOf(item: Record<string, AttributeValue>, path: DocumentPath): { readonly parent: Writable; readonly last: string | number } {
  let parent: Writable = { M: item };
  for (const part of path.slice(0, -1)) {
    const next: AttributeValue | undefined = typeof part === 'number' ? parent.L?.[part] : parent.M && attributeOf(parent.M, part);
    if (!next) throw invalidForUpdate();
    parent = next as Writable;
  }
  return { parent, last: path[path.length - 1] as string | number };
}

const invalidForUpdate = () => validation('The document path provided in the update expression is invalid for update');
