/**
 * Certificates that a CA issued for a rotation and that no rotation names:
 *
 *     IssueCertificate ─► (the function dies) ─► reference never written ─► its token forgotten ─► the CA issues another one
 *
 * The first of the two was never registered and never sent, so nobody can use it; it is revoked at its CA all the same, because a valid certificate
 * that nobody knows of must not exist. Only what the inventory saw issued over the key of a rotation, for its thing, gets here: what other people
 * issue has other keys, and is never touched.
 */
import { METRICS } from '../../../domain/fleet/metrics.js';
import { DAY_MS } from '../../../domain/fleet/rotation-window.js';
import type { IssuedCertificate } from '../../ports/issued-certificates.js';
import { nextSlot } from '../pace.js';
import { decideOrphan } from './decide.js';
import { BY, type RetirePorts, type RetireSettings } from './ports.js';
import { eachInTime } from './rounds.js';
import { find, supersede } from './supersede.js';

/** Every delivery of the request has long ended by then, and with it every function that could still write the reference down. */
const SETTLED_MS = DAY_MS;

export async function supersedeOrphans(ports: RetirePorts, settings: RetireSettings, acting: boolean): Promise<void> {
  const due = ports.issued.toldBefore(ports.clock.nowMs() - SETTLED_MS);
  const complete = await eachInTime(ports, settings, due, (issued) => lookAt(ports, settings, issued, acting));
  if (!complete && acting) await ports.queue.send({ kind: 'orphans' });
}

async function lookAt(ports: RetirePorts, settings: RetireSettings, issued: IssuedCertificate, acting: boolean): Promise<void> {
  const { clock, decisions, inventory, registry, rotations, signals } = ports;
  const { oldCertificateId, newCertificateId, certificateArn } = issued;
  const rotation = await rotations.byOld(oldCertificateId);
  const isNamed = rotation?.newCertificateId === newCertificateId || rotation?.newCertificateArn === certificateArn;
  const record = isNamed ? undefined : await inventory.byId(newCertificateId);
  const { revocation } = record === undefined ? {} : await inventory.bySerial(record.issuerId, record.serialNumber);
  if (!isNamed) await nextSlot(ports, settings.perSecond, 'settling');
  const standing = isNamed ? 'not asked' : ((await registry.describe(newCertificateId))?.status ?? 'absent');
  const decision = decideOrphan({ isNamed, standing, isRevoked: revocation?.state === 'done' });
  const ids = { certificateId: newCertificateId, certificateArn, oldCertificateId, reason: decision.reason };
  if (!acting) return decision.do === 'supersede' ? signals.info('would supersede an orphan', ids) : undefined;
  if (decision.do === 'supersede') {
    const found = await find(ports, undefined, certificateArn);
    if (found === undefined) throw new Error(`${certificateArn}: its CA does not give it`);
    const entry = { subject: `CERT#${newCertificateId}`, act: 'supersede', reason: decision.reason, runId: 'orphans', by: BY } as const;
    await decisions.append({ ...entry, step: 'intent', atMs: clock.nowMs(), detail: { certificateArn, oldCertificateId } });
    await supersede(ports, found, 'orphans');
    await decisions.append({ ...entry, step: 'outcome', atMs: clock.nowMs() });
    signals.count(METRICS.orphanSuperseded);
    signals.warn('orphan at the CA superseded', ids);
  }
  await ports.issued.forget(issued);
}
