import { z } from 'zod';

/** A whole number within bounds: the bounds are part of the message, so that the reader need not look them up. */
export function wholeNumber(least: number, most: number): z.ZodNumber {
  return z
    .number(`expected a whole number from ${least} to ${most}`)
    .int(`expected a whole number from ${least} to ${most}`)
    .min(least, `expected a whole number from ${least} to ${most}`)
    .max(most, `expected a whole number from ${least} to ${most}`);
}
