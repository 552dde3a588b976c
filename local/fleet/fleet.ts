/** Simulated devices: thousands in one child process. The parent sees what each device says of its own connection. */
import { fork, type ChildProcess } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { join } from 'node:path';
import type { AgentSettings } from '../../agent/settings.js';
import type {
  DeviceIdentity,
  DeviceState,
  FleetSettings,
  FromDevices,
  OrderChange,
  RotationChange,
  StateChange,
  ToDevices,
} from './messages.js';

export interface FleetOptions {
  readonly host: string;
  readonly port: number;
  readonly serverCaPem: string;
  readonly devices?: readonly DeviceIdentity[];
  /** @default 5000 */
  readonly telemetryEveryMs?: number;
  /** `{thing}` stands for the thing name. @default `fleet/{thing}/telemetry` */
  readonly telemetryTopic?: string;
  /** @default 5 */
  readonly protocolVersion?: 4 | 5;
  /** @default 40 */
  readonly parallelConnects?: number;
  /** Between attempts: starts at `firstMs` and doubles up to `longestMs`, with jitter. @default 500, 15000 */
  readonly backoff?: { readonly firstMs: number; readonly longestMs: number };
  /** Devices run the reference agent and rotate their certificates; an object sets its times. The telemetry topic must end in `/{thing}/telemetry`. @default false */
  readonly agent?: boolean | Partial<AgentSettings>;
  /** With `agent`: devices listen to AWS IoT commands too; their policies must let them. @default false */
  readonly commands?: boolean;
}

export interface DeviceStatus {
  readonly state: DeviceState;
  /** Since when, by the device's clock; absent while it is connecting for the first time. */
  readonly sinceMs?: number;
  readonly detail?: string;
}

export interface Fleet {
  /** thing name → what the device says of itself. */
  states(): ReadonlyMap<string, DeviceStatus>;
  /** Telemetry messages handed to the network so far. */
  published(): number;
  /** thing name → the last step of its last rotation; empty without `agent`. */
  rotations(): ReadonlyMap<string, RotationChange>;
  /** All steps of all rotations of one thing so far. */
  steps(thingName: string): readonly RotationChange[];
  /** thing name → the last order that it has obeyed, or could not. */
  orders(): ReadonlyMap<string, OrderChange>;
  /** Resolves when `predicate` holds; rejects after `timeoutMs` of wall time with how the fleet stands. @default 60000 */
  waitFor(predicate: (states: ReadonlyMap<string, DeviceStatus>) => boolean, timeoutMs?: number): Promise<void>;
  /** Returns a function that ends the listening. */
  on(event: 'change', listener: (change: StateChange) => void): () => void;
  /** Every step of every rotation, in order for each device. Returns a function that ends the listening. */
  onRotation(listener: (change: RotationChange) => void): () => void;
  add(devices: readonly DeviceIdentity[]): void;
  /** Ends all devices; afterwards there is no process. */
  stop(): Promise<void>;
}

/** Devices that go over IPC at once: keys and certificates of thousands in one message would block both ends. */
const BATCH = 250;
const STOP_TIMEOUT_MS = 3000;

