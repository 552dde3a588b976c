import { SendMessageBatchCommand, SendMessageCommand, type SQSClient } from '@aws-sdk/client-sqs';
import type { AuditContainment } from '../../domain/protocol/containment.js';
import type { SyncMessage } from '../../domain/protocol/revocation.js';
import type { StartMessage } from '../../domain/protocol/rotation-work.js';
import type { AuditResponses, CollectQueue } from '../ports/audit-responses.js';

const BATCH = 10; // SendMessageBatch takes ten

export const sqsCollectQueue = (client: SQSClient, QueueUrl: string): CollectQueue => ({
  async send(order) {
    await client.send(new SendMessageCommand({ QueueUrl, MessageBody: JSON.stringify(order) }));
  },
});

/** The queues of those who act. `undefined`: that capability is off. */
export interface ResponseQueues {
  readonly start?: string;
  readonly intake?: string;
  readonly sync: string;
}

export function sqsAuditResponses(client: SQSClient, { start, intake, sync }: ResponseQueues): AuditResponses {
  const send = (QueueUrl: string, message: StartMessage | SyncMessage) =>
    client.send(new SendMessageCommand({ QueueUrl, MessageBody: JSON.stringify(message) }));

  async function contain(QueueUrl: string, findings: readonly AuditContainment[]): Promise<void> {
    for (let from = 0; from < findings.length; from += BATCH) {
      const Entries = findings
        .slice(from, from + BATCH)
        .map((finding, index) => ({ Id: String(index), MessageBody: JSON.stringify(finding) }));
      const { Failed = [] } = await client.send(new SendMessageBatchCommand({ QueueUrl, Entries }));
      // The page is done again as a whole: quarantine knows a finding that it has been told of.
      if (Failed.length > 0) throw new Error(`intake queue: ${Failed.length} messages not taken: ${Failed[0]?.Code ?? 'no code'}`);
    }
  }

  return {
    ...(start === undefined
      ? {}
      : {
          rotate: async (certificateIds, taskId) =>
            void (await send(start, { kind: 'finding', certificateIds: [...certificateIds], taskId })),
        }),
    ...(intake === undefined ? {} : { contain: (findings) => contain(intake, findings) }),
    async sweepCrls() {
      await send(sync, { kind: 'sweep' });
    },
  };
}
