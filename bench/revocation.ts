/**
 * Revocation on the desk, with the synthesised templates and the bundled functions: time from the put of a CRL to the last device refused,
 * unpaced and at AWS's default of ten calls a second; calls of AWS IoT and of the CA for each new revocation, and for a CRL that has not
 * changed; what the desk holds. `BENCH_QUICK=1`: 1 and 20 revocations. Alone: `npx tsx bench/revocation.ts`.
 */
import { X509Certificate } from 'node:crypto';
import { RevokeCertificateCommand } from '@aws-sdk/client-acm-pca';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import Table from 'cli-table3';
import { enrol } from '../local/fleet/enrol.js';
import { assemblyOf } from '../test/scenarios/support/assembly.js';
import { Scene, type Device } from '../test/scenarios/support/scene.js';
import { deadLetters, patiently } from './on-desk.js';

export interface TimeRow {
  readonly pace: 'unpaced' | '10 a second';
  readonly revocations: number;
  readonly fleet: number;
  /** From the put of the CRL to the last device refused. */
  readonly seconds: number;
  /** Share of N / rate, at 10 a second: at most 1.05 is the aim for N of 100 and more. */
  readonly ofTheQuota: number | null;
  readonly calls: Readonly<Record<string, number>>;
  readonly dead: number;
}

export interface RevocationResults {
  readonly times: readonly TimeRow[];
  /** Calls for each revocation: whose certificates the inventory knows, and whose it does not. */
  readonly callsPerRevocation: Readonly<Record<'with inventory' | 'without inventory', Readonly<Record<string, number>>>>;
  /** A sweep over CRLs that have not changed: calls of AWS IoT, of the CA, and GetObject for each CRL. */
  readonly unchangedCrl: Readonly<Record<string, number>>;
  readonly desk: { readonly devicesConnected: number; readonly rssMiBEmpty: number; readonly rssMiBWithDevices: number };
}

const isQuick = process.env['BENCH_QUICK'] === '1';
const SIZES = isQuick ? [1, 20] : [1, 100, 1000];
const RATE = 10;
const WITHOUT_INVENTORY = isQuick ? 5 : 50;
const PATIENCE = { patienceMs: 10 * 60_000, pollMs: 20 } as const;

const UNPACED = { ratePerSecond: 1000, quotaPerSecond: 1000 };
const PACED = { ratePerSecond: RATE, quotaPerSecond: RATE };
/** What is measured is the pace, so the brake lets everything through. */
const brake = { floor: 100_000, share: 1, windowMinutes: 60 };

export async function run(): Promise<RevocationResults> {
  const unpaced = await assemblyOf({ revocation: { ...UNPACED, brake } });
  const paced = await assemblyOf({ revocation: { ...PACED, brake } });
  const times: TimeRow[] = [];
  const fleet = SIZES.reduce((sum, size) => sum + size, 0);
  const rssMiBEmpty = rssMiB();

  let scene = await Scene.open(unpaced, { factory: fleet, connected: true });
  const desk = { devicesConnected: fleet - scene.out().length, rssMiBEmpty, rssMiBWithDevices: rssMiB() };
  const unchangedCrl: Record<string, number> = {};
  try {
    for (const row of await revokeInTurn(scene, 'unpaced')) times.push(row);
    Object.assign(unchangedCrl, await sweepCalls(scene));
  } finally {
    await scene.close();
  }
  scene = await Scene.open(paced, { factory: fleet, connected: true });
  try {
    for (const row of await revokeInTurn(scene, '10 a second')) times.push(row);
  } finally {
    await scene.close();
  }

  const largest = times.filter(({ pace }) => pace === '10 a second').at(-1)!;
  const callsPerRevocation = {
    'with inventory': perRevocation(largest.calls, largest.revocations),
    'without inventory': await callsWithoutInventory(unpaced),
  };
  const results = { times, callsPerRevocation, unchangedCrl, desk };
  process.stdout.write(`${tables(results)}\n`);
  return results;
}

