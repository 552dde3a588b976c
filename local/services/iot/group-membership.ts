/** Who is in which thing group: a thing is in at most ten groups, and in at most one static group of each tree. */
import { invalidRequest } from './errors.js';
import type { IotState, ThingGroup } from './state.js';

export const MAX_GROUPS_OF_A_THING = 10;

/** A group and its ancestors, root first. */
export function lineage(state: IotState, group: ThingGroup): readonly ThingGroup[] {
  const parent = group.parentGroupName === undefined ? undefined : state.groups.get(group.parentGroupName);
  return parent ? [...lineage(state, parent), group] : [group];
}

/** Joins a static group. `overrideDynamicGroups`: at ten groups the last dynamic one gives way (API_AddThingToThingGroup). */
export function join(state: IotState, thingName: string, group: ThingGroup, overrideDynamicGroups = false): void {
  const held = state.groupsOfThing.get(thingName) ?? new Set<string>();
  if (held.has(group.thingGroupName)) return;
  const root = lineage(state, group)[0]!.thingGroupName;
  const clash = [...held].find((name) => lineage(state, state.groups.get(name)!)[0]!.thingGroupName === root);
  if (clash) throw invalidRequest(`Thing ${thingName} is already in group ${clash} of the same hierarchy`);
  if (held.size >= MAX_GROUPS_OF_A_THING) {
    const dynamic = overrideDynamicGroups ? [...held].findLast((name) => state.groups.get(name)?.query) : undefined;
    if (dynamic === undefined) throw invalidRequest(`A thing can be in at most ${MAX_GROUPS_OF_A_THING} groups`);
    leave(state, thingName, dynamic);
  }
  enter(state, thingName, group.thingGroupName);
}

export function enter(state: IotState, thingName: string, groupName: string): void {
  state.groupsOfThing.set(thingName, (state.groupsOfThing.get(thingName) ?? new Set()).add(groupName));
  state.thingsOfGroup.set(groupName, (state.thingsOfGroup.get(groupName) ?? new Set()).add(thingName));
  state.membershipChanged(thingName);
}

export function leave(state: IotState, thingName: string, groupName: string): void {
  state.groupsOfThing.get(thingName)?.delete(groupName);
  if (state.thingsOfGroup.get(groupName)?.delete(thingName)) state.membershipChanged(thingName);
}
