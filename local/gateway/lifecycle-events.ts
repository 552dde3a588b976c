/**
 * Lifecycle events on `$aws/events/presence/…` and `$aws/events/subscriptions/…`: always on, at least once, in any order
 * (https://docs.aws.amazon.com/iot/latest/developerguide/life-cycle-events.html). Payload shapes as in the samples of that page.
 */
import { PRESENCE_VERSION_RESET_MS } from './limits.js';
import type { World } from '../cloud.js';

/** The values of `disconnectReason` that the desk can give; the first column of AWS's table. */
export type DisconnectReason =
  | 'AUTH_ERROR'
  | 'CLIENT_INITIATED_DISCONNECT'
  | 'CLIENT_ERROR'
  | 'CONNECTION_LOST'
  | 'DUPLICATE_CLIENTID'
  | 'FORBIDDEN_ACCESS'
  | 'MQTT_KEEP_ALIVE_TIMEOUT'
  | 'SERVER_ERROR'
  | 'SERVER_INITIATED_DISCONNECT'
  | 'API_INITIATED_DISCONNECT'
  | 'THROTTLED';

/** Who an event is about. */
export interface Connected {
  readonly clientId: string;
  /** Only for an exclusive attachment. */
  readonly thingName?: string;
  readonly certificateId: string;
  readonly sessionIdentifier: string;
  /** "Found in connection messages only." */
  readonly ipAddress: string;
}

type Publish = (topic: string, payload: string) => void;

/** Client ids whose version numbers are kept at the same time. */
const MAX_REMEMBERED = 20_000;

export class LifecycleEvents {
  /** clientId → version of its last connection, and when it went offline. */
  private readonly versions = new Map<string, { version: number; offlineAtMs?: number }>();

  constructor(
    private readonly world: World,
    private readonly publish: Publish,
  ) {}

  connected(client: Connected): void {
    const held = this.versions.get(client.clientId);
    const forgotten = held?.offlineAtMs !== undefined && this.world.clock.nowMs() - held.offlineAtMs > PRESENCE_VERSION_RESET_MS;
    const version = held && !forgotten ? held.version + 1 : 0;
    if (this.versions.size >= MAX_REMEMBERED) this.forgetOffline();
    this.versions.set(client.clientId, { version });
    this.emit('presence/connected', client, {
      eventType: 'connected',
      ...this.identity(client),
      ipAddress: client.ipAddress,
      versionNumber: version,
    });
  }

  disconnected(client: Connected, reason: DisconnectReason): void {
    const held = this.versions.get(client.clientId);
    if (held) held.offlineAtMs = this.world.clock.nowMs();
    this.emit('presence/disconnected', client, {
      eventType: 'disconnected',
      ...this.identity(client),
      clientInitiatedDisconnect: reason === 'CLIENT_INITIATED_DISCONNECT',
      disconnectReason: reason,
      versionNumber: held?.version ?? 0,
    });
  }

  /** Authenticated, but not allowed to connect, or not allowed to publish its last will. */
  connectFailed(client: Connected): void {
    this.emit('presence/connect_failed', client, {
      eventType: 'connect_failed',
      connectFailureReason: 'AUTHORIZATION_FAILED',
      ...this.identity(client),
      ipAddress: client.ipAddress,
    });
  }

  subscribed(client: Connected, topics: readonly string[]): void {
    if (topics.length > 0) this.emit('subscriptions/subscribed', client, { eventType: 'subscribed', ...this.identity(client), topics });
  }

  unsubscribed(client: Connected, topics: readonly string[]): void {
    if (topics.length > 0) this.emit('subscriptions/unsubscribed', client, { eventType: 'unsubscribed', ...this.identity(client), topics });
  }

  /** Client ids that come once and never again must not pile up. */
  private forgetOffline(): void {
    for (const [clientId, { offlineAtMs }] of this.versions) if (offlineAtMs !== undefined) this.versions.delete(clientId);
  }

  private identity(client: Connected): Record<string, unknown> {
    return { sessionIdentifier: client.sessionIdentifier, principalIdentifier: client.certificateId };
  }

  private emit(kind: string, client: Connected, fields: Readonly<Record<string, unknown>>): void {
    // Client ids with `#` or `+` get no lifecycle events.
    if (/[#+]/.test(client.clientId)) return;
    const { clock, faults } = this.world;
    const payload = JSON.stringify({
      clientId: client.clientId,
      ...(client.thingName ? { thingName: client.thingName } : {}),
      timestamp: clock.nowMs(),
      ...fields,
    });
    const { copies, delayMs } = faults.delivery();
    for (let copy = 0; copy < copies; copy++) {
      const send = (): void => this.publish(`$aws/events/${kind}/${client.clientId}`, payload);
      if (delayMs > 0) clock.after(delayMs, send);
      else send();
    }
  }
}
