/**
 * What a person asks of a thing that is contained. The word goes into the ledger first, and then the workflow is woken where it waits: were it not to
 * wait yet, it would find the word there.
 */
import { METRICS } from '../../../domain/fleet/metrics.js';
import { isKnownInSilence } from '../../../domain/fleet/behaviour-metrics.js';
import type { Reason } from '../../../domain/fleet/reasons.js';
import { thingName } from '../../../domain/fleet/thing-name.js';
import type { ContainmentControl, ContainmentState } from '../../../domain/protocol/containment.js';
import type { Containment } from '../../ports/containment-records.js';
import type { SourcedViolation } from '../../ports/violations.js';
import { note } from '../evidence.js';
import { openViolationsOf } from '../sources.js';
import type { IntakePorts } from './ports.js';

const OPEN: readonly ContainmentState[] = ['recorded', 'cut', 'locked', 'reopened', 'deactivated'];
const HOUR_MS = 3_600_000;

type Release = Extract<ContainmentControl, { kind: 'release' }>;
type Extend = Extract<ContainmentControl, { kind: 'extend' }>;

/**
 * Does a violation that is open speak against a release? Not where nothing can end it: a device that is contained cannot report, so what it reported before it
 * was cut off stays open for two days. Anything that was seen of it since it came back for repair does, and so does whatever is known in silence.
 */
export function speaksAgainst(
  { metric, seenAtMs, updatedAtMs }: Pick<SourcedViolation, 'metric' | 'seenAtMs' | 'updatedAtMs'>,
  { reopenedAtMs, deactivatedAtMs }: Pick<Containment, 'reopenedAtMs' | 'deactivatedAtMs'>,
): boolean {
  if (metric === undefined || isKnownInSilence(metric)) return true;
  const silentSinceMs = Math.min(reopenedAtMs ?? Infinity, deactivatedAtMs ?? Infinity);
  return Math.max(seenAtMs ?? 0, updatedAtMs) >= silentSinceMs || silentSinceMs === Infinity;
}

/** Why a release is refused; `undefined`: it is not. A violation that is in alarm speaks against it, unless the person insists. */
export function decideRelease({ openViolations, force }: { readonly openViolations: number; readonly force: boolean }): Reason | undefined {
  return openViolations > 0 && !force ? 'violation-open' : undefined;
}

export async function control(ports: IntakePorts, message: Release | Extend): Promise<void> {
  const thing = thingName(message.thingName);
  const containment = await ports.records.get(thing);
  if (containment === undefined) {
    ports.signals.warn('nothing to do', { thingName: thing, asked: message.kind, by: message.by, reason: 'not-contained' });
    return;
  }
  await (message.kind === 'extend' ? extend(ports, containment, message) : release(ports, containment, message));
}

async function release(ports: IntakePorts, containment: Containment, { by, reason, rekey, force }: Release): Promise<void> {
  const { clock, records, signals, violations } = ports;
  const { thingName: thing, containmentId } = containment;
  let [openViolations, unheard] = [0, 0];
  // A source that cannot be read throws: nobody is released on what is not known.
  if (!force)
    for await (const violation of openViolationsOf(violations, containment))
      if (speaksAgainst(violation, containment)) openViolations += 1;
      else unheard += 1;
  const against = decideRelease({ openViolations, force });
  await note(ports, { ...containment, by }, 'intent', 'release', against ?? 'release-asked', {
    why: reason,
    rekey,
    force,
    openViolations,
    unheard,
  });
  if (against !== undefined) {
    signals.count(METRICS.releaseRefused);
    signals.warn('not released', { thingName: thing, containmentId, by, reason: against, openViolations });
    return;
  }
  // The first word counts; the same word again wakes the workflow again.
  const atMs = containment.release?.atMs ?? clock.nowMs();
  await wake(ports, await records.move(thing, containmentId, OPEN, { release: containment.release ?? { by, reason, rekey, force, atMs } }));
}

async function extend(ports: IntakePorts, containment: Containment, { by, hours }: Extend): Promise<void> {
  const { clock, records } = ports;
  const { thingName: thing, containmentId } = containment;
  const endsAtMs = Math.max(containment.endsAtMs, clock.nowMs() + hours * HOUR_MS);
  await note(ports, { ...containment, by }, 'outcome', 'extend', 'extended', { hours, endsAt: new Date(endsAtMs).toISOString() });
  await wake(ports, await records.move(thing, containmentId, OPEN, { endsAtMs }));
}

async function wake({ workflows }: IntakePorts, containment: Containment | undefined): Promise<void> {
  if (containment?.taskToken !== undefined) await workflows.wake(containment.taskToken);
}
