import { z } from 'zod';
import { decimalNumber, queueUrl, wholeNumber } from '../../../domain/fleet/environment.js';
import { common } from '../env.js';

export const RevokeEnv = z.object({
  ...common,
  /** Its own queue: messages are put back there while the emergency stop holds. */
  REVOKE_QUEUE_URL: queueUrl,
  /** Where a reconciliation is asked for, when nobody knows the certificate of a serial number. */
  RECONCILE_QUEUE_URL: queueUrl,
  /** The account's quota of UpdateCertificate and DescribeCertificate (10 a second each, adjustable: FACTS B12), shared by all workers. */
  REVOKE_PER_SECOND: decimalNumber(0.1, 1000),
  /** 0: REVOKED at once. Otherwise INACTIVE at once, REVOKED so much later. */
  SECOND_STAGE_DELAY_MINUTES: wholeNumber(0, 43_200),
});
/** Parsed. */
export type RevokeEnv = z.output<typeof RevokeEnv>;
/** As the construct sets them: every value a string. */
export type RevokeVariables = z.input<typeof RevokeEnv>;
