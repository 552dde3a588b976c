/**
 * A device whose client id is not its thing's name is not let in by the repair policy of the fleet: it would be cut off, asked in vain, and deactivated. For its containment alone
 * a policy is made that lets it in by the names that it has used, beside that one. Fails towards not letting in: whoever comes in under a name throws out whoever has it, so a
 * name that may be somebody else's is left out.
 */
import type { CertificateId } from '../../../domain/fleet/certificate-id.js';
import { isThingName, thingName as asThing } from '../../../domain/fleet/thing-name.js';
import { isPlainClientId, namedRepair, namedRepairPolicy } from '../../../domain/protocol/repair-policy.js';
import type { Containment } from '../../ports/containment-records.js';
import { nextSlot } from '../pace.js';
import type { StepPorts, StepSettings } from '../ports.js';

export interface NameFacts {
  readonly clientId: string;
  readonly isOtherThing: boolean;
  /** Certificates that were noted under it: are they, or were they, of the thing, or are they good for nothing any more? */
  readonly isUsedByOthers: boolean;
}

/** Why a name is left out; `undefined`: it is let in. */
export type LeftOut = 'not-plain' | 'other-thing' | 'used-by-others' | 'no-room';

export function decideName({ clientId, isOtherThing, isUsedByOthers }: NameFacts): LeftOut | undefined {
  if (!isPlainClientId(clientId)) return 'not-plain';
  if (isOtherThing) return 'other-thing';
  return isUsedByOthers ? 'used-by-others' : undefined;
}

type NamedPorts = Pick<StepPorts, 'clock' | 'inventory' | 'pace' | 'records' | 'repairPolicies' | 'rights' | 'signals'>;

export interface Named {
  /** As it is on record then. */
  readonly containment: Containment;
  /** `client-1: other-thing`, for people. */
  readonly leftOut: readonly string[];
}

/** Which names, on record first: a repetition makes the same policy, and what gives back knows its name. */
export async function letInByName(ports: NamedPorts, settings: StepSettings, containment: Containment): Promise<Named> {
  const { thingName, containmentId, response } = containment;
  const rights = settings.repairRights;
  // Deactivated is not let in by any name.
  if (rights === undefined || response === 'deactivate') return { containment, leftOut: [] };
  const { names, leftOut } = containment.namedRepair
    ? { names: containment.namedRepair.clientIds, leftOut: [] }
    : await namesOf(ports, containment);
  const named = names.length === 0 ? undefined : namedRepair(rights, thingName, names);
  const without = names.filter((name) => named?.clientIds.includes(name) !== true).map((name) => `${name}: no-room`);
  const told = [...leftOut, ...without];
  if (named === undefined) return { containment, leftOut: told };
  const policyName = namedRepairPolicy(settings.application, containmentId);
  const change = (namedRepair: Containment['namedRepair']) =>
    ports.records.move(thingName, containmentId, ['cut'], { namedRepair, updatedAtMs: ports.clock.nowMs() });
  const moved = await change({ policyName, clientIds: named.clientIds });
  if (moved === undefined) return { containment, leftOut: told }; // somebody else goes on with it
  await nextSlot(ports, settings);
  const made = await ports.repairPolicies.make({ policyName, thingName, containmentId, atMs: ports.clock.nowMs() }, named.document);
  if (made === 'made') return { containment: moved, leftOut: told };
  ports.signals.warn('no repair policy by name', { thingName, containmentId, policyName });
  return { containment: (await change(undefined)) ?? containment, leftOut: [...told, `${policyName}: refused`] };
}

async function namesOf(ports: NamedPorts, containment: Containment): Promise<{ names: string[]; leftOut: string[] }> {
  const { thingName, snapshot, adopted } = containment;
  const own = new Set([...snapshot.certificates, ...adopted].map(({ certificateId }) => certificateId));
  const names: string[] = [];
  const leftOut: string[] = [];
  // Under its own name the policy of the fleet lets it in.
  for (const clientId of snapshot.clientIds.filter((name) => name !== thingName)) {
    const isOtherThing = isThingName(clientId) && (await ports.rights.describeThing(asThing(clientId))) !== undefined;
    const why = decideName({ clientId, isOtherThing, isUsedByOthers: await isUsedByOthers(ports, thingName, own, clientId) });
    if (why === undefined) names.push(clientId);
    else leftOut.push(`${clientId}: ${why}`);
  }
  return { names, leftOut };
}

/** One that is not known may be anybody's. */
async function isUsedByOthers(
  { inventory }: NamedPorts,
  thing: Containment['thingName'],
  own: ReadonlySet<CertificateId>,
  clientId: string,
): Promise<boolean> {
  for (const { certificateId: id } of await inventory.usersOf(clientId)) {
    if (own.has(id)) continue;
    const known = await inventory.byId(id);
    const isDead = known?.status === 'REVOKED' || known?.status === 'DELETED';
    if (known?.thingName !== thing && !isDead) return true;
  }
  return false;
}
