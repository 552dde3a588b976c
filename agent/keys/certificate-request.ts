/**
 * A PKCS #10 certification request (RFC 2986 §4), written here rather than with a library, because the signature comes from a key that may never
 * leave its chip.
 *
 *     CertificationRequest ::= SEQUENCE { SEQUENCE { INTEGER 0, Name, SubjectPublicKeyInfo, [0] {} }, ecdsa-with-SHA256, BIT STRING }
 *
 * Subject: CN = thing name. No attributes, hence no SAN and no extension: what the certificate says is for the cloud to set.
 */
import type { KeyHandle, KeyStore } from './key-store.js';

/** ub-common-name of X.520. A thing name has up to 128 characters: a longer one gives a request with an empty subject, which is accepted as well. */
const MAX_COMMON_NAME = 64;
const COMMON_NAME = Buffer.from('0603550403', 'hex'); // OID 2.5.4.3
const ECDSA_WITH_SHA256 = Buffer.from('300a06082a8648ce3d040302', 'hex'); // AlgorithmIdentifier, parameters absent (RFC 5758 §3.2)
const VERSION_1 = Buffer.from('020100', 'hex'); // INTEGER 0 is v1
const SEQUENCE = 0x30;
const SET = 0x31;
const UTF8_STRING = 0x0c;
const BIT_STRING = 0x03;
const ATTRIBUTES = 0xa0;

/** DER. The same key gives another request each time, because ECDSA signatures are random: what was sent must be kept to be sent again. */
export async function createCertificateRequest(keys: KeyStore, handle: KeyHandle, thingName: string): Promise<Buffer> {
  const name =
    thingName.length > MAX_COMMON_NAME ? [] : [der(SET, der(SEQUENCE, COMMON_NAME, der(UTF8_STRING, Buffer.from(thingName, 'utf8'))))];
  const toBeSigned = der(SEQUENCE, VERSION_1, der(SEQUENCE, ...name), Buffer.from(await keys.publicKey(handle)), der(ATTRIBUTES));
  const signature = await keys.sign(handle, toBeSigned);
  return der(SEQUENCE, toBeSigned, ECDSA_WITH_SHA256, der(BIT_STRING, Buffer.from([0]), Buffer.from(signature)));
}

/** Tag, length (X.690 §10.1: the shortest form), content. */
function der(tag: number, ...parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  const length =
    content.length < 0x80
      ? [content.length]
      : content.length < 0x100
        ? [0x81, content.length]
        : [0x82, content.length >> 8, content.length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...length]), content]);
}
