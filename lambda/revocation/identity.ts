import { Certificate } from '../../domain/pki/certificate.js';
import type { SerialNumber } from '../../domain/pki/serial-number.js';

export type Identity = 'the-one-named' | 'a-ca' | 'another';

/**
 * Is this PEM the certificate that was named: issued under the anchor's name, with this serial number, signed by the anchor's pinned key,
 * and not a CA? An id of the registry is only a SHA-256 that we computed or somebody wrote down; this is what stands between a wrong
 * id and the wrong device. Fails to `another`: what cannot be read is not the one.
 */
export function identityOf(pem: string, anchor: Certificate, serialNumber: SerialNumber): Identity {
  try {
    const certificate = Certificate.read(pem);
    if (certificate.serialNumber !== serialNumber || !certificate.wasSignedBy(anchor)) return 'another';
    return certificate.isCa ? 'a-ca' : 'the-one-named';
  } catch {
    return 'another';
  }
}
