/**
 * Is a revocation on record for a certificate, done or under way, certificateHold among them? Then it is not ours to make ACTIVE. Revocations are known by
 * issuer and serial number: these are read in the registry's own PEM, because an inventory that does not know the certificate says nothing about it. Fails
 * to staying shut: what cannot be read is not "not revoked".
 */
import type { CertificateId } from '../../../domain/fleet/certificate-id.js';
import { Certificate } from '../../../domain/pki/certificate.js';
import type { SerialNumber } from '../../../domain/pki/serial-number.js';
import type { RegisteredCertificate } from '../../ports/registry.js';
import type { StepPorts } from '../ports.js';

/** `unreadable`: neither the registry nor the inventory says which certificate it is. */
export type RevocationFact = 'none' | 'on-record' | 'unreadable';

interface Identity {
  readonly issuerId: string;
  readonly serialNumber: SerialNumber;
}

/** Outcomes of a revocation that leave nothing of it on the certificate. */
const WITHOUT_EFFECT: ReadonlySet<string | undefined> = new Set(['reactivated', 'mismatch', 'is-a-ca']);

/** `registered`: as DescribeCertificate has just answered; a PEM never changes, so it is asked for once. */
export async function revocationOf(
  { inventory }: Pick<StepPorts, 'inventory'>,
  id: CertificateId,
  registered: Pick<RegisteredCertificate, 'certificatePem'> | undefined,
): Promise<RevocationFact> {
  const identities = [await inventory.byId(id), identityIn(registered?.certificatePem)];
  const known = identities.filter((identity) => identity !== undefined);
  for (const { issuerId, serialNumber } of known) {
    const { revocation } = await inventory.bySerial(issuerId, serialNumber);
    if (revocation !== undefined && !WITHOUT_EFFECT.has(revocation.outcome)) return 'on-record';
  }
  return known.length === 0 ? 'unreadable' : 'none';
}

function identityIn(pem: string | undefined): Identity | undefined {
  if (pem === undefined) return undefined;
  try {
    const { issuerId, serialNumber } = Certificate.read(pem);
    return { issuerId, serialNumber };
  } catch {
    // Not what RFC 5280 says: no CRL that is applied can name it, and neither can we.
    return undefined;
  }
}
