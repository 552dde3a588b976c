/**
 * Is a revocation on record for a certificate, done or under way, certificateHold among them? Then it is not ours to make ACTIVE. Revocations are known by
 * issuer and serial number: these are read in the registry's own PEM, because an inventory that does not know the certificate says nothing about it. Fails
 * to staying shut: what cannot be read is not "not revoked".
 */
import type { CertificateId } from '../../../domain/fleet/certificate-id.js';
import { Certificate } from '../../../domain/pki/certificate.js';
import type { SerialNumber } from '../../../domain/pki/serial-number.js';
import type { RevocationRecord } from '../../ports/inventory.js';
import type { RegisteredCertificate } from '../../ports/registry.js';
import type { StepPorts } from '../ports.js';

/**
 * `idle-hold`: a certificateHold that found it INACTIVE, perhaps because of us: nobody makes it ACTIVE when it is lifted. `unreadable`: neither the
 * registry nor the inventory says which certificate it is.
 */
export type RevocationFact = 'none' | 'on-record' | 'idle-hold' | 'unreadable';

export interface Revocations {
  readonly fact: RevocationFact;
  /** The hold, where it is idle. */
  readonly idleHold?: RevocationRecord;
  /** Was it made INACTIVE by a certificateHold that is on record, and would be made ACTIVE when that is lifted? */
  readonly isHeld: boolean;
}

interface Identity {
  readonly issuerId: string;
  readonly serialNumber: SerialNumber;
}

/** Outcomes of a revocation that leave nothing of it on the certificate. */
const WITHOUT_EFFECT: ReadonlySet<string | undefined> = new Set(['reactivated', 'not-ours', 'mismatch', 'is-a-ca']);

/** `registered`: as DescribeCertificate has just answered; a PEM never changes, so it is asked for once. */
export async function revocationsOf(
  { inventory }: Pick<StepPorts, 'inventory'>,
  id: CertificateId,
  registered: Pick<RegisteredCertificate, 'certificatePem'> | undefined,
): Promise<Revocations> {
  const known = new Map<string, Identity>();
  for (const identity of [await inventory.byId(id), identityIn(registered?.certificatePem)])
    if (identity !== undefined) known.set(`${identity.issuerId} ${identity.serialNumber}`, identity);
  if (known.size === 0) return { fact: 'unreadable', isHeld: false };
  const records: RevocationRecord[] = [];
  for (const { issuerId, serialNumber } of known.values()) {
    const { revocation } = await inventory.bySerial(issuerId, serialNumber);
    if (revocation !== undefined) records.push(revocation);
  }
  const effective = records.filter(({ outcome }) => !WITHOUT_EFFECT.has(outcome));
  if (effective.some((record) => !isIdle(record))) return { fact: 'on-record', isHeld: effective.every(isHold) };
  const [idleHold] = effective;
  return { fact: idleHold === undefined ? 'none' : 'idle-hold', isHeld: false, idleHold };
}

const isIdle = ({ state, outcome }: RevocationRecord): boolean => state === 'done' && outcome === 'already-inactive';
/** Announced before it is done, so one that is under way has done it, or finds that it has to. */
const isHold = ({ state, message, outcome }: RevocationRecord): boolean =>
  message.action === 'hold' && (state === 'acting' || outcome === 'deactivated');

export async function revocationOf(...[ports, id, registered]: Parameters<typeof revocationsOf>): Promise<RevocationFact> {
  return (await revocationsOf(ports, id, registered)).fact;
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
