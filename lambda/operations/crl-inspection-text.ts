import colours from 'picocolors';
import { CRL_REFUSALS } from '../../domain/pki/crl-refusal.js';
import type { InspectRequest, Inspection } from './crl-inspection.js';

/** What `crl inspect` shows to a person. */
export function inspectionText(request: InspectRequest, { report, reading }: Inspection): string {
  const lines = [report.accepted ? `${colours.green('accepted')}  ${request.file}` : `${colours.red('refused')}  ${request.file}`];
  for (const { code, detail } of reading.refusals) {
    lines.push(`  ${colours.red('✗')} ${CRL_REFUSALS[code]} ${colours.dim(`[${code}${detail === undefined ? '' : `: ${detail}`}]`)}`);
  }
  const { facts } = reading;
  if (reading.accepted && reading.expired)
    lines.push(`  ${colours.yellow('!')} It is past its nextUpdate: its revocations count all the same.`);
  if (facts !== undefined && request.issuer === undefined) {
    lines.push(`  ${colours.yellow('!')} Its signature was not checked: no --issuer was given.`);
  }
  if (facts === undefined) return lines.join('\n');
  const rows: readonly (readonly [string, string | null | undefined])[] = [
    ['issuer', report.issuer],
    ['crlNumber', report.crlNumber],
    ['thisUpdate', report.thisUpdate],
    ['nextUpdate', report.nextUpdate],
    ['distributionPoint', facts.distributionPoint],
    ['authorityKeyIdentifier', facts.authorityKeyIdentifier && Buffer.from(facts.authorityKeyIdentifier).toString('hex')],
    ['entries', String(facts.entries)],
    ['serialsSha256', report.serialsSha256],
  ];
  return [...lines, ...rows.map(([name, value]) => `  ${colours.dim(name.padEnd(22))}  ${value ?? '–'}`)].join('\n');
}
