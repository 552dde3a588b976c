import { documentClient, iotClient, iotDataClient } from '../../aws/clients.js';
import { dynamoContainments } from '../../aws/containments.js';
import { dynamoDecisionLog } from '../../aws/decision-log.js';
import { dynamoEmergencyStop } from '../../aws/emergency-stop.js';
import { iotEnrolling } from '../../aws/enrolling.js';
import { dynamoInventory } from '../../aws/inventory.js';
import { dynamoPace } from '../../aws/pace.js';
import { iotRegistry } from '../../aws/registry.js';
import { dynamoRotations } from '../../aws/rotations.js';
import { wallClock as clock } from '../../runtime/clock.js';
import { readEnvironment } from '../../runtime/environment.js';
import { lambdaSignals } from '../../runtime/signals.js';
import { sqsHandler } from '../../runtime/sqs-handler.js';
import { ProveEnv } from './env.js';
import { ProveMessage } from './event.js';
import type { ProvePorts, ProveSettings } from './ports.js';
import { run } from './run.js';

const DAY_MS = 86_400_000;
const env = readEnvironment(ProveEnv);
const signals = lambdaSignals(env.APPLICATION, clock);
const [dynamo, iot, iotData] = [documentClient(), iotClient(), iotDataClient()];
const ledger = { client: dynamo, table: env.LEDGER_TABLE };
const ports: ProvePorts = {
  clock,
  containments: dynamoContainments(ledger),
  decisions: dynamoDecisionLog(ledger),
  enrolling: iotEnrolling(iot, iotData),
  inventory: dynamoInventory(dynamo, env.INVENTORY_TABLE, clock),
  pace: dynamoPace(ledger),
  registry: iotRegistry(iot, iotData),
  rotations: dynamoRotations(ledger, clock),
  signals,
  stop: dynamoEmergencyStop(ledger),
};
const settings: ProveSettings = {
  mode: env.ROTATION_MODE,
  topicPrefix: env.TOPIC_PREFIX,
  perSecond: env.ROTATION_PER_SECOND,
  graceMs: env.GRACE_DAYS * DAY_MS,
};

/** A device's proof, or its connection → its old certificate out of use. */
export const handler = sqsHandler(ProveMessage, signals, (message) => run(ports, settings, message));
