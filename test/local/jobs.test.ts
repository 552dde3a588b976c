import {
  AddThingToThingGroupCommand,
  AssociateTargetsWithJobCommand,
  CancelJobCommand,
  CancelJobExecutionCommand,
  CreateJobCommand,
  CreateJobTemplateCommand,
  CreateThingCommand,
  CreateThingGroupCommand,
  DeleteJobCommand,
  DeleteJobExecutionCommand,
  DeleteThingCommand,
  DescribeJobCommand,
  DescribeJobExecutionCommand,
  GetJobDocumentCommand,
  ListJobExecutionsForJobCommand,
  ListJobExecutionsForThingCommand,
  ListJobsCommand,
  RemoveThingFromThingGroupCommand,
  UpdateEventConfigurationsCommand,
  UpdateJobCommand,
  type CreateJobCommandInput,
} from '@aws-sdk/client-iot';
import type { MetricValue } from '../../local/cloud.js';
import { ARN, closed, nextMessage, startGatewayDesk, type GatewayDesk } from './gateway-desk.js';
import { connectJobDevice, type JobDevice } from './job-device.js';

const MINUTE_MS = 60_000;
let desk: GatewayDesk;
let a: JobDevice;
let b: JobDevice;
let monitor: JobDevice;
let jobs = 0;
const metrics: MetricValue[] = [];

beforeAll(async () => {
  desk = await startGatewayDesk({ startAt: new Date('2026-11-22T10:00:00Z') });
  desk.cloud.parts.metrics = (values) => metrics.push(...values);
  a = await connectJobDevice(desk, 'pump-a');
  b = await connectJobDevice(desk, 'pump-b');
  monitor = await connectJobDevice(desk, 'monitor', { policy: 'open' });
  await monitor.client.subscribeAsync(['$aws/events/job/#', '$aws/events/jobExecution/#'], { qos: 1 });
});
afterAll(() => desk.stop());

const things = (...names: readonly string[]): string[] => names.map((name) => ARN(`thing/${name}`));

async function createJob(targets: string[], more: Partial<CreateJobCommandInput> = {}): Promise<string> {
  const jobId = more.jobId ?? `job-${++jobs}`;
  await desk.iot.send(new CreateJobCommand({ jobId, targets, document: JSON.stringify({ operation: 'test', jobId }), ...more }));
  // The rollout begins when the call has been answered.
  await desk.cloud.world.clock.advance(1);
  return jobId;
}

async function createGroup(name: string, size: number): Promise<string> {
  await desk.iot.send(new CreateThingGroupCommand({ thingGroupName: name }));
  for (let i = 0; i < size; i++) {
    await desk.iot.send(new CreateThingCommand({ thingName: `${name}-${i}` }));
    await desk.iot.send(new AddThingToThingGroupCommand({ thingGroupName: name, thingName: `${name}-${i}` }));
  }
  return ARN(`thinggroup/${name}`);
}

const describeJob = async (jobId: string) => (await desk.iot.send(new DescribeJobCommand({ jobId }))).job!;
const describe1 = async (jobId: string, thingName: string) =>
  (await desk.iot.send(new DescribeJobExecutionCommand({ jobId, thingName }))).execution!;
const advance = (ms: number): Promise<void> => desk.cloud.world.clock.advance(ms);

