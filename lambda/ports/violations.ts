import type { MetricValue, ViolationEventType, ViolationNotification } from '../../domain/protocol/violation.js';

/** A violation as its source has it, not as somebody notified it. */
export interface SourcedViolation {
  readonly violationId: string;
  readonly thingName: string;
  /** For which client it was counted, where the source says it: of a connection that was refused, the certificate id. */
  readonly clientId?: string;
  readonly behavior: string;
  /** Name of the metric, where the source says it. */
  readonly metric?: string;
  readonly securityProfileName: string;
  /** Is it in alarm now? */
  readonly isOpen: boolean;
  readonly lastEventType: ViolationEventType;
  readonly startedAtMs: number;
  readonly updatedAtMs: number;
  /** When the latest datapoint of it was judged, where the source says it; at the earliest `updatedAtMs`. */
  readonly seenAtMs?: number;
  readonly metricValue?: MetricValue;
  /** What a person marked it as: FALSE_POSITIVE and BENIGN_POSITIVE contain nobody. */
  readonly verificationState?: string;
}

/** Where a violation can be read again. `undefined`: this source does not know it: it was forged, or is older than the source remembers. */
export interface ViolationSource {
  read(notified: Pick<ViolationNotification, 'violationId' | 'thingName' | 'securityProfileName'>): Promise<SourcedViolation | undefined>;
  /** Those that are in alarm for a thing, for the end of its containment; without those that a person has judged benign. */
  openOf(thingName: string): AsyncIterable<SourcedViolation>;
}

/** A source as people see it: what they have judged benign is still in alarm. */
export interface WholeViolationSource extends ViolationSource {
  allOpenOf(thingName: string): AsyncIterable<SourcedViolation>;
}

/** Those that are in alarm now in the whole fleet: for people. */
export interface OpenViolations {
  all(): AsyncIterable<Pick<SourcedViolation, 'violationId' | 'thingName' | 'behavior'>>;
}
