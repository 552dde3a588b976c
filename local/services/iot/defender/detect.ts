/** What Device Defender Detect holds: security profiles, custom metrics, dimensions, violations. */

/** In the shapes of the API: https://docs.aws.amazon.com/iot/latest/apireference/API_MetricValue.html. */
export interface MetricValue {
  readonly count?: number;
  readonly cidrs?: readonly string[];
  readonly ports?: readonly number[];
  readonly number?: number;
  readonly numbers?: readonly number[];
  readonly strings?: readonly string[];
}

export interface BehaviorCriteria {
  readonly comparisonOperator?: string;
  readonly value?: MetricValue;
  readonly durationSeconds?: number;
  readonly consecutiveDatapointsToAlarm?: number;
  readonly consecutiveDatapointsToClear?: number;
  readonly statisticalThreshold?: { readonly statistic?: string };
  readonly mlDetectionConfig?: { readonly confidenceLevel?: string };
}

export interface Behavior {
  readonly name: string;
  readonly metric?: string;
  readonly metricDimension?: { readonly dimensionName?: string; readonly operator?: string };
  readonly criteria?: BehaviorCriteria;
  readonly suppressAlerts?: boolean;
  readonly exportMetric?: boolean;
}

export interface SecurityProfile {
  readonly name: string;
  readonly arn: string;
  /** Members of CreateSecurityProfile as they were given. */
  settings: Readonly<Record<string, unknown>> & {
    readonly behaviors?: readonly Behavior[];
    readonly alertTargets?: Readonly<Record<string, { readonly alertTargetArn: string; readonly roleArn: string }>>;
  };
  version: number;
  readonly createdAtMs: number;
  modifiedAtMs: number;
  readonly targets: Set<string>;
}

export interface CustomMetric {
  readonly metricName: string;
  readonly arn: string;
  readonly metricType: string;
  displayName?: string;
  readonly token?: string;
  readonly createdAtMs: number;
  modifiedAtMs: number;
}

export interface Dimension {
  readonly name: string;
  readonly arn: string;
  readonly type: string;
  stringValues: readonly string[];
  readonly token?: string;
  readonly createdAtMs: number;
  modifiedAtMs: number;
}

export interface Violation {
  readonly violationId: string;
  readonly thingName: string;
  readonly securityProfileName: string;
  readonly behavior: Behavior;
  readonly startedAtMs: number;
  lastValue?: MetricValue;
  lastAtMs: number;
  readonly confidenceLevel?: string;
  verificationState: string;
  /** Raised by somebody at the desk: no metric clears it, and no silence. */
  readonly byHand?: boolean;
  verificationStateDescription?: string;
}

export type ViolationEventType = 'in-alarm' | 'alarm-cleared' | 'alarm-invalidated';

export interface ViolationEvent {
  readonly violation: Violation;
  readonly type: ViolationEventType;
  readonly atMs: number;
  readonly metricValue?: MetricValue;
}

export class DetectState {
  readonly profiles = new Map<string, SecurityProfile>();
  readonly customMetrics = new Map<string, CustomMetric>();
  readonly dimensions = new Map<string, Dimension>();
  /** Those in alarm, by id. */
  readonly active = new Map<string, Violation>();
  /** Newest last. */
  events: ViolationEvent[] = [];
  /** Grows with each change of a profile or of its targets. */
  revision = 0;
}
