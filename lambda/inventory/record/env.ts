import { z } from 'zod';
import { queueUrl } from '../../../domain/fleet/environment.js';
import { common, revoking } from '../env.js';

export const RecordEnv = z.object({
  ...common,
  ...revoking,
  /** Queue of `prove`; absent: rotation is off. */
  PROVE_QUEUE_URL: queueUrl.optional(),
  /** Queue of the watch of quarantine; absent: quarantine is off. */
  WATCH_QUEUE_URL: queueUrl.optional(),
});
/** Parsed. */
export type RecordEnv = z.output<typeof RecordEnv>;
/** As the construct sets them: every value a string. What rotation and quarantine need is added where they are on. */
export type RecordVariables = Omit<z.input<typeof RecordEnv>, 'PROVE_QUEUE_URL' | 'WATCH_QUEUE_URL'>;
