/** Size and import time of each bundled function, beside an empty module: whole processes, in turn. Alone: `npx tsx bench/bundles.ts`. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import Table from 'cli-table3';
import { assemblyOf } from '../test/scenarios/support/assembly.js';
import { costOf, inTurn, type Cost } from './measure.js';

export interface BundleRow {
  readonly name: string;
  readonly kilobytes: number;
  readonly gzipKilobytes: number;
  /** Of `lambda/` and `domain/`: this project's own code. */
  readonly ownKilobytes: number;
  readonly importCpuSeconds: number;
  /** Beside an empty module. */
  readonly ratio: number;
}

interface Metafile {
  readonly outputs: Readonly<Record<string, { readonly inputs: Readonly<Record<string, { readonly bytesInOutput: number }>> }>>;
}

const ROOT = path.resolve(__dirname, '..');
const BUNDLES = path.join(ROOT, 'build', 'lambda');
const ROUNDS = process.env['BENCH_QUICK'] === '1' ? 3 : 9;

export async function run(): Promise<readonly BundleRow[]> {
  await assemblyOf(); // bundles
  const folder = mkdtempSync(path.join(tmpdir(), 'fleetwarden-bench-'));
  try {
    const names = readdirSync(BUNDLES).filter((name) => statSync(path.join(BUNDLES, name)).isDirectory());
    const empty = path.join(folder, 'empty.mjs');
    writeFileSync(empty, '');
    // What a cold start loads. That the environment is not set is found out after everything has been evaluated, and is not what is measured.
    const loader = (file: string) => ['--input-type=module', '-e', `await import(${JSON.stringify(file)}).catch(() => {})`];
    const programs: Record<string, () => Cost> = { empty: () => costOf(process.execPath, loader(empty)) };
    for (const name of names) programs[name] = () => costOf(process.execPath, loader(path.join(BUNDLES, name, 'index.mjs')));
    const costs = inTurn(programs, ROUNDS);
    const { outputs } = JSON.parse(readFileSync(path.join(BUNDLES, 'meta.json'), 'utf8')) as Metafile;
    const rows = names.map((name): BundleRow => {
      const code = readFileSync(path.join(BUNDLES, name, 'index.mjs'));
      const inputs = Object.entries(outputs).find(([file]) => file.endsWith(`${name}/index.mjs`))?.[1].inputs ?? {};
      const own = Object.entries(inputs).reduce(
        (sum, [file, { bytesInOutput }]) => (/^(lambda|domain)\//.test(file) ? sum + bytesInOutput : sum),
        0,
      );
      return {
        name,
        kilobytes: code.length / 1024,
        gzipKilobytes: gzipSync(code).length / 1024,
        ownKilobytes: own / 1024,
        importCpuSeconds: costs[name]!.cpuSeconds,
        ratio: costs[name]!.cpuSeconds / costs.empty!.cpuSeconds,
      };
    });
    const table = new Table({ head: ['function', 'KB', 'gzip', 'own code', 'import cpu', '÷ empty'], style: { head: [] } });
    for (const row of rows) {
      table.push([
        row.name,
        row.kilobytes.toFixed(0),
        row.gzipKilobytes.toFixed(0),
        row.ownKilobytes.toFixed(0),
        `${row.importCpuSeconds.toFixed(3)} s`,
        row.ratio.toFixed(2),
      ]);
    }
    process.stdout.write(`${table.toString()}\n`);
    return rows;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

if (require.main === module) void run();
