/**
 * What a CA of ours puts into a certificate (RFC 5280 §4), up to its signature. Everything in it is set here: of a device's request, the public key is
 * taken and nothing else.
 */
import { createHash } from 'node:crypto';
import type { CaSignature } from './ca-signature.js';
import type { Certificate } from './certificate.js';
import { DerCursor, TAG } from './der.js';
import {
  booleanTrue,
  context,
  contextPrimitive,
  extension,
  integer,
  namedBits,
  octetString,
  oid,
  sequence,
  setOfOne,
  time,
  utf8String,
  type Der,
} from './der-writer.js';
import { readPublicKey } from './public-key.js';
import type { SerialNumber } from './serial-number.js';

const OID = {
  commonName: '2.5.4.3',
  subjectKeyIdentifier: '2.5.29.14',
  keyUsage: '2.5.29.15',
  basicConstraints: '2.5.29.19',
  authorityKeyIdentifier: '2.5.29.35',
  extendedKeyUsage: '2.5.29.37',
  clientAuth: '1.3.6.1.5.5.7.3.2',
} as const;

/** RFC 5280 §4.2.1.3 */
const KEY_USAGE = { digitalSignature: 0, keyEncipherment: 2, keyCertSign: 5, cRLSign: 6 } as const;
/** RFC 5280 appendix A.1, ub-common-name. */
const MAX_COMMON_NAME = 64;

interface Written {
  readonly serialNumber: SerialNumber;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  readonly commonName: string;
  /** DER of the SubjectPublicKeyInfo. */
  readonly spkiDer: Uint8Array;
}

/** A Name with a commonName and nothing else. Throws RangeError where it is empty or too long. */
export function commonNameDer(commonName: string): Der {
  const { length } = Array.from(commonName);
  if (length < 1 || length > MAX_COMMON_NAME)
    throw new RangeError(`common name: got ${length} characters, expected 1 to ${MAX_COMMON_NAME}`);
  return sequence(setOfOne(sequence(oid(OID.commonName), utf8String(commonName))));
}

/** TBSCertificate of a device: a client of TLS, and no CA. */
export function deviceCertificateTbs(device: Written, issuer: Certificate, algorithm: CaSignature): Der {
  // An RSA key may also be what a session key is encrypted to (TLS 1.2); an EC key cannot.
  const isRsa = readPublicKey(device.spkiDer).kind === 'rsa';
  return tbs(device, issuer.subjectDer, algorithm, [
    extension(OID.basicConstraints, sequence(), true),
    extension(OID.keyUsage, namedBits(KEY_USAGE.digitalSignature, ...(isRsa ? [KEY_USAGE.keyEncipherment] : [])), true),
    extension(OID.extendedKeyUsage, sequence(oid(OID.clientAuth))),
    extension(OID.subjectKeyIdentifier, octetString(keyIdentifierOf(device.spkiDer))),
    authorityKeyIdentifier(issuer.keyIdentifier),
  ]);
}

/** TBSCertificate of a self-signed CA that issues to devices alone: below it there is no other CA. */
export function rootCertificateTbs(root: Written, algorithm: CaSignature): Der {
  const keyIdentifier = keyIdentifierOf(root.spkiDer);
  return tbs(root, commonNameDer(root.commonName), algorithm, [
    extension(OID.basicConstraints, sequence(booleanTrue(), integer(0)), true),
    extension(OID.keyUsage, namedBits(KEY_USAGE.keyCertSign, KEY_USAGE.cRLSign), true),
    extension(OID.subjectKeyIdentifier, octetString(keyIdentifier)),
    authorityKeyIdentifier(keyIdentifier),
  ]);
}

function tbs(written: Written, issuerDer: Uint8Array, { identifier }: CaSignature, extensions: readonly Der[]): Der {
  return sequence(
    context(0, integer(2)), // v3
    integer(BigInt(`0x${written.serialNumber}`)),
    identifier,
    issuerDer,
    sequence(time(written.notBeforeMs), time(written.notAfterMs)),
    commonNameDer(written.commonName),
    written.spkiDer,
    context(3, sequence(...extensions)),
  );
}

/** RFC 5280 §4.2.1.1: by the key alone. */
export function authorityKeyIdentifier(keyIdentifier: Uint8Array): Der {
  return extension(OID.authorityKeyIdentifier, sequence(contextPrimitive(0, keyIdentifier)));
}

/** Method (1) of RFC 5280 §4.2.1.2. SHA-1 names the key here, and protects nothing. */
function keyIdentifierOf(spkiDer: Uint8Array): Uint8Array {
  const spki = new DerCursor(spkiDer).enter(TAG.sequence);
  spki.any();
  return createHash('sha1').update(spki.octetBitString()).digest();
}