describe('a device and its queue', () => {
  test('jobs come in the order of their creation; one after the other is started, reported and done', async () => {
    const pushed = a.pushed('notify-next', 'first');
    const first = await createJob(things('pump-a', 'pump-b'), { jobId: 'first' });
    expect(await pushed).toMatchObject({
      timestamp: expect.any(Number),
      execution: { jobId: first, status: 'QUEUED', versionNumber: 1, executionNumber: 1, jobDocument: { operation: 'test', jobId: first } },
    });
    const listed = a.pushed('notify', 'second');
    const second = await createJob(things('pump-a'), { jobId: 'second' });
    expect((await listed)['jobs']).toEqual({
      QUEUED: [first, second].map((jobId) => ({
        jobId,
        queuedAt: expect.any(Number),
        lastUpdatedAt: expect.any(Number),
        executionNumber: 1,
        versionNumber: 1,
      })),
    });
    expect(await a.ask('get', { clientToken: 'ct-0' })).toMatchObject({
      outcome: 'accepted',
      inProgressJobs: [],
      queuedJobs: [{ jobId: first }, { jobId: second }],
      clientToken: 'ct-0',
    });
    expect(await a.ask('start-next', { statusDetails: { step: 'started' }, clientToken: 'ct-1' })).toMatchObject({
      outcome: 'accepted',
      clientToken: 'ct-1',
      execution: {
        jobId: first,
        thingName: 'pump-a',
        status: 'IN_PROGRESS',
        statusDetails: { step: 'started' },
        startedAt: expect.any(Number),
        versionNumber: 2,
        jobDocument: { jobId: first },
      },
    });
    expect(await a.ask(`${first}/update`, { status: 'IN_PROGRESS', expectedVersion: '2', includeJobExecutionState: true })).toMatchObject({
      outcome: 'accepted',
      executionState: { status: 'IN_PROGRESS', statusDetails: { step: 'started' }, versionNumber: 3 },
    });
    const becameNext = a.pushed('notify-next', second);
    await a.ask(`${first}/update`, { status: 'SUCCEEDED', statusDetails: { done: 'yes' } });
    expect(await becameNext).toMatchObject({ execution: { jobId: second } });
    expect(await a.ask('$next/get', {})).toMatchObject({ outcome: 'accepted', execution: { jobId: second, status: 'QUEUED' } });
    const emptied = a.pushed('notify-next', undefined);
    await a.ask(`${second}/update`, { status: 'REJECTED' });
    expect(Object.keys(await emptied)).toEqual(['timestamp']);
    expect(await describe1(first, 'pump-a')).toMatchObject({
      status: 'SUCCEEDED',
      statusDetails: { detailsMap: { done: 'yes' } },
      thingArn: ARN('thing/pump-a'),
      versionNumber: 4,
    });
    expect((await describeJob(first)).status).toBe('IN_PROGRESS');
    await b.ask(`${first}/update`, { status: 'FAILED' });
    expect(await describeJob(first)).toMatchObject({
      status: 'COMPLETED',
      isConcurrent: false,
      jobProcessDetails: { numberOfSucceededThings: 1, numberOfFailedThings: 1, numberOfQueuedThings: 0 },
    });
  });

  test('an execution that is IN_PROGRESS comes before older ones that are QUEUED, and the device is told of it', async () => {
    const older = await createJob(things('pump-b'));
    const younger = await createJob(things('pump-b'));
    const pushed = b.pushed('notify-next', younger);
    await b.ask(`${younger}/update`, { status: 'IN_PROGRESS' });
    expect(await pushed).toMatchObject({ execution: { jobId: younger, status: 'IN_PROGRESS' } });
    expect(await b.ask('start-next', { statusDetails: { ignored: 'yes' } })).toMatchObject({
      execution: { jobId: younger, versionNumber: 2 },
    });
    for (const jobId of [younger, older]) await b.ask(`${jobId}/update`, { status: 'SUCCEEDED' });
    expect(await b.ask('start-next', {})).toEqual({ outcome: 'accepted', timestamp: expect.any(Number) });
  });

  test('a device that was offline finds its job when it connects', async () => {
    const device = await desk.enrol('sleeper');
    const jobId = await createJob(things('sleeper'));
    await advance(30 * 24 * 60 * MINUTE_MS);
    expect((await describe1(jobId, 'sleeper')).status).toBe('QUEUED');
    const awake = await connectJobDevice(desk, 'sleeper', { device });
    expect(await awake.ask('$next/get', { includeJobDocument: false })).toMatchObject({ execution: { jobId, status: 'QUEUED' } });
    expect(await awake.ask('start-next', {})).toMatchObject({ execution: { jobId, status: 'IN_PROGRESS' } });
    await awake.ask(`${jobId}/update`, { status: 'SUCCEEDED' });
    expect((await describeJob(jobId)).status).toBe('COMPLETED');
  });

  test('an answer goes to the client that asked and to nobody else', async () => {
    const heard: string[] = [];
    await monitor.client.subscribeAsync('$aws/things/pump-a/jobs/#', { qos: 1 });
    monitor.client.on('message', (topic) => heard.push(topic));
    const jobId = await createJob(things('pump-a'));
    await a.ask('start-next', {});
    await a.ask(`${jobId}/update`, { status: 'SUCCEEDED' });
    await monitor.ask('get', {}, 'pump-b');
    expect(heard.filter((topic) => topic.startsWith('$aws/things/pump-a/'))).not.toContainEqual(expect.stringMatching(/accepted$/));
    expect(heard).toContain('$aws/things/pump-a/jobs/notify');
  });

  test('a device may not speak for another, nor pretend to be AWS IoT Jobs', async () => {
    const device = await desk.enrol('pump-c');
    for (const topic of ['$aws/things/pump-a/jobs/get', '$aws/things/pump-c/jobs/notify-next', '$aws/things/pump-c/jobs/get/accepted']) {
      const client = await desk.connect(device, 'pump-c');
      client.publish(topic, '{}');
      await closed(client);
      expect(client.connected).toBe(false);
    }
  });
});

