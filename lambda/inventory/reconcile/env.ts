import { z } from 'zod';
import { queueUrl, resourceName } from '../../../domain/fleet/environment.js';
import { common, revoking } from '../env.js';

export const ReconcileEnv = z.object({
  ...common,
  ...revoking,
  /** SSM path below which the anchors lie: `<prefix>/trust`. Without a slash at its end. */
  TRUST_PARAMETER_PATH: resourceName,
  /** Its own queue: it goes on by message. */
  RECONCILE_QUEUE_URL: queueUrl,
});
/** Parsed. */
export type ReconcileEnv = z.output<typeof ReconcileEnv>;
/** As the construct sets them: every value a string. */
export type ReconcileVariables = z.input<typeof ReconcileEnv>;
