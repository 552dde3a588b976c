import {
  DEVICE_TOPICS,
  type DeviceTopic,
  REPORT_TOPIC,
  ROTATION_TOPICS,
  THING_NAME_VARIABLE,
  defenderTopic,
  deviceTopic,
} from '../../domain/protocol/topics.js';
import { type Resource, type Statement, listOf, ofType, synthesise, text } from './support.js';

const policyOf = (topicPrefix: string, more: object = {}): Resource => {
  const [policy] = Object.values(ofType(synthesise({ devices: { topicPrefix }, ...more }).appTemplate, 'AWS::IoT::Policy'));
  if (!policy) throw new Error('no device policy');
  return policy;
};
const DETECT = { behaviour: { detect: 'device-defender' } };
const COMMANDS = { quarantine: { mode: 'enforce', shutOffCommand: true } };
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
      `iot:Publish topic/fleet/${thing}/report`,
      `iot:Publish topic/fleet/${thing}/rotation/request`,
      `iot:Publish topic/fleet/${thing}/rotation/proof`,
      `iot:Subscribe topicfilter/fleet/${thing}/commands`,
      `iot:Subscribe topicfilter/fleet/${thing}/rotation/response`,
      `iot:Subscribe topicfilter/$aws/things/${thing}/jobs/*`,
      `iot:Receive topic/fleet/${thing}/commands`,
      `iot:Receive topic/fleet/${thing}/rotation/response`,
      `iot:Publish,iot:Receive topic/$aws/things/${thing}/jobs/*`,
    ]);
  });

  it('lets a device connect only with a certificate that is attached to the thing of that name', () => {
    const connect = statements(policy).find(({ Action }) => listOf(Action).includes('iot:Connect'));
    expect(connect?.Condition).toEqual({ Bool: { 'iot:Connection.Thing.IsAttached': ['true'] } });
  });

  it('has one wildcard, below the thing’s own jobs, whose topics carry job ids (FACTS D3)', () => {
    const wild = granted(policy).filter((one) => /[*?]/.test(one));
    expect(wild.map((one) => one.replace(/^\S+ topic(filter)?\//, ''))).toEqual(Array(2).fill(`$aws/things/${thing}/jobs/*`));
  });

  it('lets a device hear and answer its own AWS IoT commands where shut-off by command is on, and nothing else besides', () => {
    const more = granted(policyOf('fleet', COMMANDS)).filter((one) => !granted(policy).includes(one));
    expect(more).toEqual([
      `iot:Subscribe topicfilter/$aws/commands/things/${thing}/executions/*`,
      `iot:Publish,iot:Receive topic/$aws/commands/things/${thing}/executions/*`,
    ]);
    expect(granted(policyOf('fleet', { quarantine: { mode: 'off', shutOffCommand: true } }))).toEqual(granted(policy));
  });

  it.each([
    ['without commands', {}, 64],
    ['with commands', COMMANDS, 32],
    ['with reports to Device Defender', DETECT, 48],
    ['with both', { ...COMMANDS, ...DETECT }, 16],
  ])(
    'stays within what AWS IoT allows, where names are longest, %s: 2048 characters without white space (FACTS B6)',
    (_, more, longest) => {
      // The longest pair of partition and region that there is, and an account.
      const somewhere: Readonly<Record<string, string>> = { Partition: 'aws-iso-b', Region: 'us-isob-east-1', AccountId: '123456789012' };
      const expand = (resource: unknown): string => text(resource).replaceAll(/<AWS::(\w+)>/g, (_, name: string) => somewhere[name]!);
      const document = {
        Version: '2012-10-17',
        Statement: statements(policyOf('a'.repeat(longest), more)).map((statement) => ({
          ...statement,
          Resource: listOf(statement.Resource).map(expand),
        })),
      };
      expect(JSON.stringify(document).length).toBeLessThanOrEqual(2048);
    },
  );

  it('is refused at synthesis where a long topic prefix and commands, or reports to Device Defender, do not fit together', () => {
    expect(() => policyOf('a'.repeat(33), COMMANDS)).toThrow(/a devices.topicPrefix of 33 characters.*expected at most 32/);
    expect(() => policyOf('a'.repeat(49), DETECT)).toThrow(/a devices.topicPrefix of 49 characters.*expected at most 48/);
    expect(() => policyOf('a'.repeat(17), { ...COMMANDS, ...DETECT })).toThrow(
      /a devices.topicPrefix of 17 characters.*expected at most 16/,
    );
  });

  it('lets a device report to Device Defender where Detect is used, under its own name', () => {
    const more = granted(policyOf('fleet', DETECT)).filter((one) => !granted(policy).includes(one));
    expect(more).toEqual([`iot:Publish topic/${defenderTopic(thing)}`]);
    expect(granted(policyOf('fleet', { behaviour: { detect: 'built-in' } }))).toEqual(granted(policy));
  });

  it('follows the topics of domain/protocol', () => {
    const own = (topics: { readonly publish: readonly DeviceTopic[]; readonly receive: readonly DeviceTopic[] }): string[] => [
      ...topics.publish.map((topic) => `iot:Publish topic/${deviceTopic('plant/line-2', thing, topic)}`),
      ...topics.receive.map((topic) => `iot:Subscribe topicfilter/${deviceTopic('plant/line-2', thing, topic)}`),
      ...topics.receive.map((topic) => `iot:Receive topic/${deviceTopic('plant/line-2', thing, topic)}`),
    ];
    const given = granted(policyOf('plant/line-2')).filter((one) => !one.includes('/jobs/'));
    expect(given.slice(1).toSorted()).toEqual(
      [...own(DEVICE_TOPICS), ...own({ publish: [REPORT_TOPIC], receive: [] }), ...own(ROTATION_TOPICS)].toSorted(),
    );
  });
});
