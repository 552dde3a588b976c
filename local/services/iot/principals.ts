/**
 * Which certificate belongs to which thing. An exclusive certificate is attached to exactly one thing; a thing may have several
 * certificates (https://docs.aws.amazon.com/iot/latest/developerguide/exclusive-thing.html).
 */
import type { Operation } from '../../models/service.js';
import { checkWord, invalidRequest } from './errors.js';
import { certificateById } from './certificates.js';
import { certificateIdOfPrincipal } from './names.js';
import { page } from './paging.js';
import type { IotState } from './state.js';
import { thingByName } from './things.js';

const kind = (exclusive: boolean): string => (exclusive ? 'EXCLUSIVE_THING' : 'NON_EXCLUSIVE_THING');

function attach(state: IotState, thingName: string, certificateId: string, exclusive: boolean): void {
  const held = state.thingsOfCertificate.get(certificateId) ?? new Map<string, boolean>();
  const others = [...held].filter(([name]) => name !== thingName);
  if (others.length > 0 && (exclusive || others.some(([, taken]) => taken))) {
    throw invalidRequest(`Principal ${certificateId} is attached to another thing: an exclusive attachment allows only one`);
  }
  if (held.has(thingName) && held.get(thingName) !== exclusive) {
    throw invalidRequest(`Principal ${certificateId} is already attached to thing ${thingName} as ${kind(!exclusive)}`);
  }
  state.thingsOfCertificate.set(certificateId, held.set(thingName, exclusive));
  state.certificatesOfThing.set(thingName, (state.certificatesOfThing.get(thingName) ?? new Set()).add(certificateId));
}

export function principalOperations(state: IotState): Record<string, Operation> {
  const principalsOf = (thingName: string): { arn: string; exclusive: boolean }[] =>
    [...(state.certificatesOfThing.get(thingName) ?? [])].map((id) => ({
      arn: state.arn(`cert/${id}`),
      exclusive: state.thingsOfCertificate.get(id)?.get(thingName) === true,
    }));
  const thingsOf = (principal: unknown): { name: string; exclusive: boolean }[] =>
    [...(state.thingsOfCertificate.get(certificateIdOfPrincipal(principal)) ?? [])].map(([name, exclusive]) => ({ name, exclusive }));
  const wanted = (type: string | undefined) => (entry: { exclusive: boolean }) => type === undefined || kind(entry.exclusive) === type;
  const checkType = (type: string | undefined): void => checkWord('thingPrincipalType', type, ['EXCLUSIVE_THING', 'NON_EXCLUSIVE_THING']);
  return {
    AttachThingPrincipal: (input) => {
      checkType(input.thingPrincipalType);
      const thing = thingByName(state, input.thingName);
      const certificate = certificateById(state, certificateIdOfPrincipal(input.principal));
      attach(state, thing.thingName, certificate.certificateId, input.thingPrincipalType === 'EXCLUSIVE_THING');
      return {};
    },
    DetachThingPrincipal: (input) => {
      const thing = thingByName(state, input.thingName);
      const certificateId = certificateIdOfPrincipal(input.principal);
      state.thingsOfCertificate.get(certificateId)?.delete(thing.thingName);
      state.certificatesOfThing.get(thing.thingName)?.delete(certificateId);
      return {};
    },
    ListThingPrincipals: (input) => {
      const { items, token } = page(
        principalsOf(thingByName(state, input.thingName).thingName),
        (entry) => entry.arn,
        input.nextToken,
        input.maxResults,
      );
      return { principals: items.map((entry) => entry.arn), ...(token ? { nextToken: token } : {}) };
    },
    ListThingPrincipalsV2: (input) => {
      checkType(input.thingPrincipalType);
      const all = principalsOf(thingByName(state, input.thingName).thingName).filter(wanted(input.thingPrincipalType));
      const { items, token } = page(all, (entry) => entry.arn, input.nextToken, input.maxResults);
      return {
        thingPrincipalObjects: items.map((entry) => ({ principal: entry.arn, thingPrincipalType: kind(entry.exclusive) })),
        ...(token ? { nextToken: token } : {}),
      };
    },
    ListPrincipalThings: (input) => {
      const { items, token } = page(thingsOf(input.principal), (entry) => entry.name, input.nextToken, input.maxResults);
      return { things: items.map((entry) => entry.name), ...(token ? { nextToken: token } : {}) };
    },
    ListPrincipalThingsV2: (input) => {
      checkType(input.thingPrincipalType);
      const all = thingsOf(input.principal).filter(wanted(input.thingPrincipalType));
      const { items, token } = page(all, (entry) => entry.name, input.nextToken, input.maxResults);
      return {
        principalThingObjects: items.map((entry) => ({ thingName: entry.name, thingPrincipalType: kind(entry.exclusive) })),
        ...(token ? { nextToken: token } : {}),
      };
    },
  };
}
