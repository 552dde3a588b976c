/** MQTT over mutual TLS, as a port: one attempt to connect, one connection. When to try again, and with which certificate, is the agent's to decide. */
import type { TlsIdentity } from '../keys/key-store.js';

export interface ConnectOptions {
  /** Equals the thing name: AWS IoT resolves the thing variables of policies only then. */
  readonly clientId: string;
  readonly identity: TlsIdentity;
  readonly timeoutMs: number;
}

export interface Connection {
  /** At most eight filters (AWS IoT's limit of one SUBSCRIBE), QoS 1. Rejects when one of them is refused or the connection is lost. */
  subscribe(filters: readonly string[]): Promise<void>;
  /** QoS 1: resolves at PUBACK, rejects when the connection is lost before. QoS 0: resolves when it is written. */
  publish(topic: string, payload: string, qos: 0 | 1): Promise<void>;
  /** One listener; set it before subscribing. */
  onMessage(listener: (topic: string, payload: Buffer) => void): void;
  /** Resolves, once, to why the connection is over: ended by either side, or lost. */
  readonly closed: Promise<string>;
  /** Resolves when it is closed. */
  close(): Promise<void>;
}

export interface Transport {
  /** A clean session. Rejects with ConnectFailed. */
  connect(options: ConnectOptions): Promise<Connection>;
}

/**
 * `unreachable`: nobody was there to judge the certificate (no network, no name, no answer to TCP). `refused`: somebody was, and there is no connection. Only
 * the second counts against a new certificate. AWS IoT refuses certificates *after* the TLS handshake by closing, without a CONNACK.
 */
export class ConnectFailed extends Error {
  constructor(
    readonly kind: 'unreachable' | 'refused',
    message: string,
  ) {
    super(message);
    this.name = 'ConnectFailed';
  }
}
