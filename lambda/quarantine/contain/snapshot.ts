/** The thing as it is before anything is done to it. Reads only. */
import type { ThingName } from '../../../domain/fleet/thing-name.js';
import type { CertificateSnapshot, Snapshot } from '../../ports/containment-records.js';
import type { CertificateId } from '../../../domain/fleet/certificate-id.js';
import { nextSlot, ofPolicies } from '../pace.js';
import { revocationsOf } from './revocation-of.js';
import type { StepPorts, StepSettings } from '../ports.js';

export type SnapshotPorts = Pick<StepPorts, 'clock' | 'inventory' | 'pace' | 'registry' | 'rights'>;

export async function takeSnapshot(
  ports: SnapshotPorts,
  settings: Pick<StepSettings, 'perSecond' | 'quarantineGroup'>,
  thing: ThingName,
): Promise<Snapshot> {
  const { quarantineGroup } = settings;
  const certificates: CertificateSnapshot[] = [];
  for (const id of await ports.rights.certificatesOf(thing)) {
    await nextSlot(ports, settings, { isUrgent: true });
    const found = await certificateFound(ports, id);
    if (found !== undefined) certificates.push(found);
  }
  const groups: { name: string; policies: readonly string[] }[] = [];
  const dynamicGroups: string[] = [];
  const names = await ports.rights.groupsOf(thing);
  if (names.length > 0) await nextSlot(ports, settings, { calls: ofPolicies(names.length), isUrgent: true });
  for (const name of names) {
    // Left over from a containment that ended: no group that the thing is to come back to.
    if (name === quarantineGroup) continue;
    const group = await ports.rights.describeGroup(name);
    if (group?.isDynamic === true) dynamicGroups.push(name);
    else if (group !== undefined) groups.push({ name, policies: group.policies });
  }
  const clientIds = await clientIdsOf(ports, thing, certificates);
  return { takenAtMs: ports.clock.nowMs(), certificates, groups, dynamicGroups, clientIds };
}

/** `undefined`: deleted. */
export async function certificateNow(
  { registry, rights }: Pick<SnapshotPorts, 'registry' | 'rights'>,
  id: CertificateId,
): Promise<CertificateSnapshot | undefined> {
  const registered = await registry.describe(id);
  const policies = registered && (await rights.policiesOf(id));
  return registered && policies && { certificateId: id, status: registered.status, policies };
}

/** The same, and whether its CA has it on hold: what keeps it INACTIVE then is not for us to remember, but for whoever lifts the hold. */
export async function certificateFound(
  { inventory, registry, rights }: Pick<SnapshotPorts, 'inventory' | 'registry' | 'rights'>,
  id: CertificateId,
): Promise<CertificateSnapshot | undefined> {
  const registered = await registry.describe(id);
  const policies = registered && (await rights.policiesOf(id));
  if (registered === undefined || policies === undefined) return undefined;
  const found = { certificateId: id, status: registered.status, policies };
  if (registered.status !== 'INACTIVE') return found;
  const { isHeld } = await revocationsOf({ inventory }, id, registered);
  return isHeld ? { ...found, onHold: true } : found;
}

/**
 * The thing's name, and every client id that the inventory has seen with its certificates: the two need not be the same. Asked by certificate as well: a device that is not attached exclusively is
 * heard of without its thing.
 */
export async function clientIdsOf(
  { inventory }: Pick<SnapshotPorts, 'inventory'>,
  thing: ThingName,
  certificates: readonly Pick<CertificateSnapshot, 'certificateId'>[],
): Promise<readonly string[]> {
  const ids = new Set<string>([thing]);
  const add = (clientId: string | undefined): void => void (clientId !== undefined && clientId !== '' && ids.add(clientId));
  for await (const { clientId } of inventory.byThing(thing)) add(clientId);
  for (const { certificateId: id } of certificates) add((await inventory.byId(id))?.clientId);
  return [...ids];
}
