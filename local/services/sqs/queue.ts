/**
 * One queue. A message is *visible* (may be received), *hidden* (delayed, or in flight until its visibility timeout) or gone. All times
 * are the desk clock's. Fails towards delivering again: a message leaves only by DeleteMessage with its newest receipt handle, by the
 * redrive policy, by retention or by purge.
 *
 *     send ──► hidden (delay) ──► visible ──► in flight ──► deleted
 *                                    ▲            │ visibility timeout
 *                                    └────────────┴──► receiveCount > maxReceiveCount: dead-letter queue, at the next receive
 */
import { randomUUID } from 'node:crypto';
import type { DeskClock } from '../../world/clock.js';
import { AwsError } from '../../models/service.js';
import { type Attributes, type RedrivePolicy, initialAttributes, parseRedrive } from './attributes.js';
import { Deduplication } from './deduplication.js';
import { type Draft, type Message, newMessageId } from './message.js';
import { Schedule } from './schedule.js';

interface Waiter {
  readonly wanted: number;
  readonly visibilitySeconds: number | undefined;
  readonly answer: (messages: Message[]) => void;
}

export class Queue {
  readonly createdAtMs: number;
  lastModifiedAtMs: number;
  lastPurgedAtMs = Number.NEGATIVE_INFINITY;
  readonly tags = new Map<string, string>();
  private attributes: Record<string, string> = initialAttributes();
  private redrive: RedrivePolicy | undefined;
  /** All messages in the order of arrival. */
  private readonly messages = new Map<string, Message>();
  /** Visible messages of a standard queue, in the order in which they became visible. */
  private readonly visible = new Map<string, Message>();
  private readonly schedule = new Schedule();
  private readonly waiters: Waiter[] = [];
  private readonly listeners = new Set<() => void>();
  private readonly deduplication: Deduplication;
  private sequence = 0n;
  private cancelTimer: (() => void) | undefined;
  private timerAtMs: number | undefined;

  constructor(
    readonly name: string,
    readonly arn: string,
    private readonly clock: DeskClock,
    private readonly deadLetter: (arn: string, message: Message) => boolean,
  ) {
    this.createdAtMs = clock.nowMs();
    this.lastModifiedAtMs = this.createdAtMs;
    this.deduplication = new Deduplication(clock);
  }

  get fifo(): boolean {
    return this.name.endsWith('.fifo');
  }

  attribute(name: string): string | undefined {
    return this.attributes[name];
  }

  setAttributes(changes: Attributes): void {
    for (const [name, value] of Object.entries(changes)) {
      if (value === '') delete this.attributes[name];
      else this.attributes[name] = value;
    }
    this.redrive = parseRedrive(this.attributes.RedrivePolicy);
    this.lastModifiedAtMs = this.clock.nowMs();
  }

  allAttributes(): Attributes {
    return this.attributes;
  }

  /** Messages by state, and the age of the oldest in whole seconds (the metric ApproximateAgeOfOldestMessage). */
  counts(): { visible: number; inFlight: number; delayed: number; oldestAgeSeconds: number } {
    this.expire();
    const nowMs = this.clock.nowMs();
    let inFlight = 0;
    let delayed = 0;
    for (const message of this.messages.values()) {
      if (message.hiddenUntilMs <= nowMs) continue;
      if (message.inFlight) inFlight++;
      else delayed++;
    }
    const oldest = this.messages.values().next().value;
    const oldestAgeSeconds = oldest ? Math.max(0, Math.floor((nowMs - oldest.sentAtMs) / 1000)) : 0;
    return { visible: this.messages.size - inFlight - delayed, inFlight, delayed, oldestAgeSeconds };
  }

  /** Visible messages of a standard queue right now, without a walk: for metrics on every arrival. */
  get visibleCount(): number {
    return this.fifo ? this.counts().visible : this.visible.size;
  }

