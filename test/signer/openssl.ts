/** OpenSSL as independent judge of what our CA writes. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export const hasOpenssl = spawnSync('openssl', ['version']).status === 0;
if (!hasOpenssl) console.warn('OpenSSL as judge: skipped, there is no openssl program');

export interface Told {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs OpenSSL in a folder with these files. */
export function openssl(files: Readonly<Record<string, string | Uint8Array>>, ...args: readonly string[]): Told {
  const cwd = mkdtempSync(join(tmpdir(), 'fleetwarden-signer-'));
  try {
    for (const [name, content] of Object.entries(files)) writeFileSync(join(cwd, name), content);
    const { status, stdout, stderr } = spawnSync('openssl', args, { cwd, encoding: 'utf8', maxBuffer: 1 << 28 });
    return { status, stdout, stderr };
  } finally {
    rmSync(cwd, { recursive: true });
  }
}

/** Is the certificate good for a client, by this CA and by its CRL, at that time? Empty, or what OpenSSL says against it. */
export function objectionsTo(certificatePem: string, caPem: string, atMs: number, crlPem?: string): string {
  const files = { 'c.pem': certificatePem, 'ca.pem': caPem, ...(crlPem === undefined ? {} : { 'crl.pem': crlPem }) };
  const withCrl = crlPem === undefined ? [] : ['-crl_check', '-CRLfile', 'crl.pem'];
  const at = ['-attime', String(Math.floor(atMs / 1000))];
  const told = openssl(files, 'verify', '-x509_strict', '-purpose', 'sslclient', ...at, '-CAfile', 'ca.pem', ...withCrl, 'c.pem');
  return told.status === 0 ? '' : told.stderr.replaceAll(/^CN ?= ?.*\n/gm, '');
}

export interface ListedEntry {
  readonly serialNumber: string;
  readonly reason: string;
}

/** What OpenSSL reads in a CRL whose signature it has verified. Throws where it does not verify. */
export function entriesOf(
  crl: Uint8Array,
  caPem: string,
): { readonly number: bigint; readonly entries: readonly ListedEntry[]; readonly text: string } {
  const told = openssl(
    { 'crl.der': crl, 'ca.pem': caPem },
    'crl',
    '-inform',
    'DER',
    '-in',
    'crl.der',
    '-noout',
    '-text',
    '-CAfile',
    'ca.pem',
  );
  if (!told.stderr.includes('verify OK')) throw new Error(`openssl crl: ${told.stderr}`);
  const entries = told.stdout
    .split(/Serial Number: /)
    .slice(1)
    .map((entry) => ({
      serialNumber: /^[0-9A-F]+/.exec(entry)![0].toLowerCase().replace(/^0+/, ''),
      reason: /Reason Code: ?\n\s+(.+)/.exec(entry)?.[1] ?? '',
    }));
  const number = BigInt(/X509v3 CRL Number: ?\n\s+(\S+)/.exec(told.stdout)?.[1] ?? '0');
  return { number, entries, text: told.stdout };
}
