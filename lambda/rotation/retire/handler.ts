import type { Context, SQSBatchResponse, SQSEvent } from 'aws-lambda';
import { dynamoRevocationsByHand } from '../../aws/by-hand.js';
import { dynamoCampaigns } from '../../aws/campaigns.js';
import { documentClient, iotClient, iotDataClient, privateCaClient, sqsClient, ssmClient } from '../../aws/clients.js';
import { dynamoContainments } from '../../aws/containments.js';
import { dynamoDecisionLog } from '../../aws/decision-log.js';
import { dynamoEmergencyStop } from '../../aws/emergency-stop.js';
import { dynamoInventory } from '../../aws/inventory.js';
import { dynamoIssuedCertificates } from '../../aws/issued-certificates.js';
import { issuingCas } from '../../aws/issuing-cas.js';
import { iotCampaignGroups, iotJobs } from '../../aws/jobs.js';
import { dynamoCaRecords } from '../../aws/kms-records.js';
import { dynamoPace } from '../../aws/pace.js';
import { sqsPublishQueue } from '../../aws/publish-queue.js';
import { iotRegistry } from '../../aws/registry.js';
import { sqsRetireQueue } from '../../aws/rotation-queues.js';
import { dynamoRotations } from '../../aws/rotations.js';
import { ssmTrustAnchors } from '../../aws/trust-anchors.js';
import { wallClock as clock } from '../../runtime/clock.js';
import { readEnvironment } from '../../runtime/environment.js';
import { lambdaSignals } from '../../runtime/signals.js';
import { sqsHandler } from '../../runtime/sqs-handler.js';
import { RetireEnv } from './env.js';
import { RetireMessage } from './event.js';
import type { RetirePorts } from './ports.js';
import { run } from './run.js';

/** Left at the end of a call: what is under way is finished, and the next message is sent, well within it. */
const RESERVE_MS = 60_000;

const env = readEnvironment(RetireEnv);
const signals = lambdaSignals(env.APPLICATION, clock);
const dynamo = documentClient();
const iot = iotClient();
const ledger = { client: dynamo, table: env.LEDGER_TABLE };
const anchors = ssmTrustAnchors(ssmClient(), env.TRUST_PARAMETER_PATH, clock);
const ports: RetirePorts = {
  anchors,
  byHand: dynamoRevocationsByHand(ledger),
  campaigns: dynamoCampaigns(ledger, clock),
  cas: issuingCas(privateCaClient(), anchors, {
    records: dynamoCaRecords(ledger, clock),
    clock,
    ...(env.PUBLISH_QUEUE_URL === undefined ? {} : { publish: sqsPublishQueue(sqsClient(), env.PUBLISH_QUEUE_URL) }),
  }),
  clock,
  containments: dynamoContainments(ledger),
  decisions: dynamoDecisionLog(ledger),
  groups: iotCampaignGroups(iot),
  inventory: dynamoInventory(dynamo, env.INVENTORY_TABLE, clock),
  issued: dynamoIssuedCertificates(ledger, clock),
  jobs: iotJobs(iot),
  pace: dynamoPace(ledger),
  queue: sqsRetireQueue(sqsClient(), env.RETIRE_QUEUE_URL),
  registry: iotRegistry(iot, iotDataClient()),
  rotations: dynamoRotations(ledger, clock),
  signals,
  stop: dynamoEmergencyStop(ledger),
};
const settings = {
  application: env.APPLICATION,
  mode: env.ROTATION_MODE,
  perSecond: env.ROTATION_PER_SECOND,
  escalateDays: env.ESCALATE_DAYS,
  proofTimeoutMs: env.PROOF_TIMEOUT_MINUTES * 60_000,
};

/** Proved rotations → retired; those that failed → withdrawn; those that wait too long → escalated. */
export const handler = (event: SQSEvent, context: Context): Promise<SQSBatchResponse> => {
  const deadlineMs = clock.nowMs() + context.getRemainingTimeInMillis() - RESERVE_MS;
  return sqsHandler(RetireMessage, signals, (message) => run(ports, { ...settings, deadlineMs }, message))(event);
};