describe('what is refused to a device', () => {
  test('another version than the present one: the state comes with the refusal', async () => {
    const jobId = await createJob(things('pump-a'));
    await a.ask('start-next', { statusDetails: { step: 'started' } });
    expect(await a.ask(`${jobId}/update`, { status: 'IN_PROGRESS', expectedVersion: 1, clientToken: 'ct-2' })).toEqual({
      outcome: 'rejected',
      code: 'VersionMismatch',
      message: 'Version does not match',
      clientToken: 'ct-2',
      timestamp: expect.any(Number),
      executionState: { status: 'IN_PROGRESS', statusDetails: { step: 'started' }, versionNumber: 2 },
    });
    await a.ask(`${jobId}/update`, { status: 'SUCCEEDED' });
    expect(await a.ask(`${jobId}/update`, { status: 'SUCCEEDED' })).toMatchObject({
      outcome: 'rejected',
      code: 'InvalidStateTransition',
      executionState: { status: 'SUCCEEDED', versionNumber: 3 },
    });
    expect(await a.ask(`${jobId}/get`, {})).toMatchObject({ outcome: 'rejected', code: 'TerminalStateReached' });
  });

  test.each([
    ['no JSON', 'get', 'not json', 'InvalidJson'],
    ['an empty payload', 'get', '', 'InvalidJson'],
    ['a list', 'get', '[]', 'InvalidRequest'],
    ['a topic that is no request', 'nonsense/what', '{}', 'InvalidTopic'],
    ['an update of $next', '$next/update', '{"status":"SUCCEEDED"}', 'InvalidTopic'],
    ['a job that does not exist', 'no-such-job/get', '{}', 'ResourceNotFound'],
    ['an update without a status', 'open-job/update', '{}', 'InvalidRequest'],
    ['a status that only AWS may set', 'open-job/update', '{"status":"CANCELED"}', 'InvalidRequest'],
    ['eleven status details', 'open-job/update', JSON.stringify({ status: 'IN_PROGRESS', statusDetails: Object.fromEntries(Array.from({ length: 11 }, (_, i) => [`k${i}`, 'v'])) }), 'InvalidRequest'], // prettier-ignore
    ['a status detail with a line feed', 'open-job/update', JSON.stringify({ status: 'IN_PROGRESS', statusDetails: { csr: 'a\nb' } }), 'InvalidRequest'], // prettier-ignore
    ['a status detail of 1025 characters', 'open-job/update', JSON.stringify({ status: 'IN_PROGRESS', statusDetails: { csr: 'x'.repeat(1025) } }), 'InvalidRequest'], // prettier-ignore
    ['a step time-out of eight days', 'open-job/update', JSON.stringify({ status: 'IN_PROGRESS', stepTimeoutInMinutes: 11_520 }), 'InvalidRequest'], // prettier-ignore
    ['an execution number that does not exist', 'open-job/update', JSON.stringify({ status: 'IN_PROGRESS', executionNumber: 7 }), 'ResourceNotFound'], // prettier-ignore
  ])('%s', async (_, request, payload, code) => {
    await createJob(things('pump-a'), { jobId: 'open-job' }).catch(() => undefined);
    expect(await a.ask(request, payload)).toMatchObject({ outcome: 'rejected', code });
  });

  test('members that AWS does not name are passed over', async () => {
    expect(await a.ask('open-job/update', { status: 'SUCCEEDED', colour: 'green' })).toMatchObject({ outcome: 'accepted' });
  });
});

