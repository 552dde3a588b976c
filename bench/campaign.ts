/**
 * A campaign on the desk, with the synthesised templates, the bundled functions and the reference agent in every device: time from the expiry query to
 * the last proof and to the last retirement, calls of each device by API, peak memory of each function, unpaced; then a smaller one at a pace, with
 * AWS's quotas enforced: how much of the quota is used, and is anything throttled. From the calls follows what 10,000 and a million devices take.
 * `BENCH_DEVICES=300` (default 1000), `BENCH_QUICK=1`: 30. Alone: `npx tsx bench/campaign.ts`.
 */
import Table from 'cli-table3';
import { applicationParameterName, DEFAULT_PREFIX, type RotationParameter } from '../domain/protocol/application-parameters.js';
import { startFleet, type Fleet } from '../local/fleet/fleet.js';
import { REQUEST_QUOTAS } from '../local/world/quotas.js';
import { assemblyOf } from '../test/scenarios/support/assembly.js';
import { Scene } from '../test/scenarios/support/scene.js';
import { deadLetters, patiently, peaksMb } from './on-desk.js';

const isQuick = process.env['BENCH_QUICK'] === '1';
const DEVICES = isQuick ? 30 : Number(process.env['BENCH_DEVICES'] ?? 1000);
const PACED_DEVICES = isQuick ? 10 : 60;
/** Rotations a second: 96 % of ten calls of DescribeCertificate, eight for each. */
const PACE = 1.2;
const PATIENCE = { patienceMs: 60 * 60_000, pollMs: 100 } as const;
const FUNCTIONS = ['rotation-start', 'rotation-issue', 'rotation-prove', 'rotation-retire', 'inventory-record'] as const;
const PROJECTED = [10_000, 1_000_000];
const AIM = 0.95;

export interface CampaignRow {
  readonly devices: number;
  /** From the expiry query to the last proof that was taken. */
  readonly secondsToProve: number;
  /** From the round of `retire` to the last certificate that is retired. */
  readonly secondsToRetire: number;
  /** Calls of DescribeCertificate, and the seconds between the first and the last of them, in both phases together: what the pace is about. */
  readonly described: { readonly calls: number; readonly seconds: number };
  /** Calls by API, of all devices together, functions only. */
  readonly calls: Readonly<Record<string, number>>;
  readonly throttled: number;
  readonly dead: number;
  /** Function → largest `Max Memory Used`, MB. */
  readonly peakMb: Readonly<Record<string, number>>;
}

export interface CampaignResults {
  readonly unpaced: CampaignRow;
  readonly paced: CampaignRow & { readonly rate: number; readonly ofTheQuota: number };
  readonly bound: readonly {
    readonly api: string;
    readonly callsADevice: number;
    readonly quota: number;
    readonly devicesASecond: number;
  }[];
  readonly projected: readonly {
    readonly devices: number;
    readonly atTheQuota: string;
    readonly atThePace: string;
    readonly share: number;
  }[];
}

const rotation = (ratePerSecond: number) => ({
  mode: 'enforce',
  // Whatever the factory issued is due.
  windowDays: 1000,
  validityDays: 1200,
  graceDays: 0,
  ratePerSecond,
  rollout: { baseRatePerMinute: 1000, abortAtPercent: 100, abortAfterExecuted: 100_000 },
});

export async function run(): Promise<CampaignResults> {
  const unpaced = await campaign(DEVICES, 1000, false);
  const paced = await campaign(PACED_DEVICES, PACE, true);
  const bound = boundBy(unpaced);
  const slowest = bound[0]!;
  const ofTheQuota = paced.described.calls / paced.described.seconds / REQUEST_QUOTAS['iot:DescribeCertificate']!;
  // What the pace lets through, in the calls that a device really makes.
  const share = Math.min(1, (PACE * slowest.callsADevice) / slowest.quota);
  const projected = PROJECTED.map((devices) => ({
    devices,
    atTheQuota: duration(devices / slowest.devicesASecond),
    atThePace: duration(devices / PACE),
    share,
  }));
  const results = { unpaced, paced: { ...paced, rate: PACE, ofTheQuota }, bound, projected };
  process.stdout.write(`${tables(results)}\n`);
  return results;
}

async function campaign(devices: number, ratePerSecond: number, quotas: boolean): Promise<CampaignRow> {
  const assembly = await assemblyOf({ more: { rotation: rotation(ratePerSecond), inventory: { ratePerSecond: 1000 } } });
  const scene = await Scene.open(assembly, { factory: devices });
  const fleet = await startFleet({
    host: scene.desk.env.DESK_MQTT_HOST,
    port: Number(scene.desk.env.DESK_MQTT_PORT),
    serverCaPem: scene.desk.serverCaPem,
    devices: scene.factoryDevices,
    telemetryEveryMs: 600_000,
    backoff: { firstMs: 100, longestMs: 2000 },
    // A device at a slow pace waits for its turn, as the agent does by itself: here it does not ask again and again meanwhile.
    agent: { answerMs: 120_000, jobAnswerMs: 60_000 },
  });
  let throttled = 0;
  let describedAt: number[] = [];
  // Counted as they come: the journal itself is a ring, which a thousand devices fill many times.
  const calls: Record<string, number> = {};
  const off = scene.desk.world.journal.on(({ kind, who, what, detail }) => {
    if (kind === 'call' && what === 'iot:DescribeCertificate' && who.startsWith('fleetwarden-rotation-'))
      describedAt.push(performance.now());
    if (kind === 'call' && COUNTED.test(what) && who.startsWith('fleetwarden-')) calls[what] = (calls[what] ?? 0) + 1;
    if (/Throttl|TooManyRequests/.test(detail ?? '')) throttled += 1;
  });
  try {
    await fleet.waitFor(
      (states) => scene.factoryDevices.every(({ thingName }) => states.get(thingName)?.state === 'connected'),
      PATIENCE.patienceMs,
    );
    if (quotas) scene.desk.world.faults.set({ quotas: true });
    for (const what of Object.keys(calls)) delete calls[what];
    const startedAt = performance.now();
    await send(scene, 'startQueueUrl', { kind: 'due' });
    await patiently(() => proved(fleet) >= devices, `${devices} devices proved`, PATIENCE);
    const secondsToProve = since(startedAt);
    const proving = spanOf(describedAt);
    describedAt = [];
    const roundAt = performance.now();
    await send(scene, 'retireQueueUrl', { kind: 'sweep' });
    await patiently(async () => (await revoked(scene)) >= devices, `${devices} certificates retired`, PATIENCE);
    const secondsToRetire = since(roundAt);
    const retiring = spanOf(describedAt);
    const described = { calls: proving.calls + retiring.calls, seconds: proving.seconds + retiring.seconds };
    scene.desk.world.faults.set({ quotas: false });
    return {
      devices,
      secondsToProve,
      secondsToRetire,
      described,
      calls: { ...calls },
      throttled,
      dead: await deadLetters(scene.desk),
      peakMb: await peaksMb(scene.desk, FUNCTIONS),
    };
  } finally {
    off();
    await fleet.stop();
    await scene.close();
  }
}

