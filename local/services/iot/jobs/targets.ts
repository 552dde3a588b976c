/** Which things a job is for. A group stands for its things and those of its child groups (https://docs.aws.amazon.com/iot/latest/developerguide/thing-groups.html). */
import { invalidRequest, notFound } from '../errors.js';
import { parseIotArn } from '../names.js';
import type { IotState } from '../state.js';
import { lineage } from '../group-membership.js';
import { groupByName, thingsBelow } from '../thing-groups.js';
import type { Job } from './job.js';

/**
 * Things of the targets, each once, in the order of the targets. Throws for a target that is neither thing nor group, and for one that does not
 * exist, unless `skipMissing`: a target may be deleted between the creation of a job and its start.
 */
export function thingsOf(state: IotState, targets: Iterable<string>, skipMissing = false): Set<string> {
  const things = new Set<string>();
  for (const target of targets) {
    const { resourceType, resourceId } = parseIotArn(target);
    if (target !== state.arn(`${resourceType}/${resourceId}`))
      throw invalidRequest(`Invalid target: got ${target}, which is of another account or region`);
    if (resourceType === 'thing') {
      if (state.things.has(resourceId)) things.add(resourceId);
      else if (!skipMissing) throw notFound(`Thing ${resourceId} not found`);
    } else if (resourceType === 'thinggroup') {
      const group = skipMissing ? state.groups.get(resourceId) : groupByName(state, resourceId);
      for (const thingName of group ? thingsBelow(state, group) : []) things.add(thingName);
    } else throw invalidRequest(`Invalid target: got ${target}, expected a thing or a thing group`);
  }
  return things;
}

export function isTargeted(state: IotState, job: Job, thingName: string): boolean {
  if (!state.things.has(thingName)) return false;
  if (job.targets.has(state.arn(`thing/${thingName}`))) return true;
  return [...(state.groupsOfThing.get(thingName) ?? [])].some((name) => {
    const group = state.groups.get(name);
    return group !== undefined && lineage(state, group).some(({ arn }) => job.targets.has(arn));
  });
}