describe('what the faults of the desk do to a device', () => {
  afterEach(() => desk.cloud.world.faults.set({ throttle: 0, serverError: 0, lostAnswer: 0 }));

  test.each([
    ['throttle', 'RequestThrottled'],
    ['serverError', 'InternalError'],
  ])('%s: the request is rejected as %s and nothing has changed', async (fault, code) => {
    const jobId = await createJob(things('pump-a'));
    desk.cloud.world.faults.set({ [fault]: 1, only: ['iotjobsdata:UpdateJobExecution'] });
    expect(await a.ask(`${jobId}/update`, { status: 'SUCCEEDED', clientToken: 'again' })).toMatchObject({ code, clientToken: 'again' });
    desk.cloud.world.faults.set({ [fault]: 0 });
    expect(await a.ask(`${jobId}/update`, { status: 'SUCCEEDED' })).toMatchObject({ outcome: 'accepted' });
  });

  test('lostAnswer: the report is heard though the device gets no answer, and is refused as done when it comes again', async () => {
    const jobId = await createJob(things('pump-a'));
    desk.cloud.world.faults.set({ lostAnswer: 1, only: ['iotjobsdata:UpdateJobExecution'] });
    await a.client.publishAsync(`$aws/things/pump-a/jobs/${jobId}/update`, '{"status":"SUCCEEDED"}', { qos: 1 });
    expect((await describeJob(jobId)).status).toBe('COMPLETED');
    desk.cloud.world.faults.set({ lostAnswer: 0 });
    expect(await a.ask(`${jobId}/update`, { status: 'SUCCEEDED' })).toMatchObject({ executionState: { status: 'SUCCEEDED' } });
  });
});

describe('time-outs and retries', () => {
  test('the step timer counts when it ends before the in-progress timer, and never outlasts that', async () => {
    const jobId = await createJob(things('pump-a'), { timeoutConfig: { inProgressTimeoutInMinutes: 20 } });
    await advance(60 * MINUTE_MS);
    expect((await describe1(jobId, 'pump-a')).status).toBe('QUEUED');
    await a.ask('start-next', {});
    await advance(5 * MINUTE_MS);
    await a.ask(`${jobId}/update`, { status: 'IN_PROGRESS', stepTimeoutInMinutes: 7 });
    expect((await describe1(jobId, 'pump-a')).approximateSecondsBeforeTimedOut).toBeGreaterThan(415);
    await advance(5 * MINUTE_MS);
    await a.ask(`${jobId}/update`, { status: 'IN_PROGRESS', stepTimeoutInMinutes: 9 });
    await advance(3 * MINUTE_MS);
    await a.ask(`${jobId}/update`, { status: 'IN_PROGRESS', stepTimeoutInMinutes: 9 });
    await advance(6 * MINUTE_MS);
    expect((await describe1(jobId, 'pump-a')).status).toBe('IN_PROGRESS');
    await advance(1.1 * MINUTE_MS);
    expect(await describe1(jobId, 'pump-a')).toMatchObject({ status: 'TIMED_OUT' });
    expect(await describeJob(jobId)).toMatchObject({ status: 'COMPLETED', jobProcessDetails: { numberOfTimedOutThings: 1 } });
  });

  test('failures are tried again as often as the criteria say, each as an execution of its own', async () => {
    const jobId = await createJob(things('pump-a'), {
      timeoutConfig: { inProgressTimeoutInMinutes: 10 },
      jobExecutionsRetryConfig: {
        criteriaList: [
          { failureType: 'FAILED', numberOfRetries: 1 },
          { failureType: 'TIMED_OUT', numberOfRetries: 1 },
        ],
      },
    });
    const again = a.pushed('notify-next', jobId, ({ execution }) => (execution as { executionNumber: number }).executionNumber === 2);
    await a.ask(`${jobId}/update`, { status: 'FAILED' });
    expect(await again).toMatchObject({ execution: { jobId, executionNumber: 2, versionNumber: 1, status: 'QUEUED' } });
    await a.ask('start-next', {});
    await advance(11 * MINUTE_MS);
    expect(await a.ask('start-next', {})).toMatchObject({ execution: { jobId, executionNumber: 3 } });
    await a.ask(`${jobId}/update`, { status: 'FAILED' });
    const { executionSummaries } = await desk.iot.send(new ListJobExecutionsForThingCommand({ thingName: 'pump-a', jobId }));
    expect(
      executionSummaries!.map(({ jobExecutionSummary: found }) => [found!.executionNumber, found!.retryAttempt, found!.status]),
    ).toEqual([
      [1, 0, 'FAILED'],
      [2, 1, 'TIMED_OUT'],
      [3, 2, 'FAILED'],
    ]);
    expect(await describeJob(jobId)).toMatchObject({
      status: 'COMPLETED',
      jobProcessDetails: { numberOfFailedThings: 1, numberOfTimedOutThings: 0 },
    });
  });
});

