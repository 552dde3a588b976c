/**
 * `fleetwarden crl inspect`: reads any CRL and says whether it would be accepted, and why not. It needs no account and no network, and loads nothing
 * but the reader: this file is imported by every command, so what it needs is imported when it is called.
 *
 * Exit code 0: accepted. 1: refused. 2: not understood, or a file that cannot be read. With `--stdin-list` always 0: each line says its own.
 */
import { Command } from 'commander';
import { Misused } from './answer.js';
import type { InspectRequest } from './crl-inspection.js';

interface Options {
  readonly issuer?: string;
  readonly at?: string;
  readonly json?: boolean;
  readonly stdinList?: boolean;
}

/** Adds `crl inspect` to the program. */
export function addCrlInspect(program: Command): void {
  program
    .command('crl')
    .description('certificate revocation lists')
    .command('inspect')
    .description('read a CRL, DER or PEM, and say whether it would be accepted')
    .argument('[file]', 'the CRL')
    .option('--issuer <certificate>', 'certificate of the CA that should have signed it; without it no signature is checked')
    .option('--at <time>', 'judge it as of this time (RFC 3339); now, if absent')
    .option('--json', 'answer in JSON')
    .option(
      '--stdin-list',
      'with --json: read requests {"file", "issuer", "at"} from standard input, one a line, and answer each with a line',
    )
    .addHelpText('after', '\nExit code: 0 accepted, 1 refused, 2 not understood.')
    .action(async (file: string | undefined, options: Options) => {
      if (options.stdinList) return inspectList(file, options);
      if (file === undefined) throw new Misused('got no file, expected: fleetwarden crl inspect <file>');
      return inspectOne({ file, issuer: options.issuer, at: options.at }, options.json === true);
    });
}

async function inspectOne(request: InspectRequest, asJson: boolean): Promise<void> {
  const { InspectError, inspect } = await import('./crl-inspection.js');
  try {
    const inspection = await inspect(request);
    const text = asJson
      ? JSON.stringify(inspection.report)
      : (await import('./crl-inspection-text.js')).inspectionText(request, inspection);
    process.stdout.write(`${text}\n`);
    process.exitCode = inspection.report.accepted ? 0 : 1;
  } catch (error) {
    throw error instanceof InspectError ? new Misused(error.message) : error;
  }
}

async function inspectList(file: string | undefined, options: Options): Promise<void> {
  if (!options.json || file !== undefined || options.issuer !== undefined || options.at !== undefined) {
    throw new Misused('got --stdin-list with something beside it, expected: fleetwarden crl inspect --json --stdin-list');
  }
  const { answerLine } = await import('./crl-inspection.js');
  const { createInterface } = await import('node:readline');
  process.stdout.on('error', leaveWithReader);
  for await (const line of createInterface({ input: process.stdin, crlfDelay: Infinity })) {
    if (line.trim() === '') continue;
    if (!process.stdout.write(`${JSON.stringify(await answerLine(line))}\n`))
      await new Promise((resolve) => process.stdout.once('drain', resolve));
  }
}

/** Whoever reads the answers has seen enough (`| head`): no failure. */
function leaveWithReader(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE') throw error;
  process.exit(0);
}
