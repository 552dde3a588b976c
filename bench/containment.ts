/**
 * Containment on the desk, with the synthesised templates, the bundled functions, the state machine as it is, and devices over mutual TLS: time from the
 * message that is one too many to the refused reconnect, and from an operator's word to it; calls by API and steps of the workflow for each containment and each
 * release; peak memory of the functions. The pace and both waits for a batch (five seconds on the stream, five on the intake queue) are
 * the defaults, and AWS's quotas are enforced.
 * `BENCH_DEVICES=50` (default 20), `BENCH_QUICK=1`: 5. Alone: `npx tsx bench/containment.ts`.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import Table from 'cli-table3';
import { applicationParameterName, DEFAULT_PREFIX } from '../domain/protocol/application-parameters.js';
import type { ContainmentControl, OperatorContainment } from '../domain/protocol/containment.js';
import { DEFAULT_TOPIC_PREFIX, deviceTopic } from '../domain/protocol/topics.js';
import { RawDevice } from '../local/fleet/raw-device.js';
import { assemblyOf } from '../test/scenarios/support/assembly.js';
import { Scene, type Device } from '../test/scenarios/support/scene.js';
import { percentile } from './measure.js';
import { deadLetters, patiently, peaksMb } from './on-desk.js';

const isQuick = process.env['BENCH_QUICK'] === '1';
const DEVICES = isQuick ? 5 : Number(process.env['BENCH_DEVICES'] ?? 20);
/** So many messages within a window are normal. */
const LIMIT = 60;
/** Between two messages: 40 a second up to the limit, then slower, so that what is measured is not how fast a desk swallows messages. */
const MESSAGE_MS = { upToLimit: 25, beyond: 250 } as const;
/** From one device to the next: they meet batches at every age. */
const STAGGER_MS = 400;
const MINUTE_MS = 60_000;
const SETTLE_MINUTES = 10;
const PATIENCE = { patienceMs: 10 * MINUTE_MS, pollMs: 200 } as const;
const FUNCTIONS = ['behaviour-watch', 'quarantine-intake', 'quarantine-contain', 'quarantine-release', 'quarantine-watch'] as const;

export interface Percentiles {
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
}

/** Seconds. */
export interface TimeRow {
  readonly by: 'violation' | 'operator';
  readonly devices: number;
  /** To the end of the connection. */
  readonly cut: Percentiles;
  /** To a reconnect that was refused. */
  readonly refused: Percentiles;
}

/** For each thing. */
export interface CallRow {
  readonly of: 'containment by violation' | 'containment by operator' | 'release';
  /** By API, of the functions of quarantine without the regular look, and without tries that were throttled. */
  readonly calls: Readonly<Record<string, number>>;
  /** States that the workflow entered. */
  readonly steps: number;
  /** Tries that the quotas of an account refused, by API, of all things together; the SDK, or the workflow, tries again. */
  readonly throttled: Readonly<Record<string, number>>;
}

export interface ContainmentResults {
  readonly times: readonly TimeRow[];
  readonly calls: readonly CallRow[];
  /** Function → largest `Max Memory Used`, MB. */
  readonly peakMb: Readonly<Record<string, number>>;
  readonly dead: number;
}

const CONFIGURATION = {
  behaviour: {
    detect: 'built-in',
    sources: { sent: true },
    behaviours: [
      { name: 'messages-sent', value: LIMIT },
      // Devices of the desk call from this computer.
      { name: 'source-address', enabled: false },
    ],
  },
  // What is measured is the way through it, so the brake lets everything through.
  quarantine: {
    mode: 'enforce',
    policySettleMinutes: SETTLE_MINUTES,
    brake: { floor: 100_000, perHour: 100_000, fleetShare: 1, groupShare: 1 },
  },
} as const;

