/**
 * The CRL reader as a whole process, beside the `openssl` program, node-forge and an empty Node. Read ratios, not seconds.
 * `BENCH_QUICK=1`: up to 10,000 entries. Alone: `npx tsx bench/crl.ts`.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import Table from 'cli-table3';
import { buildSync } from 'esbuild';
import type { KeyName } from '../test/builders/ca.js';
import { APPLIED, CrlFixtures } from './crl-fixtures.js';
import { costOf, inTurn, type Cost } from './measure.js';

export type CrlProgram = 'empty Node' | 'parse' | 'diff' | 'sync' | 'openssl' | 'node-forge';

export interface CrlBenchRow {
  readonly key: KeyName;
  readonly entries: number;
  readonly bytes: number;
  readonly rounds: number;
  readonly costs: Readonly<Partial<Record<CrlProgram, Cost>>>;
}

export interface CrlBenchAim {
  readonly aim: string;
  /** `null`: not measured in this run. */
  readonly value: number | null;
  readonly limit: number;
  readonly met: boolean | null;
}

export interface CrlBenchResults {
  readonly node: string;
  readonly cpu: string;
  readonly openssl: string | null;
  readonly appliedSerials: number;
  readonly rows: readonly CrlBenchRow[];
  readonly aims: readonly CrlBenchAim[];
}

interface Round {
  readonly key: KeyName;
  readonly entries: number;
  readonly rounds: number;
  readonly withForge: boolean;
}

const QUICK: readonly Round[] = [
  { key: 'P-256', entries: 1_000, rounds: 5, withForge: true },
  { key: 'P-256', entries: 10_000, rounds: 5, withForge: true },
];
const FULL: readonly Round[] = [
  { key: 'P-256', entries: 1_000, rounds: 11, withForge: true },
  { key: 'P-256', entries: 10_000, rounds: 9, withForge: true },
  { key: 'P-256', entries: 100_000, rounds: 7, withForge: true },
  { key: 'P-256', entries: 1_000_000, rounds: 5, withForge: true },
  { key: 'P-384', entries: 1_000_000, rounds: 5, withForge: false },
  { key: 'RSA-2048', entries: 1_000_000, rounds: 5, withForge: false },
];

