/**
 * Static thing groups (https://docs.aws.amazon.com/iot/latest/developerguide/thing-groups.html): a tree of at most seven levels;
 * a thing is in at most ten groups, and in at most one group of each tree.
 */
import { randomUUID } from 'node:crypto';
import { AwsError, type Operation } from '../../models/service.js';
import { alreadyExists, invalidRequest, notFound, versionConflict } from './errors.js';
import { checkAttributes, checkThingGroupName, checkThingName, parseIotArn } from './names.js';
import { page } from './paging.js';
import type { IotState, ThingGroup } from './state.js';
import { setTags } from './tags.js';
import { mergedAttributes, thingByName } from './things.js';

const MAX_GROUPS_OF_A_THING = 10;
const MAX_DEPTH = 7;

export function groupByName(state: IotState, name: unknown): ThingGroup {
  const found = state.groups.get(checkThingGroupName(name));
  if (!found) throw notFound(`Thing group ${String(name)} not found`);
  return found;
}

/** A group and its ancestors, root first. */
export function lineage(state: IotState, group: ThingGroup): readonly ThingGroup[] {
  const parent = group.parentGroupName === undefined ? undefined : state.groups.get(group.parentGroupName);
  return parent ? [...lineage(state, parent), group] : [group];
}

const children = (state: IotState, name: string): ThingGroup[] =>
  [...state.groups.values()].filter((group) => group.parentGroupName === name);
const descendants = (state: IotState, name: string): ThingGroup[] =>
  children(state, name).flatMap((group) => [group, ...descendants(state, group.thingGroupName)]);
/** Things of a group and of the groups below it. */
export function thingsBelow(state: IotState, group: ThingGroup): readonly string[] {
  return [group, ...descendants(state, group.thingGroupName)].flatMap(({ thingGroupName }) => [
    ...(state.thingsOfGroup.get(thingGroupName) ?? []),
  ]);
}
const nameAndArn = (group: ThingGroup): Record<string, string> => ({ groupName: group.thingGroupName, groupArn: group.arn });

/** Either a name or an ARN says which group or thing is meant. */
const named = (name: unknown, arn: unknown): unknown => name ?? (arn === undefined ? undefined : parseIotArn(arn).resourceId);

function join(state: IotState, thingName: string, group: ThingGroup): void {
  const held = state.groupsOfThing.get(thingName) ?? new Set<string>();
  if (held.has(group.thingGroupName)) return;
  if (held.size >= MAX_GROUPS_OF_A_THING) throw invalidRequest(`A thing can be in at most ${MAX_GROUPS_OF_A_THING} groups`);
  const root = lineage(state, group)[0]!.thingGroupName;
  const clash = [...held].find((name) => lineage(state, groupByName(state, name))[0]!.thingGroupName === root);
  if (clash) throw invalidRequest(`Thing ${thingName} is already in group ${clash} of the same hierarchy`);
  state.groupsOfThing.set(thingName, held.add(group.thingGroupName));
  state.thingsOfGroup.set(group.thingGroupName, (state.thingsOfGroup.get(group.thingGroupName) ?? new Set()).add(thingName));
  state.membershipChanged(thingName);
}

function leave(state: IotState, thingName: string, groupName: string): void {
  state.groupsOfThing.get(thingName)?.delete(groupName);
  if (state.thingsOfGroup.get(groupName)?.delete(thingName)) state.membershipChanged(thingName);
}