/** CRLs of growing size, each naming the next devices; the fleet stays connected until its turn comes. */
async function revokeInTurn(scene: Scene, pace: TimeRow['pace']): Promise<TimeRow[]> {
  const rows: TimeRow[] = [];
  const waiting = [...scene.factoryDevices];
  const listed: Device[] = [];
  for (const [turn, revocations] of SIZES.entries()) {
    const next = waiting.splice(0, revocations);
    listed.push(...next);
    const crl = scene.factory.crl(turn + 1, listed, scene.desk.world.clock.date());
    const before = new Map(scene.desk.world.journal.counts());
    const startedAt = performance.now();
    await scene.clients.s3.send(new PutObjectCommand({ Bucket: scene.crlBucket, Key: 'external/factory/factory.crl', Body: crl }));
    await patiently(() => scene.out().length === listed.length, `${revocations} devices refused`, PATIENCE);
    const seconds = (performance.now() - startedAt) / 1000;
    await scene.rest();
    const calls = callsSince(scene, before);
    const ofTheQuota = pace === '10 a second' ? seconds / (revocations / RATE) : null;
    rows.push({ pace, revocations, fleet: scene.factoryDevices.length, seconds, ofTheQuota, calls, dead: await deadLetters(scene.desk) });
  }
  return rows;
}

async function sweepCalls(scene: Scene): Promise<Record<string, number>> {
  const before = new Map(scene.desk.world.journal.counts());
  await scene.send('sync', { kind: 'sweep' });
  await scene.rest();
  return callsSince(scene, before);
}

/** Certificates of the Private CA that the inventory has never heard of: their issuance events were lost, and they have not connected. */
async function callsWithoutInventory(assembly: Awaited<ReturnType<typeof assemblyOf>>): Promise<Record<string, number>> {
  const scene = await Scene.open(assembly);
  try {
    scene.desk.world.faults.set({ lostEvent: 1 });
    const devices = await enrol({
      thingNames: Array.from({ length: WITHOUT_INVENTORY }, (_, i) => `valve-${i + 1}`),
      iot: scene.clients.iot,
      issuer: { kind: 'acm-pca', client: scene.clients.pca, certificateAuthorityArn: scene.privateCaArn, validityDays: 90 },
      policyName: 'fleetwarden-device',
    });
    for (const { certificatePem } of devices) {
      await scene.clients.pca.send(
        new RevokeCertificateCommand({
          CertificateAuthorityArn: scene.privateCaArn,
          CertificateSerial: new X509Certificate(certificatePem).serialNumber,
          RevocationReason: 'KEY_COMPROMISE',
        }),
      );
    }
    const before = new Map(scene.desk.world.journal.counts());
    await scene.desk.world.clock.advance(31 * 60_000);
    await scene.rest();
    return perRevocation(callsSince(scene, before), WITHOUT_INVENTORY);
  } finally {
    await scene.close();
  }
}

const COUNTED = /^(iot|iotdata|acm-pca):|^s3:GetObject$/;

function callsSince(scene: Scene, before: ReadonlyMap<string, number>): Record<string, number> {
  const calls: Record<string, number> = {};
  for (const [what, count] of scene.desk.world.journal.counts()) {
    const more = count - (before.get(what) ?? 0);
    if (more > 0 && COUNTED.test(what)) calls[what] = more;
  }
  return calls;
}

const perRevocation = (calls: Readonly<Record<string, number>>, revocations: number): Record<string, number> =>
  Object.fromEntries(Object.entries(calls).map(([what, count]) => [what, count / revocations]));

const rssMiB = () => Math.round(process.memoryUsage.rss() / 1024 / 1024);

function tables({ times, callsPerRevocation, unchangedCrl, desk }: RevocationResults): string {
  const time = new Table({
    head: ['pace', 'revocations', 'fleet', 'put → last refused', '÷ (N / rate)', 'dead letters'],
    style: { head: [] },
  });
  for (const row of times) {
    const share = row.ofTheQuota === null ? '' : row.ofTheQuota.toFixed(3);
    time.push([row.pace, row.revocations, row.fleet, `${row.seconds.toFixed(2)} s`, share, row.dead]);
  }
  const calls = new Table({ head: ['calls', 'with inventory', 'without inventory', 'unchanged CRL'], style: { head: [] } });
  const names = new Set([...Object.values(callsPerRevocation).flatMap((of) => Object.keys(of)), ...Object.keys(unchangedCrl)]);
  const number = (value: number | undefined) => (value === undefined ? '0' : String(Number(value.toFixed(3))));
  for (const name of [...names].toSorted()) {
    calls.push([
      name,
      number(callsPerRevocation['with inventory'][name]),
      number(callsPerRevocation['without inventory'][name]),
      number(unchangedCrl[name]),
    ]);
  }
  const held = `The desk held ${desk.devicesConnected} connected devices: ${desk.rssMiBEmpty} → ${desk.rssMiBWithDevices} MiB for desk, gateway and registry.`;
  return `${time.toString()}\n${calls.toString()}\n(calls are per revocation; for the unchanged CRL per sweep)\n${held}`;
}

if (require.main === module) void run();