  /** Enqueues. A FIFO duplicate within five minutes is accepted and answered with the first message, but not enqueued again. */
  send(draft: Draft, delaySeconds?: number): Message {
    const known = draft.deduplicationId === undefined ? undefined : this.deduplication.find(draft.deduplicationId);
    if (known) return known;
    const sequenceNumber = this.fifo ? (++this.sequence).toString().padStart(20, '0') : undefined;
    const nowMs = this.clock.nowMs();
    const delayMs = (delaySeconds ?? Number(this.attributes.DelaySeconds)) * 1000;
    const message: Message = {
      ...draft,
      messageId: newMessageId(),
      sentAtMs: nowMs,
      sequenceNumber,
      receiveCount: 0,
      hiddenUntilMs: nowMs + delayMs,
      inFlight: false,
    };
    if (draft.deduplicationId !== undefined) this.deduplication.remember(draft.deduplicationId, message);
    this.accept(message);
    return message;
  }

  /** Takes over a message of another queue: dead letters keep their id, send time and receive count; redriven ones start anew. */
  accept(message: Message): void {
    this.messages.set(message.messageId, message);
    if (message.hiddenUntilMs > this.clock.nowMs()) this.hide(message);
    else this.show([message]);
  }

  /** Up to ten messages, at once or as soon as one is there within `waitSeconds`. */
  async receive(wanted: number, waitSeconds: number, visibilitySeconds?: number): Promise<Message[]> {
    const now = this.takeVisible(wanted, visibilitySeconds);
    if (now.length > 0 || waitSeconds === 0) return now;
    return new Promise((resolve) => {
      const waiter: Waiter = { wanted, visibilitySeconds, answer: (messages) => (cancel(), resolve(messages)) };
      const cancel = this.clock.after(waitSeconds * 1000, () => {
        this.waiters.splice(this.waiters.indexOf(waiter), 1);
        resolve([]);
      });
      this.waiters.push(waiter);
    });
  }

  /** `false`: the handle is not the newest one; SQS answers success all the same and keeps the message. */
  delete(receiptHandle: string): boolean {
    const message = this.byHandle(receiptHandle);
    if (!message) return false;
    this.remove(message);
    // A FIFO group was locked by this message.
    if (this.fifo) this.wake();
    return true;
  }

  changeVisibility(receiptHandle: string, seconds: number): void {
    const message = this.byHandle(receiptHandle);
    const nowMs = this.clock.nowMs();
    if (!message || !message.inFlight || message.hiddenUntilMs <= nowMs) {
      throw new AwsError('MessageNotInflight', 'The specified message is not in flight.');
    }
    message.hiddenUntilMs = nowMs + seconds * 1000;
    if (seconds === 0) this.show([message]);
    else this.hide(message);
  }

  purge(): void {
    this.messages.clear();
    this.visible.clear();
    this.schedule.clear();
  }

  /** Removes and gives up to `limit` visible messages: for a message move task. */
  drain(limit: number): Message[] {
    this.settle();
    const nowMs = this.clock.nowMs();
    const drained: Message[] = [];
    for (const message of this.messages.values()) {
      if (drained.length === limit) break;
      if (message.hiddenUntilMs <= nowMs) drained.push(message);
    }
    for (const message of drained) this.remove(message);
    return drained;
  }

