import { z } from 'zod';
import { queueUrl, resourceName, wholeNumber } from '../../../domain/fleet/environment.js';
import { brake, common } from '../env.js';

export const SyncEnv = z.object({
  ...common,
  ...brake,
  /** The bucket that the CAs write their CRLs to: read only. */
  CRL_BUCKET: resourceName,
  /** Exact serial states and held lists. */
  STATE_BUCKET: resourceName,
  REVOKE_QUEUE_URL: queueUrl,
  /** Its own queue: the sweep sends one message for each object. */
  SYNC_QUEUE_URL: queueUrl,
  /** How far thisUpdate may lie in the future. */
  CLOCK_SKEW_SECONDS: wholeNumber(0, 3600),
});
/** Parsed. */
export type SyncEnv = z.output<typeof SyncEnv>;
/** As the construct sets them: every value a string. */
export type SyncVariables = z.input<typeof SyncEnv>;
