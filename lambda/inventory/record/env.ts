import { z } from 'zod';
import { common, revoking } from '../env.js';

export const RecordEnv = z.object({ ...common, ...revoking });
/** Parsed. */
export type RecordEnv = z.output<typeof RecordEnv>;
/** As the construct sets them: every value a string. */
export type RecordVariables = z.input<typeof RecordEnv>;
