/**
 * How one variable of a function's environment is read. The input type of every parser is `string`, so that `z.input` of a function's
 * schema is the exact set of variables that its construct must set, and `z.output` is what the function works with: one truth, both ends.
 * There are no defaults here: a variable that is not set is an error at cold start, never a silent guess.
 */
import { z } from 'zod';
import { MODES } from '../protocol/revocation.js';

/** A table, bucket or parameter path. */
export const resourceName = z.string().min(1);

/** `https://sqs.<region>.amazonaws.com/<account>/<queue>`; at the desk `http://127.0.0.1:<port>/…`. */
export const queueUrl = z.string().regex(/^https?:\/\/\S+$/);

/** `off`: reads nothing. `observe`: the same plan, no mutating call. `enforce`: acts. */
export const mode = z.enum(MODES);

const bounded = (form: RegExp, min: number, max: number) => z.string().regex(form).transform(Number).pipe(z.number().min(min).max(max));

/** A whole number in `[min, max]`, in decimal. */
export const wholeNumber = (min: number, max: number) => bounded(/^\d{1,15}$/, min, max);

/** A number in `[min, max]`, in decimal, with or without a fraction. */
export const decimalNumber = (min: number, max: number) => bounded(/^\d{1,15}(\.\d{1,15})?$/, min, max);
