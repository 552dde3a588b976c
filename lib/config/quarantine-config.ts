/** Quarantine in the configuration: who is never contained, how many may be, how long, and what becomes of them. */
import { z } from 'zod';
import { RESPONSES } from '../../domain/fleet/responses.js';
import { TIME_BOX_ENDS } from '../../domain/fleet/time-box.js';
import { MODES } from '../../domain/protocol/revocation.js';
import { wholeNumber } from './field.js';

const share = z.number('expected a share from 0 to 1').min(0, 'expected a share from 0 to 1').max(1, 'expected a share from 0 to 1');
const names = (pattern: RegExp, what: string) => z.array(z.string().regex(pattern, `expected ${what}`)).default([]);

const NeverContain = z.strictObject({
  things: names(/^[a-zA-Z0-9:_-]{1,128}$/, 'the name of a thing').describe('Names of things.'),
  types: names(/^[a-zA-Z0-9:_-]{1,128}$/, 'the name of a thing type').describe('Thing types: all things of them.'),
  groups: names(/^[a-zA-Z0-9:_-]{1,128}$/, 'the name of a thing group').describe('Thing groups, static or dynamic: all things in them.'),
  attributes: names(/^[a-zA-Z0-9_.,@/:#-]{1,128}(=[^\s]{1,800})?$/, 'name or name=value').describe(
    'Attributes of things: `name`, whatever its value, or `name=value`.',
  ),
});

const Brake = z.strictObject({
  floor: wholeNumber(0, 1_000_000)
    .default(3)
    .describe('So many things may always be contained at the same time: lets a fleet of three work.'),
  perHour: wholeNumber(0, 1_000_000).default(10).describe('So many containments may begin within an hour, the floor at least.'),
  fleetShare: share
    .default(0.01)
    .describe('Share of the fleet (ACTIVE certificates) that may be contained at the same time; 0.01 is one per cent.'),
  groupShare: share.default(0.1).describe('Share of the things of any one group that may be contained at the same time.'),
});

const TimeBox = z.strictObject({
  hours: wholeNumber(1, 8760).default(24).describe('Length of the time box.'),
  atEnd: z
    .enum(TIME_BOX_ENDS)
    .default('page')
    .describe(
      'At its end. `page`: people are told, and it begins anew. `extend`: it begins anew. `release`: only where nothing of the thing is in alarm, nothing has been for the cool-down, and the device did what it was asked; otherwise people are told.',
    ),
});

const CustomSource = z.strictObject({
  source: z
    .string()
    .regex(/^(?!aws\.)[a-zA-Z0-9._/-]{1,128}$/, 'expected an EventBridge source that is not one of AWS’s own')
    .describe('`source` of its events.'),
  response: z.enum(RESPONSES).default('contain').describe('What its violations are answered with.'),
});

export const QuarantineConfig = z.strictObject({
  mode: z
    .enum(MODES)
    .default('off')
    .describe(
      '`off`: nothing of quarantine is deployed. `observe`: reads violations again at their source and reports whom it would contain; no permission to. `enforce`: contains. Before it is switched off: release what is contained.',
    ),
  neverContain: NeverContain.prefault({}).describe(
    'What machines never contain: a gateway, a life-safety device. A person is paged instead.',
  ),
  brake: Brake.prefault({}),
  policySettleMinutes: wholeNumber(0, 60)
    .default(10)
    .describe('From the swap of the policies until the device may come back. AWS says six to eight minutes until a policy counts.'),
  timeBox: TimeBox.prefault({}),
  coolDownMinutes: wholeNumber(0, 43_200)
    .default(60)
    .describe('So long nothing of a thing must have been in alarm before its time box may release it.'),
  shutOffTimeoutMinutes: wholeNumber(1, 10_080)
    .default(15)
    .describe('A device has so long to answer the shut-off. Then its certificates are INACTIVE again, until it is released.'),
  shutOffCommand: z
    .boolean()
    .default(false)
    .describe(
      'Tell connected devices to shut off by an AWS IoT command as well, beside the job: for firmware that listens to commands (docs/protocol.md). What a command does not say, the job says.',
    ),
  customSources: z
    .array(CustomSource)
    .max(20, 'expected at most 20 sources')
    .default([])
    .describe('Other detectors that may report violations by an EventBridge event: docs/detectors.md.'),
  maxEventAgeMinutes: wholeNumber(1, 1440).default(60).describe('An event of another detector that is older does nothing.'),
  ratePerSecond: z
    .number('expected a number from 0.1 to 1000')
    .min(0.1, 'expected a number from 0.1 to 1000')
    .max(1000, 'expected a number from 0.1 to 1000')
    .default(5)
    .describe(
      'Calls a second of any one of DescribeCertificate, UpdateCertificate, AttachPolicy, DetachPolicy, ListAttachedPolicies (and of jobs), all functions of quarantine together. An account has ten of the first two by default, and `inventory.ratePerSecond` and `revocation.ratePerSecond` take of the same: a containment takes four slots for each certificate, a release one.',
    ),
  logging: z
    .boolean()
    .default(false)
    .describe(
      'Log what contained things do at DEBUG, as long as they are contained. Needs AWS IoT logging to be switched on in the account.',
    ),
});
export type QuarantineConfig = z.output<typeof QuarantineConfig>;

/** May devices be told to shut off by an AWS IoT command? Then their policies have its topics. */
export const shutsOffByCommand = ({ quarantine }: { readonly quarantine: QuarantineConfig }): boolean =>
  quarantine.mode !== 'off' && quarantine.shutOffCommand;

/** The device policy names the topic prefix in eight ARNs and has 2048 characters (FACTS B6), of which the topics of commands take their part. */
const LONGEST_TOPIC_PREFIX_WITH_COMMANDS = 32;
/** Environment variables of a function hold 4 KB in all. */
const LONGEST_NEVER_LIST = 1500;

interface Checked {
  readonly quarantine: QuarantineConfig;
  readonly devices: { readonly topicPrefix: string };
}

export function checkQuarantine({ quarantine, devices }: Checked, context: z.RefinementCtx): void {
  const refuse = (path: readonly (string | number)[], input: unknown, message: string): void =>
    context.addIssue({ code: 'custom', path: ['quarantine', ...path], input, message });
  const { brake, neverContain, customSources } = quarantine;
  if (quarantine.mode === 'off') return;
  if (brake.floor === 0 && (brake.perHour === 0 || brake.fleetShare === 0))
    refuse(['brake'], brake, 'expected floor above 0, or perHour and fleetShare: otherwise every containment is held');
  if (JSON.stringify(neverContain).length > LONGEST_NEVER_LIST)
    refuse(
      ['neverContain'],
      'a long list',
      `expected at most ${LONGEST_NEVER_LIST} characters: name a type, a group or an attribute instead`,
    );
  if (shutsOffByCommand({ quarantine }) && devices.topicPrefix.length > LONGEST_TOPIC_PREFIX_WITH_COMMANDS)
    refuse(
      ['shutOffCommand'],
      `a devices.topicPrefix of ${devices.topicPrefix.length} characters`,
      `expected at most ${LONGEST_TOPIC_PREFIX_WITH_COMMANDS}: the device policy has 2048`,
    );
  const seen = new Set<string>();
  customSources.forEach(({ source }, index) => {
    if (seen.has(source)) refuse(['customSources', index, 'source'], source, 'expected each source once');
    seen.add(source);
  });
}
