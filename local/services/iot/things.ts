/** Things: https://docs.aws.amazon.com/iot/latest/apireference/API_CreateThing.html and neighbours. */
import { randomUUID } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import type { Operation } from '../../models/service.js';
import { alreadyExists, invalidRequest, notFound, versionConflict } from './errors.js';
import { checkAttributes, checkThingName, checkThingTypeName } from './names.js';
import { page } from './paging.js';
import { usableThingType } from './thing-types.js';
import type { IotState, Thing } from './state.js';

export function thingByName(state: IotState, name: unknown): Thing {
  const thingName = checkThingName(name);
  const found = state.things.get(thingName);
  if (!found) throw notFound(`Thing ${thingName} not found`);
  return found;
}

interface AttributePayload {
  readonly attributes?: Readonly<Record<string, string>>;
  readonly merge?: boolean;
}

/** An empty value removes an attribute in a merge; without `merge` the given attributes replace all (API AttributePayload). */
export function mergedAttributes(present: Readonly<Record<string, string>>, payload: AttributePayload | undefined): Record<string, string> {
  if (!payload) return { ...present };
  const result = payload.merge ? { ...present, ...payload.attributes } : { ...payload.attributes };
  return Object.fromEntries(Object.entries(result).filter(([, value]) => value !== ''));
}

const sameThing = (thing: Thing, typeName: string | undefined, attributes: Readonly<Record<string, string>>): boolean =>
  thing.thingTypeName === typeName && isDeepStrictEqual(thing.attributes, attributes);

export function thingOperations(state: IotState): Record<string, Operation> {
  return {
    CreateThing: (input) => {
      const thingName = checkThingName(input.thingName);
      const thingTypeName = input.thingTypeName === undefined ? undefined : usableThingType(state, input.thingTypeName).thingTypeName;
      const attributes = mergedAttributes({}, input.attributePayload);
      checkAttributes(attributes, thingTypeName !== undefined);
      const present = state.things.get(thingName);
      // "If a call is made multiple times using the same thing name and configuration, the call will succeed" (API_CreateThing).
      if (present && !sameThing(present, thingTypeName, attributes)) {
        throw alreadyExists(`Thing ${thingName} already exists in account with different attributes`, present.thingId, present.arn);
      }
      const thing: Thing = present ?? {
        thingName,
        thingId: randomUUID(),
        arn: state.arn(`thing/${thingName}`),
        ...(thingTypeName ? { thingTypeName } : {}),
        attributes,
        version: 1,
      };
      state.things.set(thingName, thing);
      state.thingChanged(thingName);
      return { thingName, thingArn: thing.arn, thingId: thing.thingId };
    },
    DescribeThing: (input) => {
      const thing = thingByName(state, input.thingName);
      const { thingName, thingId, thingTypeName, attributes, version } = thing;
      return {
        defaultClientId: thingName,
        thingName,
        thingId,
        thingArn: thing.arn,
        ...(thingTypeName ? { thingTypeName } : {}),
        attributes,
        version,
      };
    },
    UpdateThing: (input) => {
      const thing = thingByName(state, input.thingName);
      if (input.expectedVersion !== undefined && Number(input.expectedVersion) !== thing.version) {
        throw versionConflict(`Expected version ${input.expectedVersion}, the version is ${thing.version}`);
      }
      if (input.removeThingType && input.thingTypeName) throw invalidRequest('removeThingType and thingTypeName exclude each other');
      const typeName = input.removeThingType
        ? undefined
        : input.thingTypeName === undefined
          ? thing.thingTypeName
          : usableThingType(state, input.thingTypeName).thingTypeName;
      const attributes = mergedAttributes(thing.attributes, input.attributePayload);
      checkAttributes(attributes, typeName !== undefined);
      if (typeName === undefined) delete thing.thingTypeName;
      else thing.thingTypeName = typeName;
      thing.attributes = attributes;
      thing.version += 1;
      state.thingChanged(thing.thingName);
      return {};
    },
    DeleteThing: (input) => {
      const thingName = checkThingName(input.thingName);
      const thing = state.things.get(thingName);
      // Deleting what does not exist is a success: API_DeleteThing, "returns successfully with no error if … or if you specify a thing that doesn't exist".
      if (!thing) return {};
      if (input.expectedVersion !== undefined && Number(input.expectedVersion) !== thing.version)
        throw versionConflict(`Expected version ${input.expectedVersion}`);
      if ((state.certificatesOfThing.get(thingName)?.size ?? 0) > 0) {
        throw invalidRequest(`Cannot delete. Thing ${thingName} is still attached to one or more principals`);
      }
      for (const group of state.groupsOfThing.get(thingName) ?? []) state.thingsOfGroup.get(group)?.delete(thingName);
      state.groupsOfThing.delete(thingName);
      state.certificatesOfThing.delete(thingName);
      state.things.delete(thingName);
      state.membershipChanged(thingName);
      return {};
    },
    ListThings: (input) => {
      if (input.attributeValue !== undefined && input.attributeName === undefined)
        throw invalidRequest('attributeValue needs attributeName');
      const typeName = input.thingTypeName === undefined ? undefined : checkThingTypeName(input.thingTypeName);
      const matches = [...state.things.values()].filter((thing) => {
        if (typeName !== undefined && thing.thingTypeName !== typeName) return false;
        if (input.attributeName === undefined) return true;
        const value = thing.attributes[input.attributeName];
        if (value === undefined || input.attributeValue === undefined) return value !== undefined;
        return input.usePrefixAttributeValue ? value.startsWith(input.attributeValue) : value === input.attributeValue;
      });
      const { items, token } = page(matches, (thing) => thing.thingName, input.nextToken, input.maxResults);
      return {
        things: items.map((thing) => ({
          thingName: thing.thingName,
          ...(thing.thingTypeName ? { thingTypeName: thing.thingTypeName } : {}),
          thingArn: thing.arn,
          attributes: thing.attributes,
          version: thing.version,
        })),
        ...(token ? { nextToken: token } : {}),
      };
    },
  };
}
