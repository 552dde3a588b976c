/** The power goes away at every change of the device's storage: before it, in the midst of it, right after it. */
import { buildSync } from 'esbuild';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { X509Certificate, createPrivateKey } from 'node:crypto';
import type { AgentEvent } from '../../agent/device.js';
import { startGatewayDesk, type Device, type GatewayDesk } from '../local/gateway-desk.js';
import type { ChildOptions } from './device-child.js';
import type { Death } from './mortal-files.js';
import { ScriptedCloud } from './scripted-cloud.js';

/** Changes of the storage in one rotation: eight states, key, certificate, pointer, two deletions, and the end of the record. */
const CHANGES = 15;
const PARALLEL = 4;
let desk: GatewayDesk;
let cloud: ScriptedCloud;
let scratch: string;
let program: string;

beforeAll(async () => {
  desk = await startGatewayDesk();
  cloud = new ScriptedCloud(desk);
  scratch = mkdtempSync(path.join(tmpdir(), 'agent-'));
  program = path.join(scratch, 'device-child.cjs');
  buildSync({ entryPoints: [path.join(__dirname, 'device-child.ts')], bundle: true, platform: 'node', format: 'cjs', outfile: program });
});
afterAll(async () => {
  await desk.stop();
  rmSync(scratch, { recursive: true, force: true });
});

interface Life {
  readonly events: readonly AgentEvent[];
  readonly signal: NodeJS.Signals | null;
  readonly said: string;
}

function homeOf(device: Device): string {
  const directory = path.join(scratch, device.thingName);
  mkdirSync(directory);
  writeFileSync(path.join(directory, 'certificate.pem'), device.certificatePem);
  writeFileSync(path.join(directory, 'key.pem'), device.privateKeyPem, { mode: 0o600 });
  writeFileSync(path.join(directory, 'active.json'), JSON.stringify({ certificate: 'certificate.pem', key: 'key.pem' }));
  return directory;
}

/** One life of the device: until it dies, or until `isEnough`, when it is asked to stop. */
async function live(options: ChildOptions, isEnough: (event: AgentEvent) => boolean): Promise<Life> {
  const child = spawn(process.execPath, [program, JSON.stringify(options)], { stdio: ['ignore', 'pipe', 'pipe'] });
  const events: AgentEvent[] = [];
  let said = '';
  let rest = '';
  child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
  child.stdout.on('data', (chunk: Buffer) => {
    const lines = (rest + chunk.toString()).split('\n');
    rest = lines.pop()!;
    for (const line of lines) {
      const event = JSON.parse(line) as AgentEvent;
      events.push(event);
      if (isEnough(event)) child.kill('SIGTERM');
    }
  });
  const timer = setTimeout(() => child.kill('SIGKILL'), 30_000);
  const [, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null];
  clearTimeout(timer);
  return { events, signal, said };
}

const filesBelow = (directory: string): string[] =>
  readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .filter((name) => statSync(path.join(directory, name)).isFile())
    .toSorted();

async function survive(thingName: string, dieAt: number, death: Death): Promise<void> {
  const device = await desk.enrol(thingName);
  const directory = homeOf(device);
  const jobId = await cloud.offer(device);
  const where = { directory, thingName, host: desk.gateway.host, port: desk.gateway.port, serverCaPem: desk.gateway.serverCaPem };
  const first = await live({ ...where, dieAt, death }, () => false);
  expect({ thingName, signal: first.signal, said: first.said }).toEqual({ thingName, signal: 'SIGKILL', said: '' });
  // After the last change there is nothing left to finish: the device only comes back.
  const isFinished = dieAt === CHANGES && death === 'after';
  const second = await live(where, (event) =>
    isFinished ? event.kind === 'connected' : event.kind === 'rotation' && event.step === 'finished',
  );
  expect({ thingName, signal: second.signal, said: second.said }).toEqual({ thingName, signal: null, said: '' });

  // Exactly one identity, whole and in use, and nothing left of the rotation.
  const label = `${jobId}-1`;
  expect(filesBelow(directory)).toEqual(['active.json', `certificates/${label}.pem`, `keys/${label}.pem`].toSorted());
  const certificate = new X509Certificate(readFileSync(path.join(directory, `certificates/${label}.pem`)));
  expect(certificate.checkPrivateKey(createPrivateKey(readFileSync(path.join(directory, `keys/${label}.pem`))))).toBe(true);
  expect(second.events.filter(({ kind }) => kind === 'connected').length).toBeGreaterThan(0);
  // And the cloud has seen one request, whatever the number of messages, and one proof by the new certificate.
  const certificateId = cloud.issued.get(jobId + thingName)![0]!.certificateId;
  expect(new Set(cloud.requests.filter((one) => one.thingName === thingName).map(({ message }) => message.csr)).size).toBe(1);
  expect(await cloud.certificatesOf(thingName)).toEqual({ [device.certificateId]: 'INACTIVE', [certificateId]: 'ACTIVE' });
  expect(await cloud.execution(jobId, thingName)).toEqual({ status: 'SUCCEEDED', details: expect.objectContaining({ certificateId }) });
}

test.each(['before', 'half', 'after'] as const)(
  'a device that loses its power %s any change of its storage comes back and finishes',
  async (death) => {
    for (let first = 1; first <= CHANGES; first += PARALLEL) {
      const some = Array.from({ length: Math.min(PARALLEL, CHANGES - first + 1) }, (_, index) => first + index);
      await Promise.all(some.map((dieAt) => survive(`pump-${death}-${dieAt}`, dieAt, death)));
    }
    expect(cloud.errors).toEqual([]);
  },
  180_000,
);

test(`a rotation changes the storage ${CHANGES} times: no cut was left out`, async () => {
  const device = await desk.enrol('pump-counted');
  const directory = homeOf(device);
  await cloud.offer(device);
  const where = {
    directory,
    thingName: 'pump-counted',
    host: desk.gateway.host,
    port: desk.gateway.port,
    serverCaPem: desk.gateway.serverCaPem,
  };
  const life = await live(
    { ...where, dieAt: CHANGES + 1, death: 'before' },
    (event) => event.kind === 'rotation' && event.step === 'finished',
  );
  expect(life.signal).toBeNull();
});
