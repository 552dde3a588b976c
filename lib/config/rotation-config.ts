/** Rotation in the configuration: when a certificate is due, what the new one is like, how fast a campaign goes, when people are told. */
import { z } from 'zod';
import { MODES } from '../../domain/protocol/revocation.js';
import type { RotationWindow } from '../../domain/fleet/rotation-window.js';
import { CRON_EXPRESSION, MAX_MAINTENANCE_MINUTES } from '../../domain/fleet/maintenance-window.js';
import { type AnchorConfig, canIssue } from './anchor-config.js';
import { wholeNumber } from './field.js';

const DEFAULT_WINDOW_DAYS = 30;

const fraction = (least: number, most: number): z.ZodNumber =>
  z
    .number(`expected a number from ${least} to ${most}`)
    .min(least, `expected a number from ${least} to ${most}`)
    .max(most, `expected a number from ${least} to ${most}`);

/** In the limits of CreateJob (FACTS D1). */
const Rollout = z.strictObject({
  baseRatePerMinute: wholeNumber(1, 1000).default(50).describe('Devices a minute that are told of their job in the beginning.'),
  incrementFactor: fraction(1.1, 5)
    .default(2)
    .describe('By this the rate grows, each time that enough devices have succeeded, up to what `ratePerSecond` can serve.'),
  increaseAfterSucceeded: wholeNumber(1, 100_000).default(50).describe('So many successes make the rate grow.'),
  abortAtPercent: fraction(1, 100).default(10).describe('AWS IoT cancels a campaign of which this share has failed, timed out or refused.'),
  abortAfterExecuted: wholeNumber(1, 100_000).default(10).describe('… but not before so many devices have come to an end.'),
  inProgressTimeoutMinutes: wholeNumber(1, 10_080)
    .default(60)
    .describe(
      'A device that has begun has so long. The clock of AWS IoT starts when it begins: one that is offline waits without end, and is escalated.',
    ),
  maintenanceWindow: z
    .strictObject({
      startTime: z
        .string()
        .regex(CRON_EXPRESSION, 'expected cron(minutes hours day-of-month month day-of-week year), like cron(0 2 * * ? *)')
        .describe('When it opens, in UTC: `cron(0 2 * * ? *)` is every night at two.'),
      durationMinutes: wholeNumber(1, MAX_MAINTENANCE_MINUTES).describe('How long it stays open.'),
    })
    .optional()
    .describe(
      'Devices are told of a rotation within this window alone, as AWS IoT Jobs understands it. A device that was told and was away begins when it comes back. Campaigns are continuous jobs then: AWS IoT has maintenance windows for no others.',
    ),
});

export const RotationConfig = z.strictObject({
  mode: z
    .enum(MODES)
    .default('off')
    .describe(
      '`off`: nothing of rotation is deployed. `observe`: finds what is due and reports it, opens nothing, changes nothing, and has no permission to. `enforce`: rotates.',
    ),
  windowDays: wholeNumber(1, 3650)
    .optional()
    .describe('A certificate is due so many days before it ends. Where neither this nor `windowShare` is given: 30.'),
  windowShare: fraction(0.01, 0.9)
    .optional()
    .describe(
      'Instead of `windowDays`: a certificate is due when this share of its life is left; 0.33 suits lives of a week and of years alike.',
    ),
  issuingAnchor: z
    .string()
    .optional()
    .describe(
      '`id` of the trust anchor that issues the new certificates. Default: the first one that can: at AWS Private CA, or external with a signer.',
    ),
  validityDays: wholeNumber(1, 3650).default(365).describe('Life of a new certificate. Longer than the window and the grace together.'),
  graceDays: wholeNumber(0, 365)
    .default(7)
    .describe(
      'So long the old certificate stays INACTIVE after the new one is proved, and can be brought back. Then it is REVOKED, and superseded at its CA.',
    ),
  ratePerSecond: fraction(0.1, 1000)
    .default(0.9)
    .describe(
      'Rotations a second, from request to retirement, all functions together. Each takes eight calls of DescribeCertificate, of which an account has ten a second by default: 1.2 uses 96 % of that quota, and leaves nothing to the inventory and to revocations.',
    ),
  rollout: Rollout.prefault({}),
  escalateDays: z
    .array(wholeNumber(1, 365))
    .min(1, 'expected at least one number of days')
    .max(10, 'expected at most ten numbers of days')
    .default([14, 7, 1])
    .describe(
      'So many days before the deadline of a rotation people are told that the device has not replaced its certificate, each once.',
    ),
});
export type RotationConfig = z.output<typeof RotationConfig>;

/** What is due: by days unless a share is given. */
export function rotationWindowOf({ windowDays, windowShare }: RotationConfig): RotationWindow {
  return windowShare === undefined ? { kind: 'days', days: windowDays ?? DEFAULT_WINDOW_DAYS } : { kind: 'share', share: windowShare };
}

/** The anchor that issues; `undefined`: none can. */
export function issuingAnchorOf(trustAnchors: readonly AnchorConfig[], { issuingAnchor }: RotationConfig): AnchorConfig | undefined {
  return trustAnchors.find((anchor) => canIssue(anchor) && (issuingAnchor === undefined || anchor.id === issuingAnchor));
}

/** Relations between the values. With rotation off they are not looked at: a fleet without a CA that can issue is a fleet all the same. */
export function checkRotation(
  { rotation, trustAnchors }: { readonly rotation: RotationConfig; readonly trustAnchors: readonly AnchorConfig[] },
  context: z.RefinementCtx,
): void {
  const refuse = (name: keyof RotationConfig, message: string): void =>
    context.addIssue({ code: 'custom', path: ['rotation', name], input: rotation[name], message });
  if (rotation.windowDays !== undefined && rotation.windowShare !== undefined)
    refuse('windowShare', 'expected either windowDays or windowShare, not both');
  if (rotation.mode === 'off') return;
  if (issuingAnchorOf(trustAnchors, rotation) === undefined)
    refuse(
      'issuingAnchor',
      `expected the id of a trust anchor that can issue (type acm-pca, or external with a signer): ${
        trustAnchors
          .filter(canIssue)
          .map(({ id }) => id)
          .join(', ') || 'there is none'
      }`,
    );
  const window = rotationWindowOf(rotation);
  const windowDays = window.kind === 'days' ? window.days : Math.ceil(window.share * rotation.validityDays);
  // Otherwise a new certificate would be due on the day on which it is issued, or while the one before it is still kept.
  if (windowDays + rotation.graceDays >= rotation.validityDays)
    refuse('validityDays', `expected more than the window and graceDays together, ${windowDays + rotation.graceDays}`);
  if (new Set(rotation.escalateDays).size !== rotation.escalateDays.length) refuse('escalateDays', 'expected each number once');
}
