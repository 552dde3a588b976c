import { documentClient, iotClient, iotDataClient, privateCaClient, sqsClient, ssmClient } from '../../aws/clients.js';
import { dynamoDecisionLog } from '../../aws/decision-log.js';
import { dynamoDueRevocations } from '../../aws/due.js';
import { dynamoEmergencyStop } from '../../aws/emergency-stop.js';
import { dynamoInventory } from '../../aws/inventory.js';
import { dynamoPace } from '../../aws/pace.js';
import { acmPrivateCa } from '../../aws/private-ca.js';
import { sqsRevokeQueue } from '../../aws/queues.js';
import { reconcileRequests } from '../../aws/reconcile-requests.js';
import { iotRegistry } from '../../aws/registry.js';
import { ssmTrustAnchors } from '../../aws/trust-anchors.js';
import { wallClock as clock } from '../../runtime/clock.js';
import { readEnvironment } from '../../runtime/environment.js';
import { lambdaSignals } from '../../runtime/signals.js';
import { sqsBatchHandler } from '../../runtime/sqs-handler.js';
import { CertificateArns } from './certificate-arn.js';
import { RevokeEnv } from './env.js';
import { RevokeMessage } from './event.js';
import { run, type RevokePorts } from './run.js';

const env = readEnvironment(RevokeEnv);
const signals = lambdaSignals(env.APPLICATION, clock);
const dynamo = documentClient();
const ledger = { client: dynamo, table: env.LEDGER_TABLE };
const ports: RevokePorts = {
  anchors: ssmTrustAnchors(ssmClient(), env.TRUST_PARAMETER_PATH, clock),
  arns: new CertificateArns(),
  clock,
  decisions: dynamoDecisionLog(ledger),
  due: dynamoDueRevocations(ledger, clock),
  inventory: dynamoInventory(dynamo, env.INVENTORY_TABLE, clock),
  pace: dynamoPace(ledger),
  privateCa: acmPrivateCa(privateCaClient()),
  reconcile: reconcileRequests(ledger, sqsClient(), env.RECONCILE_QUEUE_URL),
  registry: iotRegistry(iotClient(), iotDataClient()),
  revokeQueue: sqsRevokeQueue(sqsClient(), env.REVOKE_QUEUE_URL),
  signals,
  stop: dynamoEmergencyStop(ledger),
};
const settings = {
  mode: env.REVOCATION_MODE,
  perSecond: env.REVOKE_PER_SECOND,
  secondStageDelayMs: env.SECOND_STAGE_DELAY_MINUTES * 60_000,
};

/** Revoke queue → AWS IoT registry. */
export const handler = sqsBatchHandler(RevokeMessage, signals, (messages) => run(ports, settings, messages));