  onVisible(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  close(): void {
    this.cancelTimer?.();
    for (const waiter of this.waiters.splice(0)) waiter.answer([]);
    this.listeners.clear();
  }

  private byHandle(receiptHandle: string): Message | undefined {
    const [messageId] = Buffer.from(receiptHandle, 'base64').toString().split('|');
    if (!/^[0-9a-f-]{36}$/.test(messageId ?? ''))
      throw new AwsError('ReceiptHandleIsInvalid', `The input receipt handle "${receiptHandle}" is not a valid receipt handle.`, 404);
    const message = this.messages.get(messageId!);
    return message?.receiptHandle === receiptHandle ? message : undefined;
  }

  private takeVisible(wanted: number, visibilitySeconds?: number): Message[] {
    this.settle();
    const nowMs = this.clock.nowMs();
    const taken: Message[] = [];
    for (const message of this.fifo ? this.unlockedInOrder(nowMs) : [...this.firstVisible(wanted)]) {
      if (taken.length === wanted) break;
      if (this.redrive && message.receiveCount >= this.redrive.maxReceiveCount && this.moveToDeadLetterQueue(message)) continue;
      taken.push(message);
      this.visible.delete(message.messageId);
      message.receiveCount++;
      message.firstReceivedAtMs ??= nowMs;
      message.inFlight = true;
      message.receiptHandle = Buffer.from(`${message.messageId}|${randomUUID()}`).toString('base64');
      message.hiddenUntilMs = nowMs + (visibilitySeconds ?? Number(this.attributes.VisibilityTimeout)) * 1000;
      this.hide(message);
    }
    // Dead letters may have taken all the places although more messages are waiting.
    if (taken.length === 0 && this.visible.size > 0) return this.takeVisible(wanted, visibilitySeconds);
    return taken;
  }

  private *firstVisible(limit: number): Iterable<Message> {
    let left = limit;
    for (const message of this.visible.values()) {
      if (left-- === 0) return;
      yield message;
    }
  }

  /** FIFO: in order, and nothing of a group of which a message is in flight or delayed (FIFO delivery logic, SQS developer guide). */
  private unlockedInOrder(nowMs: number): Message[] {
    const locked = new Set<string>();
    const order: Message[] = [];
    for (const message of this.messages.values()) {
      const group = message.groupId ?? '';
      if (message.hiddenUntilMs > nowMs) locked.add(group);
      else if (!locked.has(group)) order.push(message);
    }
    return order;
  }

  private moveToDeadLetterQueue(message: Message): boolean {
    const moved = { ...message, inFlight: false, hiddenUntilMs: 0, receiptHandle: undefined, deadLetterSourceArn: this.arn };
    // A dead-letter queue that was deleted keeps the message here: dropping it would lose it.
    if (!this.deadLetter(this.redrive!.deadLetterTargetArn, moved)) return false;
    this.remove(message);
    return true;
  }

  private remove(message: Message): void {
    this.messages.delete(message.messageId);
    this.visible.delete(message.messageId);
  }

  private hide(message: Message): void {
    this.visible.delete(message.messageId);
    this.schedule.add(message);
    this.setTimer();
  }

  private show(messages: readonly Message[]): void {
    for (const message of messages) {
      message.inFlight = false;
      if (!this.fifo) this.visible.set(message.messageId, message);
    }
    if (messages.length > 0) this.wake();
  }

  /** Serves long polls in the order in which they came, then tells listeners. */
  private wake(): void {
    while (this.waiters.length > 0) {
      const waiter = this.waiters[0]!;
      const messages = this.takeVisible(waiter.wanted, waiter.visibilitySeconds);
      if (messages.length === 0) break;
      this.waiters.shift();
      waiter.answer(messages);
    }
    for (const listener of this.listeners) listener();
  }

  /** Brings the state up to the present: what is due becomes visible, what is past its retention goes. */
  private settle(): void {
    this.show(this.schedule.take(this.clock.nowMs()).filter((message) => this.messages.get(message.messageId) === message));
    this.expire();
  }

  private expire(): void {
    const oldestMs = this.clock.nowMs() - Number(this.attributes.MessageRetentionPeriod) * 1000;
    for (const message of this.messages.values()) {
      if (message.sentAtMs >= oldestMs) return;
      this.remove(message);
    }
  }

  private setTimer(): void {
    const nextMs = this.schedule.nextAtMs();
    if (nextMs === undefined || (this.timerAtMs !== undefined && this.timerAtMs <= nextMs)) return;
    this.cancelTimer?.();
    this.timerAtMs = nextMs;
    this.cancelTimer = this.clock.after(Math.max(0, nextMs - this.clock.nowMs()), () => {
      this.timerAtMs = undefined;
      this.settle();
      this.setTimer();
    });
  }
}
