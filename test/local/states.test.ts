/** The interpreter of the Amazon States Language, seen through the API alone. */
import { DescribeExecutionCommand } from '@aws-sdk/client-sfn';
import { type StatesDesk, statesDesk } from './states-desk.js';

let desk: StatesDesk;
beforeAll(async () => {
  desk = await statesDesk(new Date('2026-03-01T12:00:00Z'));
});
afterAll(() => desk.stop());

const end = { Type: 'Pass', End: true } as const;

describe('a state carries its input through InputPath, Parameters, ResultPath and OutputPath', () => {
  const input = { a: { b: [1, 2, 3] }, name: 'pump', 'odd name': 4 };
  test.each<[string, Record<string, unknown>, unknown]>([
    ['as it is', {}, input],
    ['InputPath selects', { InputPath: '$.a' }, { b: [1, 2, 3] }],
    ['InputPath null discards', { InputPath: null, ResultPath: '$' }, {}],
    ['OutputPath selects', { OutputPath: '$.a.b[-1]' }, 3],
    ['Result replaces', { Result: { x: 1 } }, { x: 1 }],
    ['ResultPath adds', { Result: 7, ResultPath: '$.deep.er' }, { ...input, deep: { er: 7 } }],
    ['ResultPath null keeps the input', { Result: 7, ResultPath: null }, input],
    [
      'Parameters fill in paths',
      { Parameters: { n: 1, 'who.$': '$.name', list: [{ 'x.$': "$['odd name']" }] } },
      { n: 1, who: 'pump', list: [{ x: 4 }] },
    ],
    [
      'paths of many',
      { Parameters: { 'all.$': '$.a.b[*]', 'some.$': '$.a.b[0:2]', 'big.$': '$.a.b[?(@ > 1)]', 'deep.$': '$..b' } },
      { all: [1, 2, 3], some: [1, 2], big: [2, 3], deep: [[1, 2, 3]] },
    ],
    [
      'the context object',
      { Parameters: { 'state.$': '$$.State.Name', 'input.$': '$$.Execution.Input.name' } },
      { state: 'One', input: 'pump' },
    ],
  ])('%s', async (_, fields, expected) => {
    expect((await desk.run({ One: { ...end, ...fields } }, input)).value).toEqual(expected);
  });

  test('what a path does not find fails the execution in the words of AWS', async () => {
    const failed = await desk.run({ One: { ...end, InputPath: '$.none' } });
    expect(failed).toMatchObject({
      status: 'FAILED',
      error: 'States.Runtime',
      cause:
        "An error occurred while executing the state 'One' (entered at the event id #2). Invalid path '$.none' : No results for path: $['none']",
    });
    const parameter = await desk.run({ One: { ...end, Parameters: { 'x.$': '$.none' } } }, { a: 1 });
    expect(parameter.cause).toContain(`The JSONPath '$.none' specified for the field 'x.$' could not be found in the input '{"a":1}'`);
  });
});

describe('intrinsic functions', () => {
  test.each<[string, unknown]>([
    ["States.Format('{} of {} \\{\\} \\'x\\'', $.s, States.MathAdd($.n, 1))", "text of 6 {} 'x'"],
    ['States.StringToJson(\'{"a":1}\')', { a: 1 }],
    ["States.StringToJson('')", null],
    ["States.Format('{} and {}', $.o, $.list)", '{k=v} and [1, 2, 2, 3]'],
    ['States.JsonToString($.list.[?(@ > 2)])', '[3]'],
    ['States.JsonToString($.o)', '{"k":"v"}'],
    ["States.Array(1, 'a', null, true, $.n)", [1, 'a', null, true, 5]],
    [
      'States.ArrayPartition($.list, 2)',
      [
        [1, 2],
        [2, 3],
      ],
    ],
    ['States.ArrayContains($.list, 3)', true],
    ['States.ArrayRange(1, 9, 2)', [1, 3, 5, 7, 9]],
    ['States.ArrayGetItem($.list, 3)', 3],
    ['States.ArrayLength($.list)', 4],
    ['States.ArrayUnique($.list)', [1, 2, 3]],
    ["States.Base64Encode('hello')", 'aGVsbG8='],
    ["States.Base64Decode('aGVsbG8=')", 'hello'],
    ["States.Hash('input data', 'SHA-1')", 'aaff4a450a104cd177d28d18d74485e8cae074b7'],
    ['States.JsonMerge($.o, States.StringToJson(\'{"b":2}\'), false)', { k: 'v', b: 2 }],
    ["States.StringSplit('1,2;;3', ',;')", ['1', '2', '3']],
    ['$$.Execution.RedriveCount', 0],
  ])('%s', async (call, expected) => {
    const input = { s: 'text', n: 5, o: { k: 'v' }, list: [1, 2, 2, 3] };
    expect((await desk.run({ One: { ...end, Parameters: { 'x.$': call } } }, input)).value).toEqual({ x: expected });
  });

  test('one that cannot be carried out fails with States.IntrinsicFailure', async () => {
    expect(await desk.run({ One: { ...end, Parameters: { 'x.$': "States.StringToJson('{')" } } })).toMatchObject({
      error: 'States.IntrinsicFailure',
    });
  });
});

