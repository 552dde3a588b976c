import type { AgentSettings } from '../../agent/settings.js';
import type { DeviceFault } from './faults.js';

/** What the parent and the process of the devices say to each other over IPC. */

/** A device of the fleet: its thing name is its client id. */
export interface DeviceIdentity {
  readonly thingName: string;
  readonly certificatePem: string;
  readonly privateKeyPem: string;
  /** What is wrong with the device; only with the reference agent. @default nothing */
  readonly fault?: DeviceFault;
}

/**
 * `connecting` before the first attempt has ended; `connected`; `cut`: a connection was ended by the other side; `refused`: the last attempt
 * ended without a connection.
 */
export type DeviceState = 'connecting' | 'connected' | 'cut' | 'refused';

export interface StateChange {
  readonly thingName: string;
  readonly state: DeviceState;
  /** By the device's own clock, which is the wall's: ms since 1970. */
  readonly atMs: number;
  /** What the device saw: an error, a reason code. */
  readonly detail?: string;
}

/** A step of a rotation that a device with the reference agent has completed; `finished`: nothing is under way any more. */
export interface RotationChange {
  readonly thingName: string;
  readonly jobId: string;
  readonly step: string;
  /** Why it fails. */
  readonly reason?: string;
}

/** A device with the reference agent was told to shut off or to resume, and has answered. */
export interface OrderChange {
  readonly thingName: string;
  readonly operation: 'shut-off' | 'resume';
  readonly status: 'SUCCEEDED' | 'FAILED';
  readonly by: 'job' | 'command';
}

export interface FleetSettings {
  readonly host: string;
  readonly port: number;
  readonly serverCaPem: string;
  /** How often a device publishes. */
  readonly telemetryEveryMs: number;
  /** `{thing}` stands for the thing name. */
  readonly telemetryTopic: string;
  readonly protocolVersion: 4 | 5;
  /** Handshakes under way at the same time. */
  readonly parallelConnects: number;
  readonly backoff: { readonly firstMs: number; readonly longestMs: number };
  /** Devices run the reference agent, with these times in place of its own. Absent: they only publish. */
  readonly agent?: Partial<AgentSettings>;
  /** They listen to AWS IoT commands too. */
  readonly commands: boolean;
}

export type ToDevices =
  | { readonly kind: 'start'; readonly settings: FleetSettings }
  | { readonly kind: 'add'; readonly devices: readonly DeviceIdentity[] }
  | { readonly kind: 'stop' };

export type FromDevices =
  | { readonly kind: 'ready' }
  | { readonly kind: 'changes'; readonly changes: readonly StateChange[] }
  | { readonly kind: 'rotations'; readonly changes: readonly RotationChange[] }
  | { readonly kind: 'order'; readonly change: OrderChange }
  | { readonly kind: 'published'; readonly messages: number };
