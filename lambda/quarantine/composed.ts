/** What the handlers of the steps are built from, in one place: ports on AWS, and settings from the environment. */
import type { z } from 'zod';
import { certificateArns } from '../aws/certificate-arns.js';
import { documentClient, iotClient, iotDataClient, iotJobsDataClient, namesJobsEndpoint } from '../aws/clients.js';
import { dynamoContainmentBudget } from '../aws/containment-budget.js';
import { dynamoCertificateClaims, dynamoContainmentRecords } from '../aws/containment-records.js';
import { iotDeviceJobs, iotRights } from '../aws/containment-rights.js';
import { workflowWaker } from '../aws/containment-work.js';
import { dynamoDecisionLog } from '../aws/decision-log.js';
import { iotDeviceCommands, jobsEndpoint, once } from '../aws/device-commands.js';
import { dynamoEmergencyStop } from '../aws/emergency-stop.js';
import { dynamoInventory } from '../aws/inventory.js';
import { iotJobs } from '../aws/jobs.js';
import type { Ledger } from '../aws/ledger.js';
import { dynamoPace } from '../aws/pace.js';
import { iotRegistry } from '../aws/registry.js';
import { iotRepairPolicies } from '../aws/repair-policies.js';
import { dynamoRotations } from '../aws/rotations.js';
import { detectViolations } from '../aws/violations-detect.js';
import { monitorViolations } from '../aws/violations-monitor.js';
import { wallClock as clock } from '../runtime/clock.js';
import { lambdaSignals, type FlushingSignals } from '../runtime/signals.js';
import type { ViolationSource } from '../ports/violations.js';
import type { ContainEnv } from './contain/env.js';
import type { common, steps } from './env.js';
import type { StepPorts, StepSettings } from './ports.js';
import { anySource } from './sources.js';

type Common = z.output<z.ZodObject<typeof common>>;
type Steps = Common & z.output<z.ZodObject<typeof steps>>;

export function violationsOf(env: Common, ledger: Ledger, iot: ReturnType<typeof iotClient>): ViolationSource {
  return anySource([
    ...(env.MONITOR_PROFILE === '' ? [] : [monitorViolations(ledger, env.MONITOR_PROFILE)]),
    ...(env.DETECT_PROFILES.size === 0 ? [] : [detectViolations(iot, env.DETECT_PROFILES, clock)]),
  ]);
}

export function stepPorts(env: Steps): StepPorts & { readonly signals: FlushingSignals; readonly ledger: Ledger } {
  const dynamo = documentClient();
  const ledger = { client: dynamo, table: env.LEDGER_TABLE };
  const iot = iotClient();
  const arns = certificateArns();
  return {
    ledger,
    budget: dynamoContainmentBudget(ledger, clock),
    claims: dynamoCertificateClaims(ledger),
    clock,
    decisions: dynamoDecisionLog(ledger),
    inventory: dynamoInventory(dynamo, env.INVENTORY_TABLE, clock),
    jobs: iotDeviceJobs(iot),
    pace: dynamoPace(ledger),
    records: dynamoContainmentRecords(ledger, clock),
    repairPolicies: iotRepairPolicies(iot, ledger),
    registry: iotRegistry(iot, iotDataClient(), arns),
    rights: iotRights(iot, arns),
    rotationJobs: iotJobs(iot),
    rotations: dynamoRotations(ledger, clock),
    signals: lambdaSignals(env.APPLICATION, clock),
    stop: dynamoEmergencyStop(ledger),
    violations: violationsOf(env, ledger, iot),
    workflows: workflowWaker(),
  };
}

/** What a contained device may do, where a policy of its own says so. */
export const repairRightsOf = ({
  IOT_ARNS,
  SHUT_OFF_COMMAND_ARN,
  TOPIC_PREFIX,
}: Pick<ContainEnv, 'IOT_ARNS' | 'SHUT_OFF_COMMAND_ARN' | 'TOPIC_PREFIX'>): Pick<StepSettings, 'repairRights'> => ({
  repairRights: {
    topicPrefix: TOPIC_PREFIX,
    commands: SHUT_OFF_COMMAND_ARN !== 'off',
    arn: (resource, name) => `${IOT_ARNS}:${resource}/${name}`,
  },
});

/** The AWS IoT command that tells a device to shut off, where it is on. */
export function commandsBy({ SHUT_OFF_COMMAND_ARN: arn }: Pick<ContainEnv, 'SHUT_OFF_COMMAND_ARN'>): Pick<StepPorts, 'commands'> {
  if (arn === 'off') return {};
  const iot = iotClient();
  const client = once(async () => iotJobsDataClient(namesJobsEndpoint() ? undefined : await jobsEndpoint(iot)));
  return { commands: iotDeviceCommands(iot, client, arn) };
}

export function stepSettings(env: Steps): StepSettings {
  return {
    application: env.APPLICATION,
    mode: env.QUARANTINE_MODE,
    repairPolicy: env.REPAIR_POLICY,
    quarantineGroup: env.QUARANTINE_GROUP,
    settleMs: env.SETTLE_SECONDS * 1000,
    timeBoxMs: env.TIME_BOX_HOURS * 3_600_000,
    timeBoxThen: env.TIME_BOX_THEN,
    coolDownMs: env.COOL_DOWN_MINUTES * 60_000,
    shutOffTimeoutMinutes: env.SHUT_OFF_TIMEOUT_MINUTES,
    perSecond: env.QUARANTINE_PER_SECOND,
  };
}
