/**
 * Default request quotas of AWS, in requests a second for an account in a region (FACTS B12 and A8: General Reference, iot-core.html and
 * pca.html). Operations that are not listed here are not limited on the desk.
 */
export const REQUEST_QUOTAS: Readonly<Record<string, number>> = {
  'iot:UpdateCertificate': 10,
  'iot:DescribeCertificate': 10,
  'iot:RegisterCertificate': 10,
  'iot:RegisterCertificateWithoutCA': 10,
  'iot:RegisterCACertificate': 10,
  'iot:ListCertificates': 10,
  'iot:ListCertificatesByCA': 10,
  'iot:DeleteCertificate': 10,
  'iot:CreateCertificateFromCsr': 15,
  'iot:ListPrincipalThings': 10,
  'iot:ListPrincipalThingsV2': 10,
  'iot:ListThingPrincipals': 20,
  'iot:ListThingPrincipalsV2': 20,
  'iot:AttachPolicy': 15,
  'iot:DetachPolicy': 15,
  'iot:ListAttachedPolicies': 15,
  'iot:ListPrincipalPolicies': 15,
  'iot:AttachThingPrincipal': 100,
  'iot:DetachThingPrincipal': 100,
  'iot:AddThingToThingGroup': 100,
  'iot:RemoveThingFromThingGroup': 100,
  'iot:ListThingGroupsForThing': 100,
  'iot:UpdateThingGroupsForThing': 10,
  'iot:DescribeThing': 350,
  'iot:UpdateThing': 100,
  'iot:DescribeThingGroup': 100,
  'iot:CreatePolicyVersion': 10,
  'iot:SetDefaultPolicyVersion': 10,
  'iot:GetEffectivePolicies': 5,
  'iot:UpdateEventConfigurations': 10,
  'iot:SetV2LoggingOptions': 2,
  'iot:CreateCertificateProvider': 1,
  'iot:DescribeEndpoint': 10,
  'iot:RegisterThing': 10,
  'iot:CreateJob': 10,
  'iot:DescribeJob': 10,
  'iot:ListJobs': 10,
  'iot:UpdateJob': 10,
  'iot:CancelJob': 10,
  'iot:DeleteJob': 10,
  'iot:GetJobDocument': 10,
  'iot:AssociateTargetsWithJob': 10,
  'iot:DescribeJobExecution': 10,
  'iot:ListJobExecutionsForJob': 10,
  'iot:ListJobExecutionsForThing': 10,
  'iot:CancelJobExecution': 10,
  'iot:DeleteJobExecution': 10,
  'iot:ListAuditFindings': 10,
  'iot:DescribeAuditTask': 25,
  'iot:DescribeAuditFinding': 25,
  'iot:StartOnDemandAuditTask': 10,
  'iot:UpdateAccountAuditConfiguration': 5,
  'iot:DescribeAccountAuditConfiguration': 5,
  'iot:DeleteAccountAuditConfiguration': 5,
  'iot:CreateScheduledAudit': 5,
  'iot:UpdateScheduledAudit': 5,
  'iot:DescribeScheduledAudit': 5,
  'iot:DeleteScheduledAudit': 5,
  'iot:CreateAuditSuppression': 10,
  'iot:UpdateAuditSuppression': 10,
  'iot:DescribeAuditSuppression': 10,
  'iot:DeleteAuditSuppression': 10,
  'iot:ListAuditSuppressions': 10,
  'iotjobsdata:GetPendingJobExecutions': 200,
  'iotjobsdata:DescribeJobExecution': 200,
  'iotjobsdata:StartNextPendingJobExecution': 200,
  'iotjobsdata:UpdateJobExecution': 200,
  'iotjobsdata:StartCommandExecution': 100,
  'iotdata:DeleteConnection': 100,
  'acm-pca:IssueCertificate': 25,
  'acm-pca:GetCertificate': 75,
  'acm-pca:RevokeCertificate': 20,
  'acm-pca:DescribeCertificateAuthority': 20,
  'acm-pca:GetCertificateAuthorityCertificate': 20,
  'acm-pca:GetCertificateAuthorityCsr': 10,
  'acm-pca:UpdateCertificateAuthority': 10,
  'acm-pca:CreateCertificateAuthority': 1,
  'acm-pca:CreateCertificateAuthorityAuditReport': 1,
  'acm-pca:ListPermissions': 5,
  'acm-pca:CreatePermission': 1,
  'acm-pca:PutPolicy': 5,
  'acm-pca:GetPolicy': 5,
  'acm-pca:DeletePolicy': 5,
  'acm-pca:RestoreCertificateAuthority': 20,
  'kinesis:CreateStream': 5,
  'kinesis:DeleteStream': 5,
  'kinesis:DescribeStream': 10,
  'kinesis:DescribeStreamSummary': 20,
  'kinesis:ListStreams': 5,
  'kinesis:ListShards': 1000,
};

/** Limits of AWS IoT Jobs (FACTS D1 and D2: General Reference, iot_device_management.html). */
export const JOB_LIMITS = {
  activeJobs: 100_000,
  /** Jobs that are rolling out at the same time. */
  concurrentJobs: 500,
  targets: 100,
  documentCharacters: 32_768,
  rolloutPerMinute: 1000,
  timeoutMinutes: 10_080,
  retriesOfADevice: 10,
  statusDetails: 10,
  statusDetailCharacters: 1024,
  jobTemplates: 100,
} as const;

/** Limits of AWS IoT commands (FACTS B11: General Reference, iot_device_management.html#commands-limits; payload: iot-remote-command-create-manage.html). */
export const COMMAND_LIMITS = { payloadBytes: 32_768, timeoutSeconds: 43_200, executionsOfADevice: 100 } as const;

/** Limits of Device Defender audit (FACTS C3: General Reference, iot_device_defender.html). */
export const AUDIT_LIMITS = { scheduledAudits: 5, onDemandAudits: 10 } as const;

/** A bucket that holds one second's worth of requests and fills at the quota's rate. */
export class TokenBucket {
  private tokens: number;
  private atMs: number;

  constructor(
    private readonly perSecond: number,
    nowMs: number,
  ) {
    this.tokens = perSecond;
    this.atMs = nowMs;
  }

  /** `false`: over the quota at this moment. */
  take(nowMs: number): boolean {
    this.tokens = Math.min(this.perSecond, this.tokens + ((nowMs - this.atMs) / 1000) * this.perSecond);
    this.atMs = nowMs;
    if (this.tokens < 1) return false;
    this.tokens -= 1;
    return true;
  }
}
