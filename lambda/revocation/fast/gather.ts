import { Certificate } from '../../../domain/pki/certificate.js';
import type { Inventory } from '../../ports/inventory.js';
import type { PrivateCa } from '../../ports/private-ca.js';
import type { TrustAnchors } from '../../ports/trust-anchors.js';
import { identityOf, type Identity } from '../identity.js';
import type { RevocationEvent } from './event.js';

export interface GatherPorts {
  readonly anchors: TrustAnchors;
  readonly privateCa: PrivateCa;
  readonly inventory: Pick<Inventory, 'alreadyDone'>;
}

export interface Gathered {
  readonly anchorId: string;
  /** Absent: the CA never issued it, or it cannot be read. */
  readonly certificate?: Certificate;
  readonly identity?: Identity;
  readonly done: boolean;
}

/**
 * The serial number is never read out of the ARN (FACTS A4: its form is not documented): the CA gives the certificate, and the certificate
 * says what it is. `undefined`: the event is not about a trust anchor.
 */
export async function gather(
  { anchors, privateCa, inventory }: GatherPorts,
  { resources: [caArn, certificateArn] }: RevocationEvent,
): Promise<Gathered | undefined> {
  const settings = (await anchors.all()).find(({ certificateAuthorityArn }) => certificateAuthorityArn === caArn);
  if (settings === undefined || !certificateArn.startsWith(`${caArn}/certificate/`)) return undefined;
  const { anchorId } = settings;
  const pem = await privateCa.getCertificate(caArn, certificateArn);
  if (pem === undefined) return { anchorId, done: false };
  const anchor = Certificate.read(settings.certificatePem);
  const certificate = Certificate.read(pem);
  const identity = identityOf(pem, anchor, certificate.serialNumber);
  const { serialNumber } = certificate;
  return { anchorId, certificate, identity, done: (await inventory.alreadyDone(anchor.subjectId, [serialNumber])).has(serialNumber) };
}
