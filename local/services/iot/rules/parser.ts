/** Reads one AWS IoT SQL statement. Throws SqlError with the position; functions that the desk does not have are refused here, at rule creation. */
import { isFunction } from './functions.js';
import { SqlError, tokens, type Token } from './lexer.js';
import type { BinaryOperator, Column, Expression, Statement } from './syntax.js';

const LEVELS: readonly (readonly BinaryOperator[])[] = [
  ['=', '<>', '<', '<=', '>', '>='],
  ['+', '-'],
  ['*', '/', '%'],
];
const RESERVED = new Set(['from', 'where', 'as', 'and', 'or', 'then', 'when', 'else', 'end', 'in']);

class Reader {
  private index = 0;
  private readonly list: readonly Token[];
  constructor(sql: string) {
    this.list = tokens(sql);
  }
  get next(): Token {
    return this.list[this.index]!;
  }
  get following(): Token {
    return this.list[this.index + 1] ?? this.next;
  }
  take(): Token {
    return this.list[this.index++]!;
  }
  fail(expected: string): never {
    const { value, at } = this.next;
    throw new SqlError(`Expected ${expected} at position ${at}, got ${value === '' ? 'the end' : `'${value}'`}`);
  }
  isWord(word: string): boolean {
    return this.next.kind === 'word' && this.next.value.toLowerCase() === word;
  }
  isSymbol(symbol: string): boolean {
    return this.next.kind === 'symbol' && this.next.value === symbol;
  }
  word(word: string): boolean {
    return this.isWord(word) && this.take() !== undefined;
  }
  symbol(symbol: string): boolean {
    return this.isSymbol(symbol) && this.take() !== undefined;
  }
  needWord(word: string): void {
    if (!this.word(word)) this.fail(word.toUpperCase());
  }
  needSymbol(symbol: string): void {
    if (!this.symbol(symbol)) this.fail(`'${symbol}'`);
  }
}

export function parseStatement(sql: string): Statement {
  const reader = new Reader(sql);
  reader.needWord('select');
  const selectValue = isValueKeyword(reader) && reader.word('value');
  const columns = list(reader, () => column(reader));
  if (selectValue && columns.length !== 1) throw new SqlError('SELECT VALUE takes exactly one expression');
  let topicFilter: string | undefined;
  if (reader.word('from')) {
    if (reader.next.kind !== 'string') reader.fail('a topic filter in quotes');
    topicFilter = String(reader.take().value);
  }
  const where = reader.word('where') ? expression(reader) : undefined;
  if (reader.next.kind !== 'end') reader.fail('the end of the statement');
  return { columns, selectValue, ...(topicFilter === undefined ? {} : { topicFilter }), ...(where ? { where } : {}) };
}

/** `SELECT VALUE expression`, but `SELECT value FROM …` is an attribute of that name. */
function isValueKeyword(reader: Reader): boolean {
  const { kind, value } = reader.following;
  if (!reader.isWord('value') || kind === 'end') return false;
  return kind === 'symbol'
    ? ['(', '[', '{', '*', '-'].includes(value)
    : kind !== 'word' || !['from', 'as', 'where'].includes(value.toLowerCase());
}

/** One expression alone: what stands in a substitution template `${…}`. */
export function parseExpression(text: string): Expression {
  const reader = new Reader(text);
  const parsed = expression(reader);
  if (reader.next.kind !== 'end') reader.fail('the end of the expression');
  return parsed;
}

function list<T>(reader: Reader, item: () => T): T[] {
  const items = [item()];
  while (reader.symbol(',')) items.push(item());
  return items;
}

function column(reader: Reader): Column {
  if (reader.symbol('*')) return { expression: { kind: 'star' } };
  const parsed = expression(reader);
  if (reader.word('as')) {
    if (reader.next.kind !== 'word' && reader.next.kind !== 'string') reader.fail('an alias');
    return { expression: parsed, name: String(reader.take().value) };
  }
  return { expression: parsed, name: suggestedName(parsed) };
}

function suggestedName(parsed: Expression): string {
  if (parsed.kind === 'name' || parsed.kind === 'member' || parsed.kind === 'call') return parsed.name;
  throw new SqlError('An expression in SELECT that is neither an attribute nor a function needs an alias (AS)');
}

const expression = (reader: Reader): Expression => either(reader, 'or', () => either(reader, 'and', () => negation(reader)));

function either(reader: Reader, operator: 'and' | 'or', operand: () => Expression): Expression {
  let left = operand();
  while (reader.word(operator)) left = { kind: 'binary', operator, left, right: operand() };
  return left;
}