export async function run(): Promise<ContainmentResults> {
  const scene = await Scene.open(await assemblyOf({ more: CONFIGURATION }), { factory: 2 * DEVICES });
  try {
    const bench = await Bench.of(scene);
    scene.desk.world.faults.set({ quotas: true });
    const [flooders, quiet] = [scene.factoryDevices.slice(0, DEVICES), scene.factoryDevices.slice(DEVICES)];
    const byViolation = await bench.containAll('violation', flooders, flood);
    const byOperator = await bench.containAll('operator', quiet, (device) => bench.askToContain(device.thingName));
    const release = await bench.releaseAll();
    const results: ContainmentResults = {
      times: [byViolation.times, byOperator.times],
      calls: [byViolation.calls, byOperator.calls, release],
      peakMb: await peaksMb(scene.desk, FUNCTIONS),
      dead: await deadLetters(scene.desk),
    };
    process.stdout.write(`${tables(results)}\n`);
    return results;
  } finally {
    await scene.close();
  }
}

interface Cutting {
  readonly cutSeconds: number;
  readonly refusedSeconds: number;
}

class Bench {
  /** By API, of the functions of quarantine, as far as they work for single things. */
  private readonly counts = new Map<string, number>();
  private readonly throttled = new Map<string, number>();

  private constructor(
    private readonly scene: Scene,
    private readonly ledgerTable: string,
    private readonly intakeQueueUrl: string,
    private readonly machineArn: string,
  ) {
    scene.desk.world.journal.on(({ kind, who, what, detail }) => {
      if (kind !== 'call' || !who.startsWith('fleetwarden-quarantine-')) return;
      if (/Throttl|TooManyRequests/.test(detail ?? '')) this.throttled.set(what, (this.throttled.get(what) ?? 0) + 1);
      else if (!who.startsWith('fleetwarden-quarantine-watch')) this.counts.set(what, (this.counts.get(what) ?? 0) + 1);
    });
  }

  static async of(scene: Scene): Promise<Bench> {
    const parameter = async (name: 'ledgerTable' | 'intakeQueueUrl' | 'quarantineMachineArn'): Promise<string> => {
      const Name = applicationParameterName(DEFAULT_PREFIX, name);
      return (await scene.desk.cloud.call<{ Parameter: { Value: string } }>('ssm', 'GetParameter', { Name })).Parameter.Value;
    };
    return new Bench(scene, await parameter('ledgerTable'), await parameter('intakeQueueUrl'), await parameter('quarantineMachineArn'));
  }

  /** Each device is connected, gives a reason, is cut off and refused; then it is let back for repair, and answers the shut-off. */
  async containAll(
    by: TimeRow['by'],
    devices: readonly Device[],
    provoke: (device: RawDevice) => Promise<number>,
  ): Promise<{ readonly times: TimeRow; readonly calls: CallRow }> {
    const [calls, steps, throttled] = [new Map(this.counts), await this.steps(), new Map(this.throttled)];
    const cuttings = await Promise.all(
      devices.map(async (device, index): Promise<Cutting> => {
        const connected = await RawDevice.connect(this.options(device));
        const cutAt = connected.whenEnded.then(() => performance.now());
        await sleep(index * STAGGER_MS);
        const [since, cut] = await Promise.all([provoke(connected), cutAt]);
        const refused = await this.refusedAt(device);
        return { cutSeconds: (cut - since) / 1000, refusedSeconds: (refused - since) / 1000 };
      }),
    );
    await this.repairAll(devices);
    return {
      times: {
        by,
        devices: devices.length,
        cut: percentilesOf(cuttings.map(({ cutSeconds }) => cutSeconds)),
        refused: percentilesOf(cuttings.map(({ refusedSeconds }) => refusedSeconds)),
      },
      calls: {
        of: `containment by ${by}`,
        calls: each(difference(this.counts, calls), devices.length),
        steps: ((await this.steps()) - steps) / devices.length,
        throttled: Object.fromEntries(difference(this.throttled, throttled)),
      },
    };
  }

  async askToContain(thingName: string): Promise<number> {
    const requestId = Buffer.from(thingName).toString('hex').padStart(12, '0').slice(-12);
    const message: OperatorContainment = { kind: 'operator', thingName, response: 'contain', by: 'bench', reason: 'bench', requestId };
    const since = performance.now();
    await this.intake(message);
    return since;
  }

