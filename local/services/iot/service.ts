/** AWS IoT, control plane. Registers the registry for the gateway and the rules engine in `cloud.parts`. */
import type { Cloud } from '../../cloud.js';
import type { LogPlan } from '../../gateway/iot-log.js';
import type { Responder } from '../../gateway/reserved/responder.js';
import type { AwsService } from '../../models/service.js';
import type { JobsDataPlane } from '../iot-jobs-data/service.js';
import { accessRequests } from './access.js';
import { AuditRunner } from './audit/audit-runner.js';
import { auditConfigurationOperations } from './audit/configuration-operations.js';
import { scheduledAuditOperations } from './audit/schedule-operations.js';
import { auditSuppressionOperations } from './audit/suppression-operations.js';
import { auditTaskOperations } from './audit/task-operations.js';
import { caCertificateOperations } from './ca-certificates.js';
import { certificateOperations } from './certificates.js';
import { commandAccess, startAccess } from './commands/access.js';
import { CommandEngine, type StartInput } from './commands/command-engine.js';
import { commandOperations } from './commands/command-operations.js';
import { commandResponses } from './commands/device-responses.js';
import { commandExecutionOperations } from './commands/execution-operations.js';
import { dynamicGroupOperations, placeThing } from './dynamic-groups.js';
import { issuanceOperations } from './issuance.js';
import { policyAttachmentOperations } from './policy-attachments.js';
import { policyOperations } from './policies.js';
import { principalOperations } from './principals.js';
import { Detector } from './defender/detector.js';
import { detectMetricOperations } from './defender/metric-operations.js';
import { metricReports } from './defender/metric-reports.js';
import { securityProfileOperations } from './defender/profile-operations.js';
import { violationOperations } from './defender/violation-operations.js';
import { Violations } from './defender/violations.js';
import { answerOverHttps, jobRequests } from './jobs/device-requests.js';
import { executionOperations } from './jobs/execution-operations.js';
import { JobEngine } from './jobs/job-engine.js';
import { jobOperations } from './jobs/job-operations.js';
import { jobTemplateOperations } from './jobs/job-templates.js';
import { Body, JobRequestError } from './jobs/request-body.js';
import { createLogPlan } from './logging/log-plan.js';
import { loggingOperations } from './logging/operations.js';
import { createRegistry } from './registry.js';
import { createRuleEngine } from './rules/engine.js';
import { settingOperations } from './settings.js';
import { IotState, type IotOptions } from './state.js';
import { tagOperations } from './tags.js';
import { thingGroupOperations } from './thing-groups.js';
import { thingTypeOperations } from './thing-types.js';
import { thingOperations } from './things.js';
import { topicRuleOperations } from './topic-rules.js';

export interface DeskIot {
  readonly service: AwsService;
  /** For the gateway. */
  readonly logging: LogPlan;
  readonly responders: readonly Responder[];
  /** For the service of that name. */
  readonly jobsData: JobsDataPlane;
}

export function iotService(cloud: Cloud, options: IotOptions = {}): DeskIot {
  const state = new IotState(cloud, options);
  cloud.parts.registry = createRegistry(state);
  const logging = createLogPlan(state);
  cloud.parts.rules = createRuleEngine(state, logging);
  state.thingChanged = (thingName) => placeThing(state, thingName);
  const violations = new Violations(state);
  const detector = new Detector(state, violations);
  cloud.parts.detect = violations;
  cloud.parts.traffic = detector.traffic;
  const jobs = new JobEngine(state);
  const commands = new CommandEngine(state);
  const auditRunner = new AuditRunner(state, state.audit);
  const service: AwsService = {
    name: 'iot',
    signingNames: ['iot'],
    operations: {
      ...certificateOperations(state),
      ...caCertificateOperations(state),
      ...issuanceOperations(state),
      ...thingOperations(state),
      ...thingTypeOperations(state),
      ...thingGroupOperations(state),
      ...dynamicGroupOperations(state),
      ...principalOperations(state),
      ...policyOperations(state),
      ...policyAttachmentOperations(state),
      ...topicRuleOperations(state),
      ...settingOperations(state),
      ...loggingOperations(state),
      ...tagOperations(state),
      ...jobOperations(state, jobs),
      ...executionOperations(state, jobs),
      ...jobTemplateOperations(state),
      ...commandOperations(state),
      ...commandExecutionOperations(state),
      ...auditConfigurationOperations(state, state.audit),
      ...scheduledAuditOperations(state, state.audit, auditRunner),
      ...auditTaskOperations(state.audit, auditRunner),
      ...auditSuppressionOperations(state, state.audit),
      ...securityProfileOperations(state),
      ...detectMetricOperations(state),
      ...violationOperations(state),
    },
    access: (operation, input) =>
      commandAccess(state, operation, input) ?? accessRequests(operation, input, (resource) => state.arn(resource)),
  };
  const jobsData: JobsDataPlane = {
    jobRequest: (thingName, request, members) => answerOverHttps(state, jobs, thingName, request, new Body(members)),
    codeOf: (error) => (error instanceof JobRequestError ? error.code : undefined),
    startCommandExecution: (input) => commands.start(input as StartInput),
    startAccess,
  };
  return {
    service,
    logging,
    responders: [jobRequests(state, jobs), commandResponses(state, commands), metricReports(state, detector)],
    jobsData,
  };
}
