import {
  DeleteRuleCommand,
  DescribeRuleCommand,
  DisableRuleCommand,
  EventBridgeClient,
  ListTargetsByRuleCommand,
  PutEventsCommand,
  PutRuleCommand,
  PutTargetsCommand,
  RemoveTargetsCommand,
  type Target,
  TestEventPatternCommand,
} from '@aws-sdk/client-eventbridge';
import { CreateQueueCommand, ReceiveMessageCommand, SQSClient, SetQueueAttributesCommand } from '@aws-sdk/client-sqs';
import { compilePattern } from '../../local/patterns/event-pattern.js';
import { parseSchedule } from '../../local/services/events/schedule.js';
import { type MessagingCloud, messagingCloud, until } from './cloud-with-messaging.js';

describe('event patterns', () => {
  const event = {
    source: 'aws.s3',
    detail: {
      key: 'crl/a.crl',
      size: 5,
      tags: ['red', 'blue'],
      ip: '10.0.0.7',
      empty: '',
      flag: true,
      none: null,
      deep: [{ a: 1 }, { a: 2 }],
    },
  };
  test.each([
    ['exact', { source: ['aws.s3'] }, true],
    ['another value', { source: ['aws.sqs'] }, false],
    ['one of several', { source: ['aws.sqs', 'aws.s3'] }, true],
    ['an element of an array', { detail: { tags: ['blue'] } }, true],
    ['prefix', { detail: { key: [{ prefix: 'crl/' }] } }, true],
    ['prefix without case', { detail: { key: [{ prefix: { 'equals-ignore-case': 'CRL/' } }] } }, true],
    ['suffix', { detail: { key: [{ suffix: '.crl' }] } }, true],
    ['suffix of something else', { detail: { key: [{ suffix: '.pem' }] } }, false],
    ['anything-but', { detail: { key: [{ 'anything-but': ['x', 'y'] }] } }, true],
    ['anything-but of an absent field', { detail: { absent: [{ 'anything-but': 'x' }] } }, false],
    ['anything-but a prefix', { detail: { key: [{ 'anything-but': { prefix: 'crl/' } }] } }, false],
    ['anything-but wildcards', { detail: { key: [{ 'anything-but': { wildcard: ['a/*', '*.pem'] } }] } }, true],
    ['numeric range', { detail: { size: [{ numeric: ['>', 0, '<=', 5] }] } }, true],
    ['numeric out of range', { detail: { size: [{ numeric: ['<', 5] }] } }, false],
    ['exists', { detail: { key: [{ exists: true }] } }, true],
    ['exists false', { detail: { absent: [{ exists: false }] } }, true],
    ['exists false of what exists', { detail: { key: [{ exists: false }] } }, false],
    ['without case', { source: [{ 'equals-ignore-case': 'AWS.S3' }] }, true],
    ['wildcard', { detail: { key: [{ wildcard: 'crl/*.crl' }] } }, true],
    ['wildcard with an escaped star', { detail: { key: [{ wildcard: 'crl/\\*' }] } }, false],
    ['cidr', { detail: { ip: [{ cidr: '10.0.0.0/24' }] } }, true],
    ['cidr elsewhere', { detail: { ip: [{ cidr: '10.0.1.0/24' }] } }, false],
    ['null, true and the empty text', { detail: { none: [null], flag: [true], empty: [''] } }, true],
    ['$or', { $or: [{ source: ['x'] }, { detail: { size: [5] } }] }, true],
    ['$or beside another field', { source: ['x'], $or: [{ detail: { size: [5] } }, { detail: { size: [6] } }] }, false],
    ['an array of objects', { detail: { deep: { a: [2] } } }, true],
    ['all fields must match', { source: ['aws.s3'], detail: { size: [6] } }, false],
  ])('%s', (_what, pattern, expected) => {
    expect(compilePattern(JSON.stringify(pattern))(event)).toBe(expected);
  });

  test.each([
    [{ a: 'x' }],
    [{ a: [] }],
    [{}],
    [{ a: [{ newer: 1 }] }],
    [{ a: [{ prefix: 1 }] }],
    [{ a: [{ numeric: ['~', 1] }] }],
    ['no json'],
    [{ a: [{ prefix: 'x', suffix: 'y' }] }],
  ])('%j is refused', (pattern) => {
    expect(() => compilePattern(typeof pattern === 'string' ? pattern : JSON.stringify(pattern))).toThrow('Event pattern is not valid');
  });
});