export function thingGroupOperations(state: IotState): Record<string, Operation> {
  return {
    CreateThingGroup: (input) => {
      const thingGroupName = checkThingGroupName(input.thingGroupName);
      const parent = input.parentGroupName === undefined ? undefined : groupByName(state, input.parentGroupName);
      if (parent && lineage(state, parent).length >= MAX_DEPTH)
        throw invalidRequest(`Thing groups can be nested at most ${MAX_DEPTH} deep`);
      const present = state.groups.get(thingGroupName);
      const attributes = mergedAttributes({}, input.thingGroupProperties?.attributePayload);
      checkAttributes(attributes, true);
      const description: string | undefined = input.thingGroupProperties?.thingGroupDescription;
      if (present && (present.parentGroupName !== input.parentGroupName || present.description !== description)) {
        throw alreadyExists(`Thing group ${thingGroupName} already exists with different properties`, present.thingGroupId, present.arn);
      }
      const group: ThingGroup = present ?? {
        thingGroupName,
        thingGroupId: randomUUID(),
        arn: state.arn(`thinggroup/${thingGroupName}`),
        ...(parent ? { parentGroupName: parent.thingGroupName } : {}),
        ...(description === undefined ? {} : { description }),
        attributes,
        version: 1,
        createdAtMs: state.now(),
      };
      state.groups.set(thingGroupName, group);
      setTags(state, group.arn, input.tags);
      return { thingGroupName, thingGroupArn: group.arn, thingGroupId: group.thingGroupId };
    },
    DescribeThingGroup: (input) => {
      const group = groupByName(state, input.thingGroupName);
      return {
        thingGroupName: group.thingGroupName,
        thingGroupId: group.thingGroupId,
        thingGroupArn: group.arn,
        version: group.version,
        thingGroupProperties: {
          ...(group.description === undefined ? {} : { thingGroupDescription: group.description }),
          attributePayload: { attributes: group.attributes },
        },
        thingGroupMetadata: {
          ...(group.parentGroupName ? { parentGroupName: group.parentGroupName } : {}),
          rootToParentThingGroups: lineage(state, group).slice(0, -1).map(nameAndArn),
          creationDate: new Date(group.createdAtMs),
        },
      };
    },
    UpdateThingGroup: (input) => {
      const group = groupByName(state, input.thingGroupName);
      if (input.expectedVersion !== undefined && Number(input.expectedVersion) !== group.version)
        throw versionConflict(`Expected version ${input.expectedVersion}, the version is ${group.version}`);
      const attributes = mergedAttributes(group.attributes, input.thingGroupProperties.attributePayload);
      checkAttributes(attributes, true);
      group.attributes = attributes;
      if (input.thingGroupProperties.thingGroupDescription !== undefined)
        group.description = input.thingGroupProperties.thingGroupDescription;
      group.version += 1;
      return { version: group.version };
    },
    DeleteThingGroup: (input) => {
      const name = checkThingGroupName(input.thingGroupName);
      const group = state.groups.get(name);
      if (!group) return {};
      if (children(state, name).length > 0) throw invalidRequest(`Cannot delete thing group ${name}: it has child groups`);
      if ([...(state.attachments.get(group.arn)?.values() ?? [])].some((attachment) => attachment.untilMs === undefined)) {
        throw new AwsError('InvalidRequestException', `Cannot delete thing group ${name}: policies are attached`);
      }
      for (const thingName of state.thingsOfGroup.get(name) ?? []) leave(state, thingName, name);
      state.thingsOfGroup.delete(name);
      state.groups.delete(name);
      return {};
    },
    ListThingGroups: (input) => {
      const all =
        input.parentGroup === undefined
          ? [...state.groups.values()].filter((group) => input.recursive !== false || group.parentGroupName === undefined)
          : input.recursive
            ? descendants(state, checkThingGroupName(input.parentGroup))
            : children(state, checkThingGroupName(input.parentGroup));
      const chosen = all.filter((group) => group.thingGroupName.startsWith(input.namePrefixFilter ?? ''));
      const { items, token } = page(chosen, (group) => group.thingGroupName, input.nextToken, input.maxResults);
      return { thingGroups: items.map(nameAndArn), ...(token ? { nextToken: token } : {}) };
    },
    AddThingToThingGroup: (input) => {
      const group = groupByName(state, named(input.thingGroupName, input.thingGroupArn));
      join(state, thingByName(state, named(input.thingName, input.thingArn)).thingName, group);
      return {};
    },
    RemoveThingFromThingGroup: (input) => {
      const group = groupByName(state, named(input.thingGroupName, input.thingGroupArn));
      leave(state, thingByName(state, named(input.thingName, input.thingArn)).thingName, group.thingGroupName);
      return {};
    },
    UpdateThingGroupsForThing: (input) => {
      const thing = thingByName(state, input.thingName);
      const toAdd = (input.thingGroupsToAdd ?? []).map((name: string) => groupByName(state, name));
      const toRemove = (input.thingGroupsToRemove ?? []).map((name: string) => groupByName(state, name));
      for (const group of toRemove) leave(state, thing.thingName, group.thingGroupName);
      for (const group of toAdd) join(state, thing.thingName, group);
      return {};
    },
    ListThingGroupsForThing: (input) => {
      const thing = thingByName(state, checkThingName(input.thingName));
      const all = [...(state.groupsOfThing.get(thing.thingName) ?? [])].map((name) => groupByName(state, name));
      const { items, token } = page(all, (group) => group.thingGroupName, input.nextToken, input.maxResults);
      return { thingGroups: items.map(nameAndArn), ...(token ? { nextToken: token } : {}) };
    },
    ListThingsInThingGroup: (input) => {
      const group = groupByName(state, input.thingGroupName);
      const all = input.recursive ? thingsBelow(state, group) : [...(state.thingsOfGroup.get(group.thingGroupName) ?? [])];
      const { items, token } = page(all, (thingName) => thingName, input.nextToken, input.maxResults);
      return { things: items, ...(token ? { nextToken: token } : {}) };
    },
  };
}