export async function run(): Promise<CrlBenchResults> {
  const isQuick = process.env['BENCH_QUICK'] === '1';
  const applied = isQuick ? 10_000 : APPLIED;
  const folder = mkdtempSync(join(tmpdir(), 'fleetwarden-bench-'));
  try {
    const child = bundle(folder);
    const fixtures = new CrlFixtures(folder, applied);
    const stateFile = await fixtures.state(child);
    const rows: CrlBenchRow[] = [];
    for (const round of isQuick ? QUICK : FULL) rows.push(await measure(round, fixtures, child, stateFile, folder));
    const aims = aimsOf(rows, statSync(stateFile).size / applied);
    process.stdout.write(`${tableOf(rows)}\n${aimsTable(aims)}\n`);
    return { node: process.version, cpu: cpus()[0]?.model ?? 'unknown', openssl: opensslVersion(), appliedSerials: applied, rows, aims };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** As the product runs: one file, minified. */
function bundle(folder: string): string {
  const outfile = join(folder, 'ours.cjs');
  buildSync({
    entryPoints: [join(__dirname, 'crl-child-ours.ts')],
    outfile,
    bundle: true,
    minify: true,
    platform: 'node',
    target: 'node20',
    logLevel: 'warning',
  });
  writeFileSync(join(folder, 'empty.cjs'), '');
  return outfile;
}

async function measure(round: Round, fixtures: CrlFixtures, child: string, stateFile: string, folder: string): Promise<CrlBenchRow> {
  const { key, entries, rounds } = round;
  const { crlFile, certificateFile, bytes } = await fixtures.make(entries, key);
  const ours = (mode: string): (() => Cost) => {
    const next = mode === 'sync' ? join(folder, 'next.serials') : '';
    return () => costOf(process.execPath, [child, mode, crlFile, certificateFile, stateFile, next]);
  };
  const programs: Partial<Record<CrlProgram, () => Cost>> = {
    'empty Node': () => costOf(process.execPath, [join(folder, 'empty.cjs')]),
    parse: ours('parse'),
    diff: ours('diff'),
    sync: ours('sync'),
  };
  if (opensslVersion() !== null) {
    programs.openssl = () => costOf('openssl', ['crl', '-inform', 'DER', '-in', crlFile, '-noout', '-verify', '-CAfile', certificateFile]);
  }
  if (round.withForge)
    programs['node-forge'] = () => costOf(process.execPath, [join(__dirname, 'crl-child-forge.cjs'), crlFile, certificateFile, 'sha256']);
  return { key, entries, bytes, rounds, costs: inTurn(programs as Record<CrlProgram, () => Cost>, rounds) };
}

function opensslVersion(): string | null {
  const { status, stdout } = spawnSync('openssl', ['version'], { encoding: 'utf8' });
  return status === 0 ? stdout.trim() : null;
}

function aimsOf(rows: readonly CrlBenchRow[], stateBytesPerEntry: number): readonly CrlBenchAim[] {
  const row = (key: KeyName, entries: number): CrlBenchRow['costs'] =>
    rows.find((one) => one.key === key && one.entries === entries)?.costs ?? {};
  const ratio = (above: Cost | undefined, below: Cost | undefined): number | null =>
    above && below ? above.cpuSeconds / below.cpuSeconds : null;
  const small = row('P-256', 1_000);
  const aims: CrlBenchAim[] = [
    atMost('1k: cpu of parse ÷ an empty Node', ratio(small.parse, small['empty Node']), 1.3),
    atMost('state, octets an entry', stateBytesPerEntry, 17),
  ];
  for (const key of ['P-256', 'P-384', 'RSA-2048'] as const) {
    const large = row(key, 1_000_000);
    aims.push(
      atMost(`1M ${key}: cpu of parse ÷ openssl`, ratio(large.parse, large.openssl), 1 / 5),
      atMost(`1M ${key}: cpu of sync ÷ parse`, ratio(large.sync, large.parse), 2.5),
      atMost(`1M ${key}: peak of parse, MiB`, large.parse?.peakMiB ?? null, 100),
      atMost(`1M ${key}: peak of sync, MiB`, large.sync?.peakMiB ?? null, 120),
    );
  }
  aims.push(
    atMost('1M P-256: cpu of parse ÷ node-forge', ratio(row('P-256', 1_000_000).parse, row('P-256', 1_000_000)['node-forge']), 1 / 15),
  );
  return aims;
}

function atMost(aim: string, value: number | null, limit: number): CrlBenchAim {
  return { aim, value, limit, met: value === null ? null : value <= limit };
}

function tableOf(rows: readonly CrlBenchRow[]): string {
  const columns: readonly CrlProgram[] = ['empty Node', 'parse', 'diff', 'sync', 'openssl', 'node-forge'];
  const table = new Table({ head: ['CRL', ...columns.map((name) => `${name}\ncpu s · × parse · MiB`)], style: { head: [], border: [] } });
  for (const { key, entries, costs } of rows) {
    const cell = (cost: Cost | undefined): string =>
      cost === undefined
        ? '–'
        : `${cost.cpuSeconds.toFixed(3)} · ${(cost.cpuSeconds / (costs.parse?.cpuSeconds ?? Number.NaN)).toFixed(2)} · ${cost.peakMiB?.toFixed(0) ?? '–'}`;
    table.push([`${entries.toLocaleString('en')} ${key}`, ...columns.map((name) => cell(costs[name]))]);
  }
  return table.toString();
}

function aimsTable(aims: readonly CrlBenchAim[]): string {
  const table = new Table({ head: ['aim', 'measured', 'at most', ''], style: { head: [], border: [] } });
  for (const { aim, value, limit, met } of aims) {
    table.push([aim, value === null ? 'not measured' : value.toFixed(3), limit.toFixed(3), met === null ? '' : met ? 'met' : 'MISSED']);
  }
  return table.toString();
}

if (require.main === module) void run();
