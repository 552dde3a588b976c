/**
 * Violations: begun and ended by what is measured (detector.ts), or by hand. What follows is as on AWS: they are listed, counted, and the profile's topic
 * hears of them under the profile's role
 * (https://docs.aws.amazon.com/iot-device-defender/latest/devguide/dd-detect-availability-change.html, API_ListViolationEvents).
 */
import { randomBytes } from 'node:crypto';
import type { Detection, RaisedViolation } from '../../../cloud.js';
import type { IotState } from '../state.js';
import type { Behavior, MetricValue, SecurityProfile, Violation, ViolationEventType } from './detect.js';

const SERVICE = 'iot.amazonaws.com';
/** Violations are kept for thirty days (General Reference, iot_device_defender.html). */
const KEPT_MS = 30 * 86_400_000;
const METRICS: Readonly<Record<ViolationEventType, string>> = {
  'in-alarm': 'Violations',
  'alarm-cleared': 'ViolationsCleared',
  'alarm-invalidated': 'ViolationsInvalidated',
};

export class Violations implements Detection {
  /** Those in alarm, by whose and of what they are. */
  private readonly open = new Map<string, Violation>();

  constructor(private readonly state: IotState) {}

  /** By hand: begins a violation, or gives one that is open a new value, which is no new alarm. Answers its id. */
  async raise({ securityProfileName, behaviorName, thingName, metricValue, confidenceLevel }: RaisedViolation): Promise<string> {
    const { detect } = this.state;
    const profile = detect.profiles.get(securityProfileName);
    const behavior = profile?.settings.behaviors?.find(({ name }) => name === behaviorName);
    if (!profile || !behavior)
      throw new Error(`violation: got behaviour '${behaviorName}' of '${securityProfileName}', which does not exist`);
    if (!this.watches(profile, thingName)) throw new Error(`violation: no target of '${securityProfileName}' has thing '${thingName}'`);
    const more = { byHand: true, ...(confidenceLevel ? { confidenceLevel } : {}) };
    return this.begin(securityProfileName, behavior, thingName, metricValue, more);
  }

  /** As `raise`, of what is known to exist. */
  async begin(
    securityProfileName: string,
    behavior: Behavior,
    thingName: string,
    metricValue: MetricValue | undefined,
    more: Pick<Violation, 'byHand' | 'confidenceLevel'> = {},
  ): Promise<string> {
    const now = this.state.now();
    const open = this.openOf(securityProfileName, behavior.name, thingName);
    if (open) {
      open.lastAtMs = now;
      if (metricValue) open.lastValue = metricValue;
      return open.violationId;
    }
    const violation: Violation = {
      violationId: randomBytes(16).toString('hex'),
      thingName,
      securityProfileName,
      behavior,
      startedAtMs: now,
      lastAtMs: now,
      ...(metricValue ? { lastValue: metricValue } : {}),
      ...more,
      verificationState: 'UNKNOWN',
    };
    this.state.detect.active.set(violation.violationId, violation);
    this.open.set(keyOf(securityProfileName, behavior.name, thingName), violation);
    await this.happened(violation, 'in-alarm', metricValue);
    return violation.violationId;
  }

  openOf(securityProfileName: string, behaviorName: string, thingName: string): Violation | undefined {
    return this.open.get(keyOf(securityProfileName, behaviorName, thingName));
  }

  async clear(violationId: string, metricValue?: MetricValue): Promise<void> {
    await this.end(violationId, 'alarm-cleared', metricValue);
  }

  async invalidate(violationId: string): Promise<void> {
    await this.end(violationId, 'alarm-invalidated', undefined);
  }

  private async end(violationId: string, type: ViolationEventType, metricValue: MetricValue | undefined): Promise<void> {
    const violation = this.state.detect.active.get(violationId);
    if (!violation) throw new Error(`violation: got '${violationId}', which is not in alarm`);
    this.state.detect.active.delete(violationId);
    this.open.delete(keyOf(violation.securityProfileName, violation.behavior.name, violation.thingName));
    await this.happened(violation, type, metricValue);
  }

  private async happened(violation: Violation, type: ViolationEventType, metricValue: MetricValue | undefined): Promise<void> {
    const { detect, cloud } = this.state;
    const atMs = this.state.now();
    detect.events = [
      ...detect.events.filter((event) => event.atMs > atMs - KEPT_MS),
      { violation, type, atMs, ...(metricValue ? { metricValue } : {}) },
    ];
    const dimensions = { SecurityProfileName: violation.securityProfileName, BehaviorName: violation.behavior.name };
    cloud.parts.metrics?.([{ namespace: 'AWS/IoT', name: METRICS[type], dimensions, value: 1, unit: 'Count' }]);
    if (violation.behavior.suppressAlerts !== true) await this.notify(violation, type, atMs, metricValue);
  }

  private async notify(violation: Violation, type: ViolationEventType, atMs: number, metricValue: MetricValue | undefined): Promise<void> {
    const { detect, cloud } = this.state;
    const target = detect.profiles.get(violation.securityProfileName)?.settings.alertTargets?.['SNS'];
    if (!target) return;
    const { suppressAlerts: _, ...behavior } = violation.behavior;
    const { partition, region, accountId } = cloud.world;
    const message = {
      violationEventTime: atMs,
      thingName: violation.thingName,
      behavior,
      violationEventType: type,
      ...(metricValue ? { metricValue } : {}),
      ...(violation.confidenceLevel ? { violationEventAdditionalInfo: { confidenceLevel: violation.confidenceLevel } } : {}),
      violationId: violation.violationId,
      securityProfileName: violation.securityProfileName,
      ...(type === 'alarm-invalidated' ? { verificationState: violation.verificationState } : {}),
    };
    await cloud.deliver({
      service: SERVICE,
      // Without a resource, as for audits: https://docs.aws.amazon.com/iot/latest/developerguide/cross-service-confused-deputy-prevention.html.
      sourceArn: `arn:${partition}:iot:${region}:${accountId}:`,
      targetArn: target.alertTargetArn,
      roleArn: target.roleArn,
      payload: JSON.stringify(message),
    });
  }

  /** Whether a thing is in a target of the profile. A client id that is no thing is unregistered. */
  watches(profile: SecurityProfile, thingName: string): boolean {
    const registered = this.state.things.has(thingName);
    return [...profile.targets].some((arn) => {
      if (arn.endsWith(':all/things')) return true;
      if (arn.endsWith(':all/registered-things')) return registered;
      if (arn.endsWith(':all/unregistered-things')) return !registered;
      return this.isMember(thingName, /:thinggroup\/(.+)$/.exec(arn)?.[1] ?? '');
    });
  }

  /** Of the group or of a group below it. */
  private isMember(thingName: string, groupName: string): boolean {
    if (this.state.groupsOfThing.get(thingName)?.has(groupName)) return true;
    return [...this.state.groups.values()].some(
      (group) => group.parentGroupName === groupName && this.isMember(thingName, group.thingGroupName),
    );
  }
}

const keyOf = (...parts: readonly string[]): string => JSON.stringify(parts);
