/** A message as ReceiveMessage answers it: only the attributes that were asked for. */
import { type Message, type MessageAttributes, md5, md5OfAttributes } from './message.js';

/** `All`, `.*`, an exact name, or a prefix with `.*` (ReceiveMessage API reference, MessageAttributeNames). */
function chosen(attributes: MessageAttributes, names: readonly string[]): MessageAttributes {
  const wanted = (name: string): boolean =>
    names.some(
      (pattern) =>
        pattern === 'All' || pattern === '.*' || pattern === name || (pattern.endsWith('.*') && name.startsWith(pattern.slice(0, -2))),
    );
  return Object.fromEntries(Object.entries(attributes).filter(([name]) => wanted(name)));
}

function systemAttributes(message: Message): Record<string, string | undefined> {
  return {
    SenderId: message.senderId,
    SentTimestamp: String(message.sentAtMs),
    ApproximateReceiveCount: String(message.receiveCount),
    ApproximateFirstReceiveTimestamp: String(message.firstReceivedAtMs),
    SequenceNumber: message.sequenceNumber,
    MessageDeduplicationId: message.deduplicationId,
    MessageGroupId: message.groupId,
    AWSTraceHeader: message.systemAttributes.AWSTraceHeader?.StringValue,
    DeadLetterQueueSourceArn: message.deadLetterSourceArn,
  };
}

export function answerMessage(
  message: Message,
  systemNames: readonly string[],
  attributeNames: readonly string[],
): Record<string, unknown> {
  const system = Object.entries(systemAttributes(message)).filter(
    ([name, value]) => value !== undefined && (systemNames.includes('All') || systemNames.includes(name)),
  );
  const attributes = chosen(message.attributes, attributeNames);
  return {
    MessageId: message.messageId,
    ReceiptHandle: message.receiptHandle,
    MD5OfBody: md5(message.body),
    Body: message.body,
    ...(system.length === 0 ? {} : { Attributes: Object.fromEntries(system) }),
    ...(Object.keys(attributes).length === 0 ? {} : { MessageAttributes: attributes, MD5OfMessageAttributes: md5OfAttributes(attributes) }),
  };
}
