/**
 * The one configuration document of an installation. It stands in `cdk.json` under `context.fleetwarden`, or in the JSON file named by
 * the environment variable FLEETWARDEN_CONFIG. `docs/configuration.md` is made from the descriptions below (`reference.ts`).
 */
import { z } from 'zod';
import { MODES } from '../../domain/protocol/revocation.js';
import { AnchorConfig, hasSigner, isCreated } from './anchor-config.js';
import { AuditConfig, checkAudit } from './audit-config.js';
import { BehaviourConfig, checkBehaviour } from './behaviour-config.js';
import { wholeNumber } from './field.js';
import { QuarantineConfig, checkQuarantine } from './quarantine-config.js';
import { RotationConfig, checkRotation } from './rotation-config.js';

/** Retention periods that CloudWatch Logs takes. */
const RETENTION_DAYS = [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653] as const;
/** Default quota of UpdateCertificate, calls a second, adjustable (FACTS B12). */
const DEFAULT_QUOTA = 10;

const Brake = z.strictObject({
  floor: wholeNumber(0, 1_000_000).default(5).describe('So many new revocations are always let through: lets a fleet of three work.'),
  share: z
    .number()
    .min(0, 'expected a share from 0 to 1')
    .max(1, 'expected a share from 0 to 1')
    .default(0.01)
    .describe(
      'Share of the ACTIVE certificates that may be revoked in one run or one window; 0.01 is one per cent. The larger of `floor` and `share` counts.',
    ),
  windowMinutes: wholeNumber(1, 10_080).default(60).describe('Length of the window in minutes.'),
});

const Revocation = z.strictObject({
  mode: z
    .enum(MODES)
    .default('observe')
    .describe(
      '`off`: reads nothing. `observe`: reads, checks and reports the same plan, changes nothing, and has no permission to. `enforce`: acts. Start with `observe`.',
    ),
  ratePerSecond: z
    .number()
    .min(0.1, 'expected a rate from 0.1 to 1000')
    .max(1000, 'expected a rate from 0.1 to 1000')
    .default(DEFAULT_QUOTA)
    .describe('Calls a second to UpdateCertificate, all workers together. At most `quotaPerSecond`.'),
  quotaPerSecond: z
    .number()
    .min(1, 'expected a rate from 1 to 1000')
    .max(1000, 'expected a rate from 1 to 1000')
    .default(DEFAULT_QUOTA)
    .describe(
      'The account’s quota of UpdateCertificate and DescribeCertificate. AWS’s default is 10 and can be raised; say here what you were given.',
    ),
  fastPath: z.boolean().default(true).describe('Act on the revocation event of AWS Private CA, without waiting half an hour for its CRL.'),
  sweepMinutes: wholeNumber(5, 720)
    .default(15)
    .describe('How often every known CRL object is looked at again: a lost event costs so many minutes.'),
  crlMaxAgeDays: wholeNumber(1, 5000)
    .default(14)
    .describe(
      'Alarm when a CRL in force was issued longer ago. At least the `expirationDays` of every created CA, which refreshes around the middle.',
    ),
  clockSkewSeconds: wholeNumber(0, 3600).default(300).describe('How far the thisUpdate of a CRL may lie in the future.'),
  secondStageDelayMinutes: wholeNumber(0, 43_200)
    .default(0)
    .describe('0: REVOKED at once, which cannot be undone. Otherwise INACTIVE at once and REVOKED so many minutes later.'),
  brake: Brake.prefault({}),
});

