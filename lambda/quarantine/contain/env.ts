import { z } from 'zod';
import { common, steps } from '../env.js';

export const ContainEnv = z.object({ ...common, ...steps });
/** Parsed. */
export type ContainEnv = z.output<typeof ContainEnv>;
/** As the construct sets them: every value a string. */
export type ContainVariables = z.input<typeof ContainEnv>;
