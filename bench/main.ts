/**
 * `npm run bench [-- crl | revocation | campaign | containment | bundles …]`: prints tables, and writes bench/results/<time>.json. Read ratios, not seconds: each is
 * measured against a peer in the same run, in turn. `BENCH_QUICK=1` for a look.
 */
import '../local/quiet-sdk.js';
import { mkdirSync, writeFileSync } from 'node:fs';
import { availableParallelism, totalmem } from 'node:os';
import path from 'node:path';

const SECTIONS: Readonly<Record<string, () => Promise<unknown>>> = {
  crl: async () => (await import('./crl.js')).run(),
  revocation: async () => (await import('./revocation.js')).run(),
  findings: async () => (await import('./findings.js')).run(),
  campaign: async () => (await import('./campaign.js')).run(),
  containment: async () => (await import('./containment.js')).run(),
  monitor: async () => (await import('./monitor.js')).run(),
  bundles: async () => (await import('./bundles.js')).run(),
};

async function main(wanted: readonly string[]): Promise<void> {
  const unknown = wanted.filter((name) => !(name in SECTIONS));
  if (unknown.length > 0) throw new Error(`got "${unknown.join(' ')}", expected some of: ${Object.keys(SECTIONS).join(', ')}`);
  const startedAt = new Date();
  const results: Record<string, unknown> = {
    at: startedAt.toISOString(),
    node: process.version,
    cores: availableParallelism(),
    memoryMiB: Math.round(totalmem() / 1024 / 1024),
  };
  for (const name of wanted.length > 0 ? wanted : Object.keys(SECTIONS)) {
    process.stdout.write(`\n${name}\n`);
    results[name] = await SECTIONS[name]!();
  }
  const folder = path.join(__dirname, 'results');
  mkdirSync(folder, { recursive: true });
  const file = path.join(folder, `${startedAt.toISOString().replaceAll(':', '')}.json`);
  writeFileSync(file, `${JSON.stringify(results, null, 2)}\n`);
  process.stdout.write(`\nwritten: ${path.relative(process.cwd(), file)}\n`);
}

main(process.argv.slice(2)).then(
  () => process.exit(0),
  (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(1);
  },
);
