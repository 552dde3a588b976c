/**
 * From an issuer and a serial number to the id under which AWS IoT may know the certificate. The inventory first: it costs no call of AWS IoT
 * or of the CA. Then the Private CA. A CA that is not AWS's cannot be asked: what the inventory does not know of it is remembered until it turns up.
 */
import { candidateCertificateId, type CertificateId } from '../../../domain/fleet/certificate-id.js';
import { Certificate } from '../../../domain/pki/certificate.js';
import { type SerialNumber, serialNumberFromHex } from '../../../domain/pki/serial-number.js';
import type { TrustAnchor } from '../../../domain/pki/trust-anchor.js';
import type { RevokeMessage } from '../../../domain/protocol/revocation.js';
import type { CertificateRecord, Inventory, RevocationRecord } from '../../ports/inventory.js';
import type { PrivateCa } from '../../ports/private-ca.js';
import type { TrustAnchors } from '../../ports/trust-anchors.js';
import type { CertificateArns } from './certificate-arn.js';
import { identityOf, type Identity } from '../identity.js';

/** One message, and what is known of the certificate that it names before the registry is asked. */
export interface Named {
  readonly message: RevokeMessage;
  readonly anchor: Certificate;
  readonly issuerId: string;
  readonly serialNumber: SerialNumber;
  readonly inInventory?: CertificateRecord;
  readonly before?: RevocationRecord;
  /** Where to look in the registry; absent: nobody knows such a certificate. */
  readonly certificateId?: CertificateId;
  /** The CA gave a certificate under this serial number that must not be touched. */
  readonly barred?: Exclude<Identity, 'the-one-named'>;
}

export interface ResolvePorts {
  readonly anchors: TrustAnchors;
  readonly inventory: Pick<Inventory, 'bySerial'>;
  readonly privateCa: PrivateCa;
  readonly arns: CertificateArns;
}

/** Throws when the anchor is not in the configuration: its messages wait in the queue and end in the dead-letter queue, where a person sees them. */
export async function resolve(ports: ResolvePorts, message: RevokeMessage): Promise<Named> {
  const settings = (await ports.anchors.all()).find(({ anchorId }) => anchorId === message.anchorId);
  if (settings === undefined)
    throw new Error(`revocation of ${message.serialNumber}: trust anchor "${message.anchorId}" is not configured`);
  const anchor = Certificate.read(settings.certificatePem);
  const serialNumber = serialNumberFromHex(message.serialNumber);
  const { certificate, revocation } = await ports.inventory.bySerial(anchor.subjectId, serialNumber);
  const named: Named = { message, anchor, issuerId: anchor.subjectId, serialNumber, inInventory: certificate, before: revocation };
  if (certificate !== undefined) return { ...named, certificateId: certificate.certificateId };

  const pem = await askPrivateCa(ports, settings, message, serialNumber);
  if (pem === undefined) return named;
  const identity = identityOf(pem, anchor, serialNumber);
  return identity === 'the-one-named'
    ? { ...named, certificateId: candidateCertificateId(Certificate.read(pem).der) }
    : { ...named, barred: identity };
}

async function askPrivateCa(
  { privateCa, arns }: ResolvePorts,
  { certificateAuthorityArn }: TrustAnchor,
  message: RevokeMessage,
  serialNumber: SerialNumber,
): Promise<string | undefined> {
  if (certificateAuthorityArn === undefined) return undefined;
  const candidates =
    message.certificateArn === undefined ? arns.candidates(certificateAuthorityArn, serialNumber) : [message.certificateArn];
  for (const certificateArn of candidates) {
    const pem = await privateCa.getCertificate(certificateAuthorityArn, certificateArn);
    if (pem !== undefined) {
      arns.learn(certificateAuthorityArn, certificateArn, serialNumber);
      return pem;
    }
  }
  return undefined;
}