describe('rollout and abort', () => {
  test('an exponential rollout rises by the minute as things are notified', async () => {
    const group = await createGroup('many', 40);
    const jobId = await createJob([group], {
      jobExecutionsRolloutConfig: {
        exponentialRate: { baseRatePerMinute: 5, incrementFactor: 2, rateIncreaseCriteria: { numberOfNotifiedThings: 10 } },
        maximumPerMinute: 12,
      },
    });
    const queued: (number | undefined)[] = [];
    const concurrent: (boolean | undefined)[] = [];
    for (let minute = 0; minute < 6; minute++) {
      const { jobProcessDetails, isConcurrent } = await describeJob(jobId);
      queued.push(jobProcessDetails!.numberOfQueuedThings);
      concurrent.push(isConcurrent);
      await advance(MINUTE_MS);
    }
    expect(queued).toEqual([5, 10, 20, 32, 40, 40]);
    expect(concurrent).toEqual([true, true, true, true, false, false]);
    await desk.iot.send(new CancelJobCommand({ jobId }));
  });

  test('a rollout that rises with successes stays at its base without them', async () => {
    const jobId = await createJob([ARN('thinggroup/many')], {
      jobExecutionsRolloutConfig: {
        exponentialRate: { baseRatePerMinute: 4, incrementFactor: 2, rateIncreaseCriteria: { numberOfSucceededThings: 1 } },
      },
    });
    await advance(MINUTE_MS);
    expect((await describeJob(jobId)).jobProcessDetails).toMatchObject({ numberOfQueuedThings: 8 });
    await monitor.ask(`${jobId}/update`, { status: 'SUCCEEDED' }, 'many-0');
    await advance(MINUTE_MS);
    expect((await describeJob(jobId)).jobProcessDetails).toMatchObject({ numberOfQueuedThings: 15, numberOfSucceededThings: 1 });
    await desk.iot.send(new CancelJobCommand({ jobId }));
  });

  test('a job aborts itself when the share of failures is met: the rest is untouched, what runs goes on', async () => {
    const jobId = await createJob([ARN('thinggroup/many')], {
      jobExecutionsRolloutConfig: { maximumPerMinute: 10 },
      abortConfig: { criteriaList: [{ failureType: 'FAILED', action: 'CANCEL', thresholdPercentage: 50, minNumberOfExecutedThings: 4 }] },
    });
    await monitor.ask(`${jobId}/update`, { status: 'IN_PROGRESS' }, 'many-9');
    for (const [thing, status] of [
      ['many-0', 'FAILED'],
      ['many-1', 'FAILED'],
      ['many-2', 'SUCCEEDED'],
    ] as const)
      await monitor.ask(`${jobId}/update`, { status }, thing);
    expect((await describeJob(jobId)).status).toBe('IN_PROGRESS');
    await monitor.ask(`${jobId}/update`, { status: 'SUCCEEDED' }, 'many-3');
    await advance(5 * MINUTE_MS);
    expect(await describeJob(jobId)).toMatchObject({
      status: 'CANCELED',
      reasonCode: expect.any(String),
      comment: expect.any(String),
      jobProcessDetails: {
        numberOfFailedThings: 2,
        numberOfSucceededThings: 2,
        numberOfCanceledThings: 5,
        numberOfInProgressThings: 1,
        numberOfQueuedThings: 0,
      },
    });
    expect(await monitor.ask(`${jobId}/update`, { status: 'SUCCEEDED' }, 'many-9')).toMatchObject({ outcome: 'accepted' });
  });

  test('cancelling takes what is queued, by force what runs; the device can then not report any more', async () => {
    const jobId = await createJob(things('pump-a', 'pump-b'));
    await a.ask(`${jobId}/update`, { status: 'IN_PROGRESS' });
    await desk.iot.send(new CancelJobCommand({ jobId, reasonCode: 'NOT_NOW', comment: 'changed my mind' }));
    expect((await describe1(jobId, 'pump-b')).status).toBe('CANCELED');
    expect((await describe1(jobId, 'pump-a')).status).toBe('IN_PROGRESS');
    await desk.iot.send(new CancelJobCommand({ jobId, force: true }));
    expect(await describe1(jobId, 'pump-a')).toMatchObject({ status: 'CANCELED', forceCanceled: true });
    expect(await a.ask(`${jobId}/update`, { status: 'SUCCEEDED' })).toMatchObject({ code: 'InvalidStateTransition' });
    expect(await describeJob(jobId)).toMatchObject({ reasonCode: 'NOT_NOW', forceCanceled: true });
    await expect(desk.iot.send(new CancelJobCommand({ jobId }))).rejects.toMatchObject({ name: 'InvalidRequestException' });
    await desk.iot.send(new DeleteJobCommand({ jobId }));
    await expect(describeJob(jobId)).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
  });

  test('a scheduled job waits for its start and cancels at its end', async () => {
    const nowMs = desk.cloud.world.clock.nowMs();
    const at = (minutes: number): string => new Date(nowMs + minutes * MINUTE_MS).toISOString().slice(0, 16);
    const jobId = await createJob(things('pump-a'), { schedulingConfig: { startTime: at(61), endTime: at(121), endBehavior: 'CANCEL' } });
    expect(await describeJob(jobId)).toMatchObject({ status: 'SCHEDULED', schedulingConfig: { endBehavior: 'CANCEL' } });
    await advance(62 * MINUTE_MS);
    expect(await a.ask('$next/get', {})).toMatchObject({ execution: { jobId } });
    await advance(60 * MINUTE_MS);
    expect((await describe1(jobId, 'pump-a')).status).toBe('CANCELED');
    expect((await describeJob(jobId)).status).toBe('COMPLETED');
  });

  test('a continuous job takes in what joins its group, and removes what leaves it or is deleted', async () => {
    const group = await createGroup('flock', 2);
    const jobId = await createJob([group], { targetSelection: 'CONTINUOUS' });
    await desk.iot.send(new CreateThingCommand({ thingName: 'late' }));
    await desk.iot.send(new AddThingToThingGroupCommand({ thingGroupName: 'flock', thingName: 'late' }));
    expect((await describe1(jobId, 'late')).status).toBe('QUEUED');
    await desk.iot.send(new RemoveThingFromThingGroupCommand({ thingGroupName: 'flock', thingName: 'late' }));
    expect((await describe1(jobId, 'late')).status).toBe('REMOVED');
    await desk.iot.send(new DeleteThingCommand({ thingName: 'flock-0' }));
    await desk.iot.send(new AssociateTargetsWithJobCommand({ jobId, targets: things('pump-b') }));
    expect(await b.ask('$next/get', {})).toMatchObject({ execution: { jobId } });
    for (const [device, thing] of [
      [b, 'pump-b'],
      [monitor, 'flock-1'],
    ] as const)
      await device.ask(`${jobId}/update`, { status: 'SUCCEEDED' }, thing);
    expect(await describeJob(jobId)).toMatchObject({
      status: 'IN_PROGRESS',
      jobProcessDetails: { numberOfRemovedThings: 2, numberOfSucceededThings: 2 },
    });
    await desk.iot.send(new DeleteJobCommand({ jobId, force: true }));
  });
});

