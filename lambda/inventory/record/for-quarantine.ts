/**
 * What the inventory hears and quarantine needs to know: that a contained thing has another certificate than it had, and who uses a client id that is not his
 * own. The inventory hears of every connection anyway; only what is new about one costs a read or a write more.
 */
import { isThingName, thingName, type ThingName } from '../../../domain/fleet/thing-name.js';
import type { CertificateId } from '../../../domain/fleet/certificate-id.js';
import type { Containments } from '../../ports/containments.js';
import type { CertificateRecord, Inventory } from '../../ports/inventory.js';
import type { WatchRequests } from '../../ports/watch-requests.js';
import type { Sighting } from '../look-up.js';
import { isUseToNote } from './decide.js';

export interface QuarantineNeighbours {
  readonly containments: Pick<Containments, 'isContained'>;
  readonly inventory: Pick<Inventory, 'noteUse'>;
  readonly watch: WatchRequests;
}

type Known = Pick<CertificateRecord, 'thingName' | 'clientId' | 'lastSeenAtMs'> | undefined;

/** Before the sighting itself is recorded: from then on it is no news, and would not be noted any more. */
export async function noteUse({ inventory }: QuarantineNeighbours, id: CertificateId, known: Known, sighting: Sighting): Promise<void> {
  const { clientId, lastSeenAtMs } = sighting;
  if (clientId === undefined || lastSeenAtMs === undefined) return;
  if (isUseToNote(known, { ...sighting, clientId, lastSeenAtMs })) await inventory.noteUse(clientId, id, lastSeenAtMs);
}

/** Things that a known certificate may have been attached to since it was last seen. */
export function suspects(known: Known, { clientId, thingName: attachedTo }: Sighting): readonly ThingName[] {
  const names = new Set<ThingName>();
  if (attachedTo !== undefined && attachedTo !== known?.thingName) names.add(attachedTo);
  // Where it is not attached exclusively the event names no thing; a device that has become another one calls itself by that name.
  if (attachedTo === undefined && clientId !== undefined && clientId !== known?.clientId && isThingName(clientId))
    names.add(thingName(clientId));
  return [...names];
}

/** The watch looks at once at those that are contained. Should this be lost, its regular look finds the same within five minutes. */
export async function tellOfContained(
  { containments, watch }: QuarantineNeighbours,
  things: readonly ThingName[],
  nowMs: number,
): Promise<void> {
  for (const thing of things) if (await containments.isContained(thing)) await watch.ask(thing, nowMs);
}
