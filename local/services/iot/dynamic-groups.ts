/**
 * Dynamic thing groups: a query says who is in (https://docs.aws.amazon.com/iot/latest/developerguide/dynamic-thing-groups.html). They need the
 * thing index, stand in no hierarchy, carry no policies, and nobody is put into them by hand.
 */
import { randomUUID } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { AwsError, type Operation } from '../../models/service.js';
import { alreadyExists, invalidRequest, limitExceeded, notFound, versionConflict } from './errors.js';
import { invalidQuery, parseFleetQuery } from './fleet-query.js';
import { MAX_GROUPS_OF_A_THING, enter, leave } from './group-membership.js';
import { checkAttributes, checkThingGroupName } from './names.js';
import type { GroupQuery, IotState, ThingGroup } from './state.js';
import { setTags } from './tags.js';
import { mergedAttributes } from './things.js';

const INDEX = 'AWS_Things';
const QUERY_VERSION = '2017-09-30';
/** General Reference, AWS IoT Device Management: dynamic groups of an account, and query terms of one. */
const MOST_GROUPS = 100;
const MOST_TERMS = 5;

interface QueryInput {
  readonly indexName?: string;
  readonly queryString?: string;
  readonly queryVersion?: string;
}

const dynamicGroups = (state: IotState): readonly ThingGroup[] => [...state.groups.values()].filter(({ query }) => query !== undefined);

/** Refuses a dynamic group where AWS takes static ones only. */
export function onlyStatic(group: ThingGroup, what: string): ThingGroup {
  if (group.query) throw invalidRequest(`Cannot ${what} dynamic thing group ${group.thingGroupName}`);
  return group;
}

function queryOf({ indexName = INDEX, queryString = '', queryVersion = QUERY_VERSION }: QueryInput): GroupQuery {
  if (indexName !== INDEX) throw notFound(`Index ${indexName} not found`);
  if (queryVersion !== QUERY_VERSION) throw invalidRequest(`queryVersion: got ${queryVersion}, expected ${QUERY_VERSION}`);
  const { matches, terms } = parseFleetQuery(queryString);
  if (terms > MOST_TERMS) throw invalidQuery(`The query of a dynamic thing group can have at most ${MOST_TERMS} terms, got ${terms}`);
  return { indexName, queryString, queryVersion, matches };
}

/** Static groups keep their places: a thing in ten groups does not join (metric AddThingToDynamicThingGroupsFailed). */
function place(state: IotState, group: ThingGroup, thingName: string): void {
  const thing = state.things.get(thingName);
  const isIn = state.thingsOfGroup.get(group.thingGroupName)?.has(thingName) ?? false;
  const belongs = thing !== undefined && group.query!.matches(thing);
  if (isIn && !belongs) leave(state, thingName, group.thingGroupName);
  if (isIn || !belongs) return;
  if ((state.groupsOfThing.get(thingName)?.size ?? 0) < MAX_GROUPS_OF_A_THING) return enter(state, thingName, group.thingGroupName);
  state.cloud.parts.metrics?.([
    {
      namespace: 'AWS/IoT',
      name: 'AddThingToDynamicThingGroupsFailed',
      dimensions: { ThingGroupName: group.thingGroupName },
      value: 1,
      unit: 'Count',
    },
  ]);
}

/** After a change of a thing, or of its static groups, which may have made room. */
export function placeThing(state: IotState, thingName: string): void {
  for (const group of dynamicGroups(state)) place(state, group, thingName);
}

function placeAll(state: IotState, group: ThingGroup): void {
  for (const thingName of state.things.keys()) place(state, group, thingName);
}

/** The thing index cannot be switched off while dynamic groups use it (developer guide, "Manage thing indexing"). */
export function refuseIndexOff(state: IotState, configuration: { readonly thingIndexingMode?: string } | undefined): void {
  if (configuration?.thingIndexingMode === 'OFF' && dynamicGroups(state).length > 0)
    throw invalidRequest('Thing indexing cannot be switched off while there are dynamic thing groups');
}