export async function startFleet(options: FleetOptions): Promise<Fleet> {
  const settings: FleetSettings = {
    host: options.host,
    port: options.port,
    serverCaPem: options.serverCaPem,
    telemetryEveryMs: options.telemetryEveryMs ?? 5000,
    telemetryTopic: options.telemetryTopic ?? 'fleet/{thing}/telemetry',
    protocolVersion: options.protocolVersion ?? 5,
    parallelConnects: options.parallelConnects ?? 40,
    backoff: options.backoff ?? { firstMs: 500, longestMs: 15_000 },
    commands: options.commands ?? false,
    ...(options.agent ? { agent: options.agent === true ? {} : options.agent } : {}),
  };
  const child = fork(join(__dirname, 'device-process.ts'), [], {
    execArgv: ['--require', require.resolve('tsx/cjs')],
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const fleet = new ChildFleet(child);
  const ready = once(child, 'message');
  fleet.tell({ kind: 'start', settings });
  await Promise.race([
    ready,
    once(child, 'exit').then(() => Promise.reject(new Error('The process of the devices ended before it was ready'))),
  ]);
  fleet.add(options.devices ?? []);
  return fleet;
}

class ChildFleet implements Fleet {
  private readonly status = new Map<string, DeviceStatus>();
  private readonly emitter = new EventEmitter().setMaxListeners(0);
  private readonly changes = new Map<string, RotationChange[]>();
  private readonly obeyed = new Map<string, OrderChange>();
  private messages = 0;

  constructor(private readonly child: ChildProcess) {
    child.on('message', (message: FromDevices) => {
      if (message.kind === 'published') this.messages += message.messages;
      if (message.kind === 'order') this.obeyed.set(message.change.thingName, message.change);
      if (message.kind === 'rotations') {
        for (const change of message.changes) {
          const changes = this.changes.get(change.thingName);
          if (changes) changes.push(change);
          else this.changes.set(change.thingName, [change]);
          this.emitter.emit('rotation', change);
        }
      }
      if (message.kind !== 'changes') return;
      for (const change of message.changes) {
        const { thingName, state, atMs, detail } = change;
        // A device that is refused again is still refused since the first time.
        if (this.status.get(thingName)?.state !== state)
          this.status.set(thingName, { state, sinceMs: atMs, ...(detail === undefined ? {} : { detail }) });
        this.emitter.emit('change', change);
      }
    });
  }

  states(): ReadonlyMap<string, DeviceStatus> {
    return this.status;
  }

  published(): number {
    return this.messages;
  }

  rotations(): ReadonlyMap<string, RotationChange> {
    return new Map([...this.changes].map(([thingName, changes]) => [thingName, changes.at(-1)!]));
  }

  orders(): ReadonlyMap<string, OrderChange> {
    return this.obeyed;
  }

  steps(thingName: string): readonly RotationChange[] {
    return this.changes.get(thingName) ?? [];
  }

  onRotation(listener: (change: RotationChange) => void): () => void {
    this.emitter.on('rotation', listener);
    return () => this.emitter.off('rotation', listener);
  }

  on(event: 'change', listener: (change: StateChange) => void): () => void {
    this.emitter.on(event, listener);
    return () => this.emitter.off(event, listener);
  }

  waitFor(predicate: (states: ReadonlyMap<string, DeviceStatus>) => boolean, timeoutMs = 60_000): Promise<void> {
    if (predicate(this.status)) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const end = (settle: () => void): void => {
        clearTimeout(timer);
        off();
        settle();
      };
      const timer = setTimeout(
        () => end(() => reject(new Error(`The fleet did not get there within ${timeoutMs} ms: ${this.summary()}`))),
        timeoutMs,
      );
      const off = this.on('change', () => {
        if (predicate(this.status)) end(resolve);
      });
    });
  }

  add(devices: readonly DeviceIdentity[]): void {
    for (const { thingName } of devices) this.status.set(thingName, { state: 'connecting' });
    for (let i = 0; i < devices.length; i += BATCH) this.tell({ kind: 'add', devices: devices.slice(i, i + BATCH) });
  }

  tell(message: ToDevices): void {
    if (this.child.connected) this.child.send(message);
  }

  async stop(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const ended = once(this.child, 'exit');
    this.tell({ kind: 'stop' });
    const timer = setTimeout(() => this.child.kill('SIGKILL'), STOP_TIMEOUT_MS);
    await ended;
    clearTimeout(timer);
  }

  private summary(): string {
    const counts = new Map<string, number>();
    for (const { state } of this.status.values()) counts.set(state, (counts.get(state) ?? 0) + 1);
    return [...counts].map(([state, count]) => `${count} ${state}`).join(', ');
  }
}
