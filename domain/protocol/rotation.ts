/**
 * Rotation on the wire: what a device and the cloud say to each other, in the one place that the functions, the constructs, the reference
 * device and the desk share. For firmware engineers: docs/protocol.md.
 *
 *     device                                            cloud
 *       │ ◄── job: RotationJob ($aws/things/…/jobs/notify-next) ── start
 *       │ ── IN_PROGRESS ─────────────────────────────►  (IoT Jobs)
 *       │ ── rotation/request  {jobId, csr} ──────────►  issue     authenticated by the OLD certificate
 *       │ ◄── rotation/response {certificate} ─────────  issue
 *       │ ── connects with the NEW certificate ────────►
 *       │ ── rotation/proof    {jobId} ────────────────►  prove     authenticated by the NEW certificate
 *       │ ◄── rotation/response {proved} ──────────────  prove     the old one is INACTIVE from here on
 *       │ ── SUCCEEDED ───────────────────────────────►  (IoT Jobs)
 *                                                        retire    after the grace: REVOKED, and revoked at the CA as superseded
 */
import { z } from 'zod';

export const ROTATION_VERSION = 1;
/** The operation that the job document names: a device ignores jobs of other operations. */
export const ROTATION_OPERATION = 'rotate-certificate';

/**
 * The job document: the same for the whole campaign, because one job serves one thing group. It therefore cannot name each device's
 * certificate: what is replaced is the certificate with which the device is connected when it asks, and the cloud checks that it is due.
 * Nothing in it is text from a device.
 */
export const RotationJob = z.object({
  operation: z.literal(ROTATION_OPERATION),
  version: z.literal(ROTATION_VERSION),
  campaignId: z.string().regex(/^[a-z0-9-]{1,48}$/),
  /** Why, a word of the list `ROTATION_REASONS`. */
  reason: z.string().max(64),
  /** RFC 3339. After it the device is escalated, not forgotten. */
  deadline: z.string(),
});
export type RotationJob = z.infer<typeof RotationJob>;

export const ROTATION_REASONS = ['expires-soon', 'audit-finding', 'operator'] as const;
export type RotationReason = (typeof ROTATION_REASONS)[number];

/** A PKCS #10 request of an RSA-4096 key with some attributes stays below this; a P-256 one has about 400 characters. */
export const MAX_CSR_CHARACTERS = 8192;

/** Device → cloud, `<prefix>/<thing>/rotation/request`. At least once; the same job and CSR always give the same certificate. */
export const RotationRequest = z.object({
  version: z.literal(ROTATION_VERSION),
  jobId: z.string().regex(/^[a-zA-Z0-9_-]{1,64}$/),
  /** DER of the PKCS #10 request, base64 in one line. */
  csr: z
    .string()
    .min(1)
    .max(MAX_CSR_CHARACTERS)
    .regex(/^[A-Za-z0-9+/]+={0,2}$/),
});
export type RotationRequest = z.infer<typeof RotationRequest>;

/** Device → cloud, `<prefix>/<thing>/rotation/proof`, over a connection authenticated by the new certificate. */
export const RotationProof = z.object({ version: z.literal(ROTATION_VERSION), jobId: RotationRequest.shape.jobId });
export type RotationProof = z.infer<typeof RotationProof>;

/** Every reason for which a request or a proof is refused. `final`: asking again with the same job cannot help. */
export const ROTATION_REFUSALS = {
  'not-your-certificate': { final: true, says: 'the connection’s certificate is not an ACTIVE certificate of exactly this thing' },
  'no-open-job': { final: true, says: 'no execution of this job is IN_PROGRESS for this thing' },
  'not-due': { final: true, says: 'no rotation is open for the certificate of this connection' },
  contained: { final: false, says: 'the thing is contained: it gets no certificate' },
  'bad-request': { final: true, says: 'the certificate request does not parse, its signature does not verify, or the CA does not take it' },
  'weak-key': { final: true, says: 'the key is of a kind or size that is not accepted' },
  'key-reused': { final: true, says: 'the key is that of a certificate which is known already: a rotation needs a new key' },
  'foreign-name': { final: true, says: 'the request names a subject or alternative name that is not this thing' },
  'asks-for-ca': { final: true, says: 'the request asks for CA rights or other extensions that devices do not get' },
  'another-request': { final: true, says: 'this rotation has been granted to another certificate request' },
  'two-already': { final: false, says: 'the thing has another ACTIVE certificate beside this one: an operator is told' },
  'not-as-ordered': { final: true, says: 'the CA issued something else than was ordered: it is not used, and an operator is told' },
  'not-the-new-certificate': { final: true, says: 'the proof did not come over the new certificate of an open rotation' },
  'not-permitted': { final: false, says: 'the new certificate is not allowed what the old one was: an operator is told' },
  stopped: { final: false, says: 'changes are halted by the emergency stop: ask again later' },
} as const;
export type RotationRefusal = keyof typeof ROTATION_REFUSALS;

/** Cloud → device, `<prefix>/<thing>/rotation/response`. QoS 1, not retained; a device that misses it asks again. */
export const RotationResponse = z.discriminatedUnion('status', [
  z.object({
    version: z.literal(ROTATION_VERSION),
    status: z.literal('issued'),
    jobId: z.string(),
    /** PEM of the certificate, at most 16 KB. */
    certificatePem: z.string(),
    certificateId: z.string(),
  }),
  z.object({ version: z.literal(ROTATION_VERSION), status: z.literal('proved'), jobId: z.string(), certificateId: z.string() }),
  z.object({
    version: z.literal(ROTATION_VERSION),
    status: z.literal('refused'),
    jobId: z.string(),
    reason: z.string(),
    final: z.boolean(),
  }),
]);
export type RotationResponse = z.infer<typeof RotationResponse>;

/**
 * Life of one rotation, in the ledger. Every arrow is a conditional write on the state before.
 *
 *     planned → offered → requested → issued → registered → proved → retired
 *         └────────┴──────────┴─────────┴──────────┴──► withdrawn | escalated
 */
export const ROTATION_STATES = [
  'planned',
  'offered',
  'requested',
  'issued',
  'registered',
  'proved',
  'retired',
  'withdrawn',
  'escalated',
] as const;
export type RotationState = (typeof ROTATION_STATES)[number];

/** Not at an end: such a rotation may still bring about a new certificate, or have brought about one that is not proved. */
export const OPEN_ROTATION_STATES = [
  'planned',
  'offered',
  'requested',
  'issued',
  'registered',
  'escalated',
] as const satisfies readonly RotationState[];
