import { commonNameOf } from '../../../domain/fleet/subject-name.js';
import type { ThingName } from '../../../domain/fleet/thing-name.js';
import { CertificateRequest, SUBJECT_ALT_NAME, type RequestSignature } from '../../../domain/pki/certificate-request.js';
import { isAcceptedKey } from '../../../domain/pki/public-key.js';

/** What a certificate request says, as far as it decides. Nothing of it is ever copied into a certificate but the key. */
export type RequestFacts =
  | { readonly readable: false }
  | {
      readonly readable: true;
      readonly sha256: string;
      readonly signature: RequestSignature;
      readonly keyIsAccepted: boolean;
      /** The subject is empty, or the commonName of this thing and nothing else: equality, never a prefix. */
      readonly namesThing: boolean;
      readonly asksForNames: boolean;
      readonly asksForExtensions: boolean;
    };

/** `undefined` where the octets are no certificate request. */
export function readRequest(csr: string | undefined): CertificateRequest | undefined {
  if (csr === undefined) return undefined;
  try {
    return CertificateRequest.read(Buffer.from(csr, 'base64'));
  } catch {
    return undefined;
  }
}

export function requestFacts(request: CertificateRequest | undefined, thing: ThingName): RequestFacts {
  if (request === undefined) return { readable: false };
  const { sha256, subject, requestedExtensions } = request;
  return {
    readable: true,
    sha256,
    signature: signatureOf(request),
    keyIsAccepted: isAcceptedKey(request.key),
    namesThing: subject === '' || subject === `CN=${commonNameOf(thing)}`,
    asksForNames: requestedExtensions.includes(SUBJECT_ALT_NAME),
    asksForExtensions: requestedExtensions.some((oid) => oid !== SUBJECT_ALT_NAME),
  };
}

/** An algorithm that cannot be read is one that does not verify. */
function signatureOf(request: CertificateRequest): RequestSignature {
  try {
    return request.verifySignature();
  } catch {
    return 'unsupported';
  }
}
