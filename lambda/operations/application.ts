/**
 * One installation, as the command line sees it: found by its SSM parameters, reached through the same adapters as the functions use. This
 * file and what it imports load the AWS SDK, so commands that need no AWS never import it.
 */
import { callerArn } from '../aws/caller.js';
import { iotAccountSettings } from '../aws/account-settings.js';
import { dynamoAuditRecords } from '../aws/audit-records.js';
import { sqsCollectQueue } from '../aws/audit-responses.js';
import { iotAudits } from '../aws/audits.js';
import { documentClient, iotClient, iotDataClient, s3Client, sqsClient, ssmClient } from '../aws/clients.js';
import { dynamoContainmentHolds } from '../aws/containment-holds.js';
import { dynamoContainmentRecords } from '../aws/containment-records.js';
import { sqsIntakeQueue } from '../aws/containment-work.js';
import { dynamoDecisionLog } from '../aws/decision-log.js';
import { dynamoEmergencyStop } from '../aws/emergency-stop.js';
import { dynamoHighWaterMarks } from '../aws/high-water.js';
import { dynamoHolds } from '../aws/holds.js';
import { dynamoInventory } from '../aws/inventory.js';
import { queueDepth, type QueueDepth } from '../aws/queue-depth.js';
import { sqsSyncQueue } from '../aws/queues.js';
import { iotJobs } from '../aws/jobs.js';
import { dynamoCrlPublications } from '../aws/kms-publications.js';
import { dynamoCaRecords } from '../aws/kms-records.js';
import { sqsPublishQueue } from '../aws/publish-queue.js';
import { dynamoRevocationsByHand } from '../aws/by-hand.js';
import { dynamoCampaigns } from '../aws/campaigns.js';
import { sqsStartQueue } from '../aws/rotation-queues.js';
import { dynamoRotations } from '../aws/rotations.js';
import { dynamoReconciliation, sqsReconcileQueue } from '../aws/reconciliation.js';
import { iotRegistry } from '../aws/registry.js';
import { s3SerialState } from '../aws/serial-state.js';
import { ssmTrustAnchors } from '../aws/trust-anchors.js';
import { judgedViolations } from '../aws/violations-judged.js';
import { openViolations } from '../aws/violations-open.js';
import { readApplicationParameters } from '../aws/application-parameters.js';
import type { Parameters } from '../../domain/protocol/application-parameters.js';
import type { RevocationsByHand } from '../ports/by-hand.js';
import type { CaRecords } from '../ports/ca-records.js';
import type { Clock } from '../ports/clock.js';
import type { CrlPublications } from '../ports/crl-publications.js';
import type { PublishQueue } from '../ports/publish-queue.js';
import type { AccountSettings } from '../ports/account-settings.js';
import type { AuditRecords } from '../ports/audit-record.js';
import type { CollectQueue } from '../ports/audit-responses.js';
import type { Audits } from '../ports/audits.js';
import type { ContainmentRecords } from '../ports/containment-records.js';
import type { ContainmentHolds, IntakeQueue } from '../ports/containment-work.js';
import type { DecisionLog } from '../ports/decision-log.js';
import type { EmergencyStop } from '../ports/emergency-stop.js';
import type { HighWaterMarks } from '../ports/high-water.js';
import type { Holds } from '../ports/holds.js';
import type { Inventory } from '../ports/inventory.js';
import type { SyncQueue } from '../ports/queues.js';
import type { ReconcileQueue, Reconciliation } from '../ports/reconciliation.js';
import type { Jobs } from '../ports/jobs.js';
import type { StartQueue } from '../ports/rotation-queues.js';
import type { Campaigns, Rotations } from '../ports/rotations.js';
import type { Registry } from '../ports/registry.js';
import type { SerialState } from '../ports/serial-state.js';
import type { TrustAnchors } from '../ports/trust-anchors.js';
import type { JudgedViolations } from '../ports/judged-violations.js';
import type { OpenViolations } from '../ports/violations.js';
import { wallClock } from '../runtime/clock.js';

