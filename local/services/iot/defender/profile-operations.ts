/** Security profiles and their targets (https://docs.aws.amazon.com/iot/latest/apireference/API_CreateSecurityProfile.html and its neighbours). */
import type { Operation } from '../../../models/service.js';
import { alreadyExists, invalidRequest, limitExceeded, notFound, versionConflict } from '../errors.js';
import { page } from '../paging.js';
import type { IotState } from '../state.js';
import { setTags } from '../tags.js';
import { behaviorErrors } from './behavior-check.js';
import type { Behavior, SecurityProfile } from './detect.js';
import { detectMetric } from './detect-metrics.js';
import { checkDetectName } from './names.js';

const SETTINGS = [
  'securityProfileDescription',
  'behaviors',
  'alertTargets',
  'additionalMetricsToRetain',
  'additionalMetricsToRetainV2',
  'metricsExportConfig',
];
/** Security profiles of one target (General Reference, iot_device_defender.html). */
const MOST_PER_TARGET = 5;
const ALL = /^all\/(things|registered-things|unregistered-things)$/;

export function securityProfileOperations(state: IotState): Record<string, Operation> {
  const { detect } = state;
  const byName = (name: unknown): SecurityProfile => {
    const found = detect.profiles.get(checkDetectName('securityProfileName', name));
    if (!found) throw notFound(`Security profile ${String(name)} does not exist`);
    return found;
  };
  const settingsOf = (input: Readonly<Record<string, unknown>>): SecurityProfile['settings'] => {
    const settings = Object.fromEntries(SETTINGS.filter((name) => input[name] !== undefined).map((name) => [name, input[name]]));
    const errors = behaviorErrors((settings['behaviors'] as readonly Behavior[] | undefined) ?? [], detect);
    if (errors.length > 0) throw invalidRequest(errors.join('; '));
    for (const kind of Object.keys((settings['alertTargets'] as object | undefined) ?? {}))
      if (kind !== 'SNS') throw invalidRequest(`alertTargets: got ${kind}, expected SNS`);
    for (const { metric } of (settings['additionalMetricsToRetainV2'] as readonly { metric: string }[] | undefined) ?? [])
      if (!detectMetric(metric, detect.customMetrics)) throw invalidRequest(`additionalMetricsToRetainV2: unknown metric ${metric}`);
    return settings;
  };
  return {
    CreateSecurityProfile: (input) => {
      const name = checkDetectName('securityProfileName', input.securityProfileName);
      const held = detect.profiles.get(name);
      if (held) throw alreadyExists(`Security profile ${name} already exists`, name, held.arn);
      const now = state.now();
      const arn = state.arn(`securityprofile/${name}`);
      const times = { createdAtMs: now, modifiedAtMs: now };
      detect.profiles.set(name, { name, arn, settings: settingsOf(input), version: 1, ...times, targets: new Set() });
      detect.revision += 1;
      setTags(state, arn, input.tags);
      return { securityProfileName: name, securityProfileArn: arn };
    },
    DescribeSecurityProfile: (input) => describe(byName(input.securityProfileName)),
    UpdateSecurityProfile: (input) => {
      const profile = byName(input.securityProfileName);
      checkVersion(profile, input.expectedVersion);
      const removed = [
        ...(input.deleteBehaviors ? ['behaviors'] : []),
        ...(input.deleteAlertTargets ? ['alertTargets'] : []),
        ...(input.deleteAdditionalMetricsToRetain ? ['additionalMetricsToRetain', 'additionalMetricsToRetainV2'] : []),
        ...(input.deleteMetricsExportConfig ? ['metricsExportConfig'] : []),
      ];
      const both = removed.find((name) => input[name] !== undefined);
      if (both) throw invalidRequest(`${both} can not be given and deleted at once`);
      const kept = Object.entries(profile.settings).filter(([name]) => !removed.includes(name));
      profile.settings = { ...Object.fromEntries(kept), ...settingsOf(input) };
      profile.version += 1;
      detect.revision += 1;
      profile.modifiedAtMs = state.now();
      return describe(profile);
    },
    DeleteSecurityProfile: (input) => {
      const held = detect.profiles.get(checkDetectName('securityProfileName', input.securityProfileName));
      if (!held) return {};
      checkVersion(held, input.expectedVersion);
      detect.profiles.delete(held.name);
      detect.revision += 1;
      state.tags.delete(held.arn);
      return {};
    },
    ListSecurityProfiles: (input) => {
      if (input.dimensionName !== undefined && input.metricName !== undefined)
        throw invalidRequest('dimensionName and metricName can not be used together');
      const all = [...detect.profiles.values()].filter(
        ({ settings: { behaviors = [] } }) =>
          (input.metricName === undefined || behaviors.some(({ metric }) => metric === input.metricName)) &&
          (input.dimensionName === undefined ||
            behaviors.some(({ metricDimension }) => metricDimension?.dimensionName === input.dimensionName)),
      );
      const { items, token } = page(all, ({ name }) => name, input.nextToken, input.maxResults);
      return { securityProfileIdentifiers: items.map(({ name, arn }) => ({ name, arn })), ...(token ? { nextToken: token } : {}) };
    },
    ValidateSecurityProfileBehaviors: (input) => {
      const errors = behaviorErrors(input.behaviors, detect);
      return { valid: errors.length === 0, validationErrors: errors.map((errorMessage) => ({ errorMessage })) };
    },
    AttachSecurityProfile: (input) => {
      const profile = byName(input.securityProfileName);
      const target = checkTarget(state, input.securityProfileTargetArn);
      const others = [...detect.profiles.values()].filter(({ targets }) => targets.has(target));
      if (!profile.targets.has(target) && others.length >= MOST_PER_TARGET)
        throw limitExceeded(`A target can have at most ${MOST_PER_TARGET} security profiles`);
      profile.targets.add(target);
      detect.revision += 1;
      return {};
    },
    DetachSecurityProfile: (input) => {
      byName(input.securityProfileName).targets.delete(input.securityProfileTargetArn);
      detect.revision += 1;
      return {};
    },
    ListTargetsForSecurityProfile: (input) => {
      const { items, token } = page([...byName(input.securityProfileName).targets], (arn) => arn, input.nextToken, input.maxResults);
      return { securityProfileTargets: items.map((arn) => ({ arn })), ...(token ? { nextToken: token } : {}) };
    },
    ListSecurityProfilesForTarget: (input) => {
      const wanted = targetsFrom(state, checkTarget(state, input.securityProfileTargetArn), input.recursive === true);
      const all = [...detect.profiles.values()].flatMap(({ name, arn, targets }) =>
        wanted
          .filter((target) => targets.has(target))
          .map((target) => ({ securityProfileIdentifier: { name, arn }, target: { arn: target } })),
      );
      const { items, token } = page(
        all,
        ({ securityProfileIdentifier, target }) => `${securityProfileIdentifier.name} ${target.arn}`,
        input.nextToken,
        input.maxResults,
      );
      return { securityProfileTargetMappings: items, ...(token ? { nextToken: token } : {}) };
    },
  };
}

