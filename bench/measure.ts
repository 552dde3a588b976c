import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';

/** What one whole process cost. */
export interface Cost {
  /** User and system time, in seconds. */
  readonly cpuSeconds: number;
  /** `null` where this computer has no GNU time. */
  readonly peakMiB: number | null;
}

const GNU_TIME = '/usr/bin/time';
/** bash's `times` counts in milliseconds, other shells' in hundredths of a second. `--norc`: it would count what .bashrc runs. */
const SHELL: readonly string[] = existsSync('/bin/bash') ? ['/bin/bash', '--norc', '-c'] : ['/bin/sh', '-c'];

/**
 * Runs a program to its end and says what it cost, start of the process included. The times are those that the shell's `times` gives for its
 * children; the peak is GNU time's. Throws when the program fails: a wrong answer has no speed.
 */
export function costOf(program: string, args: readonly string[]): Cost {
  const withPeak = existsSync(GNU_TIME);
  const run = withPeak ? `${GNU_TIME} -q -f 'peak %M' "$@" >/dev/null` : '"$@" >/dev/null';
  const { status, stdout, stderr } = spawnSync(SHELL[0]!, [...SHELL.slice(1), `${run} || exit 1; times`, 'sh', program, ...args], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  if (status !== 0) throw new Error(`${program} ${args[0] ?? ''}: ${stderr.slice(0, 500)}`);
  const children = stdout.trim().split('\n').at(-1) ?? '';
  const cpuSeconds = [...children.matchAll(/(\d+)m([\d.]+)s/g)].reduce(
    (sum, [, minutes, seconds]) => sum + Number(minutes) * 60 + Number(seconds),
    0,
  );
  const peak = /peak (\d+)/.exec(stderr)?.[1];
  return { cpuSeconds, peakMiB: peak === undefined ? null : Number(peak) / 1024 };
}

/** Middle value; of an even count, the lower one. */
export function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor((values.length - 1) / 2)] ?? Number.NaN;
}

/** The smallest value that at least this share of all does not exceed (nearest rank). */
export function percentile(values: readonly number[], share: number): number {
  return values.toSorted((a, b) => a - b)[Math.max(0, Math.ceil(share * values.length) - 1)] ?? Number.NaN;
}

/**
 * Measures several programs in turn (A B C A B C …), so that what else the computer does falls on all of them alike: medians.
 */
export function inTurn<Name extends string>(programs: Readonly<Record<Name, () => Cost>>, rounds: number): Readonly<Record<Name, Cost>> {
  const names = Object.keys(programs) as Name[];
  const costs = new Map<Name, Cost[]>(names.map((name) => [name, []]));
  for (let round = 0; round < rounds; round += 1) for (const name of names) costs.get(name)!.push(programs[name]());
  const middle = (name: Name): Cost => {
    const all = costs.get(name)!;
    const peaks = all.flatMap(({ peakMiB }) => peakMiB ?? []);
    return { cpuSeconds: median(all.map(({ cpuSeconds }) => cpuSeconds)), peakMiB: peaks.length === 0 ? null : median(peaks) };
  };
  return Object.fromEntries(names.map((name) => [name, middle(name)])) as Record<Name, Cost>;
}
