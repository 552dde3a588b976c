/**
 * JSONPath as Step Functions takes it: `$.a`, `$['a b']`, `[0]`, `[-1]`, `[0,1]`, `[1:3]`, `*`, `..name`, filters `[?(@.x == 1 && @.y)]`
 * (developer guide, "Using JSONPath paths"). A path is definite when it names one place; the others answer an array of what they find.
 */
import { type Json, isArray, isObject, sameJson } from './values.js';

type Segment =
  | { readonly kind: 'keys'; readonly keys: readonly (string | number)[] }
  | { readonly kind: 'wildcard' }
  | { readonly kind: 'slice'; readonly from: number | undefined; readonly to: number | undefined; readonly step: number }
  | { readonly kind: 'filter'; readonly test: (item: Json, root: Json) => boolean }
  | { readonly kind: 'descend' };

export interface JsonPath {
  readonly text: string;
  readonly segments: readonly Segment[];
  /** Names exactly one place: a reference path. */
  readonly definite: boolean;
}

export type Found = { readonly found: true; readonly value: Json } | { readonly found: false; readonly why: string };

/** Throws SyntaxError with what is wrong. */
export function parsePath(text: string): JsonPath {
  const reader = new Reader(text);
  reader.expect('$');
  const segments = segmentsOf(reader);
  if (!reader.atEnd) throw reader.error('a member, an index or the end');
  return {
    text,
    segments,
    definite: segments.every((segment) => segment.kind === 'keys' && segment.keys.length === 1),
  };
}

export function findPath(path: JsonPath, root: Json): Found {
  let nodes: Json[] = [root];
  let trail = '$';
  for (const [index, segment] of path.segments.entries()) {
    const next = nodes.flatMap((node) => step(node, segment, root));
    if (path.definite) {
      trail += segment.kind === 'keys' ? `[${typeof segment.keys[0] === 'number' ? segment.keys[0] : `'${segment.keys[0]}'`}]` : '';
      if (next.length === 0) {
        const leaf = index === path.segments.length - 1;
        return { found: false, why: leaf ? `No results for path: ${trail}` : `Missing property in path ${trail}` };
      }
    }
    nodes = next;
  }
  return { found: true, value: path.definite ? nodes[0]! : nodes };
}

function step(node: Json, segment: Segment, root: Json): Json[] {
  if (segment.kind === 'descend') return descendants(node);
  if (segment.kind === 'wildcard') return children(node);
  if (segment.kind === 'filter') return (isArray(node) ? [...node] : [node]).filter((item) => segment.test(item, root));
  if (segment.kind === 'slice') {
    if (!isArray(node)) return [];
    const place = (at: number | undefined, otherwise: number): number => (at === undefined ? otherwise : at < 0 ? node.length + at : at);
    return node.filter(
      (_, index) =>
        index >= place(segment.from, 0) && index < place(segment.to, node.length) && (index - place(segment.from, 0)) % segment.step === 0,
    );
  }
  return segment.keys.flatMap((key) => {
    if (typeof key === 'number') {
      const at = isArray(node) ? (key < 0 ? node.length + key : key) : -1;
      return isArray(node) && at >= 0 && at < node.length ? [node[at]!] : [];
    }
    return isObject(node) && Object.hasOwn(node, key) ? [node[key]!] : [];
  });
}

const children = (node: Json): Json[] => (isArray(node) ? [...node] : isObject(node) ? Object.values(node) : []);
const descendants = (node: Json): Json[] => [node, ...children(node).flatMap(descendants)];

class Reader {
  at = 0;

  constructor(readonly text: string) {}

  get atEnd(): boolean {
    return this.at >= this.text.length;
  }

  error(expected: string): SyntaxError {
    return new SyntaxError(
      `got '${this.text.slice(this.at, this.at + 12)}' at position ${this.at} of '${this.text}', expected ${expected}`,
    );
  }

  take(token: string): boolean {
    if (!this.text.startsWith(token, this.at)) return false;
    this.at += token.length;
    return true;
  }

  expect(token: string): void {
    if (!this.take(token)) throw this.error(`'${token}'`);
  }

  match(pattern: RegExp): RegExpExecArray | undefined {
    pattern.lastIndex = this.at;
    const match = pattern.exec(this.text);
    if (!match) return undefined;
    this.at = pattern.lastIndex;
    return match;
  }

  spaces(): void {
    this.match(/\s*/y);
  }
}

