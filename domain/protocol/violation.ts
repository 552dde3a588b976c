/**
 * A violation, in the very shape in which AWS IoT Device Defender Detect notifies (aws/payloads, real captures). The built-in monitor writes the same
 * shape to the same topic, so that whoever reads it cannot tell them apart:
 *
 *     Detect ─────────────┐
 *     built-in monitor ───┴─► SNS topic `<prefix>-violations` ─(raw delivery)─► intake queue of quarantine
 *
 * `behavior.criteria` says what is normal: the alarm means that it is not met. The notification is a hint, and anybody who may publish to the topic
 * can write one: before anything is done, the violation is read again at its source (lambda/ports/violations.ts).
 */
import { z } from 'zod';

export const VIOLATION_EVENT_TYPES = ['in-alarm', 'alarm-cleared', 'alarm-invalidated'] as const;
export type ViolationEventType = (typeof VIOLATION_EVENT_TYPES)[number];

/** What a person says that a violation was (PutVerificationStateOnViolation). */
export const VERIFICATION_STATES = ['FALSE_POSITIVE', 'BENIGN_POSITIVE', 'TRUE_POSITIVE', 'UNKNOWN'] as const;
export type VerificationState = (typeof VERIFICATION_STATES)[number];

/** Nobody is contained, or kept contained, for what a person says was nothing. */
export const isBenign = (state: string | undefined): boolean => state === 'FALSE_POSITIVE' || state === 'BENIGN_POSITIVE';

/** Why nobody is contained for a violation (any more), by what its source says now; `undefined`: it stands. One that no source knows is over. */
export function whyOver(
  sourced: { readonly isOpen: boolean; readonly verificationState?: string } | undefined,
): 'alarm-over' | 'marked-benign' | undefined {
  if (sourced?.isOpen !== true) return 'alarm-over';
  return isBenign(sourced.verificationState) ? 'marked-benign' : undefined;
}

/** MetricValue of the AWS IoT API: the one member that is set says of which kind the metric is. */
export const MetricValue = z.object({
  count: z.number().optional(),
  cidrs: z.array(z.string()).optional(),
  ports: z.array(z.number().int()).optional(),
  number: z.number().optional(),
  numbers: z.array(z.number()).optional(),
  strings: z.array(z.string()).optional(),
});
export type MetricValue = z.infer<typeof MetricValue>;

/** BehaviorCriteria of the AWS IoT API, in its own words. */
export const BehaviorCriteria = z.object({
  comparisonOperator: z.string().optional(),
  value: MetricValue.optional(),
  durationSeconds: z.number().int().optional(),
  consecutiveDatapointsToAlarm: z.number().int().optional(),
  consecutiveDatapointsToClear: z.number().int().optional(),
  statisticalThreshold: z.object({ statistic: z.string().optional() }).optional(),
  mlDetectionConfig: z.object({ confidenceLevel: z.string() }).optional(),
});
export type BehaviorCriteria = z.infer<typeof BehaviorCriteria>;

/** Milliseconds since the epoch; a source that speaks in seconds is understood: no time before 2001 in milliseconds is meant by 10 digits. */
const timeMs = z
  .number()
  .positive()
  .transform((time) => Math.round(time < 100_000_000_000 ? time * 1000 : time));

export const ViolationNotification = z.object({
  violationEventTime: timeMs,
  /** Perhaps the client id of no registered thing. */
  thingName: z.string().min(1).max(128),
  behavior: z.object({
    name: z.string().min(1).max(128),
    metric: z.string().min(1).max(128).optional(),
    criteria: BehaviorCriteria.optional(),
    suppressAlerts: z.boolean().optional(),
  }),
  violationEventType: z.enum(VIOLATION_EVENT_TYPES),
  metricValue: MetricValue.optional(),
  violationId: z.string().regex(/^[a-zA-Z0-9-]{1,128}$/),
  securityProfileName: z.string().min(1).max(128),
  verificationState: z.string().optional(),
});
export type ViolationNotification = z.infer<typeof ViolationNotification>;
