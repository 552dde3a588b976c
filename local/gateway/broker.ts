/** The message broker: sessions, subscriptions, retained messages; every message goes to subscribers and to the topic rules. */
import type { Cloud } from '../cloud.js';
import { SESSION_EXPIRY_SECONDS } from './limits.js';
import type { Message } from './message.js';
import { ReservedTopics } from './reserved/responders.js';
import { RetainedMessages } from './retained-messages.js';
import { Session } from './session.js';
import { SubscriptionIndex, type Subscription } from './subscription-index.js';
import { parseShared, topicMatches } from './topic-filter.js';

/** Where a message came in: for rules (`clientid()`, `principal()`, `sourceip()`). Absent: AWS IoT itself, or the HTTP API. */
export interface Origin {
  readonly clientId?: string;
  readonly certificateId?: string;
  readonly sourceIp?: string;
}

const BASIC_INGEST = '$aws/rules/';

export class Broker {
  readonly retained = new RetainedMessages();
  readonly reserved: ReservedTopics;
  private readonly index = new SubscriptionIndex<Session>();
  private readonly sessions = new Map<string, Session>();

  constructor(
    private readonly cloud: Cloud,
    private readonly maxSessionExpirySeconds = SESSION_EXPIRY_SECONDS,
  ) {
    this.reserved = new ReservedTopics(
      (topic, payload) => this.publish({ topic, payload: Buffer.from(payload), qos: 1, retain: false, properties: {} }, {}),
      cloud.world.clock,
    );
  }

  publish(message: Message, origin: Origin): void {
    // A request on a reserved topic is for AWS IoT alone: it reaches neither subscribers nor rules; the answers do.
    const reply = (topic: string, text: string): void => this.replyTo(origin.clientId, topic, text);
    if (this.reserved.answer(message.topic, message.payload, reply)) return;
    this.runRules(message, origin);
    // Basic Ingest goes to its rule and to no subscriber (https://docs.aws.amazon.com/iot/latest/developerguide/iot-basic-ingest.html).
    if (message.topic.startsWith(BASIC_INGEST)) return;
    if (message.retain) this.retained.put(message, this.cloud.world.clock.nowMs());
    for (const [session, subscriptions] of this.index.match(message.topic, (member) => member.online))
      session.deliver(message, subscriptions, false);
  }

  /** To one client, past other subscribers and the rules. It must have subscribed and may receive as with any message. */
  private replyTo(clientId: string | undefined, topic: string, text: string): void {
    const session = clientId === undefined ? undefined : this.sessions.get(clientId);
    const subscriptions = [...(session?.subscriptions.values() ?? [])].filter(({ filter }) => topicMatches(filter, topic));
    if (!session || subscriptions.length === 0) return;
    session.deliver({ topic, payload: Buffer.from(text), qos: 1, retain: false, properties: {} }, subscriptions, false);
  }

  /** Finds or begins the session of a connecting client. `clean`: what was there is forgotten. */
  openSession(clientId: string, clean: boolean, expirySeconds: number): { readonly session: Session; readonly present: boolean } {
    const held = this.sessions.get(clientId);
    held?.cancelExpiry?.();
    if (held && clean) this.endSession(held);
    const present = held !== undefined && !clean;
    const session = present ? held : new Session(clientId, () => this.cloud.world.clock.nowMs());
    session.cancelExpiry = undefined;
    session.expirySeconds = this.boundedExpiry(expirySeconds);
    this.sessions.set(clientId, session);
    return { session, present };
  }

  boundedExpiry(seconds: number): number {
    return Math.min(seconds, this.maxSessionExpirySeconds);
  }

  /** The connection of a session has ended: the session stays for its expiry time on the desk's clock, or goes. */
  leaveSession(session: Session): void {
    session.close();
    if (this.sessions.get(session.clientId) !== session) return;
    if (session.expirySeconds === 0) this.endSession(session);
    else session.cancelExpiry = this.cloud.world.clock.after(session.expirySeconds * 1000, () => this.endSession(session));
  }

  /** `DeleteConnection` with cleanSession ends the session of a client that may be offline by then. */
  endSessionOf(clientId: string): void {
    const session = this.sessions.get(clientId);
    if (session) this.endSession(session);
  }

  subscribe(session: Session, subscription: Subscription, sendRetained: boolean): void {
    const before = session.subscriptions.get(subscription.filter);
    session.subscriptions.set(subscription.filter, subscription);
    this.index.add(session, subscription);
    if (!sendRetained || parseShared(subscription.filter) || (before && !sendRetained)) return;
    // Only an exact match: a wildcard filter gets no retained messages on AWS IoT (mqtt.html#mqtt-retain).
    const retained = this.retained.get(subscription.filter);
    if (retained) session.deliver(retained.message, [subscription], true);
  }

  unsubscribe(session: Session, filter: string): boolean {
    this.index.remove(session, filter);
    return session.subscriptions.delete(filter);
  }

  private endSession(session: Session): void {
    session.cancelExpiry?.();
    for (const filter of session.subscriptions.keys()) this.index.remove(session, filter);
    session.subscriptions.clear();
    if (this.sessions.get(session.clientId) === session) this.sessions.delete(session.clientId);
  }

  private runRules(message: Message, origin: Origin): void {
    this.cloud.parts.rules?.({
      topic: message.topic,
      payload: message.payload,
      ...(origin.clientId === undefined ? {} : { clientId: origin.clientId }),
      ...(origin.certificateId === undefined ? {} : { principal: origin.certificateId }),
      ...(origin.sourceIp === undefined ? {} : { sourceIp: origin.sourceIp }),
    });
  }
}
