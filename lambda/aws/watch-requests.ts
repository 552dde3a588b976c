import { SendMessageCommand, type SQSClient } from '@aws-sdk/client-sqs';
import type { WatchMessage } from '../../domain/protocol/containment-workflow.js';
import { NoSlotInTime } from '../ports/pace.js';
import type { WatchRequests } from '../ports/watch-requests.js';
import type { Ledger } from './ledger.js';
import { dynamoPace } from './pace.js';
import { askApart } from './requests-apart.js';

/** A look is some ten calls of AWS IoT for each certificate: whoever connects again and again must not use up their quotas. */
const APART_MS = 15_000;
/** All things together: whose policy allows any client id may call himself by the names of all that are contained, one after the other. A few at once are no storm. */
const LOOKS = { pace: 'quarantine-looks', perSecond: 1, burstMs: 15_000 } as const;

export function watchRequests(ledger: Ledger, client: SQSClient, queueUrl: string): WatchRequests {
  const pace = dynamoPace(ledger);
  return {
    async ask(thing, nowMs) {
      const message: WatchMessage = { kind: 'look', thingName: thing };
      const send = async (DelaySeconds: number): Promise<void> => {
        await pace.reserve(LOOKS.pace, 1, LOOKS.perSecond, nowMs, nowMs + LOOKS.burstMs);
        await client.send(new SendMessageCommand({ QueueUrl: queueUrl, MessageBody: JSON.stringify(message), DelaySeconds }));
      };
      try {
        await askApart(ledger, { key: { pk: 'LOOK', sk: thing }, apartMs: APART_MS, send }, nowMs);
      } catch (error) {
        if (!(error instanceof NoSlotInTime)) throw error; // the regular look comes
      }
    },
  };
}
