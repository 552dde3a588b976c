import type { Context, SQSBatchResponse, SQSEvent } from 'aws-lambda';
import { dynamoBrake } from '../../aws/brake.js';
import { documentClient, iotClient, iotDataClient, sqsClient, ssmClient } from '../../aws/clients.js';
import { dynamoDecisionLog } from '../../aws/decision-log.js';
import { dynamoInventoryPages } from '../../aws/inventory-pages.js';
import { dynamoInventory } from '../../aws/inventory.js';
import { dynamoPace } from '../../aws/pace.js';
import { sqsRevokeQueue } from '../../aws/queues.js';
import { dynamoReconciliation, sqsReconcileQueue } from '../../aws/reconciliation.js';
import { iotRegistry } from '../../aws/registry.js';
import { ssmTrustAnchors } from '../../aws/trust-anchors.js';
import { wallClock as clock } from '../../runtime/clock.js';
import { readEnvironment } from '../../runtime/environment.js';
import { lambdaSignals } from '../../runtime/signals.js';
import { sqsHandler } from '../../runtime/sqs-handler.js';
import { ReconcileEnv } from './env.js';
import { ReconcileMessage } from './event.js';
import { run } from './run.js';
import type { ReconcilePorts } from './steps.js';

/** Left at the end of a call: the page under way is finished, and the checkpoint and the next message are written, well within it. */
const RESERVE_MS = 60_000;

const env = readEnvironment(ReconcileEnv);
const client = documentClient();
const sqs = sqsClient();
const ledger = { client, table: env.LEDGER_TABLE };
const signals = lambdaSignals(env.APPLICATION, clock);
const ports: ReconcilePorts = {
  clock,
  signals,
  inventory: dynamoInventory(client, env.INVENTORY_TABLE, clock),
  pages: dynamoInventoryPages(client, env.INVENTORY_TABLE, clock),
  registry: iotRegistry(iotClient(), iotDataClient()),
  reconciliation: dynamoReconciliation(ledger),
  queue: sqsReconcileQueue(sqs, env.RECONCILE_QUEUE_URL),
  anchors: ssmTrustAnchors(ssmClient(), env.TRUST_PARAMETER_PATH, clock),
  pace: dynamoPace(ledger),
  brake: dynamoBrake(ledger, env.BRAKE_WINDOW_MINUTES, clock),
  revokeQueue: sqsRevokeQueue(sqs, env.REVOKE_QUEUE_URL),
  decisions: dynamoDecisionLog(ledger),
};
const settings = {
  mode: env.REVOCATION_MODE,
  brake: { floor: env.BRAKE_FLOOR, share: env.BRAKE_SHARE },
  brakeWindowMs: env.BRAKE_WINDOW_MINUTES * 60_000,
  perSecond: env.INVENTORY_PER_SECOND,
};

export const handler = (event: SQSEvent, context: Context): Promise<SQSBatchResponse> => {
  const deadlineMs = clock.nowMs() + context.getRemainingTimeInMillis() - RESERVE_MS;
  return sqsHandler(ReconcileMessage, signals, (message) => run(ports, { ...settings, deadlineMs }, message))(event);
};
