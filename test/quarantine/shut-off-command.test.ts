/** The shut-off by an AWS IoT command beside the job: it shortens the way to `done`, and nothing else that it says, or does not say, counts. */
import { METRICS } from '../../domain/fleet/metrics.js';
import type { CommandParameters } from '../../domain/protocol/command.js';
import type { DeviceCommands } from '../../lambda/ports/device-commands.js';
import { answerOf } from '../../lambda/quarantine/contain/shut-off.js';
import { nextOf } from '../../lambda/quarantine/next.js';
import type { ReleasePorts } from '../../lambda/quarantine/ports.js';
import { crashing, Death } from '../revocation/memory/crashing.js';
import { certificateNumber } from './memory/iot.js';
import { QuarantineWorld } from './memory/world.js';

/** AWS IoT commands in memory: a token is an execution, and a device makes of it what `answer` says. */
class MemoryCommands implements DeviceCommands {
  readonly executions = new Map<string, { readonly thing: string; readonly parameters: CommandParameters; status: string }>();
  startFails = false;
  readFails = false;

  constructor(public answer: string) {}

  async start(thing: string, parameters: CommandParameters, clientToken: string) {
    if (this.startFails) throw new Error('ThrottlingException');
    const executionId = `execution-${clientToken}`;
    if (!this.executions.has(executionId)) this.executions.set(executionId, { thing, parameters, status: this.answer });
    return executionId;
  }
  async execution(executionId: string) {
    if (this.readFails) throw new Error('ThrottlingException');
    const found = this.executions.get(executionId);
    const said: Record<string, string> = found?.status === 'SUCCEEDED' ? { stopped: 'actuation' } : {};
    return found && { status: found.status, said };
  }
}

function single({ job = 'QUEUED', command = 'SUCCEEDED' } = {}) {
  const world = new QuarantineWorld();
  const id = certificateNumber(1);
  world.iot.addCertificate(id, 'ACTIVE', ['device']);
  world.iot.addThing('pump-1', [id]);
  world.jobs.answer = ({ operation }) => (operation === 'resume' ? 'SUCCEEDED' : job);
  const commands = new MemoryCommands(command);
  const input = world.inputFor('pump-1');
  const ports = (): ReleasePorts => ({ ...world.stepPorts, commands });
  const jobStatus = (): string | undefined => world.jobs.jobs.get(`fleetwarden-shut-off-${input.containmentId}`)?.status;
  return { world, id, commands, input, ports, jobStatus };
}

const shutOffOf = (world: QuarantineWorld) => world.records.rows.get('pump-1')?.shutOff;
const secondsToAnswer = (world: QuarantineWorld): unknown =>
  world.decisions.rows.find(({ act, step }) => act === 'shut-off' && step === 'outcome')?.detail?.['seconds'];

describe('a device that answers the command', () => {
  it('has shut off, three seconds after it was asked, and it is on record which way it said so', async () => {
    const { world, commands, input, ports } = single();
    await world.run(input, { ports });
    expect(shutOffOf(world)).toMatchObject({ outcome: 'done', way: 'command', executionId: `execution-${input.containmentId}` });
    expect(secondsToAnswer(world)).toBe(3);
    expect([world.metric(METRICS.shutOffDone), world.metric(METRICS.shutOffByCommand)]).toEqual([1, 1]);
    expect([...commands.executions.values()]).toMatchObject([
      { thing: 'pump-1', parameters: { containmentId: input.containmentId, reason: 'operator' } },
    ]);
    const outcome = world.decisions.rows.find(({ act, step }) => act === 'shut-off' && step === 'outcome');
    expect(outcome).toMatchObject({ reason: 'shut-off-done', detail: { way: 'command', stopped: 'actuation' } });
  });
  it('is not waited for by the job: it is cancelled', async () => {
    const { world, input, ports, jobStatus } = single();
    await world.run(input, { ports });
    expect(jobStatus()).toBe('CANCELED');
  });
  it('and the job: the job is left as it was answered, and counts', async () => {
    const { world, input, ports, jobStatus } = single({ job: 'SUCCEEDED' });
    await world.run(input, { ports });
    expect(jobStatus()).toBe('SUCCEEDED');
    expect(shutOffOf(world)).toMatchObject({ outcome: 'done', way: 'job' });
    expect(world.metric(METRICS.shutOffByCommand)).toBe(0);
  });
  it('is asked to resume by a job when it is released, as any other', async () => {
    const { world, input, ports } = single();
    await world.run(input, { ports });
    await world.askRelease('pump-1');
    await world.run(input, { until: 'nothing', ports });
    expect([...world.jobs.jobs.values()].map(({ document }) => document.operation)).toEqual(['shut-off', 'resume']);
  });
  it.each([
    ['contained', 'contain'],
    ['only asked', 'shut-off'],
  ] as const)('%s, and is released before it is on record that it was asked, goes on all the same', async (_how, response) => {
    const { world, commands, ports } = single({ job: 'QUEUED' });
    const input = world.inputFor('pump-1', response);
    await world.run(input, { until: 'ShutOff', ports });
    const move = world.records.move.bind(world.records);
    world.records.move = () => Promise.reject(new Error('ThrottlingException'));
    await expect(world.step('ShutOff', input, ports())).rejects.toThrow('ThrottlingException');
    world.records.move = move;
    expect([commands.executions.size, shutOffOf(world)]).toEqual([1, undefined]);
    await world.askRelease('pump-1');
    await world.run(input, { until: 'nothing', ports });
    expect([...world.jobs.jobs.values()].map(({ document, status }) => [document.operation, status])).toEqual([
      ['shut-off', 'CANCELED'],
      ['resume', 'SUCCEEDED'],
    ]);
  });
  it.each(['FAILED', 'REJECTED'])('but says %s to the job, has not shut off', async (job) => {
    const { world, id, input, ports } = single({ job });
    await world.run(input, { ports });
    expect([shutOffOf(world)?.outcome, world.iot.certificates.get(id)!.status]).toEqual(['refused', 'INACTIVE']);
  });
});

