/** One message as SQS keeps it, and the digests that every SDK client compares. */
import { createHash, randomUUID } from 'node:crypto';
import { AwsError } from '../../models/service.js';

/** AWS's own shape of a message attribute: `String`, `Number`, `Binary`, each with an optional custom label (`Number.int`). */
export interface MessageAttribute {
  readonly DataType: string;
  readonly StringValue?: string;
  readonly BinaryValue?: Uint8Array;
}
export type MessageAttributes = Readonly<Record<string, MessageAttribute>>;

/** What a sender hands over. */
export interface Draft {
  readonly body: string;
  readonly attributes: MessageAttributes;
  readonly systemAttributes: MessageAttributes;
  readonly senderId: string;
  readonly groupId?: string;
  readonly deduplicationId?: string;
}

export interface Message extends Draft {
  readonly messageId: string;
  readonly sentAtMs: number;
  readonly sequenceNumber?: string;
  /** ARN of the queue from which the redrive policy moved it here. */
  readonly deadLetterSourceArn?: string;
  receiveCount: number;
  firstReceivedAtMs?: number;
  /** In flight or delayed until then; visible from then on. */
  hiddenUntilMs: number;
  /** Of the newest receive: older handles no longer delete. Undefined while the message has never been received. */
  receiptHandle?: string;
  inFlight: boolean;
}

export const newMessageId = (): string => randomUUID();

export const md5 = (text: string | Uint8Array): string => createHash('md5').update(text).digest('hex');

/** AWS's limit since August 2025 (SendMessage API reference): 1 MiB for body and attributes together, for a whole batch too. */
export const MAXIMUM_MESSAGE_BYTES = 1_048_576;

const lengthPrefixed = (bytes: Uint8Array): Buffer => {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
};

/**
 * MD5 of the message attributes: names sorted, each with length-prefixed name, type and value, and one byte for the kind of value
 * (SQS developer guide, "Calculating the MD5 message digest for message attributes"). Absent when there are none.
 */
export function md5OfAttributes(attributes: MessageAttributes): string | undefined {
  const names = Object.keys(attributes).sort();
  if (names.length === 0) return undefined;
  const parts = names.flatMap((name) => {
    const attribute = attributes[name]!;
    const binary = attribute.DataType.startsWith('Binary');
    const value = binary ? (attribute.BinaryValue ?? new Uint8Array()) : Buffer.from(attribute.StringValue ?? '');
    return [
      lengthPrefixed(Buffer.from(name)),
      lengthPrefixed(Buffer.from(attribute.DataType)),
      Buffer.from([binary ? 2 : 1]),
      lengthPrefixed(value),
    ];
  });
  return md5(Buffer.concat(parts));
}

/** Bytes that count against the limits: body, and name, type and value of each attribute. */
export function sizeOf(body: string, attributes: MessageAttributes): number {
  let bytes = Buffer.byteLength(body);
  for (const [name, attribute] of Object.entries(attributes)) {
    bytes += Buffer.byteLength(name) + Buffer.byteLength(attribute.DataType);
    bytes += attribute.BinaryValue?.length ?? Buffer.byteLength(attribute.StringValue ?? '');
  }
  return bytes;
}

// SendMessage API reference: "#x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF"; everything else is rejected.
const FORBIDDEN_CHARACTERS =
  // oxlint-disable-next-line no-control-regex
  /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/u;

/** Refuses what SQS refuses in a message, before it is enqueued. */
export function checkMessage(body: string, attributes: MessageAttributes, maximumBytes: number): void {
  if (body.length === 0) throw new AwsError('MissingParameter', 'The request must contain the parameter MessageBody.');
  if (FORBIDDEN_CHARACTERS.test(body)) throw new AwsError('InvalidMessageContents', 'Invalid characters found in the message body.');
  const names = Object.keys(attributes);
  if (names.length > 10)
    throw new AwsError('InvalidParameterValue', `Number of message attributes [${names.length}] exceeds the allowed maximum [10].`);
  for (const name of names) checkAttribute(name, attributes[name]!);
  if (sizeOf(body, attributes) > maximumBytes) {
    throw new AwsError(
      'InvalidParameterValue',
      `One or more parameters are invalid. Reason: Message must be shorter than ${maximumBytes} bytes.`,
    );
  }
}

function checkAttribute(name: string, attribute: MessageAttribute): void {
  if (!/^[A-Za-z0-9_.-]{1,256}$/.test(name) || /^(aws|amazon)\./i.test(name) || /^\.|\.$|\.\./.test(name)) {
    throw new AwsError('InvalidParameterValue', `Invalid message attribute name '${name}'.`);
  }
  const kind = /^(String|Number|Binary)(\..{1,256})?$/.exec(attribute.DataType)?.[1];
  if (!kind)
    throw new AwsError(
      'InvalidParameterValue',
      `The message attribute '${name}' has an invalid message attribute type, the set of supported type prefixes is Binary, Number, and String.`,
    );
  const value = kind === 'Binary' ? attribute.BinaryValue : attribute.StringValue;
  if (value === undefined || value.length === 0) {
    throw new AwsError(
      'InvalidParameterValue',
      `The message attribute '${name}' must contain non-empty message attribute value for message attribute type '${attribute.DataType}'.`,
    );
  }
  if (kind === 'Number' && !Number.isFinite(Number(value))) {
    throw new AwsError('InvalidParameterValue', `Can't cast the value of message attribute '${name}' to a number.`);
  }
}