function segmentsOf(reader: Reader): Segment[] {
  const segments: Segment[] = [];
  for (;;) {
    if (reader.take('..')) {
      segments.push({ kind: 'descend' });
      if (reader.text[reader.at] !== '[') segments.push(member(reader));
    } else if (reader.take('[') || reader.take('.[')) segments.push(bracket(reader));
    else if (reader.take('.')) segments.push(member(reader));
    else return segments;
  }
}

function member(reader: Reader): Segment {
  if (reader.take('*')) return { kind: 'wildcard' };
  const name = reader.match(/[^\s.[\]()'",=<>!&|*?@]+/y)?.[0];
  if (name === undefined) throw reader.error('a name');
  return { kind: 'keys', keys: [name] };
}

function bracket(reader: Reader): Segment {
  reader.spaces();
  if (reader.take('*')) return closed(reader, { kind: 'wildcard' });
  if (reader.take('?(')) {
    const test = disjunction(reader);
    reader.spaces();
    reader.expect(')');
    return closed(reader, { kind: 'filter', test });
  }
  const slice = reader.match(/(-?\d+)?\s*:\s*(-?\d+)?(?:\s*:\s*(\d+))?/y);
  if (slice) {
    const number = (text: string | undefined): number | undefined => (text === undefined ? undefined : Number(text));
    return closed(reader, { kind: 'slice', from: number(slice[1]), to: number(slice[2]), step: number(slice[3]) ?? 1 });
  }
  const keys: (string | number)[] = [];
  do {
    reader.spaces();
    const index = reader.match(/-?\d+/y)?.[0];
    keys.push(index === undefined ? quoted(reader) : Number(index));
    reader.spaces();
  } while (reader.take(','));
  return closed(reader, { kind: 'keys', keys });
}

function closed(reader: Reader, segment: Segment): Segment {
  reader.spaces();
  reader.expect(']');
  return segment;
}

function quoted(reader: Reader): string {
  const match = reader.match(/'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)"/y);
  if (!match) throw reader.error('a quoted name, a number or *');
  return (match[1] ?? match[2]!).replace(/\\(.)/g, '$1');
}

type Test = (item: Json, root: Json) => boolean;
type Operand = (item: Json, root: Json) => Json | undefined;

function disjunction(reader: Reader): Test {
  const tests = [conjunction(reader)];
  while ((reader.spaces(), reader.take('||'))) tests.push(conjunction(reader));
  return (item, root) => tests.some((test) => test(item, root));
}

function conjunction(reader: Reader): Test {
  const tests = [comparison(reader)];
  while ((reader.spaces(), reader.take('&&'))) tests.push(comparison(reader));
  return (item, root) => tests.every((test) => test(item, root));
}

function comparison(reader: Reader): Test {
  reader.spaces();
  if (reader.take('!')) {
    const test = comparison(reader);
    return (item, root) => !test(item, root);
  }
  if (reader.take('(')) {
    const test = disjunction(reader);
    reader.spaces();
    reader.expect(')');
    return test;
  }
  const left = operand(reader);
  reader.spaces();
  const operator = reader.match(/==|!=|<=|>=|<|>/y)?.[0];
  if (operator === undefined) return (item, root) => left(item, root) !== undefined;
  const right = operand(reader);
  return (item, root) => compare(operator, left(item, root), right(item, root));
}

function operand(reader: Reader): Operand {
  reader.spaces();
  const start = reader.match(/[@$]/y)?.[0];
  if (start !== undefined) {
    const segments = segmentsOf(reader);
    const definite = segments.every((segment) => segment.kind === 'keys' && segment.keys.length === 1);
    const path: JsonPath = { text: start, segments, definite };
    return (item, root) => {
      const result = findPath(path, start === '@' ? item : root);
      return result.found ? result.value : undefined;
    };
  }
  const literal = reader.match(/-?\d+(\.\d+)?([eE][-+]?\d+)?|true|false|null/y)?.[0];
  if (literal !== undefined) return () => JSON.parse(literal) as Json;
  const text = quoted(reader);
  return () => text;
}

function compare(operator: string, left: Json | undefined, right: Json | undefined): boolean {
  if (operator === '==') return left !== undefined && right !== undefined && sameJson(left, right);
  if (operator === '!=') return left === undefined || right === undefined || !sameJson(left, right);
  if (!(typeof left === 'number' && typeof right === 'number') && !(typeof left === 'string' && typeof right === 'string')) return false;
  if (operator === '<') return left < right;
  if (operator === '<=') return left <= right;
  return operator === '>' ? left > right : left >= right;
}
