/**
 * What AWS IoT accepts as names: the SDK's schemas carry no constraints, so the patterns of the API reference are checked here.
 * https://docs.aws.amazon.com/iot/latest/apireference/API_CreateThing.html and the pages of the other operations.
 */
import { invalidRequest } from './errors.js';

function check(label: string, value: unknown, pattern: RegExp): string {
  if (typeof value !== 'string' || !pattern.test(value)) {
    const got = typeof value === 'string' ? value.slice(0, 140) : String(value);
    throw invalidRequest(
      `1 validation error detected: Value '${got}' at '${label}' failed to satisfy constraint: Member must satisfy regular expression pattern: ${pattern.source}`,
    );
  }
  return value;
}

export const checkThingName = (value: unknown): string => check('thingName', value, /^[a-zA-Z0-9:_-]{1,128}$/);
export const checkThingTypeName = (value: unknown): string => check('thingTypeName', value, /^[a-zA-Z0-9:_-]{1,128}$/);
export const checkThingGroupName = (value: unknown): string => check('thingGroupName', value, /^[a-zA-Z0-9:_-]{1,128}$/);
export const checkPolicyName = (value: unknown): string => check('policyName', value, /^[\w+=,.@-]{1,128}$/);
export const checkRuleName = (value: unknown): string => check('ruleName', value, /^[a-zA-Z0-9_]{1,128}$/);
/** The API's pattern is `(0x)?[a-fA-F0-9]+` with a length of 64: without the prefix, 64 digits. */
export const checkCertificateId = (value: unknown): string => check('certificateId', value, /^[a-fA-F0-9]{64}$/).toLowerCase();
export const checkPolicyVersionId = (value: unknown): string => check('policyVersionId', value, /^[0-9]{1,9}$/);

const MAX_ATTRIBUTES = 50;
const MAX_ATTRIBUTES_WITHOUT_TYPE = 3;

/** Attribute names and values of a thing; a thing without a type has at most three (API_CreateThing, quotas of the registry). */
export function checkAttributes(attributes: Readonly<Record<string, string>>, hasType: boolean): void {
  const names = Object.keys(attributes);
  const most = hasType ? MAX_ATTRIBUTES : MAX_ATTRIBUTES_WITHOUT_TYPE;
  if (names.length > most)
    throw invalidRequest(`Thing must not have more than ${most} attributes${hasType ? '' : ' without a thing type'}`);
  for (const name of names) {
    check('attributePayload.attributes.key', name, /^[a-zA-Z0-9_.,@/:#-]{1,128}$/);
    check(`attributePayload.attributes.${name}`, attributes[name], /^[a-zA-Z0-9_.,@/:#-]{0,800}$/);
  }
}

/** `arn:aws:iot:eu-west-1:000000000000:cert/<id>` → its parts. Throws InvalidRequestException on anything that is not an IoT ARN. */
export function parseIotArn(arn: unknown): { readonly resourceType: string; readonly resourceId: string } {
  const match = typeof arn === 'string' ? /^arn:[a-z-]+:iot:[a-z0-9-]+:\d{12}:([a-z]+)\/(.+)$/.exec(arn) : null;
  if (!match) throw invalidRequest(`Invalid ARN: ${String(arn).slice(0, 200)}`);
  return { resourceType: match[1]!, resourceId: match[2]! };
}

/** The certificate id in a principal ARN. AWS knows Cognito identities as principals too; the desk does not (README). */
export function certificateIdOfPrincipal(principal: unknown): string {
  const { resourceType, resourceId } = parseIotArn(principal);
  if (resourceType !== 'cert') throw invalidRequest(`Invalid principal: got ${resourceType}, expected a certificate ARN`);
  return checkCertificateId(resourceId);
}
