import { brakeLimit, type BrakeSettings } from '../../../domain/fleet/brake-limit.js';
import type { CertificateId } from '../../../domain/fleet/certificate-id.js';
import { METRICS } from '../../../domain/fleet/metrics.js';
import type { Reason } from '../../../domain/fleet/reasons.js';
import type { Mode } from '../../../domain/protocol/revocation.js';
import type { Brake } from '../../ports/brake.js';
import type { Clock } from '../../ports/clock.js';
import type { Decision, DecisionLog } from '../../ports/decision-log.js';
import type { Inventory, RevocationRecord } from '../../ports/inventory.js';
import type { RevokeQueue } from '../../ports/queues.js';
import type { Signals } from '../../ports/signals.js';
import { decide } from './decide.js';

export interface RememberedPorts {
  readonly inventory: Pick<Inventory, 'activeCount'>;
  readonly brake: Brake;
  readonly revokeQueue: Pick<RevokeQueue, 'sendAll'>;
  readonly decisions: Pick<DecisionLog, 'append'>;
  readonly clock: Clock;
  readonly signals: Signals;
}

export interface RememberedSettings {
  readonly mode: Mode;
  readonly brake: BrakeSettings;
  readonly brakeWindowMs: number;
}

/**
 * Under which run the brake counts it. The run that found nobody under this serial number, a moment ago, has been counted for it: the same
 * revocation is not counted twice in one window. What has been remembered for longer is counted like any other.
 */
const countedAs = ({ outcome, message, updatedAtMs }: RevocationRecord, runId: string, windowBeganMs: number): string =>
  outcome === 'not-registered' && updatedAtMs > windowBeganMs ? message.runId : runId;

export type HandOver = 'nothing-to-do' | 'observed' | 'handed-over' | 'held-back';

/**
 * Hands a revocation that was remembered for this certificate over to the worker, under the brake that all revocations share.
 *
 * Over the brake nothing is sent and nothing is lost: the revocation stays remembered, the alarm of held revocations goes off, and each
 * later reconciliation tries again and lets through what the brake then leaves. There is no list to approve here, because such
 * certificates turn up one at a time; whoever does not want to wait widens the brake, or runs `fleetwarden reconcile` an hour later.
 */
export async function handOver(
  ports: RememberedPorts,
  settings: RememberedSettings,
  certificate: { readonly certificateId: CertificateId; readonly registryStatus: string },
  remembered: RevocationRecord,
): Promise<HandOver> {
  const { clock, signals, decisions } = ports;
  const { certificateId, registryStatus } = certificate;
  const { issuerId, serialNumber } = remembered;
  const decision = decide(registryStatus, certificateId, remembered, settings.mode, clock.nowMs());
  if (decision.kind === 'none') return 'nothing-to-do';

  const runId = `remembered:${certificateId}`;
  const ids = { certificateId, issuerId, serialNumber, reason: decision.reason };
  const entry = (step: Decision['step'], reason: Reason, detail: Decision['detail'] = {}): Decision => ({
    subject: `SERIAL#${issuerId}#${serialNumber}`,
    step,
    act: 'hand-over',
    reason,
    runId,
    by: 'inventory',
    atMs: clock.nowMs(),
    detail: { certificateId, registryStatus, ...detail },
  });
  if (decision.kind === 'observe') {
    await decisions.append(entry('outcome', decision.reason));
    signals.info('would hand over a remembered revocation', ids);
    return 'observed';
  }

  const limit = brakeLimit(await ports.inventory.activeCount(), settings.brake);
  const { granted, usedInWindow } = await ports.brake.reserve(
    countedAs(remembered, runId, clock.nowMs() - settings.brakeWindowMs),
    1,
    limit,
    clock.nowMs(),
  );
  if (!granted) {
    await decisions.append(entry('outcome', 'brake-keeps-back', { usedInWindow, limit }));
    signals.count(METRICS.revocationsHeld);
    signals.warn('a remembered revocation is over the brake; the next reconciliation tries again', { ...ids, usedInWindow, limit });
    return 'held-back';
  }
  await decisions.append(entry('intent', decision.reason));
  await ports.revokeQueue.sendAll([decision.message]);
  await decisions.append(entry('outcome', decision.reason));
  signals.count(METRICS.rememberedHandedOver);
  signals.info('handed over a remembered revocation', ids);
  return 'handed-over';
}
