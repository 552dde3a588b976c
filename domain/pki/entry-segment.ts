import { SERIAL_WORDS } from './serial-words.js';

/** Entries side by side in typed arrays, as many as `size` says. */
export interface EntrySegment {
  /** SERIAL_WORDS an entry. */
  readonly words: Uint32Array;
  /** Revocation dates, seconds since 1970. */
  readonly seconds: Float64Array;
  /** CRLReason numbers. */
  readonly reasons: Uint8Array;
  size: number;
}

export function newSegment(capacity: number): EntrySegment {
  return {
    words: new Uint32Array(capacity * SERIAL_WORDS),
    seconds: new Float64Array(capacity),
    reasons: new Uint8Array(capacity),
    size: 0,
  };
}
