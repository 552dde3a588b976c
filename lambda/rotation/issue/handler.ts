import { documentClient, iotClient, iotDataClient, privateCaClient, ssmClient } from '../../aws/clients.js';
import { dynamoContainments } from '../../aws/containments.js';
import { dynamoDecisionLog } from '../../aws/decision-log.js';
import { dynamoEmergencyStop } from '../../aws/emergency-stop.js';
import { iotEnrolling } from '../../aws/enrolling.js';
import { dynamoInventory } from '../../aws/inventory.js';
import { issuingCaOf } from '../../aws/issuing-anchor.js';
import { iotJobs } from '../../aws/jobs.js';
import { kmsCaSigner, kmsClient } from '../../aws/kms-ca-signer.js';
import { dynamoCaRecords } from '../../aws/kms-records.js';
import { dynamoPace } from '../../aws/pace.js';
import { iotRegistry } from '../../aws/registry.js';
import { dynamoRotations } from '../../aws/rotations.js';
import { ssmTrustAnchors } from '../../aws/trust-anchors.js';
import { wallClock as clock } from '../../runtime/clock.js';
import { readEnvironment } from '../../runtime/environment.js';
import { lambdaSignals } from '../../runtime/signals.js';
import { sqsHandler } from '../../runtime/sqs-handler.js';
import { IssueEnv } from './env.js';
import { RotationRequestEvent } from './event.js';
import type { IssuePorts, IssueSettings } from './ports.js';
import { run } from './run.js';

const env = readEnvironment(IssueEnv);
const signals = lambdaSignals(env.APPLICATION, clock);
const [dynamo, iot, iotData] = [documentClient(), iotClient(), iotDataClient()];
const ledger = { client: dynamo, table: env.LEDGER_TABLE };
const anchors = ssmTrustAnchors(ssmClient(), env.TRUST_PARAMETER_PATH, clock);
const ports: IssuePorts = {
  anchors,
  ca: issuingCaOf(
    {
      privateCa: privateCaClient(),
      signerOf: (keyArn) => kmsCaSigner(kmsClient(), keyArn),
      records: dynamoCaRecords(ledger, clock),
      clock,
    },
    anchors,
    env.ISSUING_ANCHOR_ID,
  ),
  clock,
  containments: dynamoContainments(ledger),
  decisions: dynamoDecisionLog(ledger),
  enrolling: iotEnrolling(iot, iotData),
  inventory: dynamoInventory(dynamo, env.INVENTORY_TABLE, clock),
  jobs: iotJobs(iot),
  pace: dynamoPace(ledger),
  registry: iotRegistry(iot, iotData),
  rotations: dynamoRotations(ledger, clock),
  signals,
  stop: dynamoEmergencyStop(ledger),
};
const settings: IssueSettings = {
  mode: env.ROTATION_MODE,
  topicPrefix: env.TOPIC_PREFIX,
  perSecond: env.ROTATION_PER_SECOND,
  issuingAnchorId: env.ISSUING_ANCHOR_ID,
  validityDays: env.VALIDITY_DAYS,
};

/** A device's request → its new certificate. */
export const handler = sqsHandler(RotationRequestEvent, signals, (event) => run(ports, settings, event));
