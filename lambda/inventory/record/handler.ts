import { dynamoBrake } from '../../aws/brake.js';
import { documentClient, iotClient, iotDataClient, privateCaClient, sqsClient } from '../../aws/clients.js';
import { dynamoContainments } from '../../aws/containments.js';
import { dynamoDecisionLog } from '../../aws/decision-log.js';
import { dynamoInventory } from '../../aws/inventory.js';
import { dynamoIssuedCertificates } from '../../aws/issued-certificates.js';
import { dynamoPace } from '../../aws/pace.js';
import { acmPrivateCa } from '../../aws/private-ca.js';
import { sqsRevokeQueue } from '../../aws/queues.js';
import { iotRegistry } from '../../aws/registry.js';
import { sqsProveQueue } from '../../aws/rotation-queues.js';
import { dynamoRotations } from '../../aws/rotations.js';
import { watchRequests } from '../../aws/watch-requests.js';
import { wallClock as clock } from '../../runtime/clock.js';
import { readEnvironment } from '../../runtime/environment.js';
import { lambdaSignals } from '../../runtime/signals.js';
import { sqsHandler } from '../../runtime/sqs-handler.js';
import { RecordEnv } from './env.js';
import { InventoryMessage } from './event.js';
import { run, type RecordPorts } from './run.js';

const env = readEnvironment(RecordEnv);
const client = documentClient();
const ledger = { client, table: env.LEDGER_TABLE };
const signals = lambdaSignals(env.APPLICATION, clock);
const inventory = dynamoInventory(client, env.INVENTORY_TABLE, clock);
const ports: RecordPorts = {
  clock,
  signals,
  inventory,
  registry: iotRegistry(iotClient(), iotDataClient()),
  privateCa: acmPrivateCa(privateCaClient()),
  pace: dynamoPace(ledger),
  brake: dynamoBrake(ledger, env.BRAKE_WINDOW_MINUTES, clock),
  revokeQueue: sqsRevokeQueue(sqsClient(), env.REVOKE_QUEUE_URL),
  decisions: dynamoDecisionLog(ledger),
  ...(env.PROVE_QUEUE_URL === undefined ? {} : { rotation: rotationNeighbours(env.PROVE_QUEUE_URL) }),
  ...(env.WATCH_QUEUE_URL === undefined ? {} : { quarantine: quarantineNeighbours(env.WATCH_QUEUE_URL) }),
};

function rotationNeighbours(proveQueueUrl: string): RecordPorts['rotation'] {
  return {
    rotations: dynamoRotations(ledger, clock),
    issued: dynamoIssuedCertificates(ledger, clock),
    proveQueue: sqsProveQueue(sqsClient(), proveQueueUrl),
  };
}

function quarantineNeighbours(watchQueueUrl: string): RecordPorts['quarantine'] {
  return { containments: dynamoContainments(ledger), inventory, watch: watchRequests(ledger, sqsClient(), watchQueueUrl) };
}

const settings = {
  mode: env.REVOCATION_MODE,
  brake: { floor: env.BRAKE_FLOOR, share: env.BRAKE_SHARE },
  brakeWindowMs: env.BRAKE_WINDOW_MINUTES * 60_000,
  perSecond: env.INVENTORY_PER_SECOND,
};

export const handler = sqsHandler(InventoryMessage, signals, (message) => run(ports, settings, message));
