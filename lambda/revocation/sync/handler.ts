import { dynamoBrake } from '../../aws/brake.js';
import { documentClient, s3Client, sqsClient, ssmClient } from '../../aws/clients.js';
import { s3CrlStore } from '../../aws/crl-store.js';
import { dynamoDecisionLog } from '../../aws/decision-log.js';
import { dynamoDueRevocations } from '../../aws/due.js';
import { dynamoEmergencyStop } from '../../aws/emergency-stop.js';
import { dynamoHighWaterMarks } from '../../aws/high-water.js';
import { dynamoHolds } from '../../aws/holds.js';
import { dynamoInventory } from '../../aws/inventory.js';
import { sqsRevokeQueue, sqsSyncQueue } from '../../aws/queues.js';
import { s3SerialState } from '../../aws/serial-state.js';
import { ssmTrustAnchors } from '../../aws/trust-anchors.js';
import { wallClock as clock } from '../../runtime/clock.js';
import { readEnvironment } from '../../runtime/environment.js';
import { lambdaSignals } from '../../runtime/signals.js';
import { sqsHandler } from '../../runtime/sqs-handler.js';
import { SyncEnv } from './env.js';
import { SyncEvent } from './event.js';
import type { SyncPorts, SyncSettings } from './ports.js';
import { run } from './run.js';

const env = readEnvironment(SyncEnv);
const signals = lambdaSignals(env.APPLICATION, clock);
const [dynamo, s3, sqs] = [documentClient(), s3Client(), sqsClient()];
const ledger = { client: dynamo, table: env.LEDGER_TABLE };
const ports: SyncPorts = {
  anchors: ssmTrustAnchors(ssmClient(), env.TRUST_PARAMETER_PATH, clock),
  brake: dynamoBrake(ledger, env.BRAKE_WINDOW_MINUTES, clock),
  clock,
  crls: s3CrlStore(s3),
  decisions: dynamoDecisionLog(ledger),
  due: dynamoDueRevocations(ledger, clock),
  holds: dynamoHolds(ledger),
  inventory: dynamoInventory(dynamo, env.INVENTORY_TABLE, clock),
  marks: dynamoHighWaterMarks(ledger),
  revokeQueue: sqsRevokeQueue(sqs, env.REVOKE_QUEUE_URL),
  signals,
  states: s3SerialState(s3, env.STATE_BUCKET),
  stop: dynamoEmergencyStop(ledger),
  syncQueue: sqsSyncQueue(sqs, env.SYNC_QUEUE_URL),
};
const settings: SyncSettings = {
  mode: env.REVOCATION_MODE,
  brake: { floor: env.BRAKE_FLOOR, share: env.BRAKE_SHARE },
  clockSkewMs: env.CLOCK_SKEW_SECONDS * 1000,
  crlBucket: env.CRL_BUCKET,
};

/** CRL objects, approvals and sweeps → revoke queue. */
export const handler = sqsHandler(SyncEvent, signals, (message) => run(ports, settings, message));
