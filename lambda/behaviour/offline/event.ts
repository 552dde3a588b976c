import { z } from 'zod';

/** The schedule's one message. */
export const RoundMessage = z.object({ kind: z.literal('round') });
export type RoundMessage = z.infer<typeof RoundMessage>;