const isIndexing = (state: IotState): boolean => {
  const mode = (state.settings.indexing?.thing as { readonly thingIndexingMode?: string } | undefined)?.thingIndexingMode;
  return mode !== undefined && mode !== 'OFF';
};

/** A dynamic group by its name. */
function dynamicGroup(state: IotState, name: unknown): ThingGroup {
  const group = state.groups.get(checkThingGroupName(name));
  if (!group) throw notFound(`Thing group ${String(name)} not found`);
  if (!group.query) throw invalidRequest(`Thing group ${group.thingGroupName} is not a dynamic thing group`);
  return group;
}

export function dynamicGroupOperations(state: IotState): Record<string, Operation> {
  return {
    CreateDynamicThingGroup: (input) => {
      const thingGroupName = checkThingGroupName(input.thingGroupName);
      if (!isIndexing(state)) throw notFound(`Index ${INDEX} not found: thing indexing is off (UpdateIndexingConfiguration)`);
      const query = queryOf(input);
      const attributes = mergedAttributes({}, input.thingGroupProperties?.attributePayload);
      checkAttributes(attributes, true);
      const description: string | undefined = input.thingGroupProperties?.thingGroupDescription;
      const present = state.groups.get(thingGroupName);
      if (
        present &&
        !(
          present.query?.queryString === query.queryString &&
          present.description === description &&
          isDeepStrictEqual(present.attributes, attributes)
        )
      )
        throw alreadyExists(`Thing group ${thingGroupName} already exists with different properties`, present.thingGroupId, present.arn);
      if (!present && dynamicGroups(state).length >= MOST_GROUPS)
        throw limitExceeded(`An account can have at most ${MOST_GROUPS} dynamic thing groups`);
      const group: ThingGroup = present ?? {
        thingGroupName,
        thingGroupId: randomUUID(),
        arn: state.arn(`thinggroup/${thingGroupName}`),
        ...(description === undefined ? {} : { description }),
        attributes,
        version: 1,
        createdAtMs: state.now(),
        query,
      };
      state.groups.set(thingGroupName, group);
      setTags(state, group.arn, input.tags);
      placeAll(state, group);
      const { indexName, queryString, queryVersion } = query;
      return { thingGroupName, thingGroupArn: group.arn, thingGroupId: group.thingGroupId, indexName, queryString, queryVersion };
    },
    UpdateDynamicThingGroup: (input) => {
      const group = dynamicGroup(state, input.thingGroupName);
      if (input.expectedVersion !== undefined && Number(input.expectedVersion) !== group.version)
        throw versionConflict(`Expected version ${input.expectedVersion}, the version is ${group.version}`);
      const query = queryOf({
        ...group.query,
        ...(input.indexName === undefined ? {} : { indexName: input.indexName }),
        ...(input.queryString === undefined ? {} : { queryString: input.queryString }),
        ...(input.queryVersion === undefined ? {} : { queryVersion: input.queryVersion }),
      });
      const attributes = mergedAttributes(group.attributes, input.thingGroupProperties.attributePayload);
      checkAttributes(attributes, true);
      group.attributes = attributes;
      if (input.thingGroupProperties.thingGroupDescription !== undefined)
        group.description = input.thingGroupProperties.thingGroupDescription;
      group.query = query;
      group.version += 1;
      placeAll(state, group);
      return { version: group.version };
    },
    DeleteDynamicThingGroup: (input) => {
      const name = checkThingGroupName(input.thingGroupName);
      if (!state.groups.has(name)) return {};
      const group = dynamicGroup(state, name);
      if (input.expectedVersion !== undefined && Number(input.expectedVersion) !== group.version)
        throw new AwsError('VersionConflictException', `Expected version ${input.expectedVersion}, the version is ${group.version}`, 409);
      for (const thingName of state.thingsOfGroup.get(name) ?? []) leave(state, thingName, name);
      state.thingsOfGroup.delete(name);
      state.groups.delete(name);
      return {};
    },
  };
}
