/** `agent/main.ts` as a person starts it: a directory, a host, a port, a CA. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { startGatewayDesk, type GatewayDesk } from '../local/gateway-desk.js';
import { ScriptedCloud } from './scripted-cloud.js';

let desk: GatewayDesk;
let directory: string;
beforeAll(async () => {
  desk = await startGatewayDesk();
  directory = mkdtempSync(path.join(tmpdir(), 'agent-main-'));
});
afterAll(async () => {
  await desk.stop();
  rmSync(directory, { recursive: true, force: true });
});

function start(...args: readonly string[]): { readonly said: () => string; readonly exit: Promise<unknown[]>; stop(): void } {
  const child = spawn(process.execPath, ['--require', require.resolve('tsx/cjs'), path.join('agent', 'main.ts'), ...args], {
    cwd: path.join(__dirname, '..', '..'),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (said += chunk.toString()));
  return { said: () => said, exit: once(child, 'exit'), stop: () => child.kill('SIGINT') };
}

test('connects, publishes, rotates, and ends with Ctrl-C; the next start uses the new pair', async () => {
  const cloud = new ScriptedCloud(desk);
  const device = await desk.enrol('pump-main');
  const ca = path.join(directory, 'server-ca.pem');
  writeFileSync(ca, desk.gateway.serverCaPem);
  writeFileSync(path.join(directory, 'settings.json'), '{"thingName":"pump-main","telemetryEveryMs":200}');
  writeFileSync(path.join(directory, 'certificate.pem'), device.certificatePem);
  writeFileSync(path.join(directory, 'key.pem'), device.privateKeyPem, { mode: 0o600 });
  const telemetry: string[] = [];
  const { rules } = desk.cloud.parts;
  desk.cloud.parts.rules = (message) => {
    if (message.topic === 'fleet/pump-main/telemetry') telemetry.push(Buffer.from(message.payload).toString());
    rules?.(message);
  };
  const args = ['--directory', directory, '--host', desk.gateway.host, '--port', String(desk.gateway.port), '--ca', ca];
  const jobId = await cloud.offer(device);
  const first = start(...args);
  while (!first.said().includes('finished')) await new Promise((resolve) => setTimeout(resolve, 100));
  first.stop();
  expect(await first.exit).toEqual([0, null]);
  expect(JSON.parse(readFileSync(path.join(directory, 'active.json'), 'utf8'))).toEqual({
    certificate: `certificates/${jobId}-1.pem`,
    key: `keys/${jobId}-1.pem`,
  });
  expect(existsSync(path.join(directory, 'key.pem'))).toBe(false);
  expect(JSON.parse(telemetry[0]!)).toMatchObject({ sequence: 1, temperature: expect.any(Number) });

  const second = start(...args);
  while (!second.said().includes('connected')) await new Promise((resolve) => setTimeout(resolve, 100));
  expect(second.said()).toContain(`connected with certificates/${jobId}-1.pem`);
  second.stop();
  await second.exit;
});

test('says what is missing, and what the AWS IoT Device SDK would need', async () => {
  const nothing = start('--directory', path.join(directory, 'nowhere'), '--host', 'localhost');
  expect(await nothing.exit).toEqual([1, null]);
  expect(nothing.said()).toContain('settings.json');
  const sdk = start('--directory', directory, '--host', 'localhost', '--transport', 'aws-sdk');
  expect(await sdk.exit).toEqual([1, null]);
  expect(sdk.said()).toContain("Cannot find module 'aws-iot-device-sdk-v2'");
});
