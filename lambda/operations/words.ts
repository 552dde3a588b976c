/** Tables, times and colours, the same in every command. Colours follow NO_COLOR and whether a terminal is there (picocolors). */
import Table from 'cli-table3';
import colours from 'picocolors';
import { REASONS } from '../../domain/fleet/reasons.js';
import { ROTATION_REFUSALS } from '../../domain/protocol/rotation.js';

const UNITS = [
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
  ['second', 1_000],
] as const;

/** `3 hours`, in the largest unit that fits, rounded down. Never negative: at the desk, time may have been moved ahead of this computer's. */
export function duration(ms: number): string {
  for (const [unit, size] of UNITS) {
    const count = Math.floor(Math.max(0, ms) / size);
    if (count > 0) return `${count} ${unit}${count === 1 ? '' : 's'}`;
  }
  return 'less than a second';
}

/** RFC 3339, UTC, to the second. */
export function time(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d{3}Z$/, 'Z');
}

/** `2026-11-22T04:00:00Z (3 hours ago)` */
export function timeAndAge(ms: number, nowMs: number): string {
  return `${time(ms)} (${ms > nowMs ? `in ${duration(ms - nowMs)}` : `${duration(nowMs - ms)} ago`})`;
}

export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const drawn = new Table({ head: head.map((title) => colours.bold(title)), style: { head: [], border: [] } });
  drawn.push(...rows.map((row) => [...row]));
  return drawn.toString();
}

/** Two columns without lines: `name  value`. */
export function facts(pairs: readonly (readonly [string, string])[]): string {
  const width = Math.max(...pairs.map(([name]) => name.length));
  return pairs.map(([name, value]) => `${colours.dim(name.padEnd(width))}  ${value}`).join('\n');
}

export const good = colours.green;
export const bad = colours.red;
export const doubtful = colours.yellow;
export const quiet = colours.dim;
export const title = colours.bold;

/** The sentence of a reason word; a text that is no word of ours (an operator's own) stands as it is. */
export function sentenceOf(reason: string): string {
  const refusals: Readonly<Record<string, { readonly says: string }>> = ROTATION_REFUSALS;
  return (REASONS as Readonly<Record<string, string>>)[reason] ?? refusals[reason]?.says ?? reason;
}
