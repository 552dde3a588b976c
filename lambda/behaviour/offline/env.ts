import { z } from 'zod';
import { common } from '../env.js';

export const OfflineEnv = z.object(common);
export type OfflineEnv = z.output<typeof OfflineEnv>;
export type OfflineVariables = z.input<typeof OfflineEnv>;
