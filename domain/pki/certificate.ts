import { X509Certificate, createHash, createPublicKey, type KeyObject } from 'node:crypto';
import { DerCursor, DerError, TAG, contextTag } from './der.js';
import { issuerId, nameText } from './name.js';
import { pemToDer } from './pem.js';
import { serialNumberFromBytes, type SerialNumber } from './serial-number.js';
import { readTime } from './time.js';

const SUBJECT_KEY_IDENTIFIER = '2.5.29.14';
const KEY_USAGE = '2.5.29.15';
const BASIC_CONSTRAINTS = '2.5.29.19';
const EXTENDED_KEY_USAGE = '2.5.29.37';
const AUTHORITY_KEY_IDENTIFIER = '2.5.29.35';
const CRL_SIGN_BIT = 6;

interface Extensions {
  readonly subjectKeyIdentifier?: Uint8Array;
  readonly authorityKeyIdentifier?: Uint8Array;
  readonly keyUsage?: ReadonlySet<number>;
  readonly isCa: boolean;
  /** extnValue by OID, for those who need one that is not above. */
  readonly values: ReadonlyMap<string, Uint8Array>;
}

/**
 * A certificate of RFC 5280, as far as this application needs it. Reading says nothing about trust: `wasSignedBy` does.
 * Names, key identifiers and SPKI are the octets of the certificate itself; texts are for people.
 */
export class Certificate {
  private key: KeyObject | undefined;

  private constructor(
    readonly der: Uint8Array,
    private readonly serial: Uint8Array,
    /** DER of the issuer Name. */
    readonly issuerDer: Uint8Array,
    /** DER of the subject Name. */
    readonly subjectDer: Uint8Array,
    readonly notBeforeMs: number,
    readonly notAfterMs: number,
    /** DER of SubjectPublicKeyInfo. */
    readonly spkiDer: Uint8Array,
    private readonly extensions: Extensions,
  ) {}

  /** PEM text with exactly one certificate, or DER. Throws DerError for anything else. */
  static read(input: string | Uint8Array): Certificate {
    const isPem = typeof input === 'string' || input[0] !== TAG.sequence;
    const der = isPem
      ? pemToDer(typeof input === 'string' ? input : Buffer.from(input).toString('latin1'), 'CERTIFICATE')
      : Uint8Array.from(input);
    const file = new DerCursor(der);
    const certificate = file.enter(TAG.sequence);
    file.finish();
    const tbs = certificate.enter(TAG.sequence);
    certificate.any();
    certificate.octetBitString();
    certificate.finish();
    return Certificate.ofTbs(der, tbs);
  }

  private static ofTbs(der: Uint8Array, tbs: DerCursor): Certificate {
    if (tbs.peekTag() === contextTag(0, true)) tbs.any();
    const serial = tbs.integer();
    tbs.any(); // the algorithm stands again outside, where node:crypto compares the two
    const issuerDer = tbs.any();
    const validity = tbs.enter(TAG.sequence);
    const notBeforeMs = readTime(validity) * 1000;
    const notAfterMs = readTime(validity) * 1000;
    validity.finish();
    const subjectDer = tbs.any();
    const spkiDer = tbs.any();
    for (const uniqueId of [contextTag(1, false), contextTag(2, false)]) if (tbs.peekTag() === uniqueId) tbs.any();
    const extensions = tbs.isAtEnd
      ? { isCa: false, values: new Map<string, Uint8Array>() }
      : readExtensions(tbs.enter(contextTag(3, true)).enter(TAG.sequence));
    tbs.finish();
    return new Certificate(der, serial, issuerDer, subjectDer, notBeforeMs, notAfterMs, spkiDer, extensions);
  }

  /** Canonical hex. Throws RangeError when the certificate's serial is not positive or longer than 20 octets. */
  get serialNumber(): SerialNumber {
    if (this.serial[0]! >= 0x80) throw new RangeError('serial number: got a negative integer, expected a positive one');
    return serialNumberFromBytes(this.serial);
  }

  /** RFC 4514-like, for people. */
  get issuer(): string {
    return nameText(this.issuerDer);
  }

  get subject(): string {
    return nameText(this.subjectDer);
  }

  /** Id of this certificate's *issuer*: with the serial number it names the certificate (RFC 5280 §5.2.3). */
  get issuerId(): string {
    return issuerId(this.issuerDer);
  }

  /** Id under which certificates name this CA as their issuer. */
  get subjectId(): string {
    return issuerId(this.subjectDer);
  }