describe('schedules', () => {
  const next = (expression: string, after: string): string | undefined => {
    const schedule = parseSchedule(expression);
    const ms = schedule.kind === 'cron' ? schedule.nextAfter(Date.parse(after)) : undefined;
    return ms === undefined ? undefined : new Date(ms).toISOString();
  };
  // 2026-11-22 is a Sunday.
  test.each([
    ['cron(30 3 * * ? *)', '2026-11-23T03:30:00.000Z'],
    ['cron(0/15 * * * ? *)', '2026-11-22T10:15:00.000Z'],
    ['cron(0 8 1 * ? *)', '2026-12-01T08:00:00.000Z'],
    ['cron(0 18 ? * MON-FRI *)', '2026-11-23T18:00:00.000Z'],
    ['cron(0 0 L * ? *)', '2026-11-30T00:00:00.000Z'],
    ['cron(0 0 ? * 6L *)', '2026-11-27T00:00:00.000Z'],
    ['cron(0 0 ? * 3#2 *)', '2026-12-08T00:00:00.000Z'],
    ['cron(0 0 28W * ? *)', '2026-11-27T00:00:00.000Z'],
    ['cron(0 0 29 2 ? *)', '2028-02-29T00:00:00.000Z'],
    ['cron(0 0 1 1 ? 2020)', undefined],
  ])('%s comes next at %s', (expression, expected) => {
    expect(next(expression, '2026-11-22T10:00:00Z')).toBe(expected);
  });
  test.each([
    ['rate(1 hours)'],
    ['rate(5 minute)'],
    ['rate(0 days)'],
    ['cron(* * * * *)'],
    ['cron(0 0 1 * 1 *)'],
    ['cron(60 0 * * ? *)'],
    ['at(2026-01-01)'],
  ])('%s is refused', (expression) => {
    expect(() => parseSchedule(expression)).toThrow('not valid');
  });
});

