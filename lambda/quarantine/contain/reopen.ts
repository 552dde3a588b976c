/**
 * The device may come back, and can do nothing but be repaired. Fails to staying shut: a certificate is made ACTIVE only if it was ACTIVE in the
 * snapshot, nobody has revoked it or put it on hold meanwhile, and the repair policy is the only right that it has left.
 */
import type { CertificateId } from '../../../domain/fleet/certificate-id.js';
import { isNamedRepairPolicy } from '../../../domain/protocol/repair-policy.js';
import type { Containment } from '../../ports/containment-records.js';
import type { RegisteredCertificate } from '../../ports/registry.js';
import { nextSlot, ofPolicies, type Slot } from '../pace.js';
import type { StepPorts, StepSettings } from '../ports.js';
import { revocationOf, type RevocationFact } from './revocation-of.js';

export type ReopenPorts = Pick<StepPorts, 'claims' | 'clock' | 'inventory' | 'pace' | 'registry' | 'rights'>;

export interface ReopenFacts {
  /** In the snapshot, and in the registry now; `undefined`: gone. */
  readonly before: string;
  readonly now?: string;
  readonly revocation: RevocationFact;
  readonly policies: readonly string[];
  readonly carryingGroups: readonly string[];
}

export type ReopenDecision = 'activate' | 'leave' | 'rights-remain';

export function decideReopen({ before, now, revocation, policies, carryingGroups }: ReopenFacts, repairPolicy: string): ReopenDecision {
  if (before !== 'ACTIVE') return 'leave';
  if (now !== 'INACTIVE') return 'leave';
  if (revocation !== 'none') return 'leave';
  if (policies.length !== 1 || policies[0] !== repairPolicy) return 'rights-remain';
  return carryingGroups.length > 0 ? 'rights-remain' : 'activate';
}

export interface Reopened {
  /** ACTIVE now, those among them that an earlier delivery made so. */
  readonly active: readonly CertificateId[];
  readonly withRights: readonly CertificateId[];
}

export async function reopen(ports: ReopenPorts, settings: StepSettings, { thingName, snapshot }: Containment): Promise<Reopened> {
  const active: CertificateId[] = [];
  const withRights: CertificateId[] = [];
  const carryingGroups = await groupsWithPolicies(ports, settings, thingName);
  for (const seen of snapshot.certificates) {
    // As the first thing that was contained with it found it.
    const before = await ports.claims.claim(seen, thingName);
    await nextSlot(ports, settings);
    const registered = await ports.registry.describe(seen.certificateId);
    const decision = decideReopen(
      {
        before: before.status,
        now: registered?.status,
        revocation: await revocationOf(ports, seen.certificateId, registered),
        policies: await beyondNames(ports, settings, seen.certificateId),
        carryingGroups,
      },
      settings.repairPolicy,
    );
    if (decision === 'rights-remain') withRights.push(seen.certificateId);
    const wasOpened = registered?.status === 'ACTIVE' && before.status === 'ACTIVE';
    if (!wasOpened && (decision !== 'activate' || registered === undefined || !(await openAgain(ports, registered)))) continue;
    await ports.inventory.setStatus(seen.certificateId, 'ACTIVE', 'in-repair', 'containment');
    active.push(seen.certificateId);
  }
  return { active, withRights };
}

/** A repair policy of one containment, ours or another's that has this certificate as well, gives no more than the one of the fleet: the same by other names. */
async function beyondNames({ rights }: ReopenPorts, { application }: StepSettings, id: CertificateId): Promise<readonly string[]> {
  return ((await rights.policiesOf(id)) ?? []).filter((name) => !isNamedRepairPolicy(application, name));
}

/**
 * A revocation may begin at this very moment: it goes on record first and acts then, we make it ACTIVE first and look then. `false`: it stays shut, or is
 * gone.
 */
export async function openAgain(ports: Pick<StepPorts, 'inventory' | 'registry'>, registered: RegisteredCertificate): Promise<boolean> {
  const { certificateId: id } = registered;
  if (!(await ports.registry.setStatus(id, 'ACTIVE'))) return false;
  if ((await revocationOf(ports, id, registered)) === 'none') return true;
  const now = await ports.registry.describe(id);
  if (now?.status === 'ACTIVE') await ports.registry.setStatus(id, 'INACTIVE');
  return false;
}

export async function groupsWithPolicies(
  ports: Pick<StepPorts, 'clock' | 'pace' | 'rights'>,
  settings: Pick<StepSettings, 'perSecond'>,
  thing: Containment['thingName'],
  slot: Slot = {},
): Promise<readonly string[]> {
  const { rights } = ports;
  const carrying: string[] = [];
  const names = await rights.groupsOf(thing);
  if (names.length > 0) await nextSlot(ports, settings, { ...slot, calls: ofPolicies(names.length) });
  for (const name of names) {
    const group = await rights.describeGroup(name);
    if (group !== undefined && group.policies.length > 0) carrying.push(name);
  }
  return carrying;
}
