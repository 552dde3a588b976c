/**
 * The device is out: every ACTIVE certificate INACTIVE, then its connections dropped. In this order, because DeleteConnection does not stop a
 * reconnect (FACTS B4), and a status alone takes minutes. Level, not edge: what is INACTIVE already is left, so that a repetition does what is missing.
 */
import type { Containment, CertificateSnapshot } from '../../ports/containment-records.js';
import { nextSlot } from '../pace.js';
import type { StepPorts, StepSettings } from '../ports.js';
import { clientIdsOf } from './snapshot.js';

export type CutPorts = Pick<StepPorts, 'claims' | 'clock' | 'inventory' | 'pace' | 'registry'>;

/** Resolves to the certificates that were ACTIVE until now. */
export async function cutOff(
  ports: CutPorts,
  settings: Pick<StepSettings, 'perSecond'>,
  { thingName, snapshot, adopted }: Pick<Containment, 'thingName' | 'snapshot' | 'adopted'>,
): Promise<readonly string[]> {
  const cut: string[] = [];
  for (const seen of [...snapshot.certificates, ...adopted]) {
    // The claim comes first: from then on whoever releases another thing of this certificate leaves it alone.
    await ports.claims.claim(seen, thingName);
    if (await deactivate(ports, settings, seen)) cut.push(seen.certificateId);
  }
  const seenSince = await clientIdsOf(ports, thingName, [...snapshot.certificates, ...adopted]);
  for (const clientId of new Set([...snapshot.clientIds, ...seenSince])) await ports.registry.deleteConnection(clientId);
  return cut;
}

/** `false`: it was not ACTIVE, or is gone. */
export async function deactivate(
  ports: Pick<CutPorts, 'clock' | 'inventory' | 'pace' | 'registry'>,
  settings: Pick<StepSettings, 'perSecond'>,
  { certificateId }: Pick<CertificateSnapshot, 'certificateId'>,
): Promise<boolean> {
  await nextSlot(ports, settings, { isUrgent: true });
  const registered = await ports.registry.describe(certificateId);
  const isActive = registered?.status === 'ACTIVE' && (await ports.registry.setStatus(certificateId, 'INACTIVE'));
  // Also where an earlier delivery set the status and died before it said so.
  if (isActive || registered?.status === 'INACTIVE') await ports.inventory.setStatus(certificateId, 'INACTIVE', 'contained', 'containment');
  return isActive;
}
