import { decide, type IotAction } from '../../local/gateway/policy/evaluate.js';
import type { PolicyStatement } from '../../local/iam/principal.js';
import { topicMatches } from '../../local/gateway/topic-filter.js';

const VALUES: Readonly<Record<string, readonly string[]>> = {
  'iot:ClientId': ['pump-1'],
  'iot:Connection.Thing.ThingName': ['pump-1'],
  'iot:Connection.Thing.IsAttached': ['true'],
  'iot:Connection.Thing.Attributes[site]': ['plant*'],
  'iot:Certificate.Subject.CommonName': ['pump-1'],
  'iot:Certificate.Subject.Organization': ['Example Corp', 'AnyCompany'],
  'aws:SourceIp': ['192.0.2.10'],
};
const variables = (name: string): readonly string[] | undefined => VALUES[name];
const arn = (resource: string): string => `arn:aws:iot:eu-west-1:000000000000:${resource}`;
const statement = (
  Effect: 'Allow' | 'Deny',
  Action: string,
  resource: string,
  Condition?: PolicyStatement['Condition'],
): PolicyStatement => ({
  Effect,
  Action,
  Resource: resource === '*' ? '*' : arn(resource),
  ...(Condition ? { Condition } : {}),
});
const allow = (action: string, resource: string, condition?: PolicyStatement['Condition']) =>
  statement('Allow', action, resource, condition);

