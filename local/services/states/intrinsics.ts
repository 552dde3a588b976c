/** Calls of intrinsic functions as text: `States.Format('{} is {}', $.name, States.ArrayLength($.list))`. */
import { INTRINSICS, type Random } from './intrinsic-functions.js';
import type { Json } from './values.js';

/** Answers the value of a path, or throws. */
export type PathValue = (path: string) => Json;

type Expression =
  /** `raw`: a text before its escapes were undone, for States.Format, to which `\{\}` is no place for an argument. */
  | { readonly kind: 'literal'; readonly value: Json; readonly raw?: string }
  | { readonly kind: 'path'; readonly path: string }
  | { readonly kind: 'call'; readonly name: string; readonly args: readonly Expression[] };

/** Ten calls within each other (developer guide, "Intrinsic functions"). */
const DEEPEST = 10;

/** Throws SyntaxError with what is wrong. */
export function parseIntrinsic(text: string): Expression {
  const parser = new Parser(text);
  const call = parser.call(1);
  if (!parser.atEnd) throw parser.error('the end');
  return call;
}

export function evaluateIntrinsic(expression: Expression, valueOf: PathValue, random: Random): Json {
  if (expression.kind === 'literal') return expression.value;
  if (expression.kind === 'path') return valueOf(expression.path);
  const args = expression.args.map((arg) => evaluateIntrinsic(arg, valueOf, random));
  const [template] = expression.args;
  if (expression.name === 'States.Format' && template)
    args[0] = template.kind === 'literal' && template.raw !== undefined ? template.raw : escaped(args[0]!);
  return INTRINSICS[expression.name]!.run(args, random);
}

/** A template that came with the data has no escapes. */
const escaped = (template: Json): Json => (typeof template === 'string' ? template.replaceAll('\\', '\\\\') : template);

/** Every path that a call reads. */
export function pathsIn(expression: Expression): string[] {
  if (expression.kind === 'path') return [expression.path];
  return expression.kind === 'call' ? expression.args.flatMap(pathsIn) : [];
}

/** Only `\'`, `\{`, `\}` and `\\` are escapes; any other refuses the definition. */
function unescaped(body: string): string {
  return body.replace(/\\(.)/gs, (sequence, character: string) => {
    if ("'{}\\".includes(character)) return character;
    throw new SyntaxError(`'${sequence}' is no escape sequence of an intrinsic function`);
  });
}

class Parser {
  private at = 0;

  constructor(private readonly text: string) {}

  get atEnd(): boolean {
    this.spaces();
    return this.at >= this.text.length;
  }

  error(expected: string): SyntaxError {
    return new SyntaxError(
      `got '${this.text.slice(this.at, this.at + 12)}' at position ${this.at} of '${this.text}', expected ${expected}`,
    );
  }

  call(depth: number): Expression {
    if (depth > DEEPEST) throw new SyntaxError(`got more than ${DEEPEST} calls within each other in '${this.text}'`);
    const name = this.match(/States\.\w+/y);
    const intrinsic = name === undefined ? undefined : INTRINSICS[name];
    if (name === undefined || !intrinsic) throw new SyntaxError(`'${name ?? this.text}' is no intrinsic function`);
    this.expect('(');
    const args: Expression[] = [];
    if (!this.take(')')) {
      do args.push(this.argument(depth));
      while (this.take(','));
      this.expect(')');
    }
    if (args.length < intrinsic.from || args.length > intrinsic.to)
      throw new SyntaxError(
        `${name}: got ${args.length} arguments, expected ${intrinsic.from}${intrinsic.to === intrinsic.from ? '' : ` to ${intrinsic.to}`}`,
      );
    return { kind: 'call', name, args };
  }

  private argument(depth: number): Expression {
    this.spaces();
    if (this.text.startsWith('States.', this.at)) return this.call(depth + 1);
    const path = this.match(/\$\$?(?:[^\s,()[\]'"]|\[[^\]]*\])*/y);
    if (path !== undefined) return { kind: 'path', path };
    const literal = this.match(/-?\d+(\.\d+)?([eE][-+]?\d+)?|true|false|null/y);
    if (literal !== undefined) return { kind: 'literal', value: JSON.parse(literal) as Json };
    const quoted = this.match(/'(?:[^'\\]|\\.)*'/y);
    if (quoted === undefined) throw this.error('a path, a number, a text in single quotes, true, false, null or a call');
    const raw = quoted.slice(1, -1);
    return { kind: 'literal', value: unescaped(raw), raw };
  }

  private match(pattern: RegExp): string | undefined {
    this.spaces();
    pattern.lastIndex = this.at;
    const match = pattern.exec(this.text);
    if (!match) return undefined;
    this.at = pattern.lastIndex;
    return match[0];
  }

  private take(token: string): boolean {
    this.spaces();
    if (!this.text.startsWith(token, this.at)) return false;
    this.at += token.length;
    return true;
  }

  private expect(token: string): void {
    if (!this.take(token)) throw this.error(`'${token}'`);
  }

  private spaces(): void {
    while (this.at < this.text.length && /\s/.test(this.text[this.at]!)) this.at++;
  }
}
