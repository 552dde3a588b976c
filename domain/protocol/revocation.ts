/**
 * The words and messages of the revocation capability, in the one place that the cloud, the command line and the tests share.
 *
 *     S3 put ──► CrlMessage ──► sync ──► RevokeMessage ──► revoke ──► AWS IoT registry
 *     PCA event ─────────────► fast ──►       "
 *     operator: approve ─────► CrlMessage {kind:'approved'} ──► sync
 */
import { z } from 'zod';

/** What `revoke` may be asked to do with one certificate. */
export const REVOKE_ACTIONS = ['revoke', 'hold', 'reactivate', 'complete'] as const;
export type RevokeAction = (typeof REVOKE_ACTIONS)[number];

/** One message on the revoke queue: one certificate. At least once, in any order. Times are RFC 3339, serials canonical hex. */
export const RevokeMessage = z.object({
  version: z.literal(1),
  /** `revoke`: REVOKED (or first stage INACTIVE). `hold`: INACTIVE. `reactivate`: ACTIVE, approved. `complete`: second stage, REVOKED. */
  action: z.enum(REVOKE_ACTIONS),
  /** id of the trust anchor in the configuration. */
  anchorId: z.string().min(1),
  serialNumber: z.string().regex(/^[1-9a-f][0-9a-f]{0,39}$/),
  /** RFC 5280 reason name, or `unknown` on the fast path (the event carries none). */
  reason: z.string(),
  revocationDate: z.string().optional(),
  /**
   * Which authority asked: a CRL, the Private CA event, a certificate registered after its revocation, an operator's approval, or a rotation that
   * superseded it (that one is never sent: it stands in the inventory, so that CRL and event find nothing left to do).
   */
  source: z.enum(['crl', 'event', 'remembered', 'operator', 'rotation']),
  /** For source `crl`: its number in decimal. */
  crlNumber: z.string().optional(),
  /** For source `event`: the ARN which the Private CA gave; looked up instead of an ARN built from the serial. */
  certificateArn: z.string().optional(),
  /** The run or the hold that let it through: ties the audit trail together. */
  runId: z.string(),
});
export type RevokeMessage = z.infer<typeof RevokeMessage>;

/** One message on the sync queue. */
export const SyncMessage = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('object'), bucket: z.string(), key: z.string(), versionId: z.string().optional() }),
  z.object({ kind: z.literal('sweep') }),
  z.object({ kind: z.literal('approved'), hash: z.string().regex(/^[0-9a-f]{64}$/) }),
]);
export type SyncMessage = z.infer<typeof SyncMessage>;

/** Every way in which one revocation can end. One list: the worker records it, the command line prints it, the runbook explains it. */
export const REVOKE_OUTCOMES = [
  'revoked', // the registry says REVOKED, and we said so
  'deactivated', // INACTIVE: certificateHold, or the first of two stages
  'reactivated', // ACTIVE again after an approved removal from hold
  'already-revoked',
  'already-inactive', // a hold on a certificate that is INACTIVE already
  'not-registered', // unknown to AWS IoT: remembered for the day on which it is registered
  'deleted', // known once, gone from the registry
  'is-a-ca', // the entry names a CA certificate: a person decides
  'mismatch', // the registry's own PEM is not the certificate that the CRL names: nothing done
  'not-ours', // hold removal of a certificate which this application did not deactivate
  'observed', // mode `observe`: would have acted
] as const;
export type RevokeOutcome = (typeof REVOKE_OUTCOMES)[number];

/** Every way in which one CRL object can end. */
export const SYNC_OUTCOMES = [
  'applied', // new revocations were handed to the queue
  'unchanged', // same object or same list: no call made
  'held', // over the brake: kept until approved
  'refused', // the reader said no: see reasons
  'rollback', // number below the high-water mark, and it is the current object
  'stale', // number below the high-water mark, but a newer version of the object exists: an event out of order
  'equivocation', // same number, other content
  'no-anchor', // no trust anchor for this issuer
  'absent', // the object is gone
  'observed', // mode `observe`: the plan, and no state changed
  'off',
  'stopped', // emergency stop
] as const;
export type SyncOutcome = (typeof SYNC_OUTCOMES)[number];

/** States of a held list: HELD → APPROVED → APPLIED, or HELD → REJECTED → HELD (reopened). An approval is used once. */
export const HOLD_STATES = ['HELD', 'APPROVED', 'APPLIED', 'REJECTED'] as const;
export type HoldState = (typeof HOLD_STATES)[number];

export const MODES = ['off', 'observe', 'enforce'] as const;
export type Mode = (typeof MODES)[number];
