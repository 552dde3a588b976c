import { z } from 'zod';
import { wholeNumber } from '../../../domain/fleet/environment.js';
import { common, device } from '../env.js';

export const ProveEnv = z.object({
  ...common,
  ...device,
  /** From the proof to REVOKED: how long the old certificate, INACTIVE, can still be brought back. */
  GRACE_DAYS: wholeNumber(0, 365),
});
/** Parsed. */
export type ProveEnv = z.output<typeof ProveEnv>;
/** As the construct sets them: every value a string. */
export type ProveVariables = z.input<typeof ProveEnv>;
