/**
 * The part of the fleet indexing query language that reads the registry (developer guide, "Query syntax" and "Example thing queries"):
 * thingName, thingTypeName, attributes.<name>, bare terms, AND, OR, NOT, `-`, groups, wildcards `*` and `?`, quotes, ranges. Words beside each
 * other mean AND; field names are case sensitive, what is searched for is not.
 */
import { AwsError } from '../../models/service.js';
import { notServed } from './errors.js';

/** What the desk indexes of a thing. */
export interface IndexedThing {
  readonly thingName: string;
  readonly thingTypeName?: string;
  readonly attributes: Readonly<Record<string, string>>;
}

export interface FleetQuery {
  readonly matches: (thing: IndexedThing) => boolean;
  /** Terms, which are limited. */
  readonly terms: number;
}

type Test = (thing: IndexedThing) => boolean;
type Values = (thing: IndexedThing) => readonly string[];

/** General Reference, AWS IoT Device Management: 1000 characters; 100 where a term begins with a wildcard, which one term may. */
const LONGEST = 1000;
const LONGEST_WITH_LEADING_WILDCARD = 100;
const FORBIDDEN = /[`@#%/';,]/;

export const invalidQuery = (message: string): AwsError => new AwsError('InvalidQueryException', message);

/** Throws InvalidQueryException, or NotImplemented for what the desk does not index (shadows, connectivity, violations). */
export function parseFleetQuery(text: string): FleetQuery {
  if (text.length > LONGEST) throw invalidQuery(`Query is longer than ${LONGEST} characters`);
  const parser = new Parser(text);
  const matches = parser.query();
  if (parser.leadingWildcards > 1) throw invalidQuery('Only one query term can begin with a wildcard');
  if (parser.leadingWildcards > 0 && text.length > LONGEST_WITH_LEADING_WILDCARD)
    throw invalidQuery(`A query with a leading wildcard can be at most ${LONGEST_WITH_LEADING_WILDCARD} characters long`);
  return { matches, terms: parser.terms };
}

class Parser {
  terms = 0;
  leadingWildcards = 0;
  private at = 0;

  constructor(private readonly text: string) {}

  query(): Test {
    const test = this.alternatives(undefined);
    if (this.at < this.text.length) throw this.error('the end of the query');
    return test;
  }

  private alternatives(field: Values | undefined): Test {
    const tests = [this.conjunction(field)];
    while (this.word('OR')) tests.push(this.conjunction(field));
    return (thing) => tests.some((test) => test(thing));
  }

  private conjunction(field: Values | undefined): Test {
    const tests = [this.negation(field)];
    for (;;) {
      if (this.word('AND')) tests.push(this.negation(field));
      else if (this.atEnd() || this.peek(/\)/y) || this.peek(/OR(?=[\s(])/y)) return (thing) => tests.every((test) => test(thing));
      else tests.push(this.negation(field));
    }
  }

  private negation(field: Values | undefined): Test {
    if (this.word('NOT') || this.take('-')) {
      const test = this.negation(field);
      return (thing) => !test(thing);
    }
    return this.primary(field);
  }

  private primary(field: Values | undefined): Test {
    if (this.take('(')) {
      const test = this.alternatives(field);
      if (!this.take(')')) throw this.error(')');
      return test;
    }
    if (field) return this.value(field);
    const name = this.match(/([A-Za-z][\w.$-]*):/y)?.[1];
    if (name === undefined) return this.value(anyField);
    const values = fieldOf(name);
    return this.take('(') ? this.group(values) : this.value(values);
  }

  private group(values: Values): Test {
    const test = this.alternatives(values);
    if (!this.take(')')) throw this.error(')');
    return test;
  }

  private value(values: Values): Test {
    this.terms++;
    const range = this.match(/([[{])\s*("[^"]*"|[^\s\]}]+)\s+TO\s+("[^"]*"|[^\s\]}]+)\s*([\]}])/y);
    if (range) return inRange(values, range);
    const compared = this.match(/(>=|<=|>|<)\s*([^\s()]+)/y);
    if (compared) return inOrder(values, compared[1]!, compared[2]!);
    const quoted = this.match(/"((?:[^"\\]|\\.)*)"/y)?.[1];
    const bare = quoted === undefined ? this.match(/(?:[^\s()"[\]{}:\\]|\\.)+/y)?.[0] : undefined;
    const word = quoted ?? bare;
    if (word === undefined || word === '' || /^(AND|OR|NOT)$/.test(bare ?? '')) throw this.error('a term');
    if (FORBIDDEN.test(word)) throw invalidQuery(`Query has a special character that is not supported: ${word}`);
    if (bare !== undefined && bare !== '*' && /^[*?]/.test(bare)) this.leadingWildcards++;
    const pattern = quoted === undefined ? wildcards(word) : new RegExp(`^${literal(unescaped(word))}$`, 'i');
    return (thing) => values(thing).some((value) => pattern.test(value));
  }

  private word(word: 'AND' | 'OR' | 'NOT'): boolean {
    return this.match(new RegExp(`${word}(?=[\\s(])`, 'y')) !== undefined;
  }

  private take(token: string): boolean {
    this.spaces();
    if (!this.text.startsWith(token, this.at)) return false;
    this.at += token.length;
    return true;
  }

  private match(pattern: RegExp): RegExpExecArray | undefined {
    this.spaces();
    pattern.lastIndex = this.at;
    const match = pattern.exec(this.text);
    if (match) this.at = pattern.lastIndex;
    return match ?? undefined;
  }

  private peek(pattern: RegExp): boolean {
    this.spaces();
    pattern.lastIndex = this.at;
    return pattern.test(this.text);
  }

  private atEnd(): boolean {
    this.spaces();
    return this.at >= this.text.length;
  }

  private spaces(): void {
    while (/\s/.test(this.text[this.at] ?? '')) this.at++;
  }

  private error(expected: string): AwsError {
    return invalidQuery(`Invalid query: got '${this.text.slice(this.at, this.at + 20)}' at position ${this.at}, expected ${expected}`);
  }
}

const typeOf: Values = ({ thingTypeName }) => (thingTypeName === undefined ? [] : [thingTypeName]);
const anyField: Values = (thing) => [thing.thingName, ...typeOf(thing), ...Object.values(thing.attributes)];

function fieldOf(name: string): Values {
  if (name === 'thingName') return ({ thingName }) => [thingName];
  if (name === 'thingTypeName') return typeOf;
  const attribute = /^attributes\.(.+)$/.exec(name)?.[1];
  if (attribute !== undefined) return ({ attributes }) => (attributes[attribute] === undefined ? [] : [attributes[attribute]]);
  throw notServed(`the query field ${name} (it has thingName, thingTypeName and attributes.<name>)`);
}

/** Numbers compare as numbers, anything else as text. */
function order(a: string, b: string): number {
  const [left, right] = [Number(a), Number(b)];
  if (a !== '' && b !== '' && !Number.isNaN(left) && !Number.isNaN(right)) return left - right;
  const [small, large] = [a.toLowerCase(), b.toLowerCase()];
  return small < large ? -1 : Number(small > large);
}

function inRange(values: Values, [, open, from, to, close]: RegExpExecArray): Test {
  const [low, high] = [from!, to!].map((bound) => bound.replaceAll('"', ''));
  const above = (value: string): boolean => low === '*' || order(value, low!) > 0 || (open === '[' && order(value, low!) === 0);
  const below = (value: string): boolean => high === '*' || order(value, high!) < 0 || (close === ']' && order(value, high!) === 0);
  return (thing) => values(thing).some((value) => above(value) && below(value));
}

function inOrder(values: Values, operator: string, bound: string): Test {
  const holds: Readonly<Record<string, (difference: number) => boolean>> = {
    '>': (difference) => difference > 0,
    '>=': (difference) => difference >= 0,
    '<': (difference) => difference < 0,
    '<=': (difference) => difference <= 0,
  };
  return (thing) => values(thing).some((value) => holds[operator]!(order(value, bound)));
}

const literal = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
const unescaped = (text: string): string => text.replace(/\\(.)/g, '$1');

function wildcards(word: string): RegExp {
  const body = word.replace(/\\.|\*|\?|[\\^$.+()[\]{}|]/g, (token) => {
    if (token === '*') return '.*';
    if (token === '?') return '.';
    return token.length === 2 ? literal(token[1]!) : `\\${token}`;
  });
  return new RegExp(`^${body}$`, 'i');
}
