/** Queue attributes: names, bounds and defaults as the SQS API reference (CreateQueue) gives them. Values travel as strings. */
import { AwsError } from '../../models/service.js';
import { readPolicy } from '../../iam/policy.js';
import type { PolicyDocument } from '../../iam/principal.js';
import { MAXIMUM_MESSAGE_BYTES } from './message.js';

export interface RedrivePolicy {
  readonly deadLetterTargetArn: string;
  readonly maxReceiveCount: number;
}
export interface RedriveAllowPolicy {
  readonly redrivePermission: 'allowAll' | 'denyAll' | 'byQueue';
  readonly sourceQueueArns: readonly string[];
}

interface Bound {
  readonly from: number;
  readonly to: number;
  readonly initial: number;
}
const NUMBERS: Readonly<Record<string, Bound>> = {
  DelaySeconds: { from: 0, to: 900, initial: 0 },
  MaximumMessageSize: { from: 1024, to: MAXIMUM_MESSAGE_BYTES, initial: MAXIMUM_MESSAGE_BYTES },
  MessageRetentionPeriod: { from: 60, to: 1_209_600, initial: 345_600 },
  ReceiveMessageWaitTimeSeconds: { from: 0, to: 20, initial: 0 },
  VisibilityTimeout: { from: 0, to: 43_200, initial: 30 },
  KmsDataKeyReusePeriodSeconds: { from: 60, to: 86_400, initial: 300 },
};
const FIFO_ONLY = ['ContentBasedDeduplication', 'DeduplicationScope', 'FifoThroughputLimit'];
/** Attributes that a caller may set. Encryption is recorded and answered, the desk keeps messages in memory only. */
const SETTABLE = new Set([
  ...Object.keys(NUMBERS),
  ...FIFO_ONLY,
  'FifoQueue',
  'Policy',
  'RedrivePolicy',
  'RedriveAllowPolicy',
  'SqsManagedSseEnabled',
  'KmsMasterKeyId',
]);

export type Attributes = Readonly<Record<string, string>>;

const invalid = (name: string, reason: string): AwsError =>
  new AwsError('InvalidAttributeValue', `Invalid value for the parameter ${name}. Reason: ${reason}`);

/** Checks what a caller sets. An empty string removes a policy, as on AWS. */
export function checkAttributes(attributes: Attributes, fifo: boolean): void {
  for (const [name, value] of Object.entries(attributes)) {
    if (!SETTABLE.has(name)) throw new AwsError('InvalidAttributeName', `Unknown Attribute ${name}.`);
    const bound = NUMBERS[name];
    if (bound && (!/^\d+$/.test(value) || Number(value) < bound.from || Number(value) > bound.to)) {
      throw invalid(name, `got ${value}, expected a whole number from ${bound.from} to ${bound.to}.`);
    }
    if (FIFO_ONLY.includes(name) && !fifo) throw new AwsError('InvalidAttributeName', `Unknown Attribute ${name}.`);
    if (name === 'RedrivePolicy') parseRedrive(value);
    if (name === 'RedriveAllowPolicy') parseRedriveAllow(value);
    if (name === 'Policy') parsePolicy(value);
  }
}

export const initialAttributes = (): Record<string, string> => ({
  ...Object.fromEntries(
    Object.entries(NUMBERS)
      .filter(([name]) => !name.startsWith('Kms'))
      .map(([name, bound]) => [name, String(bound.initial)]),
  ),
  SqsManagedSseEnabled: 'true',
});

function parseJson(name: string, text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    if (value !== null && typeof value === 'object' && !Array.isArray(value)) return value as Record<string, unknown>;
  } catch {
    // answered below with the attribute's name, as SQS does
  }
  throw invalid(name, 'it is not a JSON object.');
}

export function parsePolicy(text: string | undefined): PolicyDocument | undefined {
  if (!text) return undefined;
  try {
    return readPolicy(text, 'resource');
  } catch (error) {
    throw invalid('Policy', `${(error as Error).message}.`);
  }
}

export function parseRedrive(text: string | undefined): RedrivePolicy | undefined {
  if (!text) return undefined;
  const { deadLetterTargetArn, maxReceiveCount } = parseJson('RedrivePolicy', text);
  const count = Number(maxReceiveCount);
  if (typeof deadLetterTargetArn !== 'string') throw invalid('RedrivePolicy', 'deadLetterTargetArn is missing.');
  if (!Number.isInteger(count) || count < 1 || count > 1000)
    throw invalid('RedrivePolicy', `maxReceiveCount: got ${String(maxReceiveCount)}, expected 1 to 1000.`);
  return { deadLetterTargetArn, maxReceiveCount: count };
}

export function parseRedriveAllow(text: string | undefined): RedriveAllowPolicy | undefined {
  if (!text) return undefined;
  const { redrivePermission, sourceQueueArns } = parseJson('RedriveAllowPolicy', text);
  if (redrivePermission !== 'allowAll' && redrivePermission !== 'denyAll' && redrivePermission !== 'byQueue') {
    throw invalid('RedriveAllowPolicy', `redrivePermission: got ${String(redrivePermission)}, expected allowAll, denyAll or byQueue.`);
  }
  return { redrivePermission, sourceQueueArns: Array.isArray(sourceQueueArns) ? sourceQueueArns.map(String) : [] };
}
