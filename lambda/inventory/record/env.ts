import { z } from 'zod';
import { queueUrl } from '../../../domain/fleet/environment.js';
import { common, revoking } from '../env.js';

export const RecordEnv = z.object({
  ...common,
  ...revoking,
  /** Queue of `prove`; absent: rotation is off. */
  PROVE_QUEUE_URL: queueUrl.optional(),
});
/** Parsed. */
export type RecordEnv = z.output<typeof RecordEnv>;
/** As the construct sets them: every value a string. What rotation needs is added where it is on. */
export type RecordVariables = Omit<z.input<typeof RecordEnv>, 'PROVE_QUEUE_URL'>;
