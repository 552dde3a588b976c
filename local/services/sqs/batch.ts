/** Batches: the rules for all of them, and one answer per entry. A refused entry does not stop the others. */
import { AwsError } from '../../models/service.js';

interface Entry {
  readonly Id: string;
}
export interface BatchAnswer {
  readonly Successful: Record<string, unknown>[];
  readonly Failed: { Id: string; SenderFault: boolean; Code: string; Message: string }[];
}

export function runBatch<E extends Entry>(entries: readonly E[], one: (entry: E) => Record<string, unknown>): BatchAnswer {
  if (entries.length === 0) throw new AwsError('EmptyBatchRequest', 'There should be at least one entry in the request.');
  if (entries.length > 10)
    throw new AwsError('TooManyEntriesInBatchRequest', `Maximum number of entries per request are 10. You have sent ${entries.length}.`);
  if (new Set(entries.map((entry) => entry.Id)).size < entries.length)
    throw new AwsError('BatchEntryIdsNotDistinct', 'Id repeated in the batch.');
  const unusable = entries.find((entry) => !/^[A-Za-z0-9_-]{1,80}$/.test(entry.Id));
  if (unusable) {
    throw new AwsError(
      'InvalidBatchEntryId',
      'A batch entry id can only contain alphanumeric characters, hyphens and underscores. It can be at most 80 letters long.',
    );
  }
  const answer: BatchAnswer = { Successful: [], Failed: [] };
  for (const entry of entries) {
    try {
      answer.Successful.push({ Id: entry.Id, ...one(entry) });
    } catch (error) {
      if (!(error instanceof AwsError)) throw error;
      answer.Failed.push({ Id: entry.Id, SenderFault: true, Code: error.code, Message: error.message });
    }
  }
  return answer;
}