describe('rules', () => {
  let desk: MessagingCloud;
  let events: EventBridgeClient;
  let sqs: SQSClient;
  let number = 0;
  beforeAll(async () => {
    desk = await messagingCloud(new Date('2026-11-22T10:00:00Z'));
    events = new EventBridgeClient(desk.client);
    sqs = new SQSClient(desk.client);
  });
  afterAll(async () => {
    events.destroy();
    sqs.destroy();
    await desk.stop();
  });

  async function queueFor(ruleName: string): Promise<{ url: string; arn: string }> {
    const name = `${ruleName}-queue-${++number}`;
    const arn = `arn:aws:sqs:eu-west-1:000000000000:${name}`;
    const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName: name }));
    const Condition = { ArnEquals: { 'aws:SourceArn': `arn:aws:events:eu-west-1:000000000000:rule/${ruleName}` } };
    const Statement = [
      { Effect: 'Allow', Principal: { Service: 'events.amazonaws.com' }, Action: 'sqs:SendMessage', Resource: arn, Condition },
    ];
    await sqs.send(
      new SetQueueAttributesCommand({ QueueUrl, Attributes: { Policy: JSON.stringify({ Version: '2012-10-17', Statement }) } }),
    );
    return { url: QueueUrl!, arn };
  }
  const receive = async (QueueUrl: string) =>
    (
      await sqs.send(
        new ReceiveMessageCommand({
          QueueUrl,
          WaitTimeSeconds: 5,
          MaxNumberOfMessages: 10,
          VisibilityTimeout: 43_200,
          MessageAttributeNames: ['All'],
        }),
      )
    ).Messages ?? [];
  async function rule(Name: string, target: Partial<Target>, pattern: object = { source: ['desk.test'] }): Promise<void> {
    await events.send(new PutRuleCommand({ Name, EventPattern: JSON.stringify(pattern) }));
    await events.send(new PutTargetsCommand({ Rule: Name, Targets: [{ Id: 't', Arn: undefined, ...target }] as Target[] }));
  }
  const put = async (detail: object, Source = 'desk.test') =>
    events.send(new PutEventsCommand({ Entries: [{ Source, DetailType: 'Test', Detail: JSON.stringify(detail), Resources: ['arn:x'] }] }));

  test('an event reaches the queue as EventBridge writes it', async () => {
    const { url, arn } = await queueFor('whole');
    await rule('whole', { Arn: arn });
    const { Entries } = await put({ a: 1 });
    const [message] = await receive(url);
    expect(JSON.parse(message!.Body!)).toEqual({
      version: '0',
      id: Entries![0]!.EventId,
      'detail-type': 'Test',
      source: 'desk.test',
      account: '000000000000',
      time: expect.stringMatching(/^2026-11-22T10:\d\d:\d\dZ$/) as unknown,
      region: 'eu-west-1',
      resources: ['arn:x'],
      detail: { a: 1 },
    });
  });

  test.each<[string, Partial<Target>, string]>([
    ['a constant', { Input: '{"kind": "sweep"}' }, '{"kind": "sweep"}'],
    ['a part', { InputPath: '$.detail.a' }, '{"b":[1,"x\\"y"]}'],
    [
      'a transformed text',
      {
        InputTransformer: {
          InputPathsMap: { b: '$.detail.a.b[1]', n: '$.detail.a.b[0]', gone: '$.detail.gone' },
          InputTemplate: '{"text": "b is <b><gone>", "n": <n>, "b": <b>, "rule": "<aws.events.rule-name>"}',
        },
      },
      '{"text": "b is x\\"y", "n": 1, "b": "x\\"y", "rule": "input-2"}',
    ],
  ])('a target receives %s', async (_what, input, expected) => {
    const name = `input-${expected.startsWith('{"text') ? 2 : expected.startsWith('{"b') ? 1 : 0}`;
    const { url, arn } = await queueFor(name);
    await rule(name, { Arn: arn, ...input }, { source: [name] });
    await put({ a: { b: [1, 'x"y'] } }, name);
    expect((await receive(url)).map(({ Body }) => Body)).toEqual([expected]);
  });

  test('events of AWS cannot be forged, and malformed ones are refused one by one', async () => {
    const answer = await events.send(
      new PutEventsCommand({
        Entries: [
          { Source: 'aws.acm-pca', DetailType: 'x', Detail: '{}' },
          { Source: 'x', DetailType: 'x', Detail: '[]' },
          { Source: 'x', Detail: '{}' },
          { Source: 'x', DetailType: 'x' },
          { Source: 'x', DetailType: 'x', Detail: '{}' },
        ],
      }),
    );
    expect(answer.FailedEntryCount).toBe(4);
    expect(answer.Entries!.map(({ ErrorCode }) => ErrorCode)).toEqual([
      'NotAuthorizedForSourceException',
      'MalformedDetail',
      'InvalidArgument',
      'InvalidArgument',
      undefined,
    ]);
  });

  test('entries of more than 256 KiB together are refused with the whole request', async () => {
    const half = { Source: 'x', DetailType: 'x', Detail: JSON.stringify({ text: 'x'.repeat(131_072) }) };
    await expect(events.send(new PutEventsCommand({ Entries: [half, half] }))).rejects.toMatchObject({
      name: 'ValidationException',
      message: 'Total size of the entries in the request is over the limit.',
    });
  });

  test('without permission the event goes to the dead-letter queue of the target, with the reason', async () => {
    const dead = await queueFor('denied');
    const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName: 'no-policy' }));
    await rule(
      'denied',
      { Arn: 'arn:aws:sqs:eu-west-1:000000000000:no-policy', DeadLetterConfig: { Arn: dead.arn } },
      { source: ['denied.test'] },
    );
    await put({ a: 1 }, 'denied.test');
    const [letter] = await receive(dead.url);
    expect(letter!.MessageAttributes).toMatchObject({
      ERROR_CODE: { StringValue: 'NO_PERMISSIONS' },
      RULE_ARN: { StringValue: expect.stringContaining('rule/denied') as unknown },
      RETRY_ATTEMPTS: { StringValue: '0' },
    });
    expect(JSON.parse(letter!.Body!)).toMatchObject({ detail: { a: 1 } });
    expect((await sqs.send(new ReceiveMessageCommand({ QueueUrl }))).Messages).toBeUndefined();
  });

  test('a rate fires by the clock of the desk, and not when it is disabled', async () => {
    const { url, arn } = await queueFor('rated');
    await events.send(new PutRuleCommand({ Name: 'rated', ScheduleExpression: 'rate(2 hours)' }));
    await events.send(new PutTargetsCommand({ Rule: 'rated', Targets: [{ Id: 't', Arn: arn }] }));
    await desk.world.clock.advance(2 * 3_600_000);
    const [message] = await receive(url);
    expect(JSON.parse(message!.Body!)).toMatchObject({
      source: 'aws.events',
      'detail-type': 'Scheduled Event',
      resources: ['arn:aws:events:eu-west-1:000000000000:rule/rated'],
    });
    await events.send(new DisableRuleCommand({ Name: 'rated' }));
    await desk.world.clock.advance(4 * 3_600_000);
    expect((await sqs.send(new ReceiveMessageCommand({ QueueUrl: url }))).Messages).toBeUndefined();
  });

  test('a lost best-effort event is a fault that the journal shows', async () => {
    const { url, arn } = await queueFor('lossy');
    await rule('lossy', { Arn: arn }, { source: ['aws.acm-pca'] });
    desk.world.faults.set({ lostEvent: 1 });
    const event = { source: 'aws.acm-pca', 'detail-type': 'ACM Private CA Certificate Revocation', resources: [], detail: {} };
    desk.cloud.parts.putEvent!(event, { bestEffort: true });
    desk.world.faults.set({ lostEvent: 0 });
    expect(desk.world.journal.entries().some(({ kind }) => kind === 'fault')).toBe(true);
    desk.cloud.parts.putEvent!(event, { bestEffort: true });
    expect(await receive(url)).toHaveLength(1);
  });

  test('a rule is described, emptied and deleted; a target that the desk does not serve is refused', async () => {
    const { arn } = await queueFor('life');
    await rule('life', { Arn: arn });
    await expect(events.send(new DeleteRuleCommand({ Name: 'life' }))).rejects.toThrow('since it has targets');
    await expect(
      events.send(new PutTargetsCommand({ Rule: 'life', Targets: [{ Id: 'x', Arn: 'arn:aws:kinesis:eu-west-1:000000000000:stream/x' }] })),
    ).rejects.toMatchObject({ name: 'ValidationException' });
    expect((await events.send(new ListTargetsByRuleCommand({ Rule: 'life' }))).Targets).toEqual([{ Id: 't', Arn: arn }]);
    await events.send(new RemoveTargetsCommand({ Rule: 'life', Ids: ['t'] }));
    await events.send(new DeleteRuleCommand({ Name: 'life' }));
    await expect(events.send(new DescribeRuleCommand({ Name: 'life' }))).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
    await expect(events.send(new PutRuleCommand({ Name: 'bad', EventPattern: '{"a":"b"}' }))).rejects.toMatchObject({
      name: 'InvalidEventPatternException',
    });
    expect((await events.send(new TestEventPatternCommand({ EventPattern: '{"source":["a"]}', Event: '{"source":"a"}' }))).Result).toBe(
      true,
    );
  });

  test('a delivery that fails for a moment is tried again by the clock of the desk', async () => {
    const { arn } = await queueFor('retried');
    const dead = await queueFor('retried');
    await rule(
      'retried',
      { Arn: arn, RetryPolicy: { MaximumRetryAttempts: 2 }, DeadLetterConfig: { Arn: dead.arn }, SqsParameters: { MessageGroupId: 'g' } },
      { source: ['retried.test'] },
    );
    // One MiB and a byte does not fit into a message, however often it is tried.
    desk.cloud.parts.putEvent!({ source: 'retried.test', 'detail-type': 'x', resources: [], detail: { text: 'x'.repeat(1_048_500) } });
    const failures = (): number =>
      desk.world.journal.entries().filter(({ kind, ok, detail }) => kind === 'delivery' && !ok && detail?.startsWith(`${arn}: `)).length;
    await until('the first failure', () => failures() >= 1);
    await desk.world.clock.advance(10_000);
    await until('two more', () => failures() >= 3);
    expect(failures()).toBe(3);
  });
});
