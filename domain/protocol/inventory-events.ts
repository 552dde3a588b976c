/**
 * What arrives on the inventory queue. Three tellers, one queue:
 *
 *     EventBridge "ACM Private CA Certificate Issuance" ──(as it is)────────► ┐
 *     $aws/events/presence/{connected,disconnected}/<clientId> ──(rule)─────► ├─ inventory queue ──► record
 *     $aws/events/certificates/registered/<caCertificateId> ──(rule)────────► ┘
 *
 * The IoT topic rules below pass named fields only, never `*`: a field that AWS adds tomorrow does not reach us unread. The rules and the
 * schemas stand side by side, because a field that one of them lacks is a silent hole in the inventory.
 */
import { z } from 'zod';

/** SQL version of the rules (docs.aws.amazon.com/iot/latest/developerguide/iot-rule-sql-version.html). */
export const RULE_SQL_VERSION = '2016-03-23';

/** The topic rules that the app stack creates, each with one SQS action on the inventory queue (`useBase64: false`). */
export const INVENTORY_RULES = {
  connected: {
    sql: "SELECT 'presence' AS kind, eventType, clientId, thingName, principalIdentifier, timestamp, versionNumber FROM '$aws/events/presence/connected/+'",
    description: 'A device has connected: its certificate is in use, and last seen now',
  },
  disconnected: {
    sql: "SELECT 'presence' AS kind, eventType, clientId, thingName, principalIdentifier, timestamp, versionNumber FROM '$aws/events/presence/disconnected/+'",
    description: 'A device has disconnected: its certificate was last seen now',
  },
  registered: {
    sql: "SELECT 'registered' AS kind, certificateId, caCertificateId, certificateStatus, timestamp FROM '$aws/events/certificates/registered/+'",
    description: 'Just-in-time registration: a certificate has turned up for the first time',
  },
} as const;

/** Milliseconds since the epoch, as number or as string of digits: AWS's JITR sample leaves the type open (payloads/README). */
const timestampMs = z.union([
  z.number().int().nonnegative(),
  z
    .string()
    .regex(/^\d{13}$/)
    .transform(Number),
]);

/** A lifecycle event (IG life-cycle-events.html): at least once, in any order, its time ± 2 minutes. `thingName` only for exclusive attachments. */
export const PresenceEvent = z.object({
  kind: z.literal('presence'),
  eventType: z.enum(['connected', 'disconnected']),
  clientId: z.string().min(1).max(128),
  thingName: z
    .string()
    .regex(/^[a-zA-Z0-9:_-]{1,128}$/)
    .optional(),
  /** The certificateId of an X.509 connection; something else (a Cognito identity, an IAM principal) for the others. */
  principalIdentifier: z.string().min(1),
  timestamp: timestampMs,
  versionNumber: z.number().int().nonnegative().optional(),
});
export type PresenceEvent = z.infer<typeof PresenceEvent>;

/** Just-in-time registration (IG auto-register-device-cert.html): again on each later connect while the certificate is pending. */
export const RegisteredEvent = z.object({
  kind: z.literal('registered'),
  certificateId: z.string().regex(/^[0-9a-f]{64}$/i),
  caCertificateId: z.string().optional(),
  certificateStatus: z.string().optional(),
  timestamp: timestampMs.optional(),
});
export type RegisteredEvent = z.infer<typeof RegisteredEvent>;

/** EventBridge, best effort (UG CloudWatchEvents.html). `resources`: the ARN of the CA, the ARN of the certificate. */
export const IssuanceEvent = z.object({
  source: z.literal('aws.acm-pca'),
  'detail-type': z.literal('ACM Private CA Certificate Issuance'),
  resources: z.tuple([z.string().regex(/^arn:[^:]+:acm-pca:/), z.string().regex(/^arn:[^:]+:acm-pca:.+\/certificate\/[^/]+$/)]),
  detail: z.object({ result: z.string() }),
});
export type IssuanceEvent = z.infer<typeof IssuanceEvent>;

/** One message on the reconcile queue. The schedule sends `start`; `reconcile` sends itself `continue` until its run is complete. */
export const ReconcileMessage = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('start'),
    /** Asked for at this time, for what was in the registry then: a run that began earlier does not answer it. Absent: the next one will do. */
    askedAtMs: z.number().optional(),
  }),
  z.object({ kind: z.literal('continue'), runId: z.string().min(1) }),
]);
export type ReconcileMessage = z.infer<typeof ReconcileMessage>;
