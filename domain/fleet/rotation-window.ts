/**
 * When a certificate becomes due: so many days before it ends, or when so large a share of its life is left. One of the two, never both: the share
 * suits a fleet whose certificates live for a week as well as one whose live for years.
 */
export type RotationWindow = { readonly kind: 'days'; readonly days: number } | { readonly kind: 'share'; readonly share: number };

export interface Validity {
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
}

export const DAY_MS = 86_400_000;

/**
 * For a window by share, the expiry query looks ahead as far as a certificate of this life needs: thirty years. Factories issue for twenty and
 * more, and AWS IoT's own certificates end with 2049. One that lives longer still is found when its last thirty years × share begin.
 */
const LONGEST_LIFE_DAYS = 10_958;

/** The moment from which on the certificate is due. */
export function dueFromMs(window: RotationWindow, { notBeforeMs, notAfterMs }: Validity): number {
  return notAfterMs - (window.kind === 'days' ? window.days * DAY_MS : window.share * (notAfterMs - notBeforeMs));
}

/** So many days, today among them, must be asked for: nothing that ends later can be due now. */
export function daysAhead(window: RotationWindow): number {
  return 1 + Math.ceil(window.kind === 'days' ? window.days : window.share * LONGEST_LIFE_DAYS);
}

/** `30 days`, or `0.33 of its life`: as a variable of a function, and for people to read. */
export function printRotationWindow(window: RotationWindow): string {
  return window.kind === 'days' ? `${window.days} days` : `${window.share} of its life`;
}

/** The reverse of `printRotationWindow`; `undefined`: no window. */
export function parseRotationWindow(text: string): RotationWindow | undefined {
  const [, days, share] = /^(?:([1-9]\d{0,3}) days|(0\.\d{1,6}) of its life)$/.exec(text) ?? [];
  if (days !== undefined) return { kind: 'days', days: Number(days) };
  return share === undefined ? undefined : { kind: 'share', share: Number(share) };
}