describe('what a command does not say is left to the job', () => {
  it.each(['CREATED', 'IN_PROGRESS', 'FAILED', 'REJECTED', 'TIMED_OUT', 'A_NEW_WORD'])('%s is no answer', async (command) => {
    const { world, id, input, ports } = single({ command });
    await world.run(input, { until: 'AwaitAnswer', ports });
    for (let looks = 0; looks < 6; looks += 1) await world.step('CheckAnswer', input, ports());
    expect(shutOffOf(world)?.outcome).toBeUndefined();
    const job = world.jobs.jobs.get(`fleetwarden-shut-off-${input.containmentId}`)!;
    job.status = 'SUCCEEDED';
    await world.run(input, { ports });
    expect(shutOffOf(world)).toMatchObject({ outcome: 'done', way: 'job' });
    expect(world.iot.certificates.get(id)!.status).toBe('ACTIVE');
  });
  it('with neither answered, the device is deactivated, no sooner than without commands', async () => {
    const { world, id, input, ports } = single({ command: 'TIMED_OUT' });
    await world.run(input, { ports });
    expect([shutOffOf(world)?.outcome, world.iot.certificates.get(id)!.status]).toEqual(['unanswered', 'INACTIVE']);
    expect(secondsToAnswer(world)).toBeGreaterThanOrEqual(15 * 60);
  });
  it('a command that cannot be started is told, and the job goes on as without', async () => {
    const { world, commands, input, ports } = single({ job: 'SUCCEEDED' });
    commands.startFails = true;
    await world.run(input, { ports });
    expect(shutOffOf(world)).toMatchObject({ outcome: 'done', way: 'job' });
    expect(shutOffOf(world)?.executionId).toBeUndefined();
    expect(secondsToAnswer(world)).toBe(15);
  });
  it('a command that cannot be read is told, and the job goes on as without', async () => {
    const { world, commands, input, ports } = single({ job: 'SUCCEEDED' });
    commands.readFails = true;
    await world.run(input, { ports });
    expect(shutOffOf(world)).toMatchObject({ outcome: 'done', way: 'job' });
  });
  it('where the thing is gone nobody is told', async () => {
    const { world, commands, input, ports } = single();
    await world.run(input, { until: 'ShutOff', ports });
    world.iot.things.delete('pump-1');
    await world.run(input, { ports });
    expect(commands.executions.size).toBe(0);
    expect(shutOffOf(world)?.outcome).toBe('unanswered');
  });
});

describe('the statuses of job and command together', () => {
  it.each<[string | undefined, string | undefined, string | undefined]>([
    ['SUCCEEDED', undefined, 'done'],
    ['QUEUED', 'SUCCEEDED', 'done'],
    [undefined, 'SUCCEEDED', 'done'],
    // Ended by us, after the command was answered; or by somebody: the device has said that it has stopped.
    ['CANCELED', 'SUCCEEDED', 'done'],
    ['TIMED_OUT', 'SUCCEEDED', 'done'],
    ['FAILED', 'SUCCEEDED', 'refused'],
    ['REJECTED', 'SUCCEEDED', 'refused'],
    ['CANCELED', 'FAILED', 'refused'],
    ['QUEUED', 'FAILED', undefined],
    ['QUEUED', 'REJECTED', undefined],
    ['IN_PROGRESS', 'TIMED_OUT', undefined],
  ])('job %s and command %s: %s', (job, command, outcome) => {
    expect(answerOf(job, 0, 1000, 999, command)).toBe(outcome);
  });
});

describe('how soon the answer is looked for', () => {
  const waits = async (withCommand: boolean): Promise<number[]> => {
    const { world, input, ports } = single();
    await world.run(input, { until: 'AwaitAnswer', ...(withCommand ? { ports } : {}) });
    const row = world.records.rows.get('pump-1')!;
    const seconds: number[] = [];
    for (let nowMs = row.shutOff!.askedAtMs; seconds.length < 7; nowMs += seconds.at(-1)! * 1000) seconds.push(nextOf(row, nowMs).seconds);
    return seconds;
  };
  it('with a command under way: within seconds at first, and later as without', async () => {
    expect(await waits(true)).toEqual([3, 3, 6, 12, 15, 15, 15]);
  });
  it('without: every quarter of a minute', async () => {
    expect(await waits(false)).toEqual([15, 15, 15, 15, 15, 15, 15]);
  });
});

test('whenever the process dies, the device is told once, and what it said to the command is on record', async () => {
  for (const moment of ['before', 'after'] as const) {
    for (let n = 1; ; n += 1) {
      const { world, commands, input, ports, jobStatus } = single();
      await world.run(input, { until: 'ShutOff', ports });
      let deaths = 0;
      for (const step of ['ShutOff', 'CheckAnswer'] as const) {
        try {
          await world.step(step, input, crashing(ports(), n, moment));
        } catch (error) {
          if (!(error instanceof Death)) throw error;
          deaths += 1;
        }
        await world.step(step, input, ports());
      }
      expect(commands.executions.size).toBe(1);
      expect(shutOffOf(world)).toMatchObject({ outcome: 'done', way: 'command' });
      expect(jobStatus()).toBe('CANCELED');
      if (deaths === 0) break;
    }
  }
});
