import { type Resource, listOf, ofType, statementsOf, synthesise, text } from './support.js';

const { appTemplate } = synthesise({ revocation: { mode: 'enforce' }, logRetentionDays: 30 });
const functions = ofType(appTemplate, 'AWS::Lambda::Function');
const queues = ofType(appTemplate, 'AWS::SQS::Queue');
const alarms = Object.values(ofType(appTemplate, 'AWS::CloudWatch::Alarm')).map(({ Properties }) => Properties);
const dimension = (alarm: Record<string, unknown>, name: string): string =>
  text((alarm['Dimensions'] as { Name: string; Value: unknown }[] | undefined)?.find(({ Name }) => Name === name)?.Value);
const byArn = (resources: Record<string, Resource>, arn: unknown): [string, Resource] | undefined =>
  Object.entries(resources).find(([id]) => text(arn) === `<${id}.Arn>`);

describe('every function', () => {
  const each = Object.entries(functions).map(([id, resource]): [name: string, id: string, properties: Record<string, unknown>] => [
    text(resource.Properties['FunctionName']),
    id,
    resource.Properties,
  ]);

  it('is one of five', () => {
    expect(each.map(([name]) => name).toSorted()).toEqual([
      'fleetwarden-inventory-reconcile',
      'fleetwarden-inventory-record',
      'fleetwarden-revocation-fast',
      'fleetwarden-revocation-revoke',
      'fleetwarden-revocation-sync',
    ]);
  });

  it.each(each)('%s runs on nodejs24.x, arm64', (_, _id, properties) => {
    expect(properties).toMatchObject({ Runtime: 'nodejs24.x', Architectures: ['arm64'], Handler: 'index.handler' });
  });

  it.each(each)('%s has a role that no other function has, that Lambda alone may take, without managed policies', (_, id, properties) => {
    const others = Object.entries(functions).filter(([other]) => other !== id);
    expect(others.map(([, other]) => text(other.Properties['Role']))).not.toContain(text(properties['Role']));
    const [, role] = byArn(ofType(appTemplate, 'AWS::IAM::Role'), properties['Role']) ?? [];
    expect(role?.Properties['ManagedPolicyArns']).toBeUndefined();
    expect((role?.Properties['AssumeRolePolicyDocument'] as { Statement: unknown[] } | undefined)?.Statement).toEqual([
      { Action: 'sts:AssumeRole', Effect: 'Allow', Principal: { Service: 'lambda.amazonaws.com' } },
    ]);
  });

  it.each(each)('%s logs into a group of its own, with retention', (_, _id, properties) => {
    const group = (properties['LoggingConfig'] as { LogGroup: { Ref: string } }).LogGroup.Ref;
    expect(ofType(appTemplate, 'AWS::Logs::LogGroup')[group]?.Properties).toMatchObject({
      LogGroupName: `/aws/lambda/${text(properties['FunctionName'])}`,
      RetentionInDays: 30,
    });
  });

  it.each(each)('%s reads a queue of its own, bounded, message by message, with a dead-letter queue', (_, id, properties) => {
    const mapping = Object.values(ofType(appTemplate, 'AWS::Lambda::EventSourceMapping')).filter(
      ({ Properties }) => text(Properties['FunctionName']) === `<${id}>`,
    );
    expect(mapping).toHaveLength(1);
    expect(mapping[0]?.Properties).toMatchObject({
      FunctionResponseTypes: ['ReportBatchItemFailures'],
      ScalingConfig: { MaximumConcurrency: 2 },
    });
    const [, queue] = byArn(queues, mapping[0]?.Properties['EventSourceArn']) ?? [];
    expect(queue?.Properties).toMatchObject({ SqsManagedSseEnabled: true, QueueName: properties['FunctionName'] });
    expect(queue?.Properties['VisibilityTimeout']).toBe(6 * Number(properties['Timeout']));
    const redrive = queue?.Properties['RedrivePolicy'] as { deadLetterTargetArn: unknown; maxReceiveCount: number };
    expect(redrive.maxReceiveCount).toBe(5);
    const [deadId, dead] = byArn(queues, redrive.deadLetterTargetArn) ?? [];
    expect(dead?.Properties).toMatchObject({ SqsManagedSseEnabled: true, MessageRetentionPeriod: 1_209_600 });
    expect(
      alarms.some(
        (alarm) =>
          alarm['MetricName'] === 'ApproximateNumberOfMessagesVisible' && dimension(alarm, 'QueueName') === `<${deadId}.QueueName>`,
      ),
    ).toBe(true);
  });

  it.each(each)('%s has an alarm on its errors', (_, id) => {
    const alarm = alarms.find((candidate) => candidate['MetricName'] === 'Errors' && dimension(candidate, 'FunctionName') === `<${id}>`);
    expect(alarm).toMatchObject({ Namespace: 'AWS/Lambda', Threshold: 1, AlarmActions: [expect.anything()] });
  });

  it('that sends messages to its own queue is not stopped as a recursive loop', () => {
    const looping = Object.values(functions).filter(({ Properties }) => Properties['RecursiveLoop'] === 'Allow');
    expect(looping.map(({ Properties }) => text(Properties['FunctionName'])).toSorted()).toEqual([
      'fleetwarden-inventory-reconcile',
      'fleetwarden-revocation-revoke',
    ]);
  });
});

