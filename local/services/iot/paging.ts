import { invalidRequest } from './errors.js';

export interface Page<T> {
  readonly items: readonly T[];
  /** Absent on the last page. */
  readonly token?: string;
}

const MAX_PAGE = 250;

/**
 * One page of a listing. The token is opaque to callers and names the last key given out, not an offset: what is deleted between two pages
 * must not make the listing skip its neighbours. `items` come in their listing order; `key` is unique.
 */
export function page<T>(items: readonly T[], key: (item: T) => string, token: unknown, size: unknown, defaultSize = 25): Page<T> {
  const limit = typeof size === 'number' ? size : defaultSize;
  if (!Number.isInteger(limit) || limit < 1 || limit > MAX_PAGE)
    throw invalidRequest(`Page size: got ${String(size)}, expected 1 to ${MAX_PAGE}`);
  let start = 0;
  if (typeof token === 'string' && token !== '') {
    const { lastKey, index } = decode(token);
    // Where the last item given out is still at its place (nothing changed) this costs nothing; else it is searched for.
    start =
      index > 0 && items[index - 1] !== undefined && key(items[index - 1]!) === lastKey
        ? index
        : items.findIndex((item) => key(item) === lastKey) + 1;
    if (start === 0) start = Math.min(index - 1, items.length);
  }
  const chosen = items.slice(start, start + limit);
  const last = chosen.at(-1);
  return last !== undefined && start + limit < items.length
    ? { items: chosen, token: encode(key(last), start + limit) }
    : { items: chosen };
}

const encode = (lastKey: string, index: number): string => Buffer.from(JSON.stringify([lastKey, index])).toString('base64url');

function decode(token: string): { lastKey: string; index: number } {
  try {
    const parsed: unknown = JSON.parse(Buffer.from(token, 'base64url').toString());
    if (Array.isArray(parsed) && typeof parsed[0] === 'string' && Number.isInteger(parsed[1]) && parsed[1] > 0)
      return { lastKey: parsed[0], index: parsed[1] as number };
  } catch {
    // Falls through to the one answer that AWS gives to a token that it did not make.
  }
  throw invalidRequest('Invalid pagination token');
}
