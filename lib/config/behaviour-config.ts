/** Behaviour in the configuration: who detects, what the built-in monitor listens to, and which behaviours are normal. */
import { z } from 'zod';
import { CUSTOM_METRIC_TYPES, MONITOR_SOURCES, behaviourMetric, type MonitorSource } from '../../domain/fleet/behaviour-metrics.js';
import {
  Behaviour,
  COMPARISON_OPERATORS,
  CONFIDENCE_LEVELS,
  DURATIONS_SECONDS,
  STATISTICS,
  behaviourFault,
  type BehaviourList,
} from '../../domain/fleet/behaviours.js';
import { DEFAULT_BEHAVIOURS, DEFAULT_CUSTOM_METRICS } from '../../domain/fleet/default-behaviours.js';
import { isDestructive, RESPONSES, type Response } from '../../domain/fleet/responses.js';
import { wholeNumber } from './field.js';
import { type QuarantineConfig, shutsOffByCommand } from './quarantine-config.js';

/** AWS takes windows of up to a quarter of an hour (services-kinesis-windows.html); those that Detect has as well. */
const WINDOWS_SECONDS = [300, 600, 900] as const;
const TARGETS = {
  'all-things': 'all/things',
  'registered-things': 'all/registered-things',
  'unregistered-things': 'all/unregistered-things',
} as const;

/** Everything but the name may be left out where a default of that name exists. */
const Override = z.strictObject({
  name: z.string().regex(/^[a-zA-Z0-9:_-]{1,128}$/, 'expected 1 to 128 of a-z A-Z 0-9 : _ -'),
  enabled: z.boolean().optional(),
  metric: z.string().optional(),
  operator: z.enum(COMPARISON_OPERATORS).optional(),
  value: z.union([z.number(), z.array(z.union([z.string(), z.number()]))], 'expected a number or a list').optional(),
  statistic: z.enum(STATISTICS).optional(),
  ml: z.enum(CONFIDENCE_LEVELS).optional(),
  durationSeconds: z.literal(DURATIONS_SECONDS).optional(),
  datapointsToAlarm: wholeNumber(1, 10).optional(),
  datapointsToClear: wholeNumber(1, 10).optional(),
  response: z.enum(RESPONSES).optional(),
});

export const BehaviourConfig = z.strictObject({
  detect: z
    .enum(['off', 'device-defender', 'built-in', 'both'])
    .default('off')
    .describe(
      'Who detects. `device-defender`: security profiles of AWS IoT Device Defender Detect, for accounts that had it before 2026-08-31. `built-in`: the monitor of this application. `off`: nothing of either is deployed.',
    ),
  behaviours: z
    .array(Override)
    .max(100, 'expected at most 100 behaviours')
    .default([])
    .describe(
      'What is normal, where it differs from the defaults of docs/behaviours.md: `{name, enabled, metric, operator, value or statistic or ml, durationSeconds, datapointsToAlarm, datapointsToClear, response}`. A name of the defaults changes that one, another name adds one.',
    ),
  customMetrics: z
    .record(z.string().regex(/^[a-zA-Z0-9_-]{1,128}$/, 'expected 1 to 128 of a-z A-Z 0-9 _ -'), z.enum(CUSTOM_METRIC_TYPES))
    .default({ ...DEFAULT_CUSTOM_METRICS })
    .describe('Custom metrics that devices report: name → `number`, `number-list`, `string-list` or `ip-address-list`.'),
  targets: z
    .array(
      z
        .string()
        .regex(/^[a-zA-Z0-9:_-]{1,128}$/, 'expected all-things, registered-things, unregistered-things or the name of a thing group'),
    )
    .min(1, 'expected at least one target')
    .default(['registered-things'])
    .describe(
      'Of Detect: what the security profiles are attached to, `all-things`, `registered-things`, `unregistered-things` or names of thing groups. The built-in monitor watches every client id.',
    ),
  windowSeconds: z
    .literal(WINDOWS_SECONDS)
    .default(300)
    .describe('Length of a datapoint. Of the built-in monitor it is the window, and the same for all behaviours.'),
  sources: z
    .strictObject({
      presence: z
        .boolean()
        .default(true)
        .describe(
          'Connections, disconnections and refusals: two events a connection. Addresses, attempts, disconnects, absence, most refusals.',
        ),
      subscriptions: z.boolean().default(false).describe('One event a subscription.'),
      sent: z
        .boolean()
        .default(false)
        .describe('Every message of every device, for counts and sizes. Costs money by the message: docs/behaviours.md has the sum.'),
      received: z.boolean().default(false).describe('Every message to a device on its `commands` topic. Costs money by the message.'),
      logs: z
        .boolean()
        .default(false)
        .describe(
          'Refusals out of AWSIotLogsV2, each single one, also of subscriptions. AWS IoT logging must be on, at ERROR or more, and the log group must exist: `manage.logging` sees to both, and an alarm says when it is not so.',
        ),
      reports: z
        .boolean()
        .default(true)
        .describe('Reports of devices about themselves on `<topicPrefix>/<thing>/report`. Costs what devices send.'),
    })
    .prefault({}),
  manage: z
    .strictObject({
      logging: z
        .boolean()
        .default(false)
        .describe(
          'With `sources.logs`: switch the account’s one logging of AWS IoT on at ERROR where it is off, and make its log group where it is missing. Logging that is on stays as it is, with its role and its level; nothing is reset when the stack is deleted.',
        ),
    })
    .prefault({}),
  shards: wholeNumber(1, 500)
    .default(1)
    .describe(
      'Shards of the stream: one for each 1000 events a second, and one for each 20,000 devices that say something within a window.',
    ),
  ignoreClients: z
    .array(z.string().regex(/^[^,]{1,128}$/, 'expected client ids without a comma'))
    .default([])
    .describe('Client ids of your own back ends, exactly as they are: the built-in monitor does not watch them.'),
});
export type BehaviourConfig = z.output<typeof BehaviourConfig>;

