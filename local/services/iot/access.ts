/**
 * What IAM must allow before an operation of AWS IoT runs. Resource types as in the service authorisation reference
 * (https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsiot.html); actions without one are asked on `*`.
 */
import type { AccessRequest } from '../../iam/principal.js';

type Input = Readonly<Record<string, unknown>>;
type ArnOf = (resource: string) => string;

/** Operations that IAM knows under another action name (API_ListPrincipalThingsV2, API_ListThingPrincipalsV2). */
const ACTION_OF: Readonly<Record<string, string>> = {
  ListPrincipalThingsV2: 'ListPrincipalThings',
  ListThingPrincipalsV2: 'ListThingPrincipals',
};

const CERTIFICATE = ['DescribeCertificate', 'UpdateCertificate', 'DeleteCertificate'];
const CA = ['DescribeCACertificate', 'UpdateCACertificate', 'DeleteCACertificate'];
const THING = [
  'CreateThing',
  'DescribeThing',
  'UpdateThing',
  'DeleteThing',
  'ListThingPrincipals',
  'ListThingPrincipalsV2',
  'ListThingGroupsForThing',
];
const MEMBERSHIP = ['AddThingToThingGroup', 'RemoveThingFromThingGroup'];
const GROUP = [
  'CreateThingGroup',
  'DescribeThingGroup',
  'UpdateThingGroup',
  'DeleteThingGroup',
  'ListThingsInThingGroup',
  'CreateDynamicThingGroup',
  'UpdateDynamicThingGroup',
  'DeleteDynamicThingGroup',
];
const TYPE = ['CreateThingType', 'DescribeThingType', 'DeprecateThingType', 'DeleteThingType'];
const POLICY = [
  'CreatePolicy',
  'GetPolicy',
  'DeletePolicy',
  'CreatePolicyVersion',
  'GetPolicyVersion',
  'ListPolicyVersions',
  'SetDefaultPolicyVersion',
  'DeletePolicyVersion',
  'ListTargetsForPolicy',
];
const RULE = ['CreateTopicRule', 'GetTopicRule', 'ReplaceTopicRule', 'DeleteTopicRule', 'EnableTopicRule', 'DisableTopicRule'];
const BY_PRINCIPAL = [
  'AttachThingPrincipal',
  'DetachThingPrincipal',
  'ListPrincipalThings',
  'ListPrincipalThingsV2',
  'AttachPrincipalPolicy',
  'DetachPrincipalPolicy',
];
const JOB = ['DescribeJob', 'UpdateJob', 'CancelJob', 'DeleteJob', 'GetJobDocument', 'ListJobExecutionsForJob'];
const JOB_AND_TARGETS = ['CreateJob', 'AssociateTargetsWithJob'];
const JOB_AND_THING = ['DescribeJobExecution', 'CancelJobExecution', 'DeleteJobExecution'];
const JOB_TEMPLATE = ['CreateJobTemplate', 'DescribeJobTemplate', 'DeleteJobTemplate'];
const SCHEDULED_AUDIT = ['CreateScheduledAudit', 'DescribeScheduledAudit', 'UpdateScheduledAudit', 'DeleteScheduledAudit'];
const SECURITY_PROFILE = [
  'CreateSecurityProfile',
  'DescribeSecurityProfile',
  'UpdateSecurityProfile',
  'DeleteSecurityProfile',
  'ListTargetsForSecurityProfile',
];
const PROFILE_TARGET = ['AttachSecurityProfile', 'DetachSecurityProfile'];
const CUSTOM_METRIC = ['CreateCustomMetric', 'DescribeCustomMetric', 'UpdateCustomMetric', 'DeleteCustomMetric'];
const DIMENSION = ['CreateDimension', 'DescribeDimension', 'UpdateDimension', 'DeleteDimension'];
const VIOLATIONS = ['ListActiveViolations', 'ListViolationEvents'];
const BY_TARGET = ['AttachPolicy', 'DetachPolicy'];
const BY_RESOURCE_ARN = ['TagResource', 'UntagResource', 'ListTagsForResource'];

const text = (value: unknown): string => (typeof value === 'string' ? value : '');