export interface Application {
  readonly prefix: string;
  readonly region: string;
  readonly parameters: Parameters;
  readonly clock: Clock;
  readonly inventory: Inventory;
  readonly registry: Registry;
  readonly anchors: TrustAnchors;
  readonly marks: HighWaterMarks;
  readonly holds: Holds;
  /** Held lists, by `listKey`. */
  readonly lists: Pick<SerialState, 'load'>;
  readonly decisions: DecisionLog;
  readonly stop: EmergencyStop;
  readonly reconciliation: Reconciliation;
  readonly syncQueue: SyncQueue;
  readonly reconcileQueue: ReconcileQueue;
  readonly rotations: Rotations;
  readonly campaigns: Campaigns;
  readonly byHand: RevocationsByHand;
  readonly jobs: Pick<Jobs, 'describe'>;
  /** `undefined`: rotation is off. */
  readonly startQueue?: StartQueue;
  readonly audits: Pick<Audits, 'start'>;
  readonly auditRecords: Pick<AuditRecords, 'checks' | 'of'>;
  readonly accountSettings: Pick<AccountSettings, 'auditConfiguration'>;
  /** `undefined`: the audit is off. */
  readonly auditQueue?: CollectQueue;
  readonly caRecords: Pick<CaRecords, 'get' | 'revoke'>;
  readonly crlPublications: Pick<CrlPublications, 'of'>;
  /** `undefined`: nobody watches behaviour. */
  readonly violations?: OpenViolations;
  readonly judgedViolations?: JudgedViolations;
  /** `undefined`: no anchor has a signer. */
  readonly publishQueue?: PublishQueue;
  readonly containments: Pick<ContainmentRecords, 'get' | 'all'>;
  readonly containmentHolds: ContainmentHolds;
  /** `undefined`: quarantine is off. */
  readonly intakeQueue?: IntakeQueue;
  readonly depth: (queueUrl: string) => Promise<QueueDepth>;
  /** ARN of the caller, from STS. */
  readonly caller: () => Promise<string>;
}

/** Throws when there is no such installation, or AWS cannot be reached. */
export async function openApplication(prefix: string): Promise<Application> {
  const ssm = ssmClient();
  const sqs = sqsClient();
  const client = documentClient();
  const iot = iotClient();
  const parameters = await readApplicationParameters(ssm, prefix);
  const ledger = { client, table: parameters.ledgerTable };
  return {
    prefix,
    region: await ssm.config.region(),
    parameters,
    clock: wallClock,
    inventory: dynamoInventory(client, parameters.inventoryTable, wallClock),
    registry: iotRegistry(iot, iotDataClient()),
    rotations: dynamoRotations(ledger, wallClock),
    campaigns: dynamoCampaigns(ledger, wallClock),
    byHand: dynamoRevocationsByHand(ledger),
    jobs: iotJobs(iot),
    ...(parameters.startQueueUrl === undefined ? {} : { startQueue: sqsStartQueue(sqs, parameters.startQueueUrl) }),
    audits: iotAudits(iot),
    auditRecords: dynamoAuditRecords(ledger, wallClock),
    accountSettings: iotAccountSettings(iot),
    ...(parameters.auditQueueUrl === undefined ? {} : { auditQueue: sqsCollectQueue(sqs, parameters.auditQueueUrl) }),
    anchors: ssmTrustAnchors(ssm, parameters.trustParameterPath, wallClock),
    marks: dynamoHighWaterMarks(ledger),
    holds: dynamoHolds(ledger),
    lists: s3SerialState(s3Client(), parameters.stateBucket),
    decisions: dynamoDecisionLog(ledger),
    stop: dynamoEmergencyStop(ledger),
    reconciliation: dynamoReconciliation(ledger),
    syncQueue: sqsSyncQueue(sqs, parameters.syncQueueUrl),
    reconcileQueue: sqsReconcileQueue(sqs, parameters.reconcileQueueUrl),
    caRecords: dynamoCaRecords(ledger, wallClock),
    crlPublications: dynamoCrlPublications(ledger),
    ...(parameters.detect === undefined
      ? {}
      : {
          violations: openViolations(iot, ledger, wallClock, parameters),
          judgedViolations: judgedViolations(iot, ledger, wallClock, { ...parameters, prefix }),
        }),
    ...(parameters.publishQueueUrl === undefined ? {} : { publishQueue: sqsPublishQueue(sqs, parameters.publishQueueUrl) }),
    containments: dynamoContainmentRecords(ledger, wallClock),
    containmentHolds: dynamoContainmentHolds(ledger),
    ...(parameters.intakeQueueUrl === undefined ? {} : { intakeQueue: sqsIntakeQueue(sqs, parameters.intakeQueueUrl) }),
    depth: (queueUrl) => queueDepth(sqs, queueUrl),
    caller: () => callerArn(),
  };
}