  /** After the alarms have cleared. */
  async releaseAll(): Promise<CallRow> {
    // The window in which the flood was, and the three normal ones that clear it.
    await this.scene.desk.world.clock.advance(25 * MINUTE_MS);
    const [calls, steps, throttled] = [new Map(this.counts), await this.steps(), new Map(this.throttled)];
    const things = await this.contained();
    for (const { thingName } of things) {
      const message: ContainmentControl = { kind: 'release', thingName, by: 'bench', reason: 'bench', rekey: false, force: false };
      await this.intake(message);
    }
    await patiently(async () => (await this.contained()).length === 0, `${things.length} things released`, PATIENCE);
    return {
      of: 'release',
      calls: each(difference(this.counts, calls), things.length),
      steps: ((await this.steps()) - steps) / things.length,
      throttled: Object.fromEntries(difference(this.throttled, throttled)),
    };
  }

  private async intake(message: OperatorContainment | ContainmentControl): Promise<void> {
    await this.scene.desk.cloud.call('sqs', 'SendMessage', { QueueUrl: this.intakeQueueUrl, MessageBody: JSON.stringify(message) });
  }

  private options(device: Device) {
    const { env, serverCaPem } = this.scene.desk;
    return { ...device, host: env.DESK_MQTT_HOST, port: Number(env.DESK_MQTT_PORT), serverCaPem };
  }

  /** Tries again and again until it is not let in. */
  private async refusedAt(device: Device): Promise<number> {
    for (;;) {
      try {
        await (
          await RawDevice.connect(this.options(device))
        ).whenEnded;
      } catch {
        return performance.now();
      }
    }
  }

  private async repairAll(devices: readonly Device[]): Promise<void> {
    const names = new Set(devices.map(({ thingName }) => thingName));
    const ours = async () => (await this.contained()).filter(({ thingName }) => names.has(thingName));
    const all = async (holds: (row: ContainedRow) => boolean): Promise<boolean> => {
      const rows = await ours();
      return rows.length === devices.length && rows.every(holds);
    };
    await patiently(() => all(({ state }) => state === 'locked'), `${devices.length} things locked`, PATIENCE);
    await this.scene.desk.world.clock.advance(SETTLE_MINUTES * MINUTE_MS);
    await patiently(() => all(({ shutOff }) => shutOff !== undefined), `${devices.length} things asked to shut off`, PATIENCE);
    await Promise.all(devices.map((device) => this.shutOff(device)));
    const answered = async (): Promise<boolean> => {
      await this.scene.desk.world.clock.advance(15_000);
      return all(({ shutOff }) => shutOff?.outcome === 'done');
    };
    await patiently(answered, `${devices.length} things shut off`, PATIENCE);
  }

  /** With no more rights than repair has. */
  private async shutOff(device: Device): Promise<void> {
    const connected = await RawDevice.connect(this.options(device));
    const topics = ['start-next', '+/update'].flatMap((request) => [`${request}/accepted`, `${request}/rejected`]);
    await connected.subscribe(...topics.map((topic) => `$aws/things/${device.thingName}/jobs/${topic}`));
    const { execution } = (await connected.job('start-next', {})) as { execution?: { jobId?: string } };
    await connected.job(`${execution?.jobId}/update`, { status: 'SUCCEEDED', statusDetails: { stopped: 'telemetry' } });
    await connected.end();
  }

  private async contained(): Promise<readonly ContainedRow[]> {
    const { cloud } = this.scene.desk;
    const { Items = [] } = await cloud.call<{ Items?: { sk: { S: string } }[] }>('dynamodb', 'Query', {
      TableName: this.ledgerTable,
      KeyConditionExpression: 'pk = :pk',
      ExpressionAttributeValues: { ':pk': { S: 'CONTAINED' } },
    });
    const rows = await Promise.all(
      Items.map(async ({ sk }) => {
        const Key = { pk: { S: `CONTAINED#${sk.S}` }, sk: { S: 'CONTAINED' } };
        const { Item } = await cloud.call<{ Item?: StoredRow }>('dynamodb', 'GetItem', { TableName: this.ledgerTable, Key });
        if (Item === undefined) return [];
        const { shutOff } = Item;
        return [{ thingName: sk.S, state: Item.state.S, ...(shutOff === undefined ? {} : { shutOff: { outcome: shutOff.M.outcome?.S } }) }];
      }),
    );
    return rows.flat();
  }