/** Does this installation switch the account’s logging on? */
export const managesLogging = (config: BehaviourConfig): boolean => runsBuiltIn(config) && config.sources.logs && config.manage.logging;

type Settings = Pick<BehaviourConfig, 'behaviours' | 'customMetrics'>;

export const runsDetect = ({ detect }: BehaviourConfig): boolean => detect === 'device-defender' || detect === 'both';
export const runsBuiltIn = ({ detect }: BehaviourConfig): boolean => detect === 'built-in' || detect === 'both';

/** The defaults with what the configuration changes, without what it switches off; in the order of the defaults, what is added at the end. */
export function behavioursOf({ behaviours: overrides }: Pick<Settings, 'behaviours'>): readonly Behaviour[] {
  const byName = new Map(DEFAULT_BEHAVIOURS.map((behaviour): [string, Partial<Behaviour>] => [behaviour.name, behaviour]));
  for (const { enabled = true, ...override } of overrides) {
    if (enabled) byName.set(override.name, merged(byName.get(override.name), override));
    else byName.delete(override.name);
  }
  return [...byName.values()].map((behaviour) =>
    Behaviour.parse({ datapointsToAlarm: 1, datapointsToClear: 3, response: 'notify', ...behaviour }),
  );
}

/** Another criterion takes the place of the one that was there. */
function merged(
  before: Partial<Behaviour> | undefined,
  override: Omit<BehaviourConfig['behaviours'][number], 'enabled'>,
): Partial<Behaviour> {
  const { value: _value, statistic: _statistic, ml: _ml, ...rest } = before ?? {};
  const hasCriterion = override.value !== undefined || override.statistic !== undefined || override.ml !== undefined;
  const { operator: _operator, ...learned } = rest;
  const base = override.ml !== undefined ? learned : hasCriterion ? rest : (before ?? {});
  return { ...base, ...override };
}

/** Name → response, for whoever answers violations. */
export function behaviourResponses(config: BehaviourConfig): Readonly<Record<string, Response>> {
  return Object.fromEntries(behavioursOf(config).map(({ name, response }) => [name, response]));
}

/** For the security profiles: everything that Detect knows. */
export function detectBehaviours(config: BehaviourConfig): readonly Behaviour[] {
  return behavioursOf(config).filter(({ metric }) => behaviourMetric(metric, config.customMetrics)?.builtInOnly !== true);
}

/** For the built-in monitor: everything that one of its sources sees. */
export function builtInBehaviours(config: BehaviourConfig): BehaviourList {
  const behaviours = behavioursOf(config).filter((behaviour) => behaviour.ml === undefined && isSeen(behaviour, config));
  const used = new Set(behaviours.map(({ metric }) => metric));
  return { behaviours, customMetrics: Object.fromEntries(Object.entries(config.customMetrics).filter(([name]) => used.has(name))) };
}

