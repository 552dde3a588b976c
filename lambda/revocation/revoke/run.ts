import { METRICS } from '../../../domain/fleet/metrics.js';
import type { Mode, RevokeMessage, RevokeOutcome } from '../../../domain/protocol/revocation.js';
import type { EmergencyStop } from '../../ports/emergency-stop.js';
import type { Pace } from '../../ports/pace.js';
import type { RevokeQueue } from '../../ports/queues.js';
import type { ReconcileRequests } from '../../ports/reconcile-requests.js';
import { carryOut, judge, recordFact, type CarryOutPorts } from './carry-out.js';
import { isSettled, type RevokeDecision, type RevokePolicy } from './decide.js';
import { resolve, type Named, type ResolvePorts } from './resolve.js';
import { inSlot, slots } from './slots.js';

export interface RevokePorts extends CarryOutPorts, ResolvePorts {
  readonly inventory: CarryOutPorts['inventory'] & ResolvePorts['inventory'];
  readonly stop: Pick<EmergencyStop, 'state'>;
  readonly pace: Pace;
  readonly revokeQueue: Pick<RevokeQueue, 'defer'>;
  readonly reconcile: ReconcileRequests;
}

export interface RevokeSettings extends RevokePolicy {
  readonly mode: Mode;
  readonly perSecond: number;
}

/** `deferred`: back on the queue, untouched. `settled`: done before. */
export type Settlement = RevokeOutcome | 'deferred' | 'settled';

/** Longest delay of SQS. A message that waits is sent anew each time, so waiting uses up neither deliveries nor retention. */
const DEFER_SECONDS = 900;

/**
 * One batch: who is meant, without slots; then each certificate at its own slot of the pace that all workers share, none waiting for another.
 * A message that throws goes back alone.
 */
export async function run(
  ports: RevokePorts,
  settings: RevokeSettings,
  messages: readonly RevokeMessage[],
): Promise<readonly PromiseSettledResult<Settlement>[]> {
  if (settings.mode === 'off' || (await isStopped(ports))) return Promise.allSettled(messages.map((message) => defer(ports, message)));

  const named = await Promise.allSettled(messages.map((message) => resolve(ports, message)));
  const needsSlot = (one: PromiseSettledResult<Named>): boolean =>
    one.status === 'fulfilled' && one.value.certificateId !== undefined && !settled(one.value);
  const nextSlot = await slots(ports, settings.perSecond, named.filter(needsSlot).length);
  const results = await Promise.allSettled(
    named.map(async (one) => {
      if (one.status === 'rejected') throw one.reason;
      if (settled(one.value)) return catchUp(ports, one.value);
      return needsSlot(one)
        ? inSlot(ports, settings.perSecond, nextSlot(), () => settle(ports, settings, one.value))
        : settle(ports, settings, one.value);
    }),
  );
  ports.signals.count(METRICS.revokeFailed, results.filter(({ status }) => status === 'rejected').length);
  return results;
}

async function settle(ports: RevokePorts, settings: RevokeSettings, named: Named): Promise<Settlement> {
  const decision = await judge(ports, settings, named);
  if (settings.mode === 'observe') {
    ports.signals.info('would settle certificate', {
      serialNumber: named.serialNumber,
      certificateId: named.certificateId,
      outcome: decision.outcome,
      reason: decision.reason,
    });
    return defer(ports, named.message); // kept for the day on which it is enforced
  }
  // Looked at again in the slot: a slow pace must not outlast the stop.
  if (decision.do === 'set' && (await isStopped(ports))) return defer(ports, named.message);
  const outcome = await carryOut(ports, named, decision);
  if (foundInactive(decision)) return lookAgain(ports, settings, named, outcome);
  if (outcome !== 'not-registered') return outcome;

  // Registration writes the certificate and then reads the revocations; we have written the revocation and now read the certificate. One of
  // the two sees the other, so a certificate that is registered at this very moment is not missed.
  const again = await resolve(ports, named.message);
  const turnedUp =
    again.inInventory !== undefined && again.inInventory.status !== 'NOT_REGISTERED' && again.inInventory.status !== 'DELETED';
  if (turnedUp) return carryOut(ports, again, await judge(ports, settings, again));
  // Neither the inventory nor a Private CA could say which certificate this is, yet it may be registered: AWS IoT tells nobody of a
  // registration by API. The reconciliation finds it, and the revocation that is on record for it.
  if (again.certificateId === undefined) await ports.reconcile.ask(ports.clock.nowMs());
  return outcome;
}

/** It was INACTIVE without us, so nothing was announced before it was looked at. */
const foundInactive = ({ do: act, outcome }: RevokeDecision): boolean =>
  (act === 'record' && outcome === 'already-inactive') || (act === 'finish' && outcome === 'deactivated');

/** Who ends a containment makes ACTIVE first and looks for revocations then; ours is on record, and we look at the registry now. One of the two sees the other. */
async function lookAgain(ports: RevokePorts, settings: RevokeSettings, named: Named, outcome: RevokeOutcome): Promise<RevokeOutcome> {
  const decision = await judge(ports, settings, named);
  return decision.do === 'set' ? carryOut(ports, named, decision) : outcome;
}

const settled = ({ message, before }: Named): boolean => isSettled(message, before && recordFact(before));

/** The work is done; what may be missing is the inventory's status, where the process died last, or where an old event came late. */
async function catchUp({ inventory }: RevokePorts, { message, inInventory, before }: Named): Promise<Settlement> {
  const revoked = before?.outcome === 'revoked' || before?.outcome === 'already-revoked';
  if (revoked && inInventory !== undefined && inInventory.status !== 'REVOKED') {
    await inventory.setStatus(inInventory.certificateId, 'REVOKED', message.reason, 'revocation');
  }
  return 'settled';
}

async function isStopped({ stop, signals }: RevokePorts): Promise<boolean> {
  const { stopped } = await stop.state();
  if (stopped) signals.count(METRICS.stopped);
  return stopped;
}

async function defer({ revokeQueue }: RevokePorts, message: RevokeMessage): Promise<Settlement> {
  await revokeQueue.defer(message, DEFER_SECONDS);
  return 'deferred';
}
