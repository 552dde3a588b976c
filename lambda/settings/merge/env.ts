import { z } from 'zod';
import { resourceName } from '../../../domain/fleet/environment.js';

export const MergeEnv = z.object({
  /** Name of this installation: the dimension of its metrics. */
  APPLICATION: resourceName,
  LEDGER_TABLE: resourceName,
});
/** As the construct sets them. */
export type MergeVariables = z.input<typeof MergeEnv>;
