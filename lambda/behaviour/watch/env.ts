import { z } from 'zod';
import { resourceName } from '../../../domain/fleet/environment.js';
import { common } from '../env.js';

export const WatchEnv = z.object({
  ...common,
  /** Refusals come in batches of many devices: each is put back under its own client id. */
  FLEET_STREAM: resourceName,
  /** Client ids of our own back ends, by commas: exactly these are not watched. */
  IGNORED_CLIENTS: z.string().transform((text): ReadonlySet<string> => new Set(text.split(',').filter((name) => name !== ''))),
});
export type WatchEnv = z.output<typeof WatchEnv>;
export type WatchVariables = z.input<typeof WatchEnv>;
