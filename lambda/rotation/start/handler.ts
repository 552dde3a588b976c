import type { Context, SQSBatchResponse, SQSEvent } from 'aws-lambda';
import { dynamoCampaigns } from '../../aws/campaigns.js';
import { dynamoContainments } from '../../aws/containments.js';
import { documentClient, iotClient, sqsClient, ssmClient } from '../../aws/clients.js';
import { dynamoDecisionLog } from '../../aws/decision-log.js';
import { dynamoEmergencyStop } from '../../aws/emergency-stop.js';
import { dynamoInventory } from '../../aws/inventory.js';
import { iotCampaignGroups, iotJobs } from '../../aws/jobs.js';
import { dynamoPace } from '../../aws/pace.js';
import { sqsStartQueue } from '../../aws/rotation-queues.js';
import { dynamoRotations } from '../../aws/rotations.js';
import { ssmTrustAnchors } from '../../aws/trust-anchors.js';
import { wallClock as clock } from '../../runtime/clock.js';
import { readEnvironment } from '../../runtime/environment.js';
import { lambdaSignals } from '../../runtime/signals.js';
import { sqsHandler } from '../../runtime/sqs-handler.js';
import { MAX_CAMPAIGN_SIZE } from '../../../domain/protocol/rotation-work.js';
import { StartEnv } from './env.js';
import { StartMessage } from './event.js';
import type { StartPorts } from './ports.js';
import { run } from './run.js';

/** Left at the end of a call: what is under way is finished, and the next message is sent, well within it. */
const RESERVE_MS = 60_000;

const env = readEnvironment(StartEnv);
const signals = lambdaSignals(env.APPLICATION, clock);
const dynamo = documentClient();
const iot = iotClient();
const ledger = { client: dynamo, table: env.LEDGER_TABLE };
const ports: StartPorts = {
  anchors: ssmTrustAnchors(ssmClient(), env.TRUST_PARAMETER_PATH, clock),
  campaigns: dynamoCampaigns(ledger, clock),
  clock,
  containments: dynamoContainments(ledger),
  decisions: dynamoDecisionLog(ledger),
  groups: iotCampaignGroups(iot),
  inventory: dynamoInventory(dynamo, env.INVENTORY_TABLE, clock),
  jobs: iotJobs(iot),
  pace: dynamoPace(ledger),
  queue: sqsStartQueue(sqsClient(), env.START_QUEUE_URL),
  rotations: dynamoRotations(ledger, clock),
  signals,
  stop: dynamoEmergencyStop(ledger),
};
const settings = {
  application: env.APPLICATION,
  mode: env.ROTATION_MODE,
  window: env.ROTATION_WINDOW,
  campaignSize: MAX_CAMPAIGN_SIZE,
  groupsPerSecond: env.GROUPS_PER_SECOND,
  rollout: {
    baseRatePerMinute: env.ROLLOUT_BASE_RATE_PER_MINUTE,
    maximumPerMinute: env.ROLLOUT_MAXIMUM_PER_MINUTE,
    incrementFactor: env.ROLLOUT_INCREMENT_FACTOR,
    increaseAfterSucceeded: env.ROLLOUT_INCREASE_AFTER_SUCCEEDED,
    abortAtPercent: env.ROLLOUT_ABORT_AT_PERCENT,
    abortAfterExecuted: env.ROLLOUT_ABORT_AFTER_EXECUTED,
    inProgressTimeoutMinutes: env.ROLLOUT_IN_PROGRESS_TIMEOUT_MINUTES,
    maintenanceWindow: env.ROLLOUT_MAINTENANCE_WINDOW,
  },
};

/** What is due, or asked for → campaigns → AWS IoT Jobs. */
export const handler = (event: SQSEvent, context: Context): Promise<SQSBatchResponse> => {
  const deadlineMs = clock.nowMs() + context.getRemainingTimeInMillis() - RESERVE_MS;
  return sqsHandler(StartMessage, signals, (message) => run(ports, { ...settings, deadlineMs }, message))(event);
};
