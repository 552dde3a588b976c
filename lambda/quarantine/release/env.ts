import { z } from 'zod';
import { queueUrl } from '../../../domain/fleet/environment.js';
import { common, steps } from '../env.js';

export const ReleaseEnv = z.object({
  ...common,
  ...steps,
  /** Start queue of rotation, for a new key before release; `off`: there is no rotation. */
  START_QUEUE_URL: z.union([z.literal('off'), queueUrl]),
});
/** Parsed. */
export type ReleaseEnv = z.output<typeof ReleaseEnv>;
/** As the construct sets them: every value a string. */
export type ReleaseVariables = z.input<typeof ReleaseEnv>;
