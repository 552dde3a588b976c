/**
 * Contained already, and now for more: the stronger response goes onto the row, and the workflow is woken where it waits; it goes on from there by itself. Never
 * to a weaker one: two that come at once may come in any order.
 */
import { isStronger, type Response } from '../../../domain/fleet/responses.js';
import type { ThingName } from '../../../domain/fleet/thing-name.js';
import type { ContainmentState } from '../../../domain/protocol/containment.js';
import type { IntakePorts } from './ports.js';

const OPEN: readonly ContainmentState[] = ['recorded', 'cut', 'locked', 'reopened', 'deactivated'];

/** `false`: it is not contained any more, is being released, or goes as far already. */
export async function escalate({ records, workflows }: IntakePorts, thing: ThingName, response: Response): Promise<boolean> {
  const open = await records.get(thing);
  if (open === undefined || !isStronger(response, open.response)) return false;
  const moved = await records.move(thing, open.containmentId, OPEN, { response });
  if (moved?.taskToken !== undefined) await workflows.wake(moved.taskToken);
  return moved !== undefined;
}
