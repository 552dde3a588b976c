import { PutRecordsCommand, type KinesisClient } from '@aws-sdk/client-kinesis';
import type { Clock } from '../ports/clock.js';
import type { FleetStream } from '../ports/fleet-stream.js';
import { backOffMs } from './retry.js';

/** API_PutRecords: 500 records a call. */
const AT_ONCE = 500;
const MAX_ROUNDS = 8;

/** Of a call some records may be refused (ProvisionedThroughputExceededException) and the others taken: the refused ones are sent again. */
export function kinesisFleetStream(client: KinesisClient, StreamName: string, clock: Clock): FleetStream {
  return {
    async put(records) {
      for (let start = 0; start < records.length; start += AT_ONCE) {
        let rest = records.slice(start, start + AT_ONCE);
        for (let round = 0; rest.length > 0; round += 1) {
          if (round === MAX_ROUNDS) throw new Error(`PutRecords: ${rest.length} records still refused after ${MAX_ROUNDS} calls`);
          if (round > 0) await clock.sleepUntil(clock.nowMs() + backOffMs(round));
          const { Records = [] } = await client.send(
            new PutRecordsCommand({
              StreamName,
              Records: rest.map((record) => ({ PartitionKey: record.clientId, Data: Buffer.from(JSON.stringify(record)) })),
            }),
          );
          rest = rest.filter((_, index) => Records[index]?.ErrorCode !== undefined);
        }
      }
    },
  };
}
