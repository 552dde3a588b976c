/**
 * One step of the workflow that gives back. Only a release that is on record in the ledger leads here: what the workflow itself says is not enough, and a
 * ledger that cannot be read throws. The emergency stop does not hold it up.
 */
import { thingName } from '../../../domain/fleet/thing-name.js';
import type { ReleaseCall, StepAnswer } from '../../../domain/protocol/containment-workflow.js';
import type { ContainmentState } from '../../../domain/protocol/containment.js';
import { nextOf } from '../next.js';
import type { ReleasePorts, StepSettings } from '../ports.js';
import { askForKey, checkKey } from './rekey.js';
import { restore } from './restore.js';

const RELEASED: StepAnswer = { next: 'Released', seconds: 0 };
const LEAVABLE: readonly ContainmentState[] = ['recorded', 'cut', 'locked', 'reopened', 'deactivated', 'releasing'];

export async function run(ports: ReleasePorts, settings: StepSettings, { step, input }: ReleaseCall): Promise<StepAnswer> {
  const { clock, records } = ports;
  const thing = thingName(input.thingName);
  const there = await records.get(thing);
  if (there?.containmentId !== input.containmentId) return RELEASED;
  const next = nextOf(there, clock.nowMs());
  if (step === 'Restore') {
    if (next.next !== 'Restore') return next;
    const releasing = await records.move(thing, input.containmentId, LEAVABLE, { state: 'releasing', updatedAtMs: clock.nowMs() });
    if (releasing === undefined) return { next: 'Record', seconds: 0 };
    await restore(ports, settings, releasing);
    return RELEASED;
  }
  if (step === 'ReKey' ? next.next !== 'ReKey' : next.next !== 'AwaitKey') return next;
  const moved = step === 'ReKey' ? await askForKey(ports, settings, there) : await checkKey(ports, there);
  return moved === undefined ? { next: 'Record', seconds: 0 } : nextOf(moved, clock.nowMs());
}
