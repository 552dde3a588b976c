/**
 * Thing groups (https://docs.aws.amazon.com/iot/latest/developerguide/thing-groups.html): the static ones, a tree of at most seven levels, and
 * what both kinds share. Dynamic ones: dynamic-groups.ts.
 */
import { randomUUID } from 'node:crypto';
import { AwsError, type Operation } from '../../models/service.js';
import { onlyStatic, placeThing } from './dynamic-groups.js';
import { alreadyExists, invalidRequest, notFound, versionConflict } from './errors.js';
import { join, leave, lineage } from './group-membership.js';
import { checkAttributes, checkThingGroupName, checkThingName, parseIotArn } from './names.js';
import { page } from './paging.js';
import type { IotState, ThingGroup } from './state.js';
import { setTags } from './tags.js';
import { mergedAttributes, thingByName } from './things.js';

const MAX_DEPTH = 7;

export function groupByName(state: IotState, name: unknown): ThingGroup {
  const found = state.groups.get(checkThingGroupName(name));
  if (!found) throw notFound(`Thing group ${String(name)} not found`);
  return found;
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

export function thingGroupOperations(state: IotState): Record<string, Operation> {
  return {
    CreateThingGroup: (input) => {
      const thingGroupName = checkThingGroupName(input.thingGroupName);
      const parent = input.parentGroupName === undefined ? undefined : onlyStatic(groupByName(state, input.parentGroupName), 'nest below');
      if (parent && lineage(state, parent).length >= MAX_DEPTH)
        throw invalidRequest(`Thing groups can be nested at most ${MAX_DEPTH} deep`);
      const present = state.groups.get(thingGroupName);
      const attributes = mergedAttributes({}, input.thingGroupProperties?.attributePayload);
      checkAttributes(attributes, true);
      const description: string | undefined = input.thingGroupProperties?.thingGroupDescription;
      if (present && (present.query || present.parentGroupName !== input.parentGroupName || present.description !== description)) {
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
        ...(group.query
          ? {
              indexName: group.query.indexName,
              queryString: group.query.queryString,
              queryVersion: group.query.queryVersion,
              status: 'ACTIVE',
            }
          : {}),
      };
    },
    UpdateThingGroup: (input) => {
      const group = onlyStatic(groupByName(state, input.thingGroupName), 'use UpdateThingGroup on');
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
      onlyStatic(group, 'use DeleteThingGroup on');
      if (children(state, name).length > 0) throw invalidRequest(`Cannot delete thing group ${name}: it has child groups`);
      if ([...(state.attachments.get(group.arn)?.values() ?? [])].some((attachment) => attachment.untilMs === undefined)) {
        throw new AwsError('InvalidRequestException', `Cannot delete thing group ${name}: policies are attached`);
      }
      const members = [...(state.thingsOfGroup.get(name) ?? [])];
      for (const thingName of members) leave(state, thingName, name);
      state.thingsOfGroup.delete(name);
      state.groups.delete(name);
      for (const thingName of members) placeThing(state, thingName);
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
      const group = onlyStatic(groupByName(state, named(input.thingGroupName, input.thingGroupArn)), 'add things to');
      join(state, thingByName(state, named(input.thingName, input.thingArn)).thingName, group, input.overrideDynamicGroups);
      return {};
    },
    RemoveThingFromThingGroup: (input) => {
      const group = onlyStatic(groupByName(state, named(input.thingGroupName, input.thingGroupArn)), 'remove things from');
      const { thingName } = thingByName(state, named(input.thingName, input.thingArn));
      leave(state, thingName, group.thingGroupName);
      placeThing(state, thingName);
      return {};
    },
    UpdateThingGroupsForThing: (input) => {
      const { thingName } = thingByName(state, input.thingName);
      const staticGroups = (names: readonly string[] = []): ThingGroup[] =>
        names.map((name) => onlyStatic(groupByName(state, name), 'change who is in'));
      const toAdd = staticGroups(input.thingGroupsToAdd);
      for (const group of staticGroups(input.thingGroupsToRemove)) leave(state, thingName, group.thingGroupName);
      for (const group of toAdd) join(state, thingName, group, input.overrideDynamicGroups);
      placeThing(state, thingName);
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
