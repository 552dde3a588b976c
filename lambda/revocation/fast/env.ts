import { z } from 'zod';
import { queueUrl } from '../../../domain/fleet/environment.js';
import { brake, common } from '../env.js';

export const FastEnv = z.object({
  ...common,
  ...brake,
  REVOKE_QUEUE_URL: queueUrl,
});
/** Parsed. */
export type FastEnv = z.output<typeof FastEnv>;
/** As the construct sets them: every value a string. */
export type FastVariables = z.input<typeof FastEnv>;
