/**
 * Containment: the words of isolating a thing and letting it back, and every message that asks for it.
 *
 *     violations (Detect, built-in monitor)  ─► SNS ─┐
 *     audit finding that means containment   ────────┤
 *     any other detector ─► EventBridge      ────────┼─► intake queue ─► intake: read again at its source, never-list, brake
 *     operator: `fleetwarden contain THING`  ────────┘                      │
 *                                                                    state machine: record → cut → lock → (policies settle) → reopen → shut off → wait → release
 */
import { z } from 'zod';
import { RESPONSES } from '../fleet/responses.js';
import { ViolationNotification } from './violation.js';

const thingName = z.string().regex(/^[a-zA-Z0-9:_-]{1,128}$/);
const by = z.string().min(1).max(2048);
export const CONTAINMENT_ID = /^[a-z0-9-]{1,64}$/;

/**
 * Life of one containment, in the ledger. Every arrow is a conditional write on the state before. What follows `recorded` is there as long as the
 * thing is contained; the row goes when it is released, and not before.
 *
 *     recorded → cut → locked → reopened ───────────────► releasing → released
 *                  └──────┴────────┴──► deactivated ────────┘
 */
export const CONTAINMENT_STATES = ['recorded', 'cut', 'locked', 'reopened', 'deactivated', 'releasing', 'released'] as const;
export type ContainmentState = (typeof CONTAINMENT_STATES)[number];

/** Asked for by a person. `requestId`: twelve hexadecimal digits, chosen once: the same request twice is one containment. */
export const OperatorContainment = z.object({
  kind: z.literal('operator'),
  thingName,
  response: z.enum(RESPONSES),
  by,
  reason: z.string().min(1).max(256),
  requestId: z.string().regex(/^[0-9a-f]{12}$/),
});
export type OperatorContainment = z.infer<typeof OperatorContainment>;

/** A finding of the Device Defender audit that means containment (the table check → response says which). Read again by DescribeAuditFinding. */
export const AuditContainment = z.object({
  kind: z.literal('audit-finding'),
  taskId: z.string().regex(/^[a-zA-Z0-9_-]{1,128}$/),
  findingId: z.string().min(1).max(128),
  checkName: z.string().min(1).max(128),
});
export type AuditContainment = z.infer<typeof AuditContainment>;

export const CUSTOM_VIOLATION_DETAIL_TYPE = 'Fleetwarden Violation';

/**
 * Any other detector: an EventBridge event on the default bus. `source` must be one of the configured ones; EventBridge itself says `account`, `id`
 * and `time`, and nobody without events:PutEvents in this account can write one. Documented in docs/detectors.md.
 */
export const CustomViolation = z.object({
  id: z.string().min(1).max(128),
  'detail-type': z.literal(CUSTOM_VIOLATION_DETAIL_TYPE),
  source: z.string().min(1).max(256),
  account: z.string().regex(/^\d{12}$/),
  time: z.iso.datetime(),
  detail: z.object({
    thingName,
    /** Unique for the violation: the same twice is one. */
    violationId: z.string().regex(/^[a-zA-Z0-9-]{1,128}$/),
    behavior: z.string().min(1).max(128),
    violationEventType: z.enum(['in-alarm', 'alarm-cleared']),
    /** What was seen, for people. Kept as evidence, never acted upon. */
    evidence: z.record(z.string().max(64), z.union([z.string().max(1024), z.number(), z.boolean()])).optional(),
  }),
});
export type CustomViolation = z.infer<typeof CustomViolation>;

/** What an operator, a rule or an approved list asks of a thing that is contained, or of a list that was held. */
export const ContainmentControl = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('release'),
    thingName,
    by,
    reason: z.string().min(1).max(256),
    /** The device gets a new key first; only then what was taken is given back. */
    rekey: z.boolean(),
    /** Also where the facts still speak against it. */
    force: z.boolean(),
  }),
  z.object({ kind: z.literal('extend'), thingName, by, hours: z.number().int().positive().max(8760) }),
  /** A held list of containments, approved under its hash. */
  z.object({ kind: z.literal('approved'), hash: z.string().regex(/^[0-9a-f]{64}$/) }),
]);
export type ContainmentControl = z.infer<typeof ContainmentControl>;

/** One message on the intake queue. A violation has no `kind`: Device Defender does not write one. */
export const IntakeMessage = z.union([OperatorContainment, AuditContainment, ContainmentControl, CustomViolation, ViolationNotification]);
export type IntakeMessage = z.infer<typeof IntakeMessage>;