function resources(operation: string, input: Input, arn: ArnOf): readonly string[] {
  if (CERTIFICATE.includes(operation)) return [arn(`cert/${text(input['certificateId'])}`)];
  if (CA.includes(operation)) return [arn(`cacert/${text(input['certificateId'] ?? input['caCertificateId'])}`)];
  if (THING.includes(operation)) return [arn(`thing/${text(input['thingName'])}`)];
  if (MEMBERSHIP.includes(operation)) {
    return [
      text(input['thingArn']) || arn(`thing/${text(input['thingName'])}`),
      text(input['thingGroupArn']) || arn(`thinggroup/${text(input['thingGroupName'])}`),
    ];
  }
  if (operation === 'UpdateThingGroupsForThing') {
    const groups = [input['thingGroupsToAdd'], input['thingGroupsToRemove']].flatMap((list) =>
      Array.isArray(list) ? (list as string[]) : [],
    );
    return [arn(`thing/${text(input['thingName'])}`), ...groups.map((name) => arn(`thinggroup/${name}`))];
  }
  if (GROUP.includes(operation)) return [arn(`thinggroup/${text(input['thingGroupName'])}`)];
  if (TYPE.includes(operation)) return [arn(`thingtype/${text(input['thingTypeName'])}`)];
  if (POLICY.includes(operation)) return [arn(`policy/${text(input['policyName'])}`)];
  if (RULE.includes(operation)) return [arn(`rule/${text(input['ruleName'])}`)];
  if (BY_PRINCIPAL.includes(operation)) return [text(input['principal'])];
  if (BY_TARGET.includes(operation)) return [text(input['target'])];
  if (JOB.includes(operation)) return [arn(`job/${text(input['jobId'])}`)];
  if (JOB_AND_TARGETS.includes(operation)) {
    const targets = Array.isArray(input['targets']) ? (input['targets'] as string[]) : [];
    return [arn(`job/${text(input['jobId'])}`), ...targets, ...(input['jobTemplateArn'] ? [text(input['jobTemplateArn'])] : [])];
  }
  if (JOB_AND_THING.includes(operation)) return [arn(`job/${text(input['jobId'])}`), arn(`thing/${text(input['thingName'])}`)];
  if (operation === 'ListJobExecutionsForThing') return [arn(`thing/${text(input['thingName'])}`)];
  if (JOB_TEMPLATE.includes(operation)) {
    return [arn(`jobtemplate/${text(input['jobTemplateId'])}`), ...(input['jobArn'] ? [text(input['jobArn'])] : [])];
  }
  if (SCHEDULED_AUDIT.includes(operation)) return [arn(`scheduledaudit/${text(input['scheduledAuditName'])}`)];
  if (SECURITY_PROFILE.includes(operation)) return [arn(`securityprofile/${text(input['securityProfileName'])}`)];
  if (PROFILE_TARGET.includes(operation)) {
    // `all/things` and the like are no resources of IAM.
    const target = text(input['securityProfileTargetArn']);
    return [arn(`securityprofile/${text(input['securityProfileName'])}`), ...(target.includes(':thinggroup/') ? [target] : [])];
  }
  if (CUSTOM_METRIC.includes(operation)) return [arn(`custommetric/${text(input['metricName'])}`)];
  if (DIMENSION.includes(operation)) return [arn(`dimension/${text(input['name'])}`)];
  if (VIOLATIONS.includes(operation)) {
    const [profile, thing] = [text(input['securityProfileName']), text(input['thingName'])];
    const named = [...(profile ? [arn(`securityprofile/${profile}`)] : []), ...(thing ? [arn(`thing/${thing}`)] : [])];
    return named.length > 0 ? named : ['*'];
  }
  if (BY_RESOURCE_ARN.includes(operation)) return [text(input['resourceArn'])];
  return ['*'];
}

/** Who hands a role to AWS IoT must be allowed to pass it (API_SetV2LoggingOptions and others; IAM user guide, iam:PassRole). */
const PASSES: Readonly<Record<string, (input: Input) => readonly unknown[]>> = {
  SetV2LoggingOptions: (input) => [input['roleArn']],
  UpdateAccountAuditConfiguration: (input) => [input['roleArn'], ...notificationRoles(input)],
  CreateSecurityProfile: alertRole,
  UpdateSecurityProfile: alertRole,
};

function notificationRoles({ auditNotificationTargetConfigurations }: Input): readonly unknown[] {
  const targets = (auditNotificationTargetConfigurations ?? {}) as Readonly<Record<string, { readonly roleArn?: string }>>;
  return Object.values(targets).map(({ roleArn }) => roleArn);
}

function alertRole({ alertTargets }: Input): readonly unknown[] {
  return Object.values((alertTargets ?? {}) as Readonly<Record<string, { readonly roleArn?: string }>>).map(({ roleArn }) => roleArn);
}

const passedRoles = (operation: string, input: Input): readonly AccessRequest[] =>
  (PASSES[operation]?.(input) ?? [])
    .filter((role) => typeof role === 'string')
    .map((resource) => ({ action: 'iam:PassRole', resource, context: { 'iam:PassedToService': 'iot.amazonaws.com' } }));

export function accessRequests(operation: string, input: Input, arn: ArnOf): readonly AccessRequest[] {
  const thingArn = ['AttachThingPrincipal', 'DetachThingPrincipal'].includes(operation)
    ? { context: { 'iot:thingArn': arn(`thing/${text(input['thingName'])}`) } }
    : {};
  const asked = resources(operation, input, arn).map((resource) => ({
    action: `iot:${ACTION_OF[operation] ?? operation}`,
    resource,
    ...thingArn,
  }));
  return [...asked, ...passedRoles(operation, input)];
}
