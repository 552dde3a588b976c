/**
 * SQS in, partial batch failures out: a message whose handling throws goes back to the queue alone, the others are deleted.
 * A message that does not parse is treated in the same way. It costs nothing to read it again, and after the queue's maxReceiveCount it lies
 * unchanged in the dead-letter queue, where an alarm points at it: nothing that somebody sent us is dropped unseen.
 */
import type { SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda';
import type { FlushingSignals } from './signals.js';

interface Schema<T> {
  parse(input: unknown): T;
}

/** Handles the readable messages of one batch together; settles in the order of `messages`. */
export type HandleBatch<T> = (messages: readonly T[]) => Promise<readonly PromiseSettledResult<unknown>[]>;

export function sqsBatchHandler<T>(
  schema: Schema<T>,
  signals: FlushingSignals,
  handle: HandleBatch<T>,
): (event: SQSEvent) => Promise<SQSBatchResponse> {
  return async (event) => {
    const failed: string[] = [];
    const goesBack = (record: SQSRecord, error: unknown): void => {
      failed.push(record.messageId);
      signals.warn('message goes back to the queue', {
        messageId: record.messageId,
        receiveCount: record.attributes.ApproximateReceiveCount,
        error: nameAndText(error),
      });
    };
    try {
      const readable: { record: SQSRecord; message: T }[] = [];
      for (const record of event.Records) {
        try {
          readable.push({ record, message: schema.parse(JSON.parse(record.body)) });
        } catch (error) {
          goesBack(record, error);
        }
      }
      const results = readable.length === 0 ? [] : await handle(readable.map(({ message }) => message));
      readable.forEach(({ record }, index) => {
        const result = results[index];
        if (result?.status !== 'fulfilled') goesBack(record, result?.reason);
      });
      return { batchItemFailures: failed.map((itemIdentifier) => ({ itemIdentifier })) };
    } finally {
      signals.flush();
    }
  };
}

/** One message after the other: for work that is not paced. */
export function sqsHandler<T>(
  schema: Schema<T>,
  signals: FlushingSignals,
  handle: (message: T) => Promise<unknown>,
): (event: SQSEvent) => Promise<SQSBatchResponse> {
  return sqsBatchHandler(schema, signals, async (messages) => {
    const results: PromiseSettledResult<unknown>[] = [];
    for (const message of messages) results.push(...(await Promise.allSettled([handle(message)])));
    return results;
  });
}

/** Name and first line of an error: ours and AWS's carry ids and reasons there, and nothing secret. */
function nameAndText(error: unknown): string {
  if (!(error instanceof Error)) return String(error).slice(0, 200);
  return `${error.name}: ${(error.message.split('\n')[0] ?? '').slice(0, 300)}`;
}
