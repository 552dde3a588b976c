import type { Packet } from 'mqtt-packet';
import type { IotRegistry, World } from '../cloud.js';
import type { Broker } from './broker.js';
import type { LogEntry, WriteLog } from './iot-log.js';
import type { Connected, DisconnectReason, LifecycleEvents } from './lifecycle-events.js';
import type { Message } from './message.js';
import type { Count } from './metrics.js';
import type { IotAction } from './policy/evaluate.js';
import type { Outlet, Session } from './session.js';

/** A device's connection as the packet handlers and the gateway see it. */
export interface DeviceConnection {
  readonly gateway: GatewayContext;
  readonly certificateId: string;
  readonly sourceIp: string;
  readonly topicAliases: Map<number, string>;
  connectedAtMs: number;
  clientId: string;
  version: 4 | 5;
  session: Session | undefined;
  will: Message | undefined;
  keepAliveSeconds: number;
  receiveMaximum: number;
  /** By the policies in force now; a denial is noted in the journal. */
  may(action: IotAction, kind: 'client' | 'topic' | 'topicfilter', name: string): boolean;
  identity(): Connected;
  logFields(): Pick<LogEntry, 'clientId' | 'principalId' | 'sourceIp' | 'sourcePort'>;
  outlet(): Outlet;
  send(packet: Packet): void;
  /** Answers CONNECT with a refusal and ends the connection. `returnCode`: for MQTT 3.1.1, where it has one; else it is closed without a word. */
  refuse(reasonCode: number, returnCode?: number): void;
  close(reason: DisconnectReason, reasonCode?: number, options?: { readonly sendWill?: boolean }): void;
  checkKeepAlive(tick: number): void;
}

/** What a connection sees of the gateway. */
export interface GatewayContext {
  readonly world: World;
  readonly registry: IotRegistry;
  readonly broker: Broker;
  readonly events: LifecycleEvents;
  readonly log: WriteLog;
  readonly count: Count;
  /** Seconds since the gateway started: for keep-alive only, which measures the network and not simulated time. */
  tick(): number;
  connectionOf(clientId: string): DeviceConnection | undefined;
  /** A connection has its CONNACK: it is the one of its client id from now on. */
  joined(connection: DeviceConnection): void;
  left(connection: DeviceConnection, session: Session, reason: DisconnectReason): void;
  forget(connection: DeviceConnection): void;
}