function negation(reader: Reader): Expression {
  return reader.word('not') ? { kind: 'unary', operator: 'not', operand: negation(reader) } : binary(reader, 0);
}

function binary(reader: Reader, level: number): Expression {
  const operators = LEVELS[level];
  if (!operators) return unary(reader);
  let left = binary(reader, level + 1);
  for (;;) {
    const symbol = reader.next.kind === 'symbol' ? (reader.next.value === '!=' ? '<>' : reader.next.value) : '';
    if (level === 0 && reader.word('in')) left = { kind: 'in', value: left, list: binary(reader, 1) };
    else if (operators.includes(symbol as BinaryOperator)) {
      reader.take();
      left = { kind: 'binary', operator: symbol as BinaryOperator, left, right: binary(reader, level + 1) };
    } else return left;
  }
}

function unary(reader: Reader): Expression {
  if (reader.symbol('-')) return { kind: 'unary', operator: '-', operand: unary(reader) };
  let parsed = primary(reader);
  while (reader.symbol('.')) {
    if (reader.next.kind !== 'word' && reader.next.kind !== 'string') reader.fail('an attribute name');
    parsed = { kind: 'member', of: parsed, name: String(reader.take().value) };
  }
  return parsed;
}

function primary(reader: Reader): Expression {
  const token = reader.next;
  if (token.kind === 'number') return { kind: 'literal', value: reader.take().value };
  if (token.kind === 'string') return { kind: 'literal', value: reader.take().value };
  if (reader.symbol('(')) {
    const inner = expression(reader);
    reader.needSymbol(')');
    return inner;
  }
  if (reader.symbol('[')) {
    const items = reader.isSymbol(']') ? [] : list(reader, () => expression(reader));
    reader.needSymbol(']');
    return { kind: 'array', items };
  }
  if (reader.symbol('{')) return object(reader);
  if (reader.symbol('*')) return { kind: 'star' };
  if (token.kind !== 'word') reader.fail('an expression');
  const word = token.value.toLowerCase();
  if (word === 'case') return caseExpression(reader);
  if (word === 'select') throw new SqlError('Nested queries are not supported on the desk');
  if (reader.following.kind === 'symbol' && reader.following.value === '(') return call(reader);
  if (RESERVED.has(word)) reader.fail('an expression');
  reader.take();
  if (word === 'true' || word === 'false') return { kind: 'literal', value: word === 'true' };
  if (word === 'null') return { kind: 'literal', value: null };
  if (word === 'undefined') return { kind: 'literal', value: undefined };
  return { kind: 'name', name: token.value };
}

function object(reader: Reader): Expression {
  const entries: { key: string; value: Expression }[] = [];
  while (!reader.isSymbol('}')) {
    if (reader.next.kind !== 'string' && reader.next.kind !== 'word') reader.fail('a key');
    const key = String(reader.take().value);
    reader.needSymbol(':');
    entries.push({ key, value: expression(reader) });
    if (!reader.symbol(',')) break;
  }
  reader.needSymbol('}');
  return { kind: 'object', entries };
}

function call(reader: Reader): Expression {
  const name = String(reader.take().value);
  reader.needSymbol('(');
  const parameters: Expression[] = [];
  let castType: string | undefined;
  if (!reader.isSymbol(')')) {
    parameters.push(...list(reader, () => expression(reader)));
    // cast(x AS Decimal): https://docs.aws.amazon.com/iot/latest/developerguide/iot-sql-functions.html#iot-sql-function-cast
    if (name.toLowerCase() === 'cast' && reader.word('as')) castType = String(reader.take().value);
  }
  reader.needSymbol(')');
  if (!isFunction(name)) throw new SqlError(`Function ${name}() is not supported on the desk`);
  return { kind: 'call', name, parameters, ...(castType === undefined ? {} : { castType }) };
}

function caseExpression(reader: Reader): Expression {
  reader.needWord('case');
  const subject = reader.isWord('when') ? undefined : expression(reader);
  const branches: { when: Expression; result: Expression }[] = [];
  while (reader.word('when')) {
    const when = expression(reader);
    reader.needWord('then');
    branches.push({ when, result: expression(reader) });
  }
  if (branches.length === 0) reader.fail('WHEN');
  const otherwise = reader.word('else') ? expression(reader) : undefined;
  reader.needWord('end');
  return { kind: 'case', ...(subject ? { subject } : {}), branches, ...(otherwise ? { otherwise } : {}) };
}