  /** Lower-case hex SHA-256 of the SubjectPublicKeyInfo: tells two keys of one CA name apart. */
  get issuerKeyId(): string {
    return createHash('sha256').update(this.spkiDer).digest('hex');
  }

  get subjectKeyIdentifier(): Uint8Array | undefined {
    return this.extensions.subjectKeyIdentifier;
  }

  get authorityKeyIdentifier(): Uint8Array | undefined {
    return this.extensions.authorityKeyIdentifier;
  }

  get isCa(): boolean {
    return this.extensions.isCa;
  }

  /** DER inside the extension of this OID; `undefined`: the certificate does not have it. */
  extension(oid: string): Uint8Array | undefined {
    return this.extensions.values.get(oid);
  }

  /** OIDs of the extendedKeyUsage extension (RFC 5280 §4.2.1.12), one at least; `undefined`: not there, no restriction. Throws DerError. */
  get extendedKeyUsages(): readonly string[] | undefined {
    const value = this.extension(EXTENDED_KEY_USAGE);
    if (value === undefined) return undefined;
    const list = new DerCursor(value).enter(TAG.sequence);
    const usages: string[] = [];
    do usages.push(list.oid());
    while (!list.isAtEnd);
    return usages;
  }

  /**
   * Whether this key may sign CRLs. Without a keyUsage extension: yes, as RFC 5280 §6.3.3 (f) tests the bit only "if a key usage extension is
   * present" and §4.2.1.3 makes an absent one no restriction; older private CAs leave it out, and the certificate is pinned by an operator anyway.
   */
  get maySignCrls(): boolean {
    return this.extensions.keyUsage === undefined || this.extensions.keyUsage.has(CRL_SIGN_BIT);
  }

  /** What an authority key identifier must equal: the subjectKeyIdentifier, or where that is absent method (1) of RFC 5280 §4.2.1.2. */
  get keyIdentifier(): Uint8Array {
    return this.extensions.subjectKeyIdentifier ?? sha1OfPublicKey(this.spkiDer);
  }

  /** Throws when node:crypto does not know the key type. */
  get publicKey(): KeyObject {
    this.key ??= createPublicKey({ key: Buffer.from(this.spkiDer), format: 'der', type: 'spki' });
    return this.key;
  }

  /** Whether `anchor` issued this certificate: its name is the issuer's, octet by octet, and its pinned key made the signature. */
  wasSignedBy(anchor: Certificate): boolean {
    if (!Buffer.from(this.issuerDer).equals(anchor.subjectDer)) return false;
    return new X509Certificate(this.der).verify(anchor.publicKey);
  }
}

function readExtensions(list: DerCursor): Extensions {
  const values = new Map<string, Uint8Array>();
  while (!list.isAtEnd) {
    const extension = list.enter(TAG.sequence);
    const id = extension.oid();
    // A certificate is read to find the one that a CRL names: a CA's sloppiness with a default must not keep its device in the fleet.
    extension.falseUnlessTrue();
    const value = extension.content(TAG.octetString);
    extension.finish();
    if (values.has(id)) throw new DerError(`extension ${id} twice`);
    values.set(id, value);
  }
  const ski = values.get(SUBJECT_KEY_IDENTIFIER);
  const aki = values.get(AUTHORITY_KEY_IDENTIFIER);
  const keyUsage = values.get(KEY_USAGE);
  const basicConstraints = values.get(BASIC_CONSTRAINTS);
  return {
    values,
    subjectKeyIdentifier: ski && new DerCursor(ski).content(TAG.octetString),
    authorityKeyIdentifier: aki && keyIdentifierOf(new DerCursor(aki).enter(TAG.sequence)),
    keyUsage: keyUsage && new DerCursor(keyUsage).namedBits(),
    isCa: basicConstraints !== undefined && new DerCursor(basicConstraints).enter(TAG.sequence).falseUnlessTrue(),
  };
}

function keyIdentifierOf(aki: DerCursor): Uint8Array | undefined {
  return aki.peekTag() === contextTag(0, false) ? aki.content(contextTag(0, false)) : undefined;
}

/** SHA-1 here names a key, it does not protect anything: a wrong match fails at the signature. */
function sha1OfPublicKey(spkiDer: Uint8Array): Uint8Array {
  const spki = new DerCursor(spkiDer).enter(TAG.sequence);
  spki.any();
  return createHash('sha1').update(spki.octetBitString()).digest();
}