export const sourcesOf = ({ sources }: Pick<BehaviourConfig, 'sources'>): readonly MonitorSource[] =>
  MONITOR_SOURCES.filter((source) => sources[source]);

const isSeen = ({ metric }: Pick<Behaviour, 'metric'>, config: BehaviourConfig): boolean =>
  behaviourMetric(metric, config.customMetrics)?.sources.some((source) => config.sources[source]) === true;

/** ARN suffixes of the targets of a security profile. */
export const targetsOf = ({ targets }: Pick<BehaviourConfig, 'targets'>): readonly string[] =>
  targets.map((target) => (Object.hasOwn(TARGETS, target) ? TARGETS[target as keyof typeof TARGETS] : `thinggroup/${target}`));

/**
 * The device policy names the topic prefix in eight ARNs and has 2048 characters (FACTS B6), of which the reserved topic for reports takes its part; beside
 * the topics of commands still less is left.
 */
const LONGEST_TOPIC_PREFIX = { alone: 48, besideCommands: 16 } as const;

interface Checked {
  readonly behaviour: BehaviourConfig;
  readonly devices: { readonly topicPrefix: string };
  readonly quarantine: QuarantineConfig;
}

/** Relations between the values. With detection off they are not looked at. */
export function checkBehaviour({ behaviour: config, devices, quarantine }: Checked, context: z.RefinementCtx): void {
  const longest = shutsOffByCommand({ quarantine }) ? LONGEST_TOPIC_PREFIX.besideCommands : LONGEST_TOPIC_PREFIX.alone;
  if (runsDetect(config) && devices.topicPrefix.length > longest)
    context.addIssue({
      code: 'custom',
      path: ['behaviour', 'detect'],
      input: `a devices.topicPrefix of ${devices.topicPrefix.length} characters`,
      message: `expected at most ${longest}: the device policy has 2048`,
    });
  const refuse = (index: number, field: string, input: unknown, message: string): void =>
    context.addIssue({ code: 'custom', path: ['behaviour', 'behaviours', index, field], input, message });
  config.behaviours.forEach(({ name }, index) => {
    if (config.behaviours.findIndex((other) => other.name === name) !== index) refuse(index, 'name', name, 'expected each name once');
  });
  if (config.detect === 'off') return;
  config.behaviours.forEach((override, index) => {
    if (override.enabled === false) return;
    const before = DEFAULT_BEHAVIOURS.find(({ name }) => name === override.name);
    const { enabled: _enabled, ...said } = override;
    const behaviour = { datapointsToAlarm: 1, datapointsToClear: 3, response: 'notify', ...merged(before, said) } as Behaviour;
    if (behaviour.metric === undefined)
      return refuse(index, 'metric', undefined, `expected a metric: "${override.name}" is none of the defaults`);
    const fault = behaviourFault(behaviour, config.customMetrics);
    if (fault !== undefined) return refuse(index, fault.field, behaviour[fault.field], fault.expected);
    // Whoever claims a client id attempts to connect under it, whatever its certificate; no dimension tells these attempts apart (lib/behaviour/security-profiles.ts).
    if (runsDetect(config) && behaviour.metric === 'aws:num-connection-attempts' && isDestructive(behaviour.response))
      refuse(index, 'response', behaviour.response, 'expected observe or notify: Device Defender Detect also counts attempts of others');
    if (runsBuiltIn(config)) checkBuiltIn(config, behaviour, (field, message) => refuse(index, field, behaviour[field], message));
  });
}

/** What a person asks for and the monitor would silently not do. What Detect does as well is not refused. */
function checkBuiltIn(config: BehaviourConfig, behaviour: Behaviour, refuse: (field: keyof Behaviour, message: string) => void): void {
  if (behaviour.durationSeconds !== undefined && behaviour.durationSeconds !== config.windowSeconds)
    refuse('durationSeconds', `expected windowSeconds, ${config.windowSeconds}: the built-in monitor has one window for all`);
  if (runsDetect(config)) return;
  if (behaviour.ml !== undefined) return refuse('ml', 'expected value or statistic: only Device Defender Detect learns');
  if (isSeen(behaviour, config)) return;
  const needed = behaviourMetric(behaviour.metric, config.customMetrics)?.sources ?? [];
  refuse(
    'metric',
    `expected ${needed.map((source) => `behaviour.sources.${source}`).join(' or ')} to be true: the built-in monitor does not see it otherwise`,
  );
}