describe('choice rules', () => {
  const input = { s: 'log-7*.txt', n: 5, b: true, t: '2026-03-01T00:00:00Z', z: null, other: 5 };
  test.each<[Record<string, unknown>, boolean]>([
    [{ Variable: '$.s', StringEquals: 'log-7*.txt' }, true],
    [{ Variable: '$.s', StringLessThan: 'm' }, true],
    [{ Variable: '$.s', StringMatches: 'log-*.txt' }, true],
    [{ Variable: '$.s', StringMatches: 'log-?\\*.txt' }, false],
    [{ Variable: '$.s', StringMatches: '*\\*.txt' }, true],
    [{ Variable: '$.n', NumericGreaterThanEquals: 5 }, true],
    [{ Variable: '$.n', NumericLessThan: 5 }, false],
    [{ Variable: '$.n', NumericEqualsPath: '$.other' }, true],
    [{ Variable: '$.s', NumericEquals: 5 }, false],
    [{ Variable: '$.b', BooleanEquals: true }, true],
    [{ Variable: '$.t', TimestampLessThan: '2026-03-01T00:00:01+00:00' }, true],
    [{ Variable: '$.z', IsNull: true }, true],
    [{ Variable: '$.none', IsPresent: false }, true],
    [{ Variable: '$.n', IsNumeric: false }, false],
    [{ Variable: '$.t', IsTimestamp: true }, true],
    [{ Variable: '$.s', IsString: true }, true],
    [{ Variable: '$.s', IsBoolean: true }, false],
    [
      {
        And: [
          { Variable: '$.none', IsPresent: true },
          { Variable: '$.none', StringEquals: 'x' },
        ],
      },
      false,
    ],
    [{ Or: [{ Variable: '$.n', NumericEquals: 1 }, { Not: { Variable: '$.b', BooleanEquals: false } }] }, true],
  ])('%j is %s', async (rule, matches) => {
    const states = {
      One: { Type: 'Choice', Choices: [{ ...rule, Next: 'Yes' }], Default: 'No' },
      Yes: { ...end, Result: true },
      No: { ...end, Result: false },
    };
    expect((await desk.run(states, input)).value).toBe(matches);
  });

  test('no match and no default fails with States.NoChoiceMatched; a path to nothing is an error of the definition', async () => {
    const states = (rule: object) => ({ One: { Type: 'Choice', Choices: [{ ...rule, Next: 'Yes' }] }, Yes: end });
    expect(await desk.run(states({ Variable: '$.n', NumericEquals: 1 }), input)).toMatchObject({ error: 'States.NoChoiceMatched' });
    const failed = await desk.run(states({ Variable: '$.none', NumericEquals: 1 }));
    expect(failed.cause).toContain("Invalid path '$.none': The choice state's condition path references an invalid value.");
  });
});

