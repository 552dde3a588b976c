import { z } from 'zod';
import { resourceName, wholeNumber } from '../../../domain/fleet/environment.js';
import { common, device } from '../env.js';

export const IssueEnv = z.object({
  ...common,
  ...device,
  /** SSM path below which the anchors lie: `<prefix>/trust`. Without a slash at its end. */
  TRUST_PARAMETER_PATH: resourceName,
  /** The trust anchor that issues the new certificates, whoever issued the old ones. */
  ISSUING_ANCHOR_ID: resourceName,
  /** Life of a new certificate. Its CA must live longer. */
  VALIDITY_DAYS: wholeNumber(1, 3650),
});
/** Parsed. */
export type IssueEnv = z.output<typeof IssueEnv>;
/** As the construct sets them: every value a string. */
export type IssueVariables = z.input<typeof IssueEnv>;