describe('events and metrics', () => {
  test('are sent when they are switched on, and only then', async () => {
    const heard: Record<string, unknown>[] = [];
    const topics: string[] = [];
    monitor.client.on('message', (topic, payload) => {
      if (!topic.startsWith('$aws/events/job')) return;
      topics.push(topic);
      heard.push(JSON.parse(payload.toString()) as Record<string, unknown>);
    });
    const silent = await createJob(things('pump-a'));
    await a.ask(`${silent}/update`, { status: 'SUCCEEDED' });
    expect(heard).toEqual([]);
    await desk.iot.send(
      new UpdateEventConfigurationsCommand({ eventConfigurations: { JOB: { Enabled: true }, JOB_EXECUTION: { Enabled: true } } }),
    );
    const done = await createJob(things('pump-a'), { description: 'loud' });
    const completed = nextMessage(monitor.client, (topic) => topic === `$aws/events/job/${done}/completed`);
    await a.ask(`${done}/update`, { status: 'SUCCEEDED', statusDetails: { newCertificateId: 'abc' } });
    await completed;
    expect(heard[0]).toEqual({
      eventType: 'JOB_EXECUTION',
      eventId: expect.any(String),
      timestamp: expect.any(Number),
      operation: 'succeeded',
      jobId: done,
      thingArn: ARN('thing/pump-a'),
      status: 'SUCCEEDED',
      statusDetails: { newCertificateId: 'abc' },
    });
    expect(heard[1]).toMatchObject({
      eventType: 'JOB',
      operation: 'completed',
      status: 'COMPLETED',
      targetSelection: 'SNAPSHOT',
      targets: things('pump-a'),
      description: 'loud',
      jobProcessDetails: { numberOfSucceededThings: 1 },
    });
    expect(String(heard[1]!['createdAt'])).toHaveLength(13);
    expect(String(heard[1]!['timestamp'])).toHaveLength(10);
    const gone = await createJob(things('pump-a'));
    const deleted = nextMessage(monitor.client, (topic) => topic === `$aws/events/job/${gone}/deleted`);
    await desk.iot.send(new CancelJobCommand({ jobId: gone, comment: 'over' }));
    await desk.iot.send(new DeleteJobCommand({ jobId: gone }));
    await deleted;
    expect(topics.filter((topic) => topic.includes(gone)).map((topic) => topic.split('/').slice(2).join('/'))).toEqual([
      `job/${gone}/cancellation_in_progress`,
      `jobExecution/${gone}/canceled`,
      `job/${gone}/canceled`,
      `job/${gone}/deletion_in_progress`,
      `jobExecution/${gone}/deleted`,
      `job/${gone}/deleted`,
    ]);
    const forced = await createJob(things('pump-a'));
    const removed = nextMessage(monitor.client, (topic) => topic === `$aws/events/job/${forced}/deleted`);
    await desk.iot.send(new DeleteJobCommand({ jobId: forced, force: true }));
    await removed;
    expect(topics).not.toContain(`$aws/events/job/${forced}/completed`);
  });

  test('the metrics of a job are in AWS’s own spelling', async () => {
    const jobId = await createJob(things('pump-a', 'pump-b'));
    await a.ask(`${jobId}/update`, { status: 'SUCCEEDED' });
    await advance(MINUTE_MS);
    const found = Object.fromEntries(
      metrics.filter(({ dimensions }) => dimensions['JobId'] === jobId).map(({ name, value }) => [name, value]),
    );
    expect(found).toMatchObject({
      QueuedJobExecutionCount: 2,
      SuccededJobExecutionCount: 1,
      SuccededJobExecutionTotalCount: 1,
      QueuedJobExecutionTotalCount: 1,
      FailedJobExecutionTotalCount: 0,
    });
    await b.ask(`${jobId}/update`, { status: 'SUCCEEDED' });
  });
});

