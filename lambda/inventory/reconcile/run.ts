import { METRICS } from '../../../domain/fleet/metrics.js';
import type { ReconcileMessage } from '../../../domain/protocol/inventory-events.js';
import type { ReconcileCheckpoint } from '../../ports/reconciliation.js';
import { decide } from './decide.js';
import { listPage } from './listing.js';
import { NOTHING_YET, type ReconcilePorts, type ReconcileSettings, type Step } from './steps.js';
import { sweepPage } from './sweeping.js';

const LATER_SECONDS = 30;

/**
 * One delivery of one message. A run is a chain of such deliveries, each going on where the checkpoint stands:
 *
 *     start ──► checkpoint 0 ──► continue ──► page, checkpoint 1 ──► … ──► time is short: continue ──► … ──► done, report
 *
 * It may die anywhere: its message comes again, and the page that was under way is done again. It may be delivered twice: of two, the one
 * that loses the conditional write of the checkpoint stops.
 */
export async function run(ports: ReconcilePorts, settings: ReconcileSettings, message: ReconcileMessage): Promise<void> {
  const { reconciliation, queue, clock, signals } = ports;
  const stored = await reconciliation.checkpoint();
  const decision = decide(message, stored, clock.nowMs());
  switch (decision.kind) {
    case 'ignore':
      return signals.info('nothing to reconcile', { message: message.kind, reason: decision.reason, runId: stored?.runId });
    case 'begin': {
      const begun = checkpointZero(clock.nowMs(), await ports.pages.countChanges());
      if (!(await reconciliation.save(begun, stored))) return signals.info('nothing to reconcile', { reason: 'somebody else began' });
      signals.info('reconciliation begins', { runId: begun.runId, reason: decision.reason });
      return queue.send({ kind: 'continue', runId: begun.runId });
    }
    case 'later':
      return queue.send(message, LATER_SECONDS);
    case 'go-on-by-message':
      return stored && queue.send({ kind: 'continue', runId: stored.runId });
    case 'go-on':
      return stored && goOn(ports, settings, stored);
  }
}

/** Page after page, until the run is complete, the time is short, or another delivery was faster. */
async function goOn(ports: ReconcilePorts, settings: ReconcileSettings, stored: ReconcileCheckpoint): Promise<void> {
  const { reconciliation, queue, clock, signals } = ports;
  let at = stored;
  for (;;) {
    const { next, finished } = await step(ports, settings, at);
    const saved: ReconcileCheckpoint = { ...next, sequence: at.sequence + 1, updatedAtMs: clock.nowMs() };
    if (saved.phase.name === 'done') await conclude(ports, saved);
    if (!(await reconciliation.save(saved, at))) {
      return signals.info('another delivery goes on with this run', { runId: at.runId, sequence: at.sequence });
    }
    if (saved.phase.name === 'done') return signals.info('reconciliation complete', { runId: saved.runId, ...saved.tally });
    at = saved;
    if (!finished || clock.nowMs() >= settings.deadlineMs) {
      return queue.send({ kind: 'continue', runId: at.runId });
    }
  }
}

function step(ports: ReconcilePorts, settings: ReconcileSettings, at: ReconcileCheckpoint): Promise<Step> {
  switch (at.phase.name) {
    case 'listing':
      return listPage(ports, settings, at, at.phase.marker);
    case 'sweeping':
      return sweepPage(ports, settings, at, at.phase);
    case 'done':
      return Promise.resolve({ next: at, finished: true });
  }
}

/** Before the checkpoint says `done`, because after that nothing is done again. All of it may be repeated. */
async function conclude(ports: ReconcilePorts, complete: ReconcileCheckpoint): Promise<void> {
  const { tally } = complete;
  await ports.pages.settleActiveCount(tally.active, complete.countChanges);
  await ports.reconciliation.report(complete);
  ports.signals.count(METRICS.inventoryReconciled, tally.listed);
  ports.signals.count(METRICS.inventoryDeleted, tally.deleted);
  ports.signals.count(METRICS.orphanWithoutThing, tally.withoutThing);
  ports.signals.count(METRICS.orphanSharedThing, tally.sharedThing);
  ports.signals.count(METRICS.orphanUnknownIssuer, tally.unknownIssuer);
}

/** The runId is the time at which it began: reports sort by it. */
function checkpointZero(nowMs: number, countChanges: number): ReconcileCheckpoint {
  return {
    runId: new Date(nowMs).toISOString(),
    sequence: 0,
    phase: { name: 'listing' },
    tally: NOTHING_YET,
    examples: { withoutThing: [], sharedThing: [], unknownIssuer: [], unreadable: [] },
    countChanges,
    startedAtMs: nowMs,
    updatedAtMs: nowMs,
  };
}
