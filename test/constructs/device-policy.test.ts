import { DEVICE_TOPICS, THING_NAME_VARIABLE, deviceTopic } from '../../domain/protocol/topics.js';
import { type Resource, type Statement, listOf, ofType, synthesise, text } from './support.js';

const policyOf = (topicPrefix: string): Resource => {
  const [policy] = Object.values(ofType(synthesise({ devices: { topicPrefix } }).appTemplate, 'AWS::IoT::Policy'));
  if (!policy) throw new Error('no device policy');
  return policy;
};
const statements = (policy: Resource): Statement[] => (policy.Properties['PolicyDocument'] as { Statement: Statement[] }).Statement;
const granted = (policy: Resource): string[] =>
  statements(policy).flatMap(({ Action, Resource }) =>
    listOf(Resource).map((resource) => `${listOf(Action).join()} ${text(resource).replace(/^.+<AWS::AccountId>:/, '')}`),
  );

describe('the device policy', () => {
  const policy = policyOf('fleet');
  const thing = THING_NAME_VARIABLE;

  it('lets a device speak and hear under its own name, and nothing else', () => {
    expect(granted(policy)).toEqual([
      `iot:Connect client/${thing}`,
      `iot:Publish topic/fleet/${thing}/telemetry`,
      `iot:Subscribe topicfilter/fleet/${thing}/commands`,
      `iot:Receive topic/fleet/${thing}/commands`,
    ]);
  });

  it('lets a device connect only with a certificate that is attached to the thing of that name', () => {
    const connect = statements(policy).find(({ Action }) => listOf(Action).includes('iot:Connect'));
    expect(connect?.Condition).toEqual({ Bool: { 'iot:Connection.Thing.IsAttached': ['true'] } });
  });

  it('has no wildcard in any resource', () => {
    expect(JSON.stringify(policy.Properties['PolicyDocument'])).not.toMatch(/[*?]/);
  });

  it('stays within what AWS IoT allows: 2048 characters without white space (FACTS B6)', () => {
    const expanded = JSON.stringify(
      statements(policyOf('a'.repeat(60))).map((statement) => ({ ...statement, Resource: listOf(statement.Resource).map(text) })),
    );
    expect(expanded.length).toBeLessThan(2048);
  });

  it('follows the topics of domain/protocol', () => {
    expect(granted(policyOf('plant/line-2')).slice(1)).toEqual([
      `iot:Publish topic/${deviceTopic('plant/line-2', thing, DEVICE_TOPICS.publish[0])}`,
      `iot:Subscribe topicfilter/${deviceTopic('plant/line-2', thing, DEVICE_TOPICS.receive[0])}`,
      `iot:Receive topic/${deviceTopic('plant/line-2', thing, DEVICE_TOPICS.receive[0])}`,
    ]);
  });
});
