import { z } from 'zod';
import { resourceName } from '../../../domain/fleet/environment.js';
import { common, steps } from '../env.js';

export const ContainEnv = z.object({
  ...common,
  ...steps,
  /** What ARNs of AWS IoT in this account and region begin with. */
  IOT_ARNS: z.string().regex(/^arn:[a-z-]+:iot:[a-z0-9-]+:\d{12}$/),
  TOPIC_PREFIX: resourceName,
  /** `off`: devices are told to shut off by jobs alone. */
  SHUT_OFF_COMMAND_ARN: z.union([z.literal('off'), z.string().regex(/^arn:[a-z-]+:iot:[^:]+:[^:]+:command\/[a-zA-Z0-9_-]{1,64}$/)]),
});
/** Parsed. */
export type ContainEnv = z.output<typeof ContainEnv>;
/** As the construct sets them: every value a string. */
export type ContainVariables = z.input<typeof ContainEnv>;
