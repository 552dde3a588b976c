import { createHash, createPublicKey, type KeyObject } from 'node:crypto';
import { DerCursor, DerError, TAG, contextTag } from './der.js';
import { nameText } from './name.js';
import { readPublicKey, type PublicKeyReading } from './public-key.js';
import { StreamingVerifier, readScheme } from './signature.js';

/** RFC 2985 §5.4.2, and the one that Microsoft's tools write in its place. */
const EXTENSION_REQUESTS = new Set(['1.2.840.113549.1.9.14', '1.3.6.1.4.1.311.2.1.14']);
export const SUBJECT_ALT_NAME = '2.5.29.17';

/** `verified`: whoever made the request holds the private key. Everything else says that this is not shown. */
export type RequestSignature = 'verified' | 'bad' | 'weak-hash' | 'unsupported';

/**
 * A PKCS #10 certification request (RFC 2986), read strictly: what is asked for can be said in one way only. Reading judges nothing: it says
 * what stands there, and the decision whether that may be granted is made elsewhere.
 */
export class CertificateRequest {
  private constructor(
    readonly der: Uint8Array,
    /** DER of the subject Name. */
    readonly subjectDer: Uint8Array,
    /** DER of SubjectPublicKeyInfo. */
    readonly spkiDer: Uint8Array,
    readonly key: PublicKeyReading,
    /** OIDs of all extensions that are asked for; none is ever granted as asked. */
    readonly requestedExtensions: readonly string[],
    private readonly signed: { readonly info: Uint8Array; readonly algorithm: Uint8Array; readonly signature: Uint8Array },
  ) {}

  /** DER. Throws DerError for anything that is not exactly one request. */
  static read(input: Uint8Array): CertificateRequest {
    const der = Uint8Array.from(input);
    const file = new DerCursor(der);
    const request = file.enter(TAG.sequence);
    file.finish();
    const info = request.any();
    const algorithm = request.any();
    const signature = request.octetBitString();
    request.finish();

    const fields = new DerCursor(info).enter(TAG.sequence);
    const version = fields.integer();
    // RFC 2986 §4.1: version 0 is the only one, and is called v1.
    if (version.length !== 1 || version[0] !== 0) throw new DerError('a request of another version than v1');
    const subjectDer = fields.any();
    nameText(subjectDer); // throws where it is not a Name
    const spkiDer = fields.any();
    const key = readPublicKey(spkiDer);
    // The standard demands the attributes, be they empty; a few encoders leave an empty set out.
    const requestedExtensions = fields.isAtEnd ? [] : readAttributes(fields.enter(contextTag(0, true)));
    fields.finish();
    return new CertificateRequest(der, subjectDer, spkiDer, key, requestedExtensions, { info, algorithm, signature });
  }

  /** Lower-case hex SHA-256 of the whole request: the same request again is the same octets. */
  get sha256(): string {
    return createHash('sha256').update(this.der).digest('hex');
  }

  /** Lower-case hex SHA-256 of the SubjectPublicKeyInfo; for an accepted kind of key there is one for each key. */
  get keyId(): string {
    return createHash('sha256').update(this.spkiDer).digest('hex');
  }

  /** In the manner of RFC 4514, special characters escaped; empty for an empty subject. */
  get subject(): string {
    return nameText(this.subjectDer);
  }

  /** Throws where node:crypto does not know the key: never for a key that is accepted. */
  get publicKey(): KeyObject {
    return createPublicKey({ key: Buffer.from(this.spkiDer), format: 'der', type: 'spki' });
  }

  /** Proof of possession: was it signed with the key that it names? Throws DerError where the algorithm is none. */
  verifySignature(): RequestSignature {
    const reading = readScheme(this.signed.algorithm);
    if ('refused' in reading) return reading.refused === 'weak-hash' ? 'weak-hash' : 'unsupported';
    if (this.key.kind === 'other') return 'unsupported';
    const verifier = new StreamingVerifier(reading.scheme);
    verifier.update(this.signed.info);
    return verifier.verify(this.publicKey, this.signed.signature);
  }
}

/** Attributes other than a request for extensions (a challenge password, say) mean nothing here, but must be well-formed. */
function readAttributes(attributes: DerCursor): readonly string[] {
  const seen = new Set<string>();
  const extensions: string[] = [];
  while (!attributes.isAtEnd) {
    const attribute = attributes.enter(TAG.sequence);
    const type = attribute.oid();
    if (seen.has(type)) throw new DerError(`attribute ${type} twice`);
    seen.add(type);
    const values = attribute.enter(TAG.set);
    attribute.finish();
    if (EXTENSION_REQUESTS.has(type)) extensions.push(...readExtensionIds(values));
    else
      do values.any();
      while (!values.isAtEnd);
  }
  return extensions;
}

/** RFC 2985 §5.4.2: SINGLE VALUE TRUE. Two lists would be two requests in one. */
function readExtensionIds(values: DerCursor): readonly string[] {
  const list = values.enter(TAG.sequence);
  values.finish();
  const ids: string[] = [];
  while (!list.isAtEnd) {
    const extension = list.enter(TAG.sequence);
    const id = extension.oid();
    extension.defaultFalse();
    extension.content(TAG.octetString);
    extension.finish();
    if (ids.includes(id)) throw new DerError(`extension ${id} twice`);
    ids.push(id);
  }
  return ids;
}
