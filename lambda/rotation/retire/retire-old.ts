/** Old certificates whose replacement is proved and whose grace is over, one by one at the pace of all rotations. */
import type { CertificateId } from '../../../domain/fleet/certificate-id.js';
import { METRICS } from '../../../domain/fleet/metrics.js';
import { DAY_MS } from '../../../domain/fleet/rotation-window.js';
import { campaignResourceName } from '../../../domain/protocol/rotation-work.js';
import type { Rotation } from '../../ports/rotations.js';
import { decideRetire, type RetireDecision } from './decide.js';
import { nextSlot } from '../pace.js';
import { BY, type RetirePorts, type RetireSettings } from './ports.js';
import { eachInTime } from './rounds.js';
import { find, type Found, supersede } from './supersede.js';

export async function retireDue(ports: RetirePorts, settings: RetireSettings, acting: boolean): Promise<void> {
  const due = ports.rotations.toRetire(ports.clock.nowMs());
  const complete = await eachInTime(ports, settings, due, (rotation) => retireOne(ports, settings, rotation, acting));
  // Who was retired or put off is off the list: the next message goes on behind them.
  if (!complete && acting) await ports.queue.send({ kind: 'retire' });
}

async function retireOne(ports: RetirePorts, settings: RetireSettings, rotation: Rotation, acting: boolean): Promise<void> {
  await nextSlot(ports, settings.perSecond, 'settling');
  const { clock, containments, registry, signals } = ports;
  const { oldCertificateId, newCertificateId, thingName, campaignId } = rotation;
  const heir = await heirOf(ports, rotation);
  const fresh = heir && (await registry.describe(heir));
  const old = await find(ports, oldCertificateId);
  const contained = await containments.isContained(thingName);
  const standings = { old: old?.registered?.status ?? 'absent', new: fresh?.status ?? 'absent' };
  const decision = decideRetire({ ...rotation, ...standings, contained }, clock.nowMs());
  const ids = { certificateId: oldCertificateId, newCertificateId, thingName, campaignId, reason: decision.reason };
  if (!acting) return signals.info(`would ${decision.do}`, ids);
  if (decision.do !== 'retire') return putOff(ports, rotation, decision, ids);
  await retire(ports, settings, rotation, old);
  signals.info('old certificate retired', ids);
}

/** So many replacements within one grace: a certificate of a day and a grace of a year would need more, and waits for a person. */
const MAX_HEIRS = 100;

/**
 * The certificate with which the device is in the fleet today: the new one, or what has replaced that since, proof by proof. Where certificates live for
 * days and the grace is as long, the new one is itself retired before the old one is.
 */
async function heirOf({ rotations }: RetirePorts, { newCertificateId }: Rotation): Promise<CertificateId | undefined> {
  let heir = newCertificateId;
  for (let hop = 0; heir !== undefined && hop < MAX_HEIRS; hop += 1) {
    const next = await rotations.byOld(heir);
    if (next?.provedAtMs === undefined || next.newCertificateId === undefined) return heir;
    heir = next.newCertificateId;
  }
  return heir;
}

/** A day later: what waits for a person must not stand in the way of the others. */
async function putOff(
  { clock, rotations, signals }: RetirePorts,
  { oldCertificateId }: Rotation,
  decision: RetireDecision,
  ids: Readonly<Record<string, string | undefined>>,
): Promise<void> {
  if (decision.do === 'keep') {
    signals.count(METRICS.retirementBlocked);
    signals.warn('old certificate kept', ids);
  }
  if (decision.reason === 'in-grace') return;
  await rotations.move(oldCertificateId, ['proved'], {
    state: 'proved',
    stateReason: decision.reason,
    retireAtMs: clock.nowMs() + (decision.do === 'keep' ? DAY_MS : DAY_MS / 24),
  });
}

async function retire(ports: RetirePorts, settings: RetireSettings, rotation: Rotation, old: Found | undefined): Promise<void> {
  const { clock, decisions, groups, rotations, signals } = ports;
  const { oldCertificateId, newCertificateId = '', campaignId, thingName } = rotation;
  const entry = {
    subject: `CERT#${oldCertificateId}`,
    act: 'retire',
    reason: 'grace-over',
    runId: campaignId,
    by: BY,
    detail: { thingName, newCertificateId },
  } as const;
  await decisions.append({ ...entry, step: 'intent', atMs: clock.nowMs() });
  // Neither in the registry nor in the inventory: there is nothing left to retire.
  const outcome = old === undefined ? 'deleted' : await supersede(ports, old, campaignId);
  // A thing is in ten groups at most (FACTS B6): it leaves this one when it is done.
  await groups.remove(campaignResourceName(settings.application, campaignId), thingName);
  await decisions.append({ ...entry, step: 'outcome', atMs: clock.nowMs(), detail: { ...entry.detail, outcome } });
  const atMs = clock.nowMs();
  if ((await rotations.move(oldCertificateId, ['proved'], { state: 'retired', updatedAtMs: atMs })) !== undefined)
    signals.count(METRICS.rotationRetired);
}
