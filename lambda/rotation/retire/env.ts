import { z } from 'zod';
import { decimalNumber, queueUrl, resourceName, wholeNumber } from '../../../domain/fleet/environment.js';
import { common } from '../env.js';

export const RetireEnv = z.object({
  ...common,
  /** SSM path below which the anchors lie: `<prefix>/trust`. Without a slash at its end. */
  TRUST_PARAMETER_PATH: resourceName,
  /** Its own queue: a round is cut into messages. */
  RETIRE_QUEUE_URL: queueUrl,
  /** Rotations a second, all functions and workers together. */
  ROTATION_PER_SECOND: decimalNumber(0.1, 1000),
  /** Days before the deadline at which people are told, each once: `14,7,1`. */
  ESCALATE_DAYS: z
    .string()
    .regex(/^\d{1,3}(,\d{1,3}){0,9}$/)
    .transform((text) => text.split(',').map(Number)),
  /** A new certificate that is not proved after so long is taken back. Longer than the time-out of the job. */
  PROOF_TIMEOUT_MINUTES: wholeNumber(1, 20_160),
  /** Where the CRL of a signer of ours is asked for; absent: no anchor has one. */
  PUBLISH_QUEUE_URL: queueUrl.optional(),
});
/** Parsed. */
export type RetireEnv = z.output<typeof RetireEnv>;
/** As the construct sets them: every value a string. What a signer needs is added where there is one. */
export type RetireVariables = Omit<z.input<typeof RetireEnv>, 'PUBLISH_QUEUE_URL'>;
