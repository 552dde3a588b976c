/** Lexer, and a cursor over its tokens, for all expressions of DynamoDB. */
import { validation } from '../errors.js';

export interface Token {
  /** `name`: bare identifier or keyword; `#name` and `:value`: placeholders; `end`: after the last token. */
  readonly kind: 'name' | '#name' | ':value' | 'number' | 'symbol' | 'end';
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

const LONGEST_EXPRESSION = 4096;
const TOKEN =
  /\s*(?:(?<name>[A-Za-z_][A-Za-z0-9_]*)|(?<placeholder>[#:][A-Za-z0-9_]+)|(?<number>[0-9]+)|(?<symbol><>|<=|>=|[=<>()[\].,+-]))/y;

/** Which of a request's expressions is read: AWS puts it before its complaint. */
export type ExpressionKind =
  'ConditionExpression' | 'FilterExpression' | 'KeyConditionExpression' | 'ProjectionExpression' | 'UpdateExpression';

export class TokenReader {
  private readonly tokens: readonly Token[];
  private at = 0;

  constructor(
    private readonly source: string,
    readonly kind: ExpressionKind,
  ) {
    if (source.trim() === '') throw this.invalid('The expression can not be empty;');
    const size = Buffer.byteLength(source);
    if (size > LONGEST_EXPRESSION) throw this.invalid(`Expression size has exceeded the maximum allowed size; expression size: ${size}`);
    this.tokens = this.split();
  }

  get next(): Token {
    return this.tokens[this.at] as Token;
  }

  get afterNext(): Token {
    return this.tokens[Math.min(this.at + 1, this.tokens.length - 1)] as Token;
  }

  take(): Token {
    const token = this.next;
    if (token.kind !== 'end') this.at++;
    return token;
  }

  /** Takes the symbol where it is next. */
  takeIf(symbol: string): boolean {
    if (this.next.kind !== 'symbol' || this.next.text !== symbol) return false;
    this.at++;
    return true;
  }

  expect(symbol: string): void {
    if (!this.takeIf(symbol)) throw this.syntaxError();
  }

  /** Whether the next token is this keyword; keywords are not case-sensitive. */
  isKeyword(...words: readonly string[]): boolean {
    return this.next.kind === 'name' && words.includes(this.next.text.toUpperCase());
  }

  takeKeyword(word: string): boolean {
    if (!this.isKeyword(word)) return false;
    this.at++;
    return true;
  }

  expectEnd(): void {
    if (this.next.kind !== 'end') throw this.syntaxError();
  }

  syntaxError(token: Token = this.next): Error {
    const at = this.tokens.indexOf(token);
    const from = this.tokens[Math.max(0, at - 1)] ?? token;
    const to = this.tokens[Math.min(this.tokens.length - 1, at + 1)] ?? token;
    const text = token.kind === 'end' ? '<EOF>' : token.text;
    return this.invalid(`Syntax error; token: "${text}", near: "${this.source.slice(from.start, to.end)}"`);
  }

  invalid(message: string): Error {
    return validation(`Invalid ${this.kind}: ${message}`);
  }

  private split(): readonly Token[] {
    const tokens: Token[] = [];
    const end = this.source.trimEnd().length;
    TOKEN.lastIndex = 0;
    for (let at = 0; at < end; at = TOKEN.lastIndex) {
      TOKEN.lastIndex = at;
      const groups = TOKEN.exec(this.source)?.groups;
      if (!groups) {
        const rest = this.source.slice(at).trimStart();
        throw this.invalid(`Syntax error; token: "${rest.slice(0, 1)}", near: "${rest.slice(0, 12)}"`);
      }
      const text = groups['name'] ?? groups['placeholder'] ?? groups['number'] ?? groups['symbol'] ?? '';
      const kind = groups['name']
        ? 'name'
        : groups['number']
          ? 'number'
          : groups['symbol']
            ? 'symbol'
            : text.startsWith('#')
              ? '#name'
              : ':value';
      tokens.push({ kind, text, start: TOKEN.lastIndex - text.length, end: TOKEN.lastIndex });
    }
    tokens.push({ kind: 'end', text: '', start: end, end });
    return tokens;
  }
}
