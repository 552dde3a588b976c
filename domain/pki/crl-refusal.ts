/**
 * One list of the reasons for which a CRL is refused: the reader gives the code, the command line prints the sentence, the runbook explains it.
 * A refused CRL changes nothing.
 */
export const CRL_REFUSALS = {
  // It could not be read to its end: only the first of these is reported, and no other field can be trusted.
  'not-der': 'It is not strict DER, or not a CertificateList of RFC 5280.',
  truncated: 'It ends before the length that it declares.',
  'trailing-bytes': 'Something follows the end of the CertificateList.',
  'not-one-pem-crl': 'It is not exactly one PEM block of the label "X509 CRL".',
  'too-large': 'It is larger than this reader takes.',
  'too-many-entries': 'It has more entries than this reader takes.',
  'took-too-long': 'Reading it took longer than this reader gives.',

  // It was read; these all apply together.
  'version-1': 'It is a version 1 CRL: it has neither a CRL number nor an authority key identifier.',
  'algorithm-mismatch': 'The signature algorithm inside the signed part is not the one outside.',
  'weak-hash': 'It is signed over a broken hash (MD5, SHA-1).',
  'unsupported-signature-algorithm':
    'It is not signed by RSA or ECDSA over SHA-256, SHA-384 or SHA-512 with parameters that belong together.',
  'no-crl-number': 'It has no CRL number: it cannot be told from an older one.',
  'crl-number-out-of-range': 'Its CRL number is negative or longer than 20 octets.',
  'no-authority-key-identifier': 'It has no authority key identifier.',
  'foreign-authority-key-identifier': 'Its authority key identifier is not that of a pinned CA of this name.',
  'foreign-issuer': 'Its issuer is none of the pinned CAs.',
  'issuer-without-crl-sign': 'The key usage of its issuer does not include cRLSign.',
  'bad-signature': 'Its signature does not verify under the pinned key.',
  'no-next-update': 'It has no nextUpdate.',
  'next-update-not-after-this-update': 'Its nextUpdate is not after its thisUpdate.',
  'this-update-in-the-future': 'Its thisUpdate is in the future.',
  'delta-crl': 'It is a delta CRL: it says what changed, not what is revoked.',
  'indirect-crl': 'It is an indirect CRL: it speaks for certificates of other issuers.',
  'scope-ca-certificates': 'It covers CA certificates only (onlyContainsCACerts).',
  'scope-attribute-certificates': 'It covers attribute certificates only (onlyContainsAttributeCerts).',
  'scope-some-reasons': 'It covers some reasons only (onlySomeReasons).',
  'relative-distribution-point':
    'Its distribution point is named relative to the issuer, so it cannot be compared with where it was found.',
  'distribution-point-mismatch': 'Its distribution point is not where it was found.',
  'unknown-critical-extension': 'It has a critical extension that this reader does not know.',
  'extension-must-not-be-critical': 'It has an extension marked critical which RFC 5280 says must not be.',
  'malformed-extension': 'One of its extensions does not decode.',
  'duplicate-extension': 'An extension stands twice in one place.',
  'unknown-critical-entry-extension': 'An entry has a critical extension that this reader does not know.',
  'malformed-entry-extension': 'An extension of an entry does not decode.',
  'unknown-reason-code': 'An entry has a reason code that RFC 5280 does not define.',
  'remove-from-crl': 'An entry has the reason removeFromCRL, which only a delta CRL may use.',
  'serial-out-of-range': 'A serial number is not positive, or longer than 20 octets.',
  'duplicate-serial': 'A serial number is listed twice.',
} as const;

export type CrlRefusalCode = keyof typeof CRL_REFUSALS;

/** `detail` says where or what, without content of the CRL that a log should not carry. */
export interface CrlRefusal {
  readonly code: CrlRefusalCode;
  readonly detail?: string;
}

/** Collects refusals: each code once, with the first detail. */
export class Refusals {
  private readonly found = new Map<CrlRefusalCode, CrlRefusal>();

  add(code: CrlRefusalCode, detail?: string): void {
    if (!this.found.has(code)) this.found.set(code, detail === undefined ? { code } : { code, detail });
  }

  has(code: CrlRefusalCode): boolean {
    return this.found.has(code);
  }

  /** In the order of the list above. */
  all(): readonly CrlRefusal[] {
    return (Object.keys(CRL_REFUSALS) as CrlRefusalCode[]).flatMap((code) => this.found.get(code) ?? []);
  }
}

/** Ends the reading: the rest cannot be understood, or is not worth the cost. */
export class CrlUnreadable extends Error {
  constructor(
    readonly code: CrlRefusalCode,
    readonly detail?: string,
  ) {
    super(detail ?? CRL_REFUSALS[code]);
    this.name = 'CrlUnreadable';
  }
}