const proved = (fleet: Fleet): number => [...fleet.rotations().values()].filter(({ step }) => step === 'finished').length;

/** Old certificates that are REVOKED, as the registry has them. */
async function revoked({ desk, factoryDevices }: Scene): Promise<number> {
  const statuses = await Promise.all(
    factoryDevices.map(({ certificateId }) =>
      desk.cloud.call<{ certificateDescription: { status: string } }>('iot', 'DescribeCertificate', { certificateId }),
    ),
  );
  return statuses.filter(({ certificateDescription }) => certificateDescription.status === 'REVOKED').length;
}

async function send({ desk }: Scene, queue: RotationParameter, message: unknown): Promise<void> {
  const Name = applicationParameterName(DEFAULT_PREFIX, queue);
  const { Parameter } = await desk.cloud.call<{ Parameter: { Value: string } }>('ssm', 'GetParameter', { Name });
  await desk.cloud.call('sqs', 'SendMessage', { QueueUrl: Parameter.Value, MessageBody: JSON.stringify(message) });
}

const COUNTED = /^(iot|iotdata|acm-pca):/;

/** The APIs of a rotation with a quota, the one that bounds it first. */
function boundBy({ calls, devices }: CampaignRow): CampaignResults['bound'] {
  return Object.entries(calls)
    .flatMap(([api, count]) => {
      const quota = REQUEST_QUOTAS[api];
      const callsADevice = count / devices;
      return quota === undefined || callsADevice < 0.1 ? [] : [{ api, callsADevice, quota, devicesASecond: quota / callsADevice }];
    })
    .toSorted((one, other) => one.devicesASecond - other.devicesASecond);
}

const spanOf = (at: readonly number[]): CampaignRow['described'] => ({
  calls: at.length,
  seconds: ((at.at(-1) ?? 0) - (at[0] ?? 0)) / 1000,
});
const since = (startedAt: number): number => (performance.now() - startedAt) / 1000;
const duration = (seconds: number): string =>
  seconds < 3 * 86_400 ? `${(seconds / 3600).toFixed(1)} h` : `${(seconds / 86_400).toFixed(1)} days`;

function tables({ unpaced, paced, bound, projected }: CampaignResults): string {
  const times = new Table({
    head: ['pace', 'devices', 'query → last proof', 'round → last retired', 'devices a second', 'throttled', 'dead letters'],
    style: { head: [] },
  });
  for (const [pace, row] of [
    ['unpaced', unpaced],
    [`${paced.rate} a second, quotas on`, paced],
  ] as const) {
    const rate = row.devices / (row.secondsToProve + row.secondsToRetire);
    times.push([
      pace,
      row.devices,
      `${row.secondsToProve.toFixed(1)} s`,
      `${row.secondsToRetire.toFixed(1)} s`,
      rate.toFixed(2),
      row.throttled,
      row.dead,
    ]);
  }
  const calls = new Table({ head: ['calls of a device', 'unpaced', 'paced', 'quota a second'], style: { head: [] } });
  for (const api of Object.keys(unpaced.calls).toSorted()) {
    const each = (row: CampaignRow): string => String(Number(((row.calls[api] ?? 0) / row.devices).toFixed(2)));
    calls.push([api, each(unpaced), each(paced), REQUEST_QUOTAS[api] ?? '']);
  }
  const memory = new Table({ head: ['function', 'peak MB'], style: { head: [] } });
  for (const [name, mb] of Object.entries(unpaced.peakMb)) memory.push([name, mb]);
  const slowest = bound[0];
  const plan = new Table({ head: ['devices', 'bound by the quota', `at ${paced.rate} a second`, 'of the quota'], style: { head: [] } });
  for (const one of projected)
    plan.push([one.devices.toLocaleString('en'), one.atTheQuota, one.atThePace, `${(one.share * 100).toFixed(0)} % (aim ${AIM * 100})`]);
  return [
    times.toString(),
    calls.toString(),
    memory.toString(),
    `First to reach its quota: ${slowest?.api}, ${slowest?.callsADevice.toFixed(2)} calls of a device, ${slowest?.quota} a second.`,
    `Measured with the quotas on: ${(paced.ofTheQuota * 100).toFixed(0)} % of it while devices were served.`,
    plan.toString(),
  ].join('\n');
}

if (require.main === module) void run().then(() => process.exit(0));
