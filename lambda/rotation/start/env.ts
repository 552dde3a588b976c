import { z } from 'zod';
import { decimalNumber, queueUrl, resourceName, wholeNumber } from '../../../domain/fleet/environment.js';
import { parseMaintenanceWindow } from '../../../domain/fleet/maintenance-window.js';
import { parseRotationWindow } from '../../../domain/fleet/rotation-window.js';
import { common } from '../env.js';

export const StartEnv = z.object({
  ...common,
  /** SSM path below which the anchors lie: `<prefix>/trust`. Without a slash at its end. */
  TRUST_PARAMETER_PATH: resourceName,
  /** Its own queue: a run goes on by message. */
  START_QUEUE_URL: queueUrl,
  /** `30 days`, or `0.33 of its life`. */
  ROTATION_WINDOW: z.string().transform((text, context) => {
    const window = parseRotationWindow(text);
    if (window !== undefined) return window;
    context.addIssue({ code: 'custom', message: 'expected "<days> days" or "<share> of its life"' });
    return z.NEVER;
  }),
  /** AddThingToThingGroup has a quota of 100 a second, 60 in smaller regions (FACTS B12). */
  GROUPS_PER_SECOND: decimalNumber(0.1, 1000),
  // The rollout of a campaign's job, in the words of CreateJob (FACTS D1).
  ROLLOUT_BASE_RATE_PER_MINUTE: wholeNumber(1, 1000),
  ROLLOUT_MAXIMUM_PER_MINUTE: wholeNumber(1, 1000),
  ROLLOUT_INCREMENT_FACTOR: decimalNumber(1.1, 5),
  ROLLOUT_INCREASE_AFTER_SUCCEEDED: wholeNumber(1, 100_000),
  ROLLOUT_ABORT_AT_PERCENT: decimalNumber(1, 100),
  ROLLOUT_ABORT_AFTER_EXECUTED: wholeNumber(1, 100_000),
  ROLLOUT_IN_PROGRESS_TIMEOUT_MINUTES: wholeNumber(1, 10_080),
  /** `120 minutes from cron(0 2 * * ? *)`, or `at any time`. */
  ROLLOUT_MAINTENANCE_WINDOW: z.string().transform((text, context) => {
    try {
      return parseMaintenanceWindow(text);
    } catch (error) {
      context.addIssue({ code: 'custom', message: String(error) });
      return z.NEVER;
    }
  }),
});
/** Parsed. */
export type StartEnv = z.output<typeof StartEnv>;
/** As the construct sets them: every value a string. */
export type StartVariables = z.input<typeof StartEnv>;
