/**
 * What AWS IoT keeps for a client id: subscriptions, and for QoS 1 what was sent but not acknowledged and what waits.
 * https://docs.aws.amazon.com/iot/latest/developerguide/mqtt.html#mqtt-persistent-sessions
 */
import { MAX_QUEUED } from './limits.js';
import type { Message } from './message.js';
import type { Subscription } from './subscription-index.js';

/** The live end of a session. */
export interface Outlet {
  /** False when iot:Receive is not allowed or the client does not read: the message is not for this connection. */
  readonly mayReceive: (topic: string) => boolean;
  readonly isCongested: () => boolean;
  readonly receiveMaximum: number;
  readonly send: (
    message: Message,
    options: { readonly messageId?: number; readonly duplicate: boolean; readonly retain: boolean },
  ) => void;
}

interface Pending {
  readonly message: Message;
  readonly retain: boolean;
}

export class Session {
  readonly subscriptions = new Map<string, Subscription>();
  /** Message id → sent, not acknowledged. */
  private readonly inflight = new Map<number, Pending>();
  private readonly queue: Pending[] = [];
  private lastMessageId = 0;
  private outlet: Outlet | undefined;
  /** Seconds that the session outlives its connection; 0: it ends with it. */
  expirySeconds = 0;
  cancelExpiry: (() => void) | undefined;
  dropped = 0;

  constructor(
    readonly clientId: string,
    private readonly nowMs: () => number,
  ) {}

  get online(): boolean {
    return this.outlet !== undefined;
  }

  /** On reconnection what was not acknowledged goes first, marked as duplicate and under its old id (MQTT 3.1.1 §4.4). */
  open(outlet: Outlet): void {
    this.outlet = outlet;
    for (const [messageId, { message, retain }] of this.inflight) outlet.send(message, { messageId, duplicate: true, retain });
    this.drain();
  }

  close(): void {
    this.outlet = undefined;
  }

  deliver(message: Message, subscriptions: readonly Subscription[], retained: boolean): void {
    const { outlet } = this;
    if (message.clientId === this.clientId && subscriptions.every((subscription) => subscription.noLocal)) return;
    if (outlet && !outlet.mayReceive(message.topic)) return;
    const qos = Math.min(message.qos, Math.max(...subscriptions.map((subscription) => subscription.qos))) as 0 | 1;
    const retain = retained || (message.retain && subscriptions.some((subscription) => subscription.retainAsPublished));
    if (qos === 0) {
      if (!outlet) return;
      if (outlet.isCongested()) this.dropped += 1;
      else outlet.send({ ...message, qos }, { duplicate: false, retain });
      return;
    }
    if (!outlet && this.expirySeconds === 0) return;
    if (this.queue.length >= MAX_QUEUED) {
      this.dropped += 1;
      return;
    }
    this.queue.push({ message: { ...message, qos }, retain });
    this.drain();
  }

  acknowledge(messageId: number): void {
    if (this.inflight.delete(messageId)) this.drain();
  }

  drain(): void {
    const { outlet } = this;
    while (outlet && this.queue.length > 0 && this.inflight.size < outlet.receiveMaximum && !outlet.isCongested()) {
      const pending = this.queue.shift()!;
      const { expiresAtMs, topic } = pending.message;
      // Rights are read again here: what waited for days must not slip past a policy that changed meanwhile.
      if ((expiresAtMs !== undefined && expiresAtMs <= this.nowMs()) || !outlet.mayReceive(topic)) continue;
      const messageId = this.nextMessageId();
      this.inflight.set(messageId, pending);
      outlet.send(pending.message, { messageId, duplicate: false, retain: pending.retain });
    }
  }

  private nextMessageId(): number {
    do this.lastMessageId = (this.lastMessageId % 0xffff) + 1;
    while (this.inflight.has(this.lastMessageId));
    return this.lastMessageId;
  }
}
