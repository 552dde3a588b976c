/** Thing types: https://docs.aws.amazon.com/iot/latest/developerguide/thing-types.html. */
import { randomUUID } from 'node:crypto';
import type { Operation } from '../../models/service.js';
import { alreadyExists, invalidRequest, notFound } from './errors.js';
import { checkThingTypeName } from './names.js';
import { page } from './paging.js';
import type { IotState, ThingType } from './state.js';
import { setTags } from './tags.js';

/** A deprecated type can be deleted only this long after the deprecation (API_DeleteThingType). */
const DELETION_DELAY_MS = 5 * 60_000;

function typeByName(state: IotState, name: unknown): ThingType {
  const found = state.thingTypes.get(checkThingTypeName(name));
  if (!found) throw notFound(`Thing type ${String(name)} not found`);
  return found;
}

/** The type that a thing may be given: it exists and is not deprecated. */
export function usableThingType(state: IotState, name: unknown): ThingType {
  const type = typeByName(state, name);
  if (type.deprecatedAtMs !== undefined)
    throw invalidRequest(`Can not create new thing with thing type ${type.thingTypeName} because it is deprecated`);
  return type;
}

const described = (type: ThingType): Record<string, unknown> => ({
  thingTypeName: type.thingTypeName,
  thingTypeArn: type.arn,
  thingTypeProperties: type.properties,
  thingTypeMetadata: {
    deprecated: type.deprecatedAtMs !== undefined,
    ...(type.deprecatedAtMs === undefined ? {} : { deprecationDate: new Date(type.deprecatedAtMs) }),
    creationDate: new Date(type.createdAtMs),
  },
});

export function thingTypeOperations(state: IotState): Record<string, Operation> {
  return {
    CreateThingType: (input) => {
      const thingTypeName = checkThingTypeName(input.thingTypeName);
      const properties = input.thingTypeProperties ?? {};
      const present = state.thingTypes.get(thingTypeName);
      if (present && JSON.stringify(present.properties) !== JSON.stringify(properties)) {
        throw alreadyExists(`Thing type ${thingTypeName} already exists`, present.thingTypeId, present.arn);
      }
      const type: ThingType = present ?? {
        thingTypeName,
        thingTypeId: randomUUID(),
        arn: state.arn(`thingtype/${thingTypeName}`),
        properties,
        createdAtMs: state.now(),
      };
      state.thingTypes.set(thingTypeName, type);
      setTags(state, type.arn, input.tags);
      return { thingTypeName, thingTypeArn: type.arn, thingTypeId: type.thingTypeId };
    },
    DescribeThingType: (input) => {
      const type = typeByName(state, input.thingTypeName);
      return { ...described(type), thingTypeId: type.thingTypeId };
    },
    DeprecateThingType: (input) => {
      const type = typeByName(state, input.thingTypeName);
      if (input.undoDeprecate) delete type.deprecatedAtMs;
      else type.deprecatedAtMs = state.now();
      return {};
    },
    DeleteThingType: (input) => {
      const type = typeByName(state, input.thingTypeName);
      if (type.deprecatedAtMs === undefined || state.now() - type.deprecatedAtMs < DELETION_DELAY_MS) {
        throw invalidRequest(`Thing type ${type.thingTypeName} must be deprecated for 5 minutes before it is deleted`);
      }
      state.thingTypes.delete(type.thingTypeName);
      state.tags.delete(type.arn);
      return {};
    },
    ListThingTypes: (input) => {
      const all = [...state.thingTypes.values()].filter(
        (type) => input.thingTypeName === undefined || type.thingTypeName === input.thingTypeName,
      );
      const { items, token } = page(all, (type) => type.thingTypeName, input.nextToken, input.maxResults);
      return { thingTypes: items.map(described), ...(token ? { nextToken: token } : {}) };
    },
  };
}
