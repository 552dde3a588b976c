/**
 * Filter patterns of CloudWatch Logs (user guide, "Filter pattern syntax"): terms (`ERROR "not found" ?this ?that -never`), and JSON
 * patterns (`{ $.level = "ERROR" && $.latency > 100 }`). Space-delimited and regular-expression patterns are refused: a pattern that is
 * read wrongly hides log lines.
 */
import { AwsError } from '../../models/service.js';

export type LineMatcher = (message: string) => boolean;

const refuse = (reason: string): never => {
  throw new AwsError('InvalidParameterException', `Invalid filter pattern: ${reason}`);
};

export function compileFilterPattern(pattern: string | undefined): LineMatcher {
  const text = (pattern ?? '').trim();
  if (text === '') return () => true;
  if (text.startsWith('{')) return compileJson(text);
  if (text.startsWith('[')) return refuse('space-delimited patterns are not served by the desk');
  return compileTerms(text);
}

function compileTerms(text: string): LineMatcher {
  const all: string[] = [];
  const some: string[] = [];
  const none: string[] = [];
  for (const [, sign, quoted, word] of text.matchAll(/([?-]?)(?:"((?:[^"\\]|\\.)*)"|([^\s"]+))/g)) {
    if (word?.startsWith('%')) return refuse('regular expressions are not served by the desk');
    const term = quoted === undefined ? word! : quoted.replace(/\\(.)/g, '$1');
    (sign === '?' ? some : sign === '-' ? none : all).push(term);
  }
  return (message) =>
    all.every((term) => message.includes(term)) &&
    none.every((term) => !message.includes(term)) &&
    (some.length === 0 || some.some((term) => message.includes(term)));
}

type Condition = (document: unknown) => boolean;

/** Selectors, comparisons, `&&`, `||` and parentheses; `&&` binds closer. */
function compileJson(text: string): LineMatcher {
  const tokens = [...text.slice(1, -1).matchAll(/\s*(\$[\w.[\]@-]*|"(?:[^"\\]|\\.)*"|&&|\|\||!=|<=|>=|[=<>()]|[^\s()=<>!&|]+)/g)].map(
    (match) => match[1]!,
  );
  if (!text.endsWith('}') || tokens.length === 0) return refuse(text);
  let at = 0;
  const next = (): string => tokens[at++] ?? refuse('it ends too early');

  const disjunction = (): Condition => {
    const parts = [conjunction()];
    while (tokens[at] === '||') {
      at++;
      parts.push(conjunction());
    }
    return (document) => parts.some((holds) => holds(document));
  };
  const conjunction = (): Condition => {
    const parts = [term()];
    while (tokens[at] === '&&') {
      at++;
      parts.push(term());
    }
    return (document) => parts.every((holds) => holds(document));
  };
  const term = (): Condition => {
    if (tokens[at] !== '(') return comparison(next(), next);
    at++;
    const inner = disjunction();
    return next() === ')' ? inner : refuse('a parenthesis is not closed');
  };

  const matches = disjunction();
  if (at < tokens.length) return refuse(`unexpected ${tokens[at]}`);
  return (message) => {
    const start = message.indexOf('{');
    if (start < 0) return false;
    try {
      return matches(JSON.parse(message.slice(start)));
    } catch {
      return false;
    }
  };
}

function comparison(selector: string, next: () => string): Condition {
  if (!/^\$(\.[\w@-]+|\[\d+\])+$/.test(selector)) return refuse(`got ${selector}, expected a selector like $.name`);
  const path = [...selector.matchAll(/[\w@-]+/g)].map(([name]) => name);
  const value = (document: unknown): unknown =>
    path.reduce<unknown>(
      (node, key) => (node !== null && typeof node === 'object' ? (node as Record<string, unknown>)[key] : undefined),
      document,
    );
  const operator = next();
  if (operator === 'IS' || operator === 'NOT') return keyword(operator, next(), value);
  const wanted = next();
  if (wanted.startsWith('%')) return refuse('regular expressions are not served by the desk');
  const test = wanted.startsWith('"')
    ? equalsText(JSON.parse(wanted) as string)
    : /^-?\d+(\.\d+)?$/.test(wanted)
      ? undefined
      : equalsText(wanted);
  if (operator === '=') return (document) => (test ? test(value(document)) : Number(value(document)) === Number(wanted));
  if (operator === '!=')
    return (document) => value(document) !== undefined && !(test ? test(value(document)) : Number(value(document)) === Number(wanted));
  const compare = COMPARE[operator];
  if (!compare || test) return refuse(`operator ${operator} with ${wanted}`);
  return (document) => typeof value(document) === 'number' && compare(value(document) as number, Number(wanted));
}

function keyword(operator: string, word: string, value: (document: unknown) => unknown): Condition {
  if (operator === 'NOT' && word === 'EXISTS') return (document) => value(document) === undefined;
  if (operator === 'IS' && word === 'NULL') return (document) => value(document) === null;
  if (operator === 'IS' && (word === 'TRUE' || word === 'FALSE')) return (document) => value(document) === (word === 'TRUE');
  return refuse(`${operator} ${word}`);
}

/** A star stands for any characters in a text. */
function equalsText(wanted: string): (value: unknown) => boolean {
  const expression = new RegExp(
    `^${wanted
      .split('*')
      .map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'))
      .join('.*')}$`,
    's',
  );
  return (value) => typeof value === 'string' && expression.test(value);
}

const COMPARE: Readonly<Record<string, (value: number, bound: number) => boolean>> = {
  '<': (value, bound) => value < bound,
  '<=': (value, bound) => value <= bound,
  '>': (value, bound) => value > bound,
  '>=': (value, bound) => value >= bound,
};
