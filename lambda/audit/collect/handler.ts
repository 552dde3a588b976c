import type { Context, SQSBatchResponse, SQSEvent } from 'aws-lambda';
import { dynamoAuditRecords } from '../../aws/audit-records.js';
import { sqsAuditResponses, sqsCollectQueue } from '../../aws/audit-responses.js';
import { iotAudits } from '../../aws/audits.js';
import { documentClient, iotClient, sqsClient } from '../../aws/clients.js';
import { dynamoDecisionLog } from '../../aws/decision-log.js';
import { dynamoPace } from '../../aws/pace.js';
import { wallClock as clock } from '../../runtime/clock.js';
import { readEnvironment } from '../../runtime/environment.js';
import { lambdaSignals } from '../../runtime/signals.js';
import { sqsHandler } from '../../runtime/sqs-handler.js';
import { CollectEnv } from './env.js';
import { AuditMessage } from './event.js';
import type { CollectPorts } from './ports.js';
import { run } from './run.js';

/** Left at the end of a call: the page that is under way is finished, and the next message is sent, well within it. */
const RESERVE_MS = 60_000;

const env = readEnvironment(CollectEnv);
const signals = lambdaSignals(env.APPLICATION, clock);
const sqs = sqsClient();
const ledger = { client: documentClient(), table: env.LEDGER_TABLE };
const ports: CollectPorts = {
  audits: iotAudits(iotClient()),
  clock,
  decisions: dynamoDecisionLog(ledger),
  pace: dynamoPace(ledger),
  queue: sqsCollectQueue(sqs, env.COLLECT_QUEUE_URL),
  records: dynamoAuditRecords(ledger, clock),
  responses: sqsAuditResponses(sqs, {
    sync: env.SYNC_QUEUE_URL,
    ...(env.START_QUEUE_URL === 'off' ? {} : { start: env.START_QUEUE_URL }),
    ...(env.INTAKE_QUEUE_URL === 'off' ? {} : { intake: env.INTAKE_QUEUE_URL }),
  }),
  signals,
};
const settings = {
  scheduledAuditName: env.SCHEDULED_AUDIT_NAME,
  periodDays: env.AUDIT_PERIOD_DAYS,
  pagesPerSecond: env.PAGES_PER_SECOND,
  response: env.RESPONSES,
};

/** An audit that is over → its findings on record → whoever does something about each. */
export const handler = (event: SQSEvent, context: Context): Promise<SQSBatchResponse> => {
  const deadlineMs = clock.nowMs() + context.getRemainingTimeInMillis() - RESERVE_MS;
  return sqsHandler(AuditMessage, signals, (message) => run(ports, { ...settings, deadlineMs }, message))(event);
};
