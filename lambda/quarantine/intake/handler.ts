import { certificateArns } from '../../aws/certificate-arns.js';
import { documentClient, iotClient, iotDataClient, s3Client, sqsClient } from '../../aws/clients.js';
import { dynamoContainmentBudget } from '../../aws/containment-budget.js';
import { dynamoContainmentHolds } from '../../aws/containment-holds.js';
import { dynamoContainmentRecords } from '../../aws/containment-records.js';
import { iotRights } from '../../aws/containment-rights.js';
import { sqsIntakeQueue, stepFunctions } from '../../aws/containment-work.js';
import { dynamoDecisionLog } from '../../aws/decision-log.js';
import { dynamoEmergencyStop } from '../../aws/emergency-stop.js';
import { iotAuditFindings } from '../../aws/findings.js';
import { dynamoInventory } from '../../aws/inventory.js';
import { dynamoPace } from '../../aws/pace.js';
import { iotRegistry } from '../../aws/registry.js';
import { s3SerialState } from '../../aws/serial-state.js';
import { wallClock as clock } from '../../runtime/clock.js';
import { readEnvironment } from '../../runtime/environment.js';
import { lambdaSignals } from '../../runtime/signals.js';
import { sqsBatchHandler } from '../../runtime/sqs-handler.js';
import { violationsOf } from '../composed.js';
import { IntakeEnv } from './env.js';
import { IntakeMessage } from './event.js';
import type { IntakePorts, IntakeSettings } from './ports.js';
import { run } from './run.js';

const env = readEnvironment(IntakeEnv);
const signals = lambdaSignals(env.APPLICATION, clock);
const dynamo = documentClient();
const iot = iotClient();
const arns = certificateArns();
const ledger = { client: dynamo, table: env.LEDGER_TABLE };
const ports: IntakePorts = {
  budget: dynamoContainmentBudget(ledger, clock),
  clock,
  decisions: dynamoDecisionLog(ledger),
  findings: iotAuditFindings(iot),
  holds: dynamoContainmentHolds(ledger),
  inventory: dynamoInventory(dynamo, env.INVENTORY_TABLE, clock),
  lists: s3SerialState(s3Client(), env.STATE_BUCKET),
  pace: dynamoPace(ledger),
  queue: sqsIntakeQueue(sqsClient(), env.INTAKE_QUEUE_URL),
  records: dynamoContainmentRecords(ledger, clock),
  registry: iotRegistry(iot, iotDataClient(), arns),
  rights: iotRights(iot, arns),
  signals,
  stop: dynamoEmergencyStop(ledger),
  violations: violationsOf(env, ledger, iot),
  workflows: stepFunctions(env.STATE_MACHINE_ARN),
};
const settings: IntakeSettings = {
  mode: env.QUARANTINE_MODE,
  accountId: env.ACCOUNT_ID,
  neverContain: env.NEVER_CONTAIN,
  brake: {
    floor: env.BRAKE_FLOOR,
    perHour: env.BRAKE_PER_HOUR,
    fleetShare: env.BRAKE_FLEET_SHARE,
    groupShare: env.BRAKE_GROUP_SHARE,
  },
  responses: env.BEHAVIOUR_RESPONSES,
  customSources: env.CUSTOM_SOURCES,
  maxEventAgeMs: env.MAX_EVENT_AGE_MINUTES * 60_000,
  perSecond: env.QUARANTINE_PER_SECOND,
};

/** A batch of triggers and words → workflows, lists that wait for a person, and why nothing was done. */
export const handler = sqsBatchHandler(IntakeMessage, signals, (messages) => run(ports, settings, messages));
