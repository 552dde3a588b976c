import { z } from 'zod';
import { common, stateMachineArn, steps } from '../env.js';

export const WatchEnv = z.object({ ...common, ...steps, STATE_MACHINE_ARN: stateMachineArn });
/** Parsed. */
export type WatchEnv = z.output<typeof WatchEnv>;
/** As the construct sets them: every value a string. */
export type WatchVariables = z.input<typeof WatchEnv>;
