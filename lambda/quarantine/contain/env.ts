import { z } from 'zod';
import { common, steps } from '../env.js';

export const ContainEnv = z.object({
  ...common,
  ...steps,
  /** `off`: devices are told to shut off by jobs alone. */
  SHUT_OFF_COMMAND_ARN: z.union([z.literal('off'), z.string().regex(/^arn:[a-z-]+:iot:[^:]+:[^:]+:command\/[a-zA-Z0-9_-]{1,64}$/)]),
});
/** Parsed. */
export type ContainEnv = z.output<typeof ContainEnv>;
/** As the construct sets them: every value a string. */
export type ContainVariables = z.input<typeof ContainEnv>;
