/** Words of AWS IoT SQL (https://docs.aws.amazon.com/iot/latest/developerguide/iot-sql-reference.html). Keywords are not case-sensitive; comments do not exist. */
export type Token =
  | {
      readonly kind: 'string';
      readonly value: string;
      readonly at: number;
      /** In double quotes: an attribute name with spaces, or a string. */ readonly doubleQuoted: boolean;
    }
  | { readonly kind: 'number'; readonly value: number; readonly at: number }
  | { readonly kind: 'word'; readonly value: string; readonly at: number }
  | { readonly kind: 'symbol'; readonly value: string; readonly at: number }
  | { readonly kind: 'end'; readonly value: ''; readonly at: number };

export class SqlError extends Error {}

const STRING = /'((?:[^']|'')*)'|"((?:[^"\\]|\\.)*)"/y;
const NUMBER = /\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const WORD = /[A-Za-z_][A-Za-z0-9_]*/y;
const SYMBOL = /<>|<=|>=|!=|\|\||[=<>(),.*+\-/%[\]{}:]/y;

export function tokens(sql: string): Token[] {
  const found: Token[] = [];
  let at = 0;
  const match = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at;
    return pattern.exec(sql);
  };
  while (at < sql.length) {
    if (/\s/.test(sql[at]!)) {
      at += 1;
      continue;
    }
    const string = match(STRING);
    const number = string ? null : match(NUMBER);
    const word = string || number ? null : match(WORD);
    const symbol = string || number || word ? null : match(SYMBOL);
    const text = (string ?? number ?? word ?? symbol)?.[0];
    if (text === undefined) throw new SqlError(`Unexpected character '${sql[at]}' at position ${at}`);
    if (string)
      found.push({
        kind: 'string',
        value: string[1]?.replaceAll("''", "'") ?? string[2]!.replaceAll(/\\(.)/g, '$1'),
        at,
        doubleQuoted: string[2] !== undefined,
      });
    else if (number) found.push({ kind: 'number', value: Number(text), at });
    else if (word) found.push({ kind: 'word', value: text, at });
    else found.push({ kind: 'symbol', value: text, at });
    at += text.length;
  }
  return [...found, { kind: 'end', value: '', at }];
}
