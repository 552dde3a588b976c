/** Retained messages: one per topic, an empty payload removes it (https://docs.aws.amazon.com/iot/latest/developerguide/mqtt.html#mqtt-retain). */
import type { Message } from './message.js';

export interface RetainedMessage {
  readonly message: Message;
  readonly modifiedAtMs: number;
}

export class RetainedMessages {
  private readonly byTopic = new Map<string, RetainedMessage>();

  put(message: Message, nowMs: number): void {
    if (message.payload.length === 0) this.byTopic.delete(message.topic);
    else this.byTopic.set(message.topic, { message, modifiedAtMs: nowMs });
  }
  get(topic: string): RetainedMessage | undefined {
    return this.byTopic.get(topic);
  }
  all(): readonly RetainedMessage[] {
    return [...this.byTopic.values()];
  }
}