export const Configuration = z
  .strictObject({
    prefix: z
      .string()
      .regex(
        /^(?!aws|ssm)[a-z][a-z0-9-]{0,18}[a-z0-9]$/,
        'expected 2 to 20 of a-z 0-9 -, beginning with a letter, and not with aws or ssm (SSM keeps those names)',
      )
      .default('fleetwarden')
      .describe(
        'Name of the installation: the stacks are `<prefix>-state` and `<prefix>-app`, and everything named begins with it. Two installations in one account need two.',
      ),
    trustAnchors: z
      .array(AnchorConfig)
      .min(1, 'expected at least one trust anchor')
      .max(20, 'expected at most 20 trust anchors')
      .describe('The CAs whose certificates the fleet accepts, and whose CRLs count.'),
    revocation: Revocation.prefault({}),
    rotation: RotationConfig.prefault({}),
    behaviour: BehaviourConfig.prefault({}),
    quarantine: QuarantineConfig.prefault({}),
    audit: AuditConfig.prefault({}),
    inventory: z
      .strictObject({
        reconcileHours: wholeNumber(1, 168).default(24).describe('How often the whole registry is read and compared with the inventory.'),
        ratePerSecond: z
          .number()
          .min(0.1, 'expected a rate from 0.1 to 1000')
          .max(1000, 'expected a rate from 0.1 to 1000')
          .default(5)
          .describe(
            'Registry reads a second that the inventory may use. With `revocation.ratePerSecond` they share the quota of DescribeCertificate.',
          ),
      })
      .prefault({}),
    devices: z
      .strictObject({
        autoRegistration: z
          .boolean()
          .default(false)
          .describe('Let AWS IoT register a certificate of these CAs when it turns up for the first time (PENDING_ACTIVATION).'),
        topicPrefix: z
          .string()
          .regex(
            /^[A-Za-z0-9_-]{1,64}(\/[A-Za-z0-9_-]{1,64}){0,3}$/,
            'expected up to four levels of A-Z a-z 0-9 _ -, without a slash at either end',
          )
          // AWS IoT takes topics of 256 characters, a thing name has up to 128; and the device policy has 2048 for eleven resources.
          .max(64, 'expected at most 64 characters')
          .default('fleet')
          .describe('First levels of every device’s topics: `<topicPrefix>/<thingName>/telemetry`.'),
      })
      .prefault({}),
    notifications: z
      .strictObject({
        emails: z
          .array(z.email('expected an e-mail address'))
          .default([])
          .describe('Who is told of an alarm. Each address must confirm once.'),
      })
      .prefault({}),
    logRetentionDays: z
      .literal(RETENTION_DAYS)
      .default(90)
      .describe('How long CloudWatch keeps the functions’ logs. The decisions themselves are in the ledger table and are kept.'),
  })
  .superRefine((configuration, context) => {
    checkRotation(configuration, context);
    checkBehaviour(configuration, context);
    checkQuarantine(configuration, context);
    checkAudit(configuration, context);
    const { trustAnchors, revocation } = configuration;
    const seen = new Set<string>();
    trustAnchors.forEach((anchor, index) => {
      if (seen.has(anchor.id))
        context.addIssue({
          code: 'custom',
          path: ['trustAnchors', index, 'id'],
          input: anchor.id,
          message: 'expected an id that no other trust anchor has',
        });
      seen.add(anchor.id);
    });
    const keys = new Set<string>();
    trustAnchors.forEach((anchor, index) => {
      if (!hasSigner(anchor)) return;
      const { keyArn } = anchor.signer;
      // One CA under two sets of books: each would publish CRLs without what the other has revoked.
      const message = 'expected a key that no other trust anchor signs with';
      if (keys.has(keyArn)) context.addIssue({ code: 'custom', path: ['trustAnchors', index, 'signer', 'keyArn'], input: keyArn, message });
      keys.add(keyArn);
    });
    if (revocation.ratePerSecond > revocation.quotaPerSecond) {
      const message = `expected at most revocation.quotaPerSecond, ${revocation.quotaPerSecond}`;
      context.addIssue({ code: 'custom', path: ['revocation', 'ratePerSecond'], input: revocation.ratePerSecond, message });
    }
    const longest = Math.max(
      0,
      ...trustAnchors.filter(isCreated).map(({ create }) => create.crl.expirationDays),
      ...trustAnchors.filter(hasSigner).map(({ signer }) => signer.crlValidityDays),
    );
    if (revocation.crlMaxAgeDays < longest) {
      const message = `expected at least the longest expirationDays of a created CA and crlValidityDays of a signer, ${longest}`;
      context.addIssue({ code: 'custom', path: ['revocation', 'crlMaxAgeDays'], input: revocation.crlMaxAgeDays, message });
    }
    if (revocation.brake.floor === 0 && revocation.brake.share === 0) {
      context.addIssue({
        code: 'custom',
        path: ['revocation', 'brake'],
        input: revocation.brake,
        message: 'expected floor or share above 0: with both 0 every revocation is held',
      });
    }
  });

export type Configuration = z.output<typeof Configuration>;
/** As a person writes it: what has a default may be left out. */
export type ConfigurationDocument = z.input<typeof Configuration>;