describe('Wait stands on the desk clock', () => {
  test.each<[string, Record<string, unknown>, unknown, number]>([
    ['Seconds', { Seconds: 3600 }, {}, 3600],
    ['SecondsPath', { SecondsPath: '$.s' }, { s: 90 }, 90],
  ])('%s', async (_, fields, input, seconds) => {
    const arn = await desk.begin(await desk.machine({ One: { Type: 'Wait', End: true, ...fields } }), input);
    const status = async () => (await desk.sfn.send(new DescribeExecutionCommand({ executionArn: arn }))).status;
    await desk.world.clock.advance(seconds * 1000 - 20_000);
    expect(await status()).toBe('RUNNING');
    await desk.world.clock.advance(20_000);
    expect(await status()).toBe('SUCCEEDED');
  });

  test.each([
    [-1, 'The SecondsPath parameter references a negative value: $.s == -1'],
    [1.5, 'The SecondsPath parameter cannot be parsed as a long value: $.s == 1.5'],
    [2 ** 31, 'Wait state delay is too long.'],
    [undefined, 'The SecondsPath parameter does not reference an input value: $.s'],
  ])('SecondsPath that leads to %s is an error', async (s, cause) => {
    const failed = await desk.run({ One: { Type: 'Wait', SecondsPath: '$.s', End: true } }, { s });
    expect(failed.cause).toContain(cause);
  });

  test('Timestamp and TimestampPath; a moment that is past does not wait; a text that is none is an error', async () => {
    const at = new Date(desk.world.clock.nowMs() + 7_200_000).toISOString();
    const arn = await desk.begin(await desk.machine({ One: { Type: 'Wait', TimestampPath: '$.at', End: true } }), { at });
    await desk.world.clock.advance(7_200_000);
    expect((await desk.ended(arn)).stopDate!.getTime()).toBeGreaterThanOrEqual(Date.parse(at));
    expect((await desk.run({ One: { Type: 'Wait', Timestamp: '2020-01-01T00:00:00Z', End: true } })).types).toEqual([
      'ExecutionStarted',
      'WaitStateEntered',
      'WaitStateExited',
      'ExecutionSucceeded',
    ]);
    const wrong = await desk.run({ One: { Type: 'Wait', TimestampPath: '$.at', End: true } }, { at: '2016-12-05 21:29:29Z' });
    expect(wrong.cause).toContain(
      'The TimestampPath parameter does not reference a valid ISO-8601 extended offset date-time format string: $.at == 2016-12-05 21:29:29Z',
    );
  });
});

test('Fail names its error and cause, as text or by path', async () => {
  expect(await desk.run({ One: { Type: 'Fail', Error: 'E', Cause: 'c' } })).toMatchObject({ status: 'FAILED', error: 'E', cause: 'c' });
  const states = { One: { Type: 'Fail', ErrorPath: '$.e', CausePath: "States.Format('because of {}', $.c)" } };
  expect(await desk.run(states, { e: 'E', c: 'rain' })).toMatchObject({ error: 'E', cause: 'because of rain' });
  const empty = await desk.run({ One: { Type: 'Fail' } });
  expect([empty.error, empty.cause]).toEqual([undefined, undefined]);
});

