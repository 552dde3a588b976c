/** What the functions of this capability are told, in fragments; the exact list of each function is in its own `env.ts`. */
import { z } from 'zod';
import { decimalNumber, mode, resourceName, wholeNumber } from '../../domain/fleet/environment.js';
import { RESPONSES } from '../../domain/fleet/responses.js';
import { TIME_BOX_ENDS } from '../../domain/fleet/time-box.js';

/** JSON in a variable, read by a schema. */
export const json = <T extends z.ZodType>(schema: T) =>
  z
    .string()
    .transform((text, context): unknown => {
      try {
        return JSON.parse(text);
      } catch {
        context.addIssue({ code: 'custom', message: 'expected JSON' });
        return z.NEVER;
      }
    })
    .pipe(schema);

/** Name → response. */
export const responses = json(z.record(z.string(), z.enum(RESPONSES)));

export const stateMachineArn = z.string().regex(/^arn:[a-z-]+:states:/);

export const common = {
  /** Name of this installation (the prefix of its stacks): the dimension of its metrics, and the beginning of the names of jobs. */
  APPLICATION: resourceName,
  INVENTORY_TABLE: resourceName,
  LEDGER_TABLE: resourceName,
  QUARANTINE_MODE: mode,
  /** `securityProfileName` of the built-in monitor; empty: it is off. */
  MONITOR_PROFILE: z.string(),
  /** Those of Detect, by commas; empty: it is off. */
  DETECT_PROFILES: z.string().transform((text) => new Set(text.split(',').filter((name) => name !== ''))),
} as const;

export const pace = {
  /** Calls a second of any one API of which an account has few (pace.ts), all functions of quarantine together: a share of its quotas (FACTS B12). */
  QUARANTINE_PER_SECOND: decimalNumber(0.1, 1000),
} as const;

/** For those that take and give back. */
export const steps = {
  REPAIR_POLICY: resourceName,
  QUARANTINE_GROUP: resourceName,
  /** A policy takes so long to count (FACTS B7: six to eight minutes). */
  SETTLE_SECONDS: wholeNumber(0, 3600),
  TIME_BOX_HOURS: wholeNumber(1, 8760),
  TIME_BOX_THEN: z.enum(TIME_BOX_ENDS),
  COOL_DOWN_MINUTES: wholeNumber(0, 43_200),
  SHUT_OFF_TIMEOUT_MINUTES: wholeNumber(1, 10_080),
  ...pace,
} as const;
