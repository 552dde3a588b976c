/**
 * A repair policy of one containment is taken off every certificate by the release, and can be deleted minutes later at the earliest (API_DeletePolicy: up to five). So nobody
 * waits for that: the regular look deletes what no containment needs any more, now or the next time.
 */
import { NoSlotInTime } from '../../ports/pace.js';
import { nextSlot, type Slot } from '../pace.js';
import type { StepPorts, StepSettings } from '../ports.js';

/** A step that was making it when its thing was released has ended by then: it has five minutes. */
export const LEFT_OVER_AFTER_MS = 15 * 60_000;
/** Something has it that no containment has given it. It lets nobody in but under the names of old; a person may take it off. */
const TOLD_AFTER_MS = 86_400_000;

export async function removeLeftovers(ports: StepPorts, settings: StepSettings, slot: Slot): Promise<void> {
  const { clock, records, repairPolicies, signals } = ports;
  for await (const { policyName, thingName, containmentId, atMs } of repairPolicies.all()) {
    const nowMs = clock.nowMs();
    if (nowMs - atMs < LEFT_OVER_AFTER_MS) continue;
    const there = await records.get(thingName);
    if (there?.containmentId === containmentId) continue;
    try {
      await nextSlot(ports, settings, slot);
    } catch (error) {
      if (error instanceof NoSlotInTime) return; // the next look
      throw error;
    }
    if ((await repairPolicies.remove(policyName)) === 'removed') continue;
    const releasedAtMs = (await records.past(thingName, containmentId))?.releasedAtMs ?? atMs;
    if (nowMs - releasedAtMs > TOLD_AFTER_MS) signals.warn('a repair policy is in use still', { thingName, containmentId, policyName });
  }
}