function checkVersion(profile: SecurityProfile, expected: number | undefined): void {
  if (expected !== undefined && expected !== profile.version)
    throw versionConflict(`Security profile ${profile.name} has version ${profile.version}, not ${expected}`);
}

/** `arn:…:all/things` and the like, or a thing group that exists. */
function checkTarget(state: IotState, arn: string): string {
  const resource = arn.split(':').slice(5).join(':');
  if (arn === state.arn(resource)) {
    if (ALL.test(resource)) return arn;
    const [, group] = /^thinggroup\/(.+)$/.exec(resource) ?? [];
    if (group !== undefined && state.groups.has(group)) return arn;
    if (group !== undefined) throw notFound(`Thing group ${group} does not exist`);
  }
  throw invalidRequest(`Invalid security profile target: ${arn}`);
}

/** With `recursive` the child groups too. */
function targetsFrom(state: IotState, target: string, recursive: boolean): string[] {
  const group = /:thinggroup\/(.+)$/.exec(target)?.[1];
  if (!recursive || group === undefined) return [target];
  const children = [...state.groups.values()].filter(({ parentGroupName }) => parentGroupName === group);
  return [target, ...children.flatMap(({ arn }) => targetsFrom(state, arn, true))];
}

const describe = (profile: SecurityProfile): Record<string, unknown> => ({
  securityProfileName: profile.name,
  securityProfileArn: profile.arn,
  ...profile.settings,
  version: profile.version,
  creationDate: new Date(profile.createdAtMs),
  lastModifiedDate: new Date(profile.modifiedAtMs),
});
