/**
 * What CloudFormation sends to the function behind a custom resource
 * (https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/crpg-ref-requests.html). All values are texts or lists of texts.
 */
import { z } from 'zod';
import { AUDIT_CHECK_NAMES, type AuditCheckName } from '../../../domain/fleet/audit-checks.js';

export const CustomResourceRequest = z.object({
  RequestType: z.enum(['Create', 'Update', 'Delete']),
  ResponseURL: z.url(),
  StackId: z.string(),
  RequestId: z.string(),
  LogicalResourceId: z.string(),
  PhysicalResourceId: z.string().optional(),
  ResourceProperties: z.unknown(),
});
export type CustomResourceRequest = z.infer<typeof CustomResourceRequest>;

const days = z.string().regex(/^\d{2,4}$/);

/** What is wanted, by the property `Setting`. */
export const Wanted = z.discriminatedUnion('Setting', [
  z.object({
    Setting: z.literal('account-audit-configuration'),
    /** Under which Device Defender reads the account. */
    RoleArn: z.string().min(1),
    TopicArn: z.string().min(1),
    /** Under which Device Defender publishes to the topic. Absent: the topic is somebody else’s, and must be the target already. */
    NotificationRoleArn: z.string().min(1).optional(),
    Checks: z.array(z.enum(AUDIT_CHECK_NAMES as [AuditCheckName, ...AuditCheckName[]])).min(1),
    ExpirationThresholdDays: days,
    AgeThresholdDays: days.optional(),
  }),
  z.object({
    Setting: z.literal('logging-options'),
    /** Under which AWS IoT writes. */
    RoleArn: z.string().min(1),
    /** The log group that it writes to: made where it is not there yet. */
    LogGroupName: z.string().min(1),
    RetentionDays: z.string().regex(/^\d{1,4}$/),
  }),
  z.object({ Setting: z.literal('event-configurations'), EventTypes: z.array(z.string().regex(/^[A-Z_]+$/)).min(1) }),
]);
export type Wanted = z.infer<typeof Wanted>;
export type WantedLogging = Extract<Wanted, { Setting: 'logging-options' }>;
export type WantedAudit = Extract<Wanted, { Setting: 'account-audit-configuration' }>;
