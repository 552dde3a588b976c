/**
 * `*` and `?` in policies. `*` crosses topic levels; `+` and `#` are literal characters
 * (https://docs.aws.amazon.com/iot/latest/developerguide/pub-sub-policy.html). No regular expressions: matching stays linear-ish on
 * whatever a policy author or a device writes.
 */
export interface Pattern {
  /** Characters of the pattern, wildcards as `undefined` markers: a variable's value is literal even where it holds a `*`. */
  readonly parts: readonly (string | typeof ANY | typeof ONE)[];
}
export const ANY = Symbol('*');
export const ONE = Symbol('?');

/** Splits a text into single characters and wildcards. */
export function pattern(text: string): Pattern {
  return { parts: Array.from(text, (character) => (character === '*' ? ANY : character === '?' ? ONE : character)) };
}

export const literal = (text: string): Pattern => ({ parts: Array.from(text) });
export const join = (patterns: readonly Pattern[]): Pattern => ({ parts: patterns.flatMap(({ parts }) => parts) });

export function matches({ parts }: Pattern, text: string): boolean {
  const characters = Array.from(text);
  let at = 0;
  let position = 0;
  let star = -1;
  let resume = 0;
  while (position < characters.length) {
    const part = parts[at];
    if (part === ANY) {
      star = at++;
      resume = position;
    } else if (at < parts.length && (part === ONE || part === characters[position])) {
      at += 1;
      position += 1;
    } else if (star >= 0) {
      at = star + 1;
      position = ++resume;
    } else return false;
  }
  while (parts[at] === ANY) at += 1;
  return at === parts.length;
}
