/**
 * The one place that makes a new certificate ACTIVE. Others may be at work on the same device at this moment, so this looks before and after:
 *
 *     issue        ──► contained? no ──► ACTIVE ──► contained? yes ──► INACTIVE again, nothing is answered
 *     containment          ──► row written ──► every certificate INACTIVE
 *
 * Containment writes its row first and then takes the certificates; we make ours ACTIVE first and then read the row. One of the two sees the
 * other, so a contained thing is never left with an ACTIVE certificate. The same holds for a revocation of the old certificate: whoever has stolen
 * its key must not have got a new certificate for it a moment before.
 */
import type { CertificateId } from '../../../domain/fleet/certificate-id.js';
import type { Certificate } from '../../../domain/pki/certificate.js';
import type { RotationRefusal } from '../../../domain/protocol/rotation.js';
import { isBarred } from '../../ports/containments.js';
import type { Rotation } from '../../ports/rotations.js';
import { advance } from './advance.js';
import type { IssuePorts } from './ports.js';

export type Activation =
  { readonly active: true; readonly rotation: Rotation } | { readonly active: false; readonly reason: RotationRefusal };

interface Issued {
  readonly id: CertificateId;
  readonly certificate: Certificate;
  readonly certificateArn: string;
}

export async function activate(ports: IssuePorts, rotation: Rotation, { id, certificate, certificateArn }: Issued): Promise<Activation> {
  const { registry, inventory, clock } = ports;
  const { thingName } = rotation;
  const registered = await registry.describe(id);
  if (registered === undefined) throw new Error(`certificate ${id}: registered a moment ago, and gone`);
  const { issuerId, serialNumber, notBeforeMs, notAfterMs } = certificate;
  const { remembered } = await inventory.record({
    certificateId: id,
    issuerId,
    serialNumber,
    certificateArn,
    thingName,
    notBeforeMs,
    notAfterMs,
    status: registered.status,
    source: 'registration',
  });
  const onRecord = await advance(ports, rotation, ['requested', 'issued', 'escalated'], { state: 'registered', newCertificateId: id });
  if (onRecord.activatedAtMs !== undefined) return { active: true, rotation: onRecord };
  // Its CA revoked it before it was ever used: it stays INACTIVE, and the rounds of `retire` withdraw the rotation.
  if (remembered !== undefined || registered.status === 'REVOKED') return { active: false, reason: 'not-permitted' };

  const before = (await ports.stop.state()).stopped ? 'stopped' : await barrier(ports, rotation);
  if (before !== undefined) return { active: false, reason: before };
  if (!(await registry.setStatus(id, 'ACTIVE'))) throw new Error(`certificate ${id}: registered a moment ago, and gone`);
  const after = await barrier(ports, rotation);
  if (after !== undefined) {
    await takeBack(ports, id);
    return { active: false, reason: after };
  }
  try {
    return {
      active: true,
      rotation: await advance(ports, rotation, ['registered', 'escalated'], { state: 'registered', activatedAtMs: clock.nowMs() }),
    };
  } catch (error) {
    // Withdrawn at this very moment: it must not stay ACTIVE because we came second.
    await takeBack(ports, id);
    throw error;
  }
}

/** Why this thing must not have a new certificate at this moment. */
async function barrier(
  { containments, registry }: IssuePorts,
  { thingName, oldCertificateId }: Rotation,
): Promise<RotationRefusal | undefined> {
  if (await isBarred(containments, thingName)) return 'contained';
  const old = await registry.describe(oldCertificateId);
  return old?.status === 'ACTIVE' ? undefined : 'not-your-certificate';
}

/** Makes a certificate INACTIVE that was ACTIVE for a moment and told to nobody. Fails to doing nothing where it is not ACTIVE. */
export async function takeBack({ registry }: Pick<IssuePorts, 'registry'>, id: CertificateId): Promise<void> {
  const registered = await registry.describe(id);
  if (registered?.status === 'ACTIVE') await registry.setStatus(id, 'INACTIVE');
}
