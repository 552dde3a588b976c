/**
 * One device in a process of its own, with its storage on the disk, whose power can be cut: the process ends by SIGKILL, in the very moment in which
 * a step of a rotation has reached the storage. Started again, it finds what is on the disk, and nothing else.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { buildSync } from 'esbuild';
import type { AgentEvent } from '../../agent/device.js';
import { POINTER, type Pair } from '../../agent/storage/identities.js';
import type { RotationStep } from '../../agent/rotation/record.js';
import type { DeviceIdentity } from './messages.js';

/** The steps that the agent stores, in their order, but for the one that only a failure brings about. */
export const ROTATION_STEPS = [
  'accepted',
  'key-made',
  'request-sent',
  'certificate-stored',
  'trial-connected',
  'proof-sent',
  'proved',
  'switched',
  'old-deleted',
] as const satisfies readonly RotationStep[];
export type CutStep = (typeof ROTATION_STEPS)[number];

export interface PoweredDeviceOptions {
  readonly directory: string;
  readonly thingName: string;
  readonly host: string;
  readonly port: number;
  readonly serverCaPem: string;
}

/** What a child process is told. */
export interface ChildOptions extends PoweredDeviceOptions {
  readonly cutAfter?: CutStep;
}

const FACTORY_PAIR: Pair = { certificate: 'certificate.pem', key: 'key.pem' };

/** Bundles the program of these devices once: a start of Node alone is quick. Answers its path. */
export function buildPoweredDevice(directory: string): string {
  const outfile = path.join(directory, 'powered-device.cjs');
  buildSync({
    entryPoints: [path.join(__dirname, 'powered-device-process.ts')],
    bundle: true,
    platform: 'node',
    format: 'cjs',
    outfile,
    logLevel: 'error',
  });
  return outfile;
}

export class PoweredDevice {
  /** Steps of rotations that reached the storage, in all lives. */
  readonly steps: string[] = [];
  isConnected = false;
  /** Did a life end by the loss of power? */
  wasCut = false;
  private child: ChildProcess | undefined;
  private readonly emitter = new EventEmitter();

  constructor(
    private readonly program: string,
    private readonly options: PoweredDeviceOptions,
    { certificatePem, privateKeyPem }: Pick<DeviceIdentity, 'certificatePem' | 'privateKeyPem'>,
  ) {
    const { directory } = options;
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    writeFileSync(path.join(directory, FACTORY_PAIR.certificate), certificatePem);
    writeFileSync(path.join(directory, FACTORY_PAIR.key), privateKeyPem, { mode: 0o600 });
    writeFileSync(path.join(directory, POINTER), JSON.stringify(FACTORY_PAIR));
  }

  get thingName(): string {
    return this.options.thingName;
  }

  get isFinished(): boolean {
    return this.steps.at(-1) === 'finished';
  }

  get isOn(): boolean {
    return this.child !== undefined;
  }

  /** Power on. With `cutAfter` the power goes away as soon as that step is on the disk. */
  start(cutAfter?: CutStep): void {
    const options: ChildOptions = { ...this.options, ...(cutAfter === undefined ? {} : { cutAfter }) };
    const child = spawn(process.execPath, [this.program], { stdio: ['pipe', 'pipe', 'inherit'] });
    this.child = child;
    let rest = '';
    child.stdout.on('data', (chunk: Buffer) => {
      const lines = (rest + chunk.toString()).split('\n');
      rest = lines.pop()!;
      for (const line of lines) this.hear(JSON.parse(line) as AgentEvent);
    });
    child.on('exit', (_, signal) => {
      this.child = undefined;
      this.isConnected = false;
      // The last words of a device whose power went away: it could not say them any more.
      if (signal === 'SIGKILL' && cutAfter !== undefined) {
        this.wasCut = true;
        if (this.steps.at(-1) !== cutAfter) this.steps.push(cutAfter);
      }
      this.emitter.emit('change');
    });
    child.stdin.on('error', () => undefined); // it has ended before it read
    // The pipe stays open: its end tells the child that its parent is gone, whatever happened to it.
    child.stdin.write(`${JSON.stringify(options)}\n`);
  }

  onChange(listener: () => void): void {
    this.emitter.on('change', listener);
  }

  /** Ends the device in good order. */
  async stop(): Promise<void> {
    const { child } = this;
    if (child === undefined) return;
    const ended = once(child, 'exit');
    child.kill('SIGTERM');
    const timer = setTimeout(() => child.kill('SIGKILL'), 3000);
    await ended;
    clearTimeout(timer);
  }

  private hear(event: AgentEvent): void {
    if (event.kind === 'rotation') this.steps.push(event.step);
    if (event.kind === 'connected') this.isConnected = true;
    if (event.kind === 'disconnected') this.isConnected = false;
    this.emitter.emit('change');
  }
}
