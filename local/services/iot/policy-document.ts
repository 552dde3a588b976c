/**
 * What AWS IoT accepts as a policy document: Version, Statement, and in a statement Effect, Action, Resource, Condition (and Sid).
 * NotAction, NotResource and Principal are not elements of AWS IoT policies
 * (https://docs.aws.amazon.com/iot/latest/developerguide/example-iot-policies-elements.html); the desk refuses them, so that nobody relies on them.
 */
import type { PolicyDocument, PolicyStatement } from '../../iam/principal.js';
import { AwsError } from '../../models/service.js';
import { isConditionOperator } from '../../gateway/policy/conditions.js';

const MAX_CHARACTERS = 2048; // without whitespace (quotas of AWS IoT Core)
const ELEMENTS = new Set(['Sid', 'Effect', 'Action', 'Resource', 'Condition']);

const malformed = (why: string): AwsError => new AwsError('MalformedPolicyException', `Policy document is Malformed: ${why}`);
const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value);

function strings(value: unknown, element: string): readonly string[] {
  const list = Array.isArray(value) ? value : [value];
  if (list.length === 0 || !list.every((item) => typeof item === 'string' && item !== ''))
    throw malformed(`${element} must be a string or a list of strings`);
  return list as string[];
}

function statement(value: unknown): PolicyStatement {
  if (!isObject(value)) throw malformed('a statement must be an object');
  const stranger = Object.keys(value).find((name) => !ELEMENTS.has(name));
  if (stranger) throw malformed(`unknown element ${stranger}`);
  if (value['Effect'] !== 'Allow' && value['Effect'] !== 'Deny') throw malformed('Effect must be Allow or Deny');
  for (const action of strings(value['Action'], 'Action')) {
    if (action !== '*' && !/^(iot|iotjobsdata|greengrass):[A-Za-z*?]+$/.test(action)) throw malformed(`action ${action}`);
  }
  for (const resource of strings(value['Resource'], 'Resource')) {
    if (resource !== '*' && !resource.startsWith('arn:')) throw malformed(`resource ${resource}`);
  }
  const condition = value['Condition'];
  if (condition !== undefined) {
    if (!isObject(condition)) throw malformed('Condition must be an object');
    for (const [operator, block] of Object.entries(condition)) {
      if (!isConditionOperator(operator)) throw malformed(`condition operator ${operator}`);
      if (!isObject(block)) throw malformed(`the block of ${operator} must be an object`);
    }
  }
  return value as unknown as PolicyStatement;
}

/** Throws MalformedPolicyException. */
export function parsePolicyDocument(text: string): PolicyDocument {
  if (text.replaceAll(/\s/g, '').length > MAX_CHARACTERS)
    throw malformed(`it has more than ${MAX_CHARACTERS} characters without whitespace`);
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    throw malformed('it is not JSON');
  }
  if (!isObject(parsed)) throw malformed('it is not an object');
  const stranger = Object.keys(parsed).find((name) => name !== 'Version' && name !== 'Statement' && name !== 'Id');
  if (stranger) throw malformed(`unknown element ${stranger}`);
  const version = parsed['Version'];
  if (version !== undefined && version !== '2012-10-17' && version !== '2008-10-17') throw malformed('Version must be 2012-10-17');
  const statements = Array.isArray(parsed['Statement']) ? parsed['Statement'] : [parsed['Statement']];
  if (statements.length === 0) throw malformed('Statement is empty');
  return { Version: version ?? '2008-10-17', Statement: statements.map(statement) };
}