describe('policies of AWS IoT', () => {
  const CASES: readonly (readonly [
    sentence: string,
    statements: readonly PolicyStatement[],
    action: IotAction,
    resource: string,
    allowed: boolean,
  ])[] = [
    ['nothing is allowed by default', [], 'iot:Connect', 'client/pump-1', false],
    ['an exact resource is allowed', [allow('iot:Connect', 'client/pump-1')], 'iot:Connect', 'client/pump-1', true],
    ['identity is equality, never a prefix', [allow('iot:Connect', 'client/pump-1')], 'iot:Connect', 'client/pump-10', false],
    ['another action is not meant', [allow('iot:Publish', '*')], 'iot:Connect', 'client/pump-1', false],
    ['action names are not case-sensitive and take wildcards', [allow('iot:con*', '*')], 'iot:Connect', 'client/pump-1', true],
    ['* crosses topic levels', [allow('iot:Publish', 'topic/a/*')], 'iot:Publish', 'topic/a/b/c', true],
    ['? is one character', [allow('iot:Publish', 'topic/a?')], 'iot:Publish', 'topic/ab', true],
    ['? is not two characters', [allow('iot:Publish', 'topic/a?')], 'iot:Publish', 'topic/abc', false],
    ['+ is a literal character in a policy', [allow('iot:Subscribe', 'topicfilter/a/+')], 'iot:Subscribe', 'topicfilter/a/b', false],
    ['# is a literal character in a policy', [allow('iot:Subscribe', 'topicfilter/a/#')], 'iot:Subscribe', 'topicfilter/a/#', true],
    ['an explicit deny wins, whatever its place', [statement('Deny', 'iot:*', '*'), allow('iot:*', '*')], 'iot:Publish', 'topic/a', false],
    [
      'a variable is filled in',
      [allow('iot:Publish', 'topic/fleet/${iot:Connection.Thing.ThingName}/x')],
      'iot:Publish',
      'topic/fleet/pump-1/x',
      true,
    ],
    [
      'a variable that does not resolve matches nothing',
      [allow('iot:Publish', 'topic/${iot:Connection.Thing.ThingTypeName}/*')],
      'iot:Publish',
      'topic//x',
      false,
    ],
    [
      'a wildcard in a value is a literal character',
      [allow('iot:Publish', 'topic/${iot:Connection.Thing.Attributes[site]}')],
      'iot:Publish',
      'topic/plant-1',
      false,
    ],
    ['${*} is a literal asterisk', [allow('iot:Publish', 'topic/${*}')], 'iot:Publish', 'topic/a', false],
    [
      'a condition on the attachment holds',
      [allow('iot:Connect', '*', { Bool: { 'iot:Connection.Thing.IsAttached': ['true'] } })],
      'iot:Connect',
      'client/x',
      true,
    ],
    [
      'a condition that does not hold allows nothing',
      [allow('iot:Connect', '*', { Bool: { 'iot:Connection.Thing.IsAttached': 'false' } })],
      'iot:Connect',
      'client/x',
      false,
    ],
    [
      'a condition on an absent key does not hold',
      [allow('iot:Connect', '*', { StringEquals: { 'iot:Connection.Thing.ThingTypeName': 'pump' } })],
      'iot:Connect',
      'client/x',
      false,
    ],
    [
      '…IfExists holds on an absent key',
      [allow('iot:Connect', '*', { StringEqualsIfExists: { 'iot:Connection.Thing.ThingTypeName': 'pump' } })],
      'iot:Connect',
      'client/x',
      true,
    ],
    [
      'a wanted value may hold a variable',
      [allow('iot:Connect', '*', { StringEquals: { 'iot:ClientId': '${iot:Certificate.Subject.CommonName}' } })],
      'iot:Connect',
      'client/x',
      true,
    ],
    [
      'StringLike takes wildcards',
      [allow('iot:Connect', '*', { StringLike: { 'iot:ClientId': 'pump-*' } })],
      'iot:Connect',
      'client/x',
      true,
    ],
    [
      'StringNotEquals is the contrary',
      [allow('iot:Connect', '*', { StringNotEquals: { 'iot:ClientId': 'pump-1' } })],
      'iot:Connect',
      'client/x',
      false,
    ],
    [
      'ForAllValues wants all',
      [allow('iot:Connect', '*', { 'ForAllValues:StringEquals': { 'iot:Certificate.Subject.Organization': ['Example Corp'] } })],
      'iot:Connect',
      'client/x',
      false,
    ],
    [
      'ForAnyValue wants one',
      [allow('iot:Connect', '*', { 'ForAnyValue:StringEquals': { 'iot:Certificate.Subject.Organization': ['AnyCompany'] } })],
      'iot:Connect',
      'client/x',
      true,
    ],
    [
      'an address in the network',
      [allow('iot:Connect', '*', { IpAddress: { 'aws:SourceIp': '192.0.2.0/24' } })],
      'iot:Connect',
      'client/x',
      true,
    ],
    [
      'an address out of the network',
      [allow('iot:Connect', '*', { IpAddress: { 'aws:SourceIp': '198.51.100.0/24' } })],
      'iot:Connect',
      'client/x',
      false,
    ],
    [
      'an operator that is not known allows nothing',
      [allow('iot:Connect', '*', { StringSounds: { 'iot:ClientId': 'pump-1' } })],
      'iot:Connect',
      'client/x',
      false,
    ],
    [
      'NotResource allows nothing',
      [{ Effect: 'Allow', Action: 'iot:*', NotResource: arn('topic/secret') }],
      'iot:Publish',
      'topic/a',
      false,
    ],
    [
      'NotAction denies',
      [allow('iot:*', '*'), { Effect: 'Deny', NotAction: 'iot:Connect', Resource: '*' }],
      'iot:Publish',
      'topic/a',
      false,
    ],
  ];
  test.each(CASES)('%s', (_, Statement, action, resource, allowed) => {
    expect(decide([{ Version: '2012-10-17', Statement }], action, arn(resource), variables).allowed).toBe(allowed);
  });

  test('many wildcards against a long text are decided in no time', () => {
    const begun = process.cpuUsage();
    decide(
      [{ Statement: [allow('iot:Publish', `topic/${'a*'.repeat(200)}b`)] }],
      'iot:Publish',
      arn(`topic/${'a'.repeat(2000)}`),
      variables,
    );
    expect(process.cpuUsage(begun).user).toBeLessThan(1_000_000);
  });
});

test.each([
  ['a/b', 'a/b', true],
  ['a/+', 'a/b', true],
  ['a/+', 'a/b/c', false],
  ['a/#', 'a/b/c', true],
  ['a/#', 'a', true],
  ['#', 'a/b', true],
  ['#', '$aws/x', false],
  ['+/x', '$aws/x', false],
  ['$aws/#', '$aws/x', true],
  ['a', 'A', false],
])('filter %s and topic %s: %s', (filter, topic, expected) => {
  expect(topicMatches(filter, topic)).toBe(expected);
});