  /** States that all executions have entered so far. */
  private async steps(): Promise<number> {
    const { cloud } = this.scene.desk;
    const { executions } = await cloud.call<{ executions: { executionArn: string }[] }>('states', 'ListExecutions', {
      stateMachineArn: this.machineArn,
      maxResults: 1000,
    });
    let entered = 0;
    for (const { executionArn } of executions) {
      const input = { executionArn, maxResults: 1000 };
      const { events } = await cloud.call<{ events: { type: string }[] }>('states', 'GetExecutionHistory', input);
      entered += events.filter(({ type }) => type.endsWith('StateEntered')).length;
    }
    return entered;
  }
}

interface ContainedRow {
  readonly thingName: string;
  readonly state: string;
  readonly shutOff?: { readonly outcome: string | undefined };
}
interface StoredRow {
  readonly state: { readonly S: string };
  readonly shutOff?: { readonly M: { readonly outcome?: { readonly S: string } } };
}

/** Speaks until it is cut off. Resolves to the time of the message that was one too many. */
async function flood(device: RawDevice): Promise<number> {
  const topic = deviceTopic(DEFAULT_TOPIC_PREFIX, device.thingName, 'telemetry');
  let since = Number.NaN;
  for (let message = 1; device.ended === undefined; message += 1) {
    if (message === LIMIT + 1) since = performance.now();
    await device.publish(topic, { message }, 0);
    await sleep(message <= LIMIT ? MESSAGE_MS.upToLimit : MESSAGE_MS.beyond);
  }
  return since;
}

const percentilesOf = (values: readonly number[]): Percentiles => ({
  p50: percentile(values, 0.5),
  p90: percentile(values, 0.9),
  p99: percentile(values, 0.99),
});
const difference = (after: ReadonlyMap<string, number>, before: ReadonlyMap<string, number>): Map<string, number> =>
  new Map([...after].map(([what, count]): [string, number] => [what, count - (before.get(what) ?? 0)]).filter(([, count]) => count > 0));
const each = (counts: ReadonlyMap<string, number>, things: number): Record<string, number> =>
  Object.fromEntries([...counts].map(([what, count]) => [what, count / things]));

/** AWS IoT first: it is what has quotas. */
const isIot = (api: string): boolean => /^iot(data)?:/.test(api);
const inOrder = (apis: Iterable<string>): string[] =>
  [...new Set(apis)].sort((one, other) => Number(isIot(other)) - Number(isIot(one)) || one.localeCompare(other));

function tables({ times, calls, peakMb, dead }: ContainmentResults): string {
  const time = new Table({
    head: ['asked for by', 'devices', 'to', 'p50', 'p90', 'p99'],
    style: { head: [] },
  });
  for (const { by, devices, ...row } of times) {
    for (const to of ['cut', 'refused'] as const) {
      const { p50, p90, p99 } = row[to];
      time.push([
        by,
        devices,
        to === 'cut' ? 'connection closed' : 'reconnect refused',
        ...[p50, p90, p99].map((s) => `${s.toFixed(2)} s`),
      ]);
    }
  }
  const number = (value: number | undefined): string => (value === undefined ? '' : String(Number(value.toFixed(2))));
  const call = new Table({ head: ['calls for each thing', ...calls.map(({ of }) => of)], style: { head: [] } });
  for (const api of inOrder(calls.flatMap((row) => Object.keys(row.calls))))
    call.push([api, ...calls.map((row) => number(row.calls[api]))]);
  const sum = (row: CallRow): number => Object.entries(row.calls).reduce((total, [api, count]) => total + (isIot(api) ? count : 0), 0);
  call.push(['AWS IoT, sum', ...calls.map((row) => number(sum(row)))], ['states entered', ...calls.map(({ steps }) => number(steps))]);
  const refused = ({ throttled }: CallRow): string =>
    Object.entries(throttled)
      .map(([api, count]) => `${count} ${api}`)
      .join(', ') || 'none';
  const memory = new Table({ head: ['function', 'peak MB'], style: { head: [] } });
  for (const [name, mb] of Object.entries(peakMb)) memory.push([name, mb]);
  return [
    time.toString(),
    call.toString(),
    memory.toString(),
    ...calls.map((row) => `Throttled, ${row.of}, all things together: ${refused(row)}.`),
    `Messages in dead-letter queues: ${dead}.`,
  ].join('\n');
}

if (require.main === module) void run().then(() => process.exit(0));
