/**
 * What reaches `issue` and `prove`: a device's message, passed on by a topic rule with named fields only.
 *
 *     <prefix>/<thing>/rotation/request ──(rule)──► queue ──► issue
 *     <prefix>/<thing>/rotation/proof   ──(rule)──► queue ──► prove
 *     $aws/events/presence/connected/…  ──(rule)──► inventory's record, where a new certificate of an open rotation connected ──► prove
 *
 * Two kinds of fields, and they are read differently. The envelope (`principal`, `thingName`, `receivedAtMs`) is said by AWS IoT: where it is not
 * what it must be, the message is kept for a person. The payload (`version`, `jobId`, `csr`) is said by a device: whatever it holds, the message
 * is answered, or a device could fill the dead-letter queue.
 */
import { z } from 'zod';
import { RotationProof, RotationRequest } from './rotation.js';
import { deviceTopic } from './topics.js';

/** `principal()` is the certificateId of the publisher (IG iot-sql-functions.html): the one identity in here. `clientId` is for the log alone. */
const envelope = {
  principal: z.string().min(1).max(256),
  clientId: z.string().max(128).optional(),
  thingName: z.string().regex(/^[a-zA-Z0-9:_-]{1,128}$/),
  receivedAtMs: z.number().int().nonnegative(),
} as const;

/** A payload that is not what the protocol says is `undefined`: refused as `bad-request`. */
export const RotationRequestEvent = z
  .object({ kind: z.literal('request'), ...envelope, version: z.unknown(), jobId: z.unknown(), csr: z.unknown() })
  .transform(({ version, jobId, csr, ...said }) => ({ ...said, ...payload(RotationRequest, { version, jobId, csr }) }));
export type RotationRequestEvent = z.output<typeof RotationRequestEvent>;

export const RotationProofEvent = z
  .object({ kind: z.literal('proof'), ...envelope, version: z.unknown(), jobId: z.unknown() })
  .transform(({ version, jobId, ...said }) => ({ ...said, ...payload(RotationProof, { version, jobId }) }));
export type RotationProofEvent = z.output<typeof RotationProofEvent>;

/**
 * A device has connected with the new certificate of an open rotation: what the inventory's function tells `prove` when it reads of it in a presence
 * event. Everything in it was said by AWS IoT, nothing by a device.
 */
export const RotationPresence = z.object({
  kind: z.literal('presence'),
  principal: z.string().regex(/^[0-9a-f]{64}$/),
  connectedAtMs: z.number().int().nonnegative(),
});
export type RotationPresence = z.infer<typeof RotationPresence>;

/** Everything that reaches `prove`. */
export const ProveMessage = z.union([RotationProofEvent, RotationPresence]);
export type ProveMessage = z.output<typeof ProveMessage>;

/**
 * What proves a certificate is taken within so long, or not at all. A device that goes back to its old certificate keeps the new one until the old one
 * has held a connection for ten minutes (docs/protocol.md); a proof that waited in a queue for longer could otherwise take the old one away when the
 * new one is gone:
 *
 *     device   proof ──► back on the old pair ── ten minutes ──► the new pair is deleted
 *     cloud    └────── taken: old INACTIVE, cut off within minutes ──────┘
 *
 * A device whose proof is not answered sends another one.
 */
export const PROOF_HOLDS_SECONDS = 300;
/** A connection is taken for a proof so long after it: the device's own proof is on its way, and a trial that fails has ended before that. */
export const PRESENCE_PROVES_AFTER_SECONDS = 180;

/** `jobId` is echoed in the answer where it is one at all, so that a device can tell to which of its messages the refusal belongs. */
function payload<T>(
  schema: z.ZodType<T>,
  said: { readonly jobId?: unknown; readonly [field: string]: unknown },
): { readonly jobId: string; readonly request?: T } {
  const request = schema.safeParse(said);
  const jobId = RotationRequest.shape.jobId.safeParse(said.jobId);
  return { jobId: jobId.success ? jobId.data : '', ...(request.success ? { request: request.data } : {}) };
}

export type RotationRuleName = 'request' | 'proof';

/** SQL of the two topic rules, each with one SQS action (`useBase64: false`). Named fields only: what a device adds does not reach us. */
export function rotationRuleSql(rule: RotationRuleName, topicPrefix: string): string {
  const thingLevel = topicPrefix.split('/').length + 1;
  const fields = rule === 'request' ? 'version, jobId, csr' : 'version, jobId';
  const said = `principal() AS principal, clientid() AS clientId, topic(${thingLevel}) AS thingName, timestamp() AS receivedAtMs`;
  return `SELECT ${fields}, ${said}, '${rule}' AS kind FROM '${deviceTopic(topicPrefix, '+', `rotation/${rule}`)}'`;
}
