import { brakeLimit, type BrakeSettings } from '../../../domain/fleet/brake-limit.js';
import { METRICS } from '../../../domain/fleet/metrics.js';
import type { Reason } from '../../../domain/fleet/reasons.js';
import { Certificate } from '../../../domain/pki/certificate.js';
import type { Mode } from '../../../domain/protocol/revocation.js';
import type { Brake } from '../../ports/brake.js';
import type { Clock } from '../../ports/clock.js';
import type { DecisionLog } from '../../ports/decision-log.js';
import type { EmergencyStop } from '../../ports/emergency-stop.js';
import type { Inventory } from '../../ports/inventory.js';
import type { RevokeQueue } from '../../ports/queues.js';
import type { Signals } from '../../ports/signals.js';
import { decide } from './decide.js';
import type { RevocationEvent } from './event.js';
import { gather, type GatherPorts, type Gathered } from './gather.js';

export interface FastPorts extends GatherPorts {
  readonly inventory: Pick<Inventory, 'alreadyDone' | 'activeCount'>;
  readonly brake: Brake;
  readonly stop: Pick<EmergencyStop, 'state'>;
  readonly decisions: Pick<DecisionLog, 'append'>;
  readonly revokeQueue: Pick<RevokeQueue, 'sendAll'>;
  readonly clock: Clock;
  readonly signals: Signals;
}

export interface FastSettings {
  readonly mode: Mode;
  readonly brake: BrakeSettings;
}

/**
 * One revocation that the Private CA has just reported, minutes before its CRL says so. Over the brake nothing is done and nothing is held:
 * the certificate is on the next CRL, and there the brake holds the list.
 */
export async function run(ports: FastPorts, settings: FastSettings, event: RevocationEvent): Promise<Reason> {
  const { signals } = ports;
  const gathered = settings.mode === 'off' ? undefined : await gather(ports, event);
  const { stopped } = await ports.stop.state();
  const decision = decide({
    result: event.detail.result,
    ours: gathered !== undefined,
    certificate: gathered?.identity,
    done: gathered?.done ?? false,
    mode: settings.mode,
    stopped,
  });
  const ids = { certificateArn: event.resources[1], serialNumber: gathered?.certificate?.serialNumber, reason: decision.reason };
  if (decision.do === 'hand-over' && gathered?.certificate !== undefined)
    return handOver(ports, settings, event, gathered, gathered.certificate);

  if (stopped) signals.count(METRICS.stopped);
  if (decision.do === 'leave' && decision.alarm !== undefined) {
    signals.count(decision.alarm === 'ca-certificate' ? METRICS.caCertificateListed : METRICS.mismatch);
    signals.warn('revocation event left to a person', ids);
  } else signals.info(decision.do === 'report' ? 'would hand over a revocation' : 'revocation event left alone', ids);
  return decision.reason;
}

async function handOver(
  ports: FastPorts,
  settings: FastSettings,
  event: RevocationEvent,
  { anchorId }: Gathered,
  { issuerId, serialNumber }: Certificate,
): Promise<Reason> {
  const { clock, signals } = ports;
  const [, certificateArn] = event.resources;
  const runId = `event:${certificateArn}`;
  const append = (step: 'intent' | 'outcome', reason: Reason) =>
    ports.decisions.append({
      subject: `SERIAL#${issuerId}#${serialNumber}`,
      step,
      act: 'hand-over',
      reason,
      runId,
      by: 'fast',
      atMs: clock.nowMs(),
      detail: { certificateArn, anchorId },
    });

  const limit = brakeLimit(await ports.inventory.activeCount(), settings.brake);
  const { granted, usedInWindow } = await ports.brake.reserve(runId, 1, limit, clock.nowMs());
  if (!granted) {
    await append('outcome', 'over-the-brake');
    signals.count(METRICS.fastPathBraked);
    signals.warn('over the brake: left to the CRL', { serialNumber, certificateArn, usedInWindow, limit, reason: 'over-the-brake' });
    return 'over-the-brake';
  }
  await append('intent', 'revocation-event');
  await ports.revokeQueue.sendAll([
    {
      version: 1,
      action: 'revoke',
      anchorId,
      serialNumber,
      reason: 'unknown',
      revocationDate: event.time,
      source: 'event',
      certificateArn,
      runId,
    },
  ]);
  await append('outcome', 'revocation-event');
  signals.count(METRICS.revocationsQueued);
  signals.info('revocation handed over', { serialNumber, certificateArn, reason: 'revocation-event', runId });
  return 'revocation-event';
}
