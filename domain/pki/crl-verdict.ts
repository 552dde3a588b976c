import type { ParsedCrl } from './crl-parser.js';
import type { CrlIssuer, CrlReadOptions } from './crl-reading.js';
import type { Refusals } from './crl-refusal.js';

const DEFAULT_SKEW_MS = 300_000;

/** What only the whole of a CRL and the pinned CAs can tell. Fails closed: every rule adds a refusal, none takes one away. */
export function judge(
  parsed: ParsedCrl,
  options: CrlReadOptions,
  refusals: Refusals,
): { readonly issuerIndex: number | undefined; readonly distributionPoint: string | undefined } {
  judgeNumberAndKey(parsed, refusals);
  judgeDates(parsed, options, refusals);
  if ('refused' in parsed.scheme && parsed.scheme.refused === 'weak-hash') refusals.add('weak-hash');
  const uris = parsed.extensions.issuingDistributionPoint?.uris ?? [];
  if (options.issuers === undefined) return { issuerIndex: undefined, distributionPoint: uris[0] };
  const issuerIndex = chooseIssuer(parsed, options.issuers, refusals);
  if (issuerIndex === undefined) return { issuerIndex, distributionPoint: uris[0] };
  const issuer = options.issuers[issuerIndex]!;
  judgeSignature(parsed, issuer, refusals);
  return { issuerIndex, distributionPoint: judgeDistributionPoint(parsed, issuer, refusals) };
}

/** RFC 5280 §5.2.1 and §5.2.3 make both mandatory. */
function judgeNumberAndKey(parsed: ParsedCrl, refusals: Refusals): void {
  if (parsed.extensions.crlNumber === undefined) refusals.add('no-crl-number');
  if (parsed.extensions.authorityKeyIdentifier === undefined) refusals.add('no-authority-key-identifier');
}

/** RFC 5280 §5.1.2.4–5. A CRL past nextUpdate is not refused: dropping its revocations would help whoever stopped its successor. */
function judgeDates(parsed: ParsedCrl, options: CrlReadOptions, refusals: Refusals): void {
  const { thisUpdate, nextUpdate } = parsed;
  if (nextUpdate === undefined) refusals.add('no-next-update');
  else if (nextUpdate <= thisUpdate) refusals.add('next-update-not-after-this-update');
  if (thisUpdate * 1000 > options.atMs + (options.skewMs ?? DEFAULT_SKEW_MS)) refusals.add('this-update-in-the-future');
}

/** By issuer name and authority key identifier: a CA that has changed its key has two anchors of one name. */
function chooseIssuer(parsed: ParsedCrl, issuers: readonly CrlIssuer[], refusals: Refusals): number | undefined {
  const name = Buffer.from(parsed.issuerDer);
  const named = issuers.flatMap(({ certificate }, index) => (name.equals(certificate.subjectDer) ? [index] : []));
  if (named.length === 0) refusals.add('foreign-issuer');
  const aki = parsed.extensions.authorityKeyIdentifier;
  if (aki === undefined) return named[0];
  const matching = named.find((index) => Buffer.from(aki).equals(issuers[index]!.certificate.keyIdentifier));
  if (matching === undefined && named.length > 0) refusals.add('foreign-authority-key-identifier');
  return matching;
}

function judgeSignature(parsed: ParsedCrl, issuer: CrlIssuer, refusals: Refusals): void {
  if (!issuer.certificate.maySignCrls) refusals.add('issuer-without-crl-sign');
  if ('refused' in parsed.scheme) refusals.add(parsed.scheme.refused);
  const verdict = parsed.verifier?.verify(issuer.certificate.publicKey, parsed.signature);
  if (verdict === 'unsupported') refusals.add('unsupported-signature-algorithm', 'the pinned key is of another kind');
  if (verdict === 'bad') refusals.add('bad-signature');
}

/**
 * RFC 5280 §6.3.3 (b)(2)(i): one of the names must be where the CRL was looked for. Without this, a partition put in the place of another would
 * make the other's revocations vanish.
 */
function judgeDistributionPoint(parsed: ParsedCrl, issuer: CrlIssuer, refusals: Refusals): string | undefined {
  const idp = parsed.extensions.issuingDistributionPoint;
  if (idp === undefined || !idp.named) return undefined;
  const accept = issuer.acceptDistributionPoint;
  const accepted = accept === undefined ? idp.uris[0] : idp.uris.find((uri) => accept(uri));
  if (accept !== undefined && accepted === undefined) refusals.add('distribution-point-mismatch', idp.uris[0]);
  return accepted ?? idp.uris[0];
}
