import { z } from 'zod';
import { resourceName } from '../../../domain/fleet/environment.js';

export const PublishEnv = z.object({
  /** Name of this installation (the prefix of its stacks): the dimension of its metrics, so that two installations in one account stay apart. */
  APPLICATION: resourceName,
  LEDGER_TABLE: resourceName,
  CRL_BUCKET: resourceName,
  /** SSM path below which the anchors lie: `<prefix>/trust`. Without a slash at its end. */
  TRUST_PARAMETER_PATH: resourceName,
});
/** Parsed. */
export type PublishEnv = z.output<typeof PublishEnv>;
/** As the construct sets them: every value a string. */
export type PublishVariables = z.input<typeof PublishEnv>;
