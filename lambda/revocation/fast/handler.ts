import { dynamoBrake } from '../../aws/brake.js';
import { documentClient, privateCaClient, sqsClient, ssmClient } from '../../aws/clients.js';
import { dynamoDecisionLog } from '../../aws/decision-log.js';
import { dynamoEmergencyStop } from '../../aws/emergency-stop.js';
import { dynamoInventory } from '../../aws/inventory.js';
import { acmPrivateCa } from '../../aws/private-ca.js';
import { sqsRevokeQueue } from '../../aws/queues.js';
import { ssmTrustAnchors } from '../../aws/trust-anchors.js';
import { wallClock as clock } from '../../runtime/clock.js';
import { readEnvironment } from '../../runtime/environment.js';
import { lambdaSignals } from '../../runtime/signals.js';
import { sqsHandler } from '../../runtime/sqs-handler.js';
import { FastEnv } from './env.js';
import { RevocationEvent } from './event.js';
import { run, type FastPorts } from './run.js';

const env = readEnvironment(FastEnv);
const signals = lambdaSignals(env.APPLICATION, clock);
const dynamo = documentClient();
const ledger = { client: dynamo, table: env.LEDGER_TABLE };
const ports: FastPorts = {
  anchors: ssmTrustAnchors(ssmClient(), env.TRUST_PARAMETER_PATH, clock),
  brake: dynamoBrake(ledger, env.BRAKE_WINDOW_MINUTES, clock),
  clock,
  decisions: dynamoDecisionLog(ledger),
  inventory: dynamoInventory(dynamo, env.INVENTORY_TABLE, clock),
  privateCa: acmPrivateCa(privateCaClient()),
  revokeQueue: sqsRevokeQueue(sqsClient(), env.REVOKE_QUEUE_URL),
  signals,
  stop: dynamoEmergencyStop(ledger),
};
const settings = { mode: env.REVOCATION_MODE, brake: { floor: env.BRAKE_FLOOR, share: env.BRAKE_SHARE } };

/** Private CA event → revoke queue. */
export const handler = sqsHandler(RevocationEvent, signals, (event) => run(ports, settings, event));