describe('the control plane', () => {
  test('an id is taken until the job is deleted', async () => {
    const jobId = await createJob(things('pump-a'));
    await expect(createJob(things('pump-a'), { jobId })).rejects.toMatchObject({
      name: 'ResourceAlreadyExistsException',
      resourceId: jobId,
      resourceArn: ARN(`job/${jobId}`),
    });
    await expect(desk.iot.send(new DeleteJobCommand({ jobId }))).rejects.toMatchObject({ name: 'InvalidStateTransitionException' });
    await desk.iot.send(new DeleteJobCommand({ jobId, force: true }));
    await createJob(things('pump-a'), { jobId });
    await desk.iot.send(new DeleteJobCommand({ jobId, force: true }));
  });

  test.each<[string, Partial<CreateJobCommandInput>, string]>([
    ['an id with a colon', { jobId: 'a:b' }, 'InvalidRequestException'],
    ['no targets', { targets: [] }, 'InvalidRequestException'],
    ['a thing that does not exist', { targets: things('nobody') }, 'ResourceNotFoundException'],
    ['a target of another kind', { targets: [ARN('policy/device')] }, 'InvalidRequestException'],
    ['a hundred and one targets', { targets: things(...Array.from({ length: 101 }, (_, i) => `t${i}`)) }, 'InvalidRequestException'],
    ['a document that is no JSON', { document: 'do it' }, 'InvalidRequestException'],
    ['a document of more than 32,768 characters', { document: JSON.stringify('x'.repeat(32_768)) }, 'InvalidRequestException'],
    ['a rollout of 1001 a minute', { jobExecutionsRolloutConfig: { maximumPerMinute: 1001 } }, 'InvalidRequestException'],
    ['a time-out of eight days', { timeoutConfig: { inProgressTimeoutInMinutes: 11_520 } }, 'InvalidRequestException'],
    ['a threshold above 100 %', { abortConfig: { criteriaList: [{ failureType: 'ALL', action: 'CANCEL', thresholdPercentage: 101, minNumberOfExecutedThings: 1 }] } }, 'InvalidRequestException'], // prettier-ignore
    ['retries of time-outs without a timer', { jobExecutionsRetryConfig: { criteriaList: [{ failureType: 'TIMED_OUT', numberOfRetries: 1 }] } }, 'InvalidRequestException'], // prettier-ignore
    ['a start in ten minutes', { schedulingConfig: { startTime: '2020-01-01T00:00' } }, 'InvalidRequestException'],
    ['a maintenance window of a snapshot job', { schedulingConfig: { maintenanceWindows: [{ startTime: 'cron(0 0 * * ? *)', durationInMinutes: 60 }] } }, 'InvalidRequestException'], // prettier-ignore
    ['a maintenance window without a time', { targetSelection: 'CONTINUOUS', schedulingConfig: { maintenanceWindows: [{ startTime: 'at night', durationInMinutes: 60 }] } }, 'InvalidRequestException'], // prettier-ignore
    ['a maintenance window of a whole day', { targetSelection: 'CONTINUOUS', schedulingConfig: { maintenanceWindows: [{ startTime: 'cron(0 0 * * ? *)', durationInMinutes: 1431 }] } }, 'InvalidRequestException'], // prettier-ignore
    ['a document in a bucket', { documentSource: 'https://s3.amazonaws.com/b/k' }, 'NotImplemented'],
  ])('%s is refused', async (_, more, name) => {
    await expect(
      desk.iot.send(new CreateJobCommand({ jobId: 'refused', targets: things('pump-a'), document: '{}', ...more })),
    ).rejects.toMatchObject({ name });
  });

  test('jobs and executions are listed in pages and by status', async () => {
    const jobId = await createJob([ARN('thinggroup/many')]);
    const page = await desk.iot.send(new ListJobExecutionsForJobCommand({ jobId, maxResults: 25 }));
    const rest = await desk.iot.send(new ListJobExecutionsForJobCommand({ jobId, maxResults: 25, nextToken: page.nextToken }));
    expect([page.executionSummaries!.length, rest.executionSummaries!.length, rest.nextToken]).toEqual([25, 15, undefined]);
    const { jobs: listed } = await desk.iot.send(new ListJobsCommand({ status: 'IN_PROGRESS', thingGroupName: 'many' }));
    expect(listed!.map((job) => job.jobId)).toEqual([jobId]);
    await desk.iot.send(new CancelJobExecutionCommand({ jobId, thingName: 'many-1', expectedVersion: 1, statusDetails: { why: 'test' } }));
    await expect(desk.iot.send(new CancelJobExecutionCommand({ jobId, thingName: 'many-1' }))).rejects.toMatchObject({
      name: 'InvalidStateTransitionException',
    });
    await expect(desk.iot.send(new CancelJobExecutionCommand({ jobId, thingName: 'many-2', expectedVersion: 5 }))).rejects.toMatchObject({
      name: 'VersionConflictException',
    });
    await desk.iot.send(new DeleteJobExecutionCommand({ jobId, thingName: 'many-1', executionNumber: 1 }));
    await expect(describe1(jobId, 'many-1')).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
    expect((await describeJob(jobId)).jobProcessDetails).toMatchObject({ numberOfQueuedThings: 39, numberOfCanceledThings: 0 });
    await desk.iot.send(new UpdateJobCommand({ jobId, description: 'new', timeoutConfig: { inProgressTimeoutInMinutes: 5 } }));
    expect(await describeJob(jobId)).toMatchObject({ description: 'new', timeoutConfig: { inProgressTimeoutInMinutes: 5 } });
    await desk.iot.send(new CancelJobCommand({ jobId }));
  });

  test('a template gives a job its document and settings', async () => {
    const { jobTemplateArn } = await desk.iot.send(
      new CreateJobTemplateCommand({
        jobTemplateId: 'rotate',
        description: 'rotation',
        document: '{"operation":"rotate"}',
        timeoutConfig: { inProgressTimeoutInMinutes: 30 },
      }),
    );
    await desk.iot.send(new CreateJobCommand({ jobId: 'from-template', targets: things('pump-a'), jobTemplateArn }));
    expect((await desk.iot.send(new GetJobDocumentCommand({ jobId: 'from-template' }))).document).toBe('{"operation":"rotate"}');
    expect(await describeJob('from-template')).toMatchObject({ jobTemplateArn, timeoutConfig: { inProgressTimeoutInMinutes: 30 } });
    await desk.iot.send(new DeleteJobCommand({ jobId: 'from-template', force: true }));
  });
});
