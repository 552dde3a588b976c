/**
 * One device from a directory, against the desk or AWS IoT:
 *
 *     npx tsx agent/main.ts --directory ./pump-0001 --host localhost --port 8883 --ca .desk/server-ca.pem
 *
 * The directory holds `settings.json` ({"thingName": "pump-0001"}, clientId, topicPrefix, telemetryEveryMs, reportEveryMs and reportsToDetect if they differ), `certificate.pem` and `key.pem`. Everything
 * else in it is the agent's: `active.json`, `rotation.json`, `shut-off.json`, `certificates/`, `keys/`.
 */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import { z } from 'zod';
import { createAgent } from './agent.js';
import type { AgentEvent } from './device.js';
import { systemClock } from './clock.js';
import { hostMetrics } from './speech/host-metrics.js';
import { diskFiles } from './storage/disk-files.js';
import { POINTER, type Pair } from './storage/identities.js';
import { awsSdkTransport } from './transport/aws-sdk-transport.js';
import { loadAwsIotDeviceSdk } from './transport/aws-iot-device-sdk.js';
import { mqttTransport } from './transport/mqtt-transport.js';
import type { Transport } from './transport/transport.js';

const Settings = z.object({
  thingName: z.string().regex(/^[a-zA-Z0-9:_-]{1,128}$/),
  /** Where the device policy wants another one than the thing name. */
  clientId: z.string().min(1).max(128).optional(),
  topicPrefix: z.string().optional(),
  telemetryEveryMs: z.number().int().min(100).optional(),
  /** Device Defender takes one report in five minutes. */
  reportEveryMs: z.number().int().min(300_000).optional(),
  /** Also reports to Device Defender: only where its policy lets it. */
  reportsToDetect: z.boolean().optional(),
  /** Also listens to AWS IoT commands: only where its policy lets it. */
  commands: z.boolean().optional(),
});
const FACTORY_PAIR: Pair = { certificate: 'certificate.pem', key: 'key.pem' };

interface Options {
  readonly directory: string;
  readonly host: string;
  readonly port: number;
  readonly ca?: string;
  readonly transport: 'mqtt' | 'aws-sdk';
}

const port = (text: string): number => {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > 65_535)
    throw new InvalidArgumentError(`got "${text}", expected a port from 1 to 65535`);
  return value;
};
const transportName = (text: string): Options['transport'] => {
  if (text !== 'mqtt' && text !== 'aws-sdk') throw new InvalidArgumentError(`got "${text}", expected mqtt or aws-sdk`);
  return text;
};

function transportOf({ host, port: wanted, ca, transport }: Options): Transport {
  const where = { host, port: wanted, ...(ca === undefined ? {} : { serverCaPem: readFileSync(ca, 'utf8') }) };
  return transport === 'mqtt' ? mqttTransport(where) : awsSdkTransport(loadAwsIotDeviceSdk(process.cwd()), where);
}

function line(event: AgentEvent): string | undefined {
  switch (event.kind) {
    case 'connected':
      return `connected with ${event.certificate}`;
    case 'refused':
      return `not connected with ${event.certificate}: ${event.detail}`;
    case 'disconnected':
      return `disconnected: ${event.detail}`;
    case 'rotation':
      return `rotation ${event.jobId}: ${event.step}${event.reason === undefined ? '' : ` (${event.reason})`}`;
    case 'warning':
      return event.message;
    case 'order':
      return `${event.operation}: ${event.status} (${Object.values(event.details).join()})`;
    case 'quiet':
      return `quiet for ${Math.round(event.ms / 1000)} s: speaking has ended the last connections`;
    case 'published':
    case 'reported':
      return undefined;
  }
}

function say(text: string): Promise<void> {
  process.stdout.write(`${new Date(systemClock.nowMs()).toISOString()} ${text}\n`);
  return Promise.resolve();
}

async function main(): Promise<void> {
  const options = new Command('agent')
    .description('Runs the reference device.')
    .requiredOption('--directory <directory>', 'certificate, key, settings and state of the device')
    .requiredOption('--host <host>', 'MQTT endpoint: localhost at the desk, the ATS endpoint of the account at AWS')
    .option('--port <port>', 'its port', port, 8883)
    .option('--ca <file>', 'CA of the server’s certificate (default: those that Node knows, the Amazon roots among them)')
    .option(
      '--transport <name>',
      'mqtt, or aws-sdk where aws-iot-device-sdk-v2 is installed in the current directory',
      transportName,
      'mqtt',
    )
    .parse()
    .opts<Options>();
  const files = diskFiles(options.directory);
  const settings = Settings.parse(JSON.parse(readFileSync(path.join(options.directory, 'settings.json'), 'utf8')));
  if (!(await files.read(POINTER))) await files.replace(POINTER, `${JSON.stringify(FACTORY_PAIR)}\n`);
  let sequence = 0;
  const agent = createAgent({
    thingName: settings.thingName,
    ...(settings.clientId === undefined ? {} : { clientId: settings.clientId }),
    ...(settings.topicPrefix === undefined ? {} : { topicPrefix: settings.topicPrefix }),
    settings: {
      ...(settings.telemetryEveryMs === undefined ? {} : { telemetryEveryMs: settings.telemetryEveryMs }),
      ...(settings.reportEveryMs === undefined ? {} : { reportEveryMs: settings.reportEveryMs }),
      ...(settings.reportsToDetect === undefined ? {} : { reportsToDetect: settings.reportsToDetect }),
    },
    ...(settings.commands === undefined ? {} : { commands: settings.commands }),
    metrics: () => hostMetrics(),
    // A real device stops its pump here.
    actuation: { stop: () => say('actuation stops'), resume: () => say('actuation goes on') },
    files,
    transport: transportOf(options),
    telemetry: () => ({
      sequence: (sequence += 1),
      temperature: Number((20 + Math.random() * 5).toFixed(2)),
      uptimeSeconds: Math.round(process.uptime()),
    }),
    onEvent: (event) => {
      const text = line(event);
      if (text !== undefined) void say(text);
    },
  });
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => agent.stop());
  await agent.run();
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
});
