/**
 * The device may come back, and can do nothing but be repaired. Fails to staying shut: a certificate is made ACTIVE only if it was ACTIVE in the
 * snapshot, nobody has revoked it or put it on hold meanwhile, and the repair policy is the only right that it has left.
 */
import type { CertificateId } from '../../../domain/fleet/certificate-id.js';
import type { Containment } from '../../ports/containment-records.js';
import { nextSlot, type StepPorts, type StepSettings } from '../ports.js';

export type ReopenPorts = Pick<StepPorts, 'claims' | 'clock' | 'inventory' | 'pace' | 'registry' | 'rights'>;

export interface ReopenFacts {
  /** In the snapshot, and in the registry now; `undefined`: gone. */
  readonly before: string;
  readonly now?: string;
  readonly onRevocationList: boolean;
  readonly policies: readonly string[];
  readonly carryingGroups: readonly string[];
}

export type ReopenDecision = 'activate' | 'leave' | 'rights-remain';

export function decideReopen(
  { before, now, onRevocationList, policies, carryingGroups }: ReopenFacts,
  repairPolicy: string,
): ReopenDecision {
  if (before !== 'ACTIVE') return 'leave';
  if (now !== 'INACTIVE') return 'leave';
  if (onRevocationList) return 'leave';
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
  const carryingGroups = await groupsWithPolicies(ports, thingName);
  for (const seen of snapshot.certificates) {
    // As the first thing that was contained with it found it.
    const before = await ports.claims.claim(seen, thingName);
    await nextSlot(ports, settings);
    const registered = await ports.registry.describe(seen.certificateId);
    const decision = decideReopen(
      {
        before: before.status,
        now: registered?.status,
        onRevocationList: await isRevokedOrHeld(ports, seen.certificateId),
        policies: (await ports.rights.policiesOf(seen.certificateId)) ?? [],
        carryingGroups,
      },
      settings.repairPolicy,
    );
    if (decision === 'rights-remain') withRights.push(seen.certificateId);
    const wasOpened = registered?.status === 'ACTIVE' && before.status === 'ACTIVE';
    if (!wasOpened && (decision !== 'activate' || !(await ports.registry.setStatus(seen.certificateId, 'ACTIVE')))) continue;
    await ports.inventory.setStatus(seen.certificateId, 'ACTIVE', 'in-repair', 'containment');
    active.push(seen.certificateId);
  }
  return { active, withRights };
}

export async function groupsWithPolicies(
  { rights }: Pick<StepPorts, 'rights'>,
  thing: Containment['thingName'],
): Promise<readonly string[]> {
  const carrying: string[] = [];
  for (const name of await rights.groupsOf(thing)) {
    const group = await rights.describeGroup(name);
    if (group !== undefined && group.policies.length > 0) carrying.push(name);
  }
  return carrying;
}

/** Outcomes of a revocation that leave nothing of it on the certificate. */
const WITHOUT_EFFECT: ReadonlySet<string | undefined> = new Set(['reactivated', 'mismatch', 'is-a-ca']);

/** Is a revocation on record for it, done or under way, certificateHold among them? Then it is not ours to make ACTIVE. */
export async function isRevokedOrHeld({ inventory }: Pick<StepPorts, 'inventory'>, id: CertificateId): Promise<boolean> {
  const record = await inventory.byId(id);
  if (record === undefined) return false;
  const { revocation } = await inventory.bySerial(record.issuerId, record.serialNumber);
  return revocation !== undefined && !WITHOUT_EFFECT.has(revocation.outcome);
}