describe('branches side by side', () => {
  const branch = (name: string, state: Record<string, unknown>) => ({ StartAt: name, States: { [name]: { End: true, ...state } } });

  test('Parallel gives every branch the input and collects what they answer, in order', async () => {
    const Branches = [branch('A', { Type: 'Wait', Seconds: 0 }), branch('B', { Type: 'Pass', Result: 2 })];
    const done = await desk.run({ One: { Type: 'Parallel', Branches, ResultPath: '$.got', End: true } }, { x: 1 });
    expect(done.value).toEqual({ x: 1, got: [{ x: 1 }, 2] });
    expect(done.types.slice(0, 3)).toEqual(['ExecutionStarted', 'ParallelStateEntered', 'ParallelStateStarted']);
    expect(done.types.slice(-3)).toEqual(['ParallelStateSucceeded', 'ParallelStateExited', 'ExecutionSucceeded']);
  });

  test('the first branch that fails stops the others, and Catch takes over', async () => {
    const fail = { StartAt: 'F', States: { F: { Type: 'Fail', Error: 'Boom', Cause: 'c' } } };
    const states = {
      One: {
        Type: 'Parallel',
        Branches: [branch('Long', { Type: 'Wait', Seconds: 100_000 }), fail],
        Catch: [{ ErrorEquals: ['Boom'], ResultPath: '$.error', Next: 'Caught' }],
        End: true,
      },
      Caught: end,
    };
    const done = await desk.run(states, { x: 1 });
    expect(done.value).toEqual({ x: 1, error: { Error: 'Boom', Cause: 'c' } });
    expect(done.types).toEqual(expect.arrayContaining(['WaitStateAborted', 'ParallelStateFailed', 'ParallelStateExited']));
  });

  test('Map runs each item with its index, a few at a time', async () => {
    const states = {
      One: {
        Type: 'Map',
        ItemsPath: '$.items',
        MaxConcurrency: 1,
        ItemSelector: { 'i.$': '$$.Map.Item.Index', 'v.$': '$$.Map.Item.Value.id', 'x.$': '$.x' },
        ItemProcessor: { ProcessorConfig: { Mode: 'INLINE' }, ...branch('P', { Type: 'Pass' }) },
        ResultSelector: { 'all.$': '$[*].v' },
        End: true,
      },
    };
    const done = await desk.run(states, { x: 9, items: [{ id: 'a' }, { id: 'b' }] });
    expect(done.value).toEqual({ all: ['a', 'b'] });
    const events = await desk.history(done.executionArn!);
    const started = events.filter(({ type }) => type === 'MapIterationStarted').map((event) => event.mapIterationStartedEventDetails);
    expect(started).toEqual([
      { name: 'One', index: 0 },
      { name: 'One', index: 1 },
    ]);
    expect(events.find(({ type }) => type === 'MapStateStarted')!.mapStateStartedEventDetails).toEqual({ length: 2 });
  });

  test('Map over nothing answers nothing, and over something that is no list fails', async () => {
    const one = { Type: 'Map', ItemsPath: '$.items', Iterator: branch('P', { Type: 'Pass' }), End: true };
    expect((await desk.run({ One: one }, { items: [] })).value).toEqual([]);
    expect(await desk.run({ One: one }, { items: 5 })).toMatchObject({
      error: 'States.Runtime',
      types: ['ExecutionStarted', 'MapStateEntered', 'ExecutionFailed'],
    });
  });
});

test('the history numbers its events and names the one before each, branch by branch', async () => {
  const done = await desk.run({ One: { Type: 'Pass', Next: 'Two' }, Two: { Type: 'Succeed' } });
  const events = await desk.history(done.executionArn!);
  expect(events.map(({ id, previousEventId, type }) => [id, previousEventId, type])).toEqual([
    [1, 0, 'ExecutionStarted'],
    [2, 0, 'PassStateEntered'],
    [3, 2, 'PassStateExited'],
    [4, 3, 'SucceedStateEntered'],
    [5, 4, 'SucceedStateExited'],
    [6, 5, 'ExecutionSucceeded'],
  ]);
});

test('an endless loop ends at 25,000 events', async () => {
  const done = await desk.run({
    One: { Type: 'Choice', Choices: [{ Variable: '$.x', IsPresent: true, Next: 'Two' }], Default: 'Two' },
    Two: { Type: 'Pass', Next: 'One' },
  });
  expect(done).toMatchObject({
    status: 'FAILED',
    error: 'States.Runtime',
    cause: 'The execution reached the maximum number of history events (25000).',
  });
});

test('data beyond 256 KiB fail the execution, whatever catches', async () => {
  const big = 'x'.repeat(200_000);
  const done = await desk.run({ One: { Type: 'Pass', Parameters: { 'a.$': '$.big', 'b.$': '$.big' }, End: true } }, { big });
  expect(done).toMatchObject({
    error: 'States.DataLimitExceeded',
    cause: "The state/task 'One' returned a result with a size exceeding the maximum number of bytes service limit.",
  });
});

test('TimeoutSeconds of the machine ends the execution as TIMED_OUT', async () => {
  const arn = await desk.begin(await desk.machine({ One: { Type: 'Wait', Seconds: 900, End: true } }, { top: { TimeoutSeconds: 60 } }));
  await desk.world.clock.advance(61_000);
  expect(await desk.ended(arn)).toMatchObject({
    status: 'TIMED_OUT',
    types: ['ExecutionStarted', 'WaitStateEntered', 'ExecutionTimedOut'],
  });
});
