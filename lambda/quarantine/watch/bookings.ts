/**
 * What the brake counts is made before a workflow begins, and freed when its thing is released. Where the message died in between, nobody would ever free it:
 *
 *     intake   book (renews) ─────────────► start ─► row
 *     watch          │        running? row? ── neither ─► give up, if nobody has renewed it since it was read
 *
 * Who counts on a booking renews it first, so one that is given up was not about to begin.
 */
import { executionOf } from '../../../domain/protocol/containment-workflow.js';
import type { Booking } from '../../ports/containment-work.js';
import { note } from '../evidence.js';
import type { WatchPorts } from './ports.js';
import { ABANDONED_AFTER_MS, isAbandoned } from './decide.js';

/** `contained`: containments whose rows were read a moment ago. */
export async function giveUpAbandoned(ports: WatchPorts, contained: ReadonlySet<string>): Promise<void> {
  const { budget, clock, signals } = ports;
  const nowMs = clock.nowMs();
  // What is freed counts for an hour only, so it is never as old.
  const isDoubtful = ({ containmentId, sinceMs, renewedAtMs = sinceMs }: Booking): boolean =>
    nowMs - renewedAtMs >= ABANDONED_AFTER_MS && !contained.has(containmentId);
  for (const booking of (await budget.booked()).filter(isDoubtful)) {
    const { thingName, containmentId, sinceMs, renewedAtMs = sinceMs } = booking;
    // In this order: only what runs writes a row, so what does not run any more and has none now will have none.
    const isRunning = await ports.workflows.isRunning(executionOf(containmentId));
    const hasRow = (await ports.records.get(thingName))?.containmentId === containmentId;
    if (!isAbandoned({ ageMs: nowMs - renewedAtMs, isRunning, hasRow })) continue;
    if (!(await budget.giveUp(booking, nowMs))) continue;
    await note(ports, { thingName, containmentId }, 'outcome', 'book', 'booking-abandoned', { since: new Date(sinceMs).toISOString() });
    signals.warn('booking given up', { thingName, containmentId, reason: 'booking-abandoned' });
  }
}
