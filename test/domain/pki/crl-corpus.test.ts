/**
 * Conformance: real CRLs from other projects' test suites, judged beforehand by two independent parsers. The folder is not part of the project:
 * `CRL_CORPUS` names it; without it, `../shared/corpus` beside the repository is tried, and where that is absent too the test is skipped.
 */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Certificate } from '../../../domain/pki/certificate.js';
import { readCrlBytes, type CrlReading } from '../../../domain/pki/crl-reader.js';

const CORPUS = process.env['CRL_CORPUS'] ?? resolve(__dirname, '../../../../shared/corpus');
const manifestPath = join(CORPUS, 'MANIFEST.json');
const isPresent = existsSync(manifestPath);

interface CorpusFile {
  readonly file: string;
  readonly evaluate_at: string | null;
  readonly issuer_cert?: string | null;
  readonly strict_profile: { readonly accept: boolean; readonly reasons: readonly string[] };
  readonly expected: {
    readonly entries: number | null;
    readonly issuer: string | null;
    readonly crlNumber: string | null;
    readonly thisUpdate: string | null;
    readonly nextUpdate: string | null;
    readonly serialsSha256: string | null;
  };
}

/** Refused by us, accepted by the manifest: each with the reason for which we stay with our verdict. */
const MANIFEST_IS_TOO_KIND: Readonly<Record<string, string>> = {
  'odd/boringssl__crls-UnknownCRLEntryExtensionCACRL-260ab645.der':
    'PKITS 4.4.8: an entry with an unknown critical extension. RFC 5280 §5.3: such a CRL must not be used; the manifest looks at critical extensions of the list only.',
};

/** The manifest refuses these for a signature under a key that it had and the corpus does not hand out: without an issuer nobody can tell. */
const BY_A_KEY_NOT_AT_HAND = 'signature does not verify under the key the AKI names';

const files: readonly CorpusFile[] = isPresent ? (JSON.parse(readFileSync(manifestPath, 'utf8')) as { files: CorpusFile[] }).files : [];
if (!isPresent) console.warn(`CRL corpus: skipped, there is no ${manifestPath} (set CRL_CORPUS)`);

(isPresent ? describe : describe.skip)('the corpus of real CRLs', () => {
  const readings = new Map<CorpusFile, CrlReading>();
  beforeAll(() => {
    for (const one of files) {
      const issuers = one.issuer_cert ? [{ certificate: Certificate.read(readFileSync(join(CORPUS, one.issuer_cert))) }] : undefined;
      const atMs = one.evaluate_at === null ? Date.UTC(2026, 10, 22) : Date.parse(one.evaluate_at);
      readings.set(one, readCrlBytes(readFileSync(join(CORPUS, one.file)), { atMs, issuers }));
    }
  });

  it('has files', () => expect(files.length).toBeGreaterThan(0));

  it('gets the verdict of the manifest, file by file', () => {
    const wrong = [...readings].flatMap(([one, reading]) => {
      const reasons = one.strict_profile.reasons.filter((reason) => one.issuer_cert || reason !== BY_A_KEY_NOT_AT_HAND);
      const isUnjudgeable = !one.strict_profile.accept && reasons.length === 0;
      const expected = one.file in MANIFEST_IS_TOO_KIND ? false : one.strict_profile.accept;
      return isUnjudgeable || reading.accepted === expected
        ? []
        : [{ file: one.file, ours: reading.refusals, manifest: one.strict_profile }];
    });
    expect(wrong).toEqual([]);
  });

  it('gives serials, issuer, number, dates and count as both oracles do', () => {
    const wrong = [...readings].flatMap(([one, reading]) => {
      const { expected } = one;
      const { facts } = reading;
      const instant = (ms: number | undefined): number | null => ms ?? null;
      const pairs: readonly (readonly [string, unknown, unknown])[] = [
        ['entries', expected.entries, facts?.entries],
        ['serials', expected.serialsSha256, serialsSha256(reading)],
        ['issuer', expected.issuer, facts?.issuer],
        ['crlNumber', expected.crlNumber, facts?.crlNumber?.toString()],
        ['thisUpdate', expected.thisUpdate && Date.parse(expected.thisUpdate), instant(facts?.thisUpdateMs)],
        ['nextUpdate', expected.nextUpdate && Date.parse(expected.nextUpdate), instant(facts?.nextUpdateMs)],
      ];
      return pairs
        .filter(([, theirs, ours]) => theirs !== null && theirs !== ours)
        .map(([what, theirs, ours]) => ({ file: one.file, what, theirs, ours }));
    });
    expect(wrong).toEqual([]);
  });
});

function serialsSha256(reading: CrlReading): string | undefined {
  const listed = reading.accepted ? reading.fresh : reading.listed;
  if (listed === undefined) return undefined;
  const serials = [...listed].map(({ serialNumber }) => BigInt(`0x${serialNumber}`));
  if (!reading.accepted) serials.push(...(reading.oddSerials ?? []));
  serials.sort((a, b) => (a < b ? -1 : 1));
  return createHash('sha256')
    .update(serials.map((serial) => serial.toString(16)).join('\n'))
    .digest('hex');
}