describe('a revocation worker at a slow pace', () => {
  const TIME_OUT_SECONDS = 120;

  it.each([0.1, 0.5, 1, 10, 100])('at %d a second takes no more than two calls can settle before their time is up', (ratePerSecond) => {
    const { appTemplate } = synthesise({ revocation: { ratePerSecond, quotaPerSecond: Math.max(1, ratePerSecond) } });
    const [id] = Object.entries(ofType(appTemplate, 'AWS::Lambda::Function')).find(
      ([, { Properties }]) => Properties['FunctionName'] === 'fleetwarden-revocation-revoke',
    )!;
    const mapping = Object.values(ofType(appTemplate, 'AWS::Lambda::EventSourceMapping')).find(
      ({ Properties }) => text(Properties['FunctionName']) === `<${id}>`,
    );
    const batch = Number(mapping?.Properties['BatchSize']);
    expect(batch).toBeGreaterThanOrEqual(1);
    expect((2 * batch) / ratePerSecond).toBeLessThanOrEqual(TIME_OUT_SECONDS / 2);
  });
});

describe('every queue', () => {
  it('refuses whoever does not come over TLS', () => {
    const policies = Object.values(ofType(appTemplate, 'AWS::SQS::QueuePolicy'));
    const closed = policies.filter((policy) =>
      statementsOf(policy).some(
        ({ Effect, Action, Condition }) =>
          Effect === 'Deny' && Action === 'sqs:*' && Condition?.['Bool']?.['aws:SecureTransport'] === 'false',
      ),
    );
    expect(closed.flatMap(({ Properties }) => listOf(Properties['Queues']).map(text)).toSorted()).toEqual(
      Object.keys(queues)
        .map((id) => `<${id}>`)
        .toSorted(),
    );
  });
});

describe('the names of an installation', () => {
  it('all begin with its prefix: two installations in one account stay apart', () => {
    const { appTemplate: other, stateTemplate } = synthesise({ prefix: 'plant-2' });
    const names = [...Object.values(ofType(other, 'AWS::Lambda::Function')), ...Object.values(ofType(other, 'AWS::SQS::Queue'))].map(
      ({ Properties }) => text(Properties['FunctionName'] ?? Properties['QueueName']),
    );
    for (const name of names) expect(name).toMatch(/^plant-2-/);
    for (const { Properties } of [
      ...Object.values(ofType(other, 'AWS::SSM::Parameter')),
      ...Object.values(ofType(stateTemplate, 'AWS::SSM::Parameter')),
    ])
      expect(text(Properties['Name'])).toMatch(/^\/plant-2\//);
    for (const { Properties } of Object.values(ofType(other, 'AWS::CloudWatch::Alarm'))) {
      expect(text(Properties['AlarmName'])).toMatch(/^plant-2-/);
      if (Properties['Namespace'] === 'Fleetwarden') expect(dimension(Properties, 'Application')).toBe('plant-2');
    }
    for (const { Properties } of Object.values(ofType(other, 'AWS::IoT::TopicRule')))
      expect(text(Properties['RuleName'])).toMatch(/^plant_2_/);
  });
});
