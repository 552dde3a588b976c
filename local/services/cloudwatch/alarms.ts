/** All alarms of the account: when they are looked at, how their state changes, and whom they tell. */
import type { Cloud } from '../../cloud.js';
import { AwsError } from '../../models/service.js';
import { type AlarmInput, type AlarmState, MetricAlarm, type Tag } from './alarm.js';
import { type CompositeRule, parseAlarmRule } from './composite.js';
import type { MetricStore } from './metric-store.js';

export interface CompositeInput {
  readonly AlarmName: string;
  readonly AlarmDescription?: string;
  readonly AlarmRule: string;
  readonly ActionsEnabled?: boolean;
  readonly AlarmActions?: readonly string[];
  readonly OKActions?: readonly string[];
  readonly InsufficientDataActions?: readonly string[];
}

interface Common {
  readonly arn: string;
  readonly configuredAt: Date;
  readonly tags: Map<string, string>;
  actionsEnabled: boolean;
  state: AlarmState;
  reason: string;
  changedAt: Date;
}
export type AlarmEntry =
  | (Common & { readonly kind: 'metric'; readonly input: AlarmInput; readonly alarm: MetricAlarm })
  | (Common & { readonly kind: 'composite'; readonly input: CompositeInput; readonly rule: CompositeRule });

export interface StateUpdate {
  readonly alarm: AlarmEntry;
  readonly at: Date;
  readonly from: AlarmState;
  readonly to: AlarmState;
  readonly reason: string;
}

/** AWS keeps the history for thirty days; the desk the last so many changes. */
const KEPT_STATE_UPDATES = 1000;
const SERVICE = 'cloudwatch.amazonaws.com';

export class Alarms {
  private readonly alarms = new Map<string, AlarmEntry>();
  /** Newest first. */
  readonly stateUpdates: StateUpdate[] = [];

  constructor(
    private readonly cloud: Cloud,
    private readonly store: MetricStore,
  ) {}

  get accountId(): string {
    return this.cloud.world.accountId;
  }

  arnOf(name: string): string {
    return `arn:aws:cloudwatch:${this.cloud.world.region}:${this.cloud.world.accountId}:alarm:${name}`;
  }

  all(): readonly AlarmEntry[] {
    return [...this.alarms.values()];
  }

  byArn(arn: string): AlarmEntry {
    return this.named(arn.split(':alarm:')[1] ?? '');
  }

  private named(name: string): AlarmEntry {
    const entry = this.alarms.get(name);
    if (!entry) throw new AwsError('ResourceNotFoundException', `Alarm ${name} does not exist.`, 404);
    return entry;
  }

  putMetricAlarm({ Tags = [], ...input }: AlarmInput & { readonly Tags?: readonly Tag[] }): void {
    checkActions(input);
    const { clock } = this.cloud.world;
    const alarm = new MetricAlarm(input, clock.nowMs());
    this.alarms.set(input.AlarmName, { kind: 'metric', input, alarm, ...this.initial(input, Tags) });
  }

  putCompositeAlarm({ Tags = [], ...input }: CompositeInput & { readonly Tags?: readonly Tag[] }): void {
    checkActions(input);
    const rule = parseAlarmRule(input.AlarmRule);
    const unknown = rule.names.find((name) => this.stateOf(name) === undefined);
    if (unknown !== undefined)
      throw new AwsError('ValidationException', `Could not save the composite alarm as alarms [${unknown}] in the alarm rule do not exist`);
    this.alarms.set(input.AlarmName, { kind: 'composite', input, rule, ...this.initial(input, Tags) });
    this.evaluateComposites();
  }

  delete(names: readonly string[]): void {
    const absent = names.find((name) => !this.alarms.has(name));
    if (absent !== undefined) throw new AwsError('ResourceNotFound', `Alarm ${absent} does not exist.`, 404);
    for (const name of names) this.alarms.delete(name);
  }

  /** Names that no alarm has are passed over (EnableAlarmActions API reference lists no error). */
  enableActions(names: readonly string[], enabled: boolean): void {
    for (const name of names) {
      const entry = this.alarms.get(name);
      if (entry) entry.actionsEnabled = enabled;
    }
  }

  /** Sets a state by hand, until the next evaluation says otherwise (SetAlarmState API reference). */
  setState(name: string, state: AlarmState, reason: string): void {
    const entry = this.alarms.get(name);
    if (!entry) throw new AwsError('ResourceNotFound', `Alarm ${name} does not exist.`, 404);
    this.change(entry, state, reason);
  }

  /** Metrics arrived: alarms on these series are looked at now. */
  wake(seriesKeys: ReadonlySet<string>): void {
    for (const entry of this.alarms.values()) {
      if (entry.kind === 'metric' && [...entry.alarm.seriesKeys].some((key) => seriesKeys.has(key))) this.evaluate(entry);
    }
  }

  evaluateAll(): void {
    for (const entry of this.alarms.values()) if (entry.kind === 'metric') this.evaluate(entry);
  }

  private evaluate(entry: AlarmEntry & { kind: 'metric' }): void {
    const { state, reason } = entry.alarm.evaluate(this.store, this.cloud.world.clock.nowMs(), entry.state);
    if (state !== entry.state) this.change(entry, state, reason);
  }

  private evaluateComposites(): void {
    for (const entry of this.alarms.values()) {
      if (entry.kind !== 'composite') continue;
      const state = entry.rule.holds((name) => this.stateOf(name)) ? 'ALARM' : 'OK';
      if (state !== entry.state) this.change(entry, state, `${entry.input.AlarmRule} is ${state === 'ALARM'}`);
    }
  }

  private stateOf(reference: string): AlarmState | undefined {
    return this.alarms.get(reference.split(':alarm:').pop() ?? '')?.state;
  }

  private initial({ AlarmName: name, ActionsEnabled = true }: AlarmInput | CompositeInput, tags: readonly Tag[]): Common {
    const { clock } = this.cloud.world;
    const before = this.alarms.get(name);
    return {
      arn: this.arnOf(name),
      configuredAt: clock.date(),
      tags: before?.tags ?? new Map(tags.map(({ Key, Value }) => [Key, Value])),
      actionsEnabled: ActionsEnabled,
      state: before?.state ?? 'INSUFFICIENT_DATA',
      reason: before?.reason ?? 'Unchecked: Initial alarm creation',
      changedAt: before?.changedAt ?? clock.date(),
    };
  }

  private change(entry: AlarmEntry, state: AlarmState, reason: string): void {
    const old = entry.state;
    const at = this.cloud.world.clock.date();
    Object.assign(entry, { state, reason, changedAt: at });
    this.stateUpdates.unshift({ alarm: entry, at, from: old, to: state, reason });
    this.stateUpdates.length = Math.min(this.stateUpdates.length, KEPT_STATE_UPDATES);
    this.cloud.world.journal.add({
      kind: 'alarm',
      what: `${state} ${entry.input.AlarmName}`,
      who: 'cloudwatch',
      ok: state !== 'ALARM',
      detail: reason,
    });
    this.cloud.parts.putEvent?.({
      source: 'aws.cloudwatch',
      'detail-type': 'CloudWatch Alarm State Change',
      resources: [entry.arn],
      detail: {
        alarmName: entry.input.AlarmName,
        state: { value: state, reason, timestamp: entry.changedAt.toISOString() },
        previousState: { value: old },
      },
    });
    if (entry.actionsEnabled) for (const action of actionsFor(entry, state) ?? []) void this.act(entry, old, action);
    this.evaluateComposites();
  }

  private async act(entry: AlarmEntry, old: AlarmState, action: string): Promise<void> {
    const subject = `${entry.state}: "${entry.input.AlarmName}" in ${this.cloud.world.region}`.slice(0, 100);
    try {
      await this.cloud.deliver({
        service: SERVICE,
        sourceArn: entry.arn,
        targetArn: action,
        payload: this.notification(entry, old),
        message: { subject },
      });
    } catch (error) {
      this.cloud.world.journal.add({
        kind: 'delivery',
        what: `cloudwatch → ${action}`,
        who: entry.arn,
        ok: false,
        detail: (error as Error).message,
      });
    }
  }

  /** The JSON that lies in the SNS message of an alarm (CloudWatch user guide, "Notifying users on alarm changes"). */
  private notification(entry: AlarmEntry, old: AlarmState): Record<string, unknown> {
    const { input } = entry;
    const { accountId, region } = this.cloud.world;
    return {
      AlarmName: input.AlarmName,
      AlarmDescription: input.AlarmDescription ?? null,
      AWSAccountId: accountId,
      AlarmConfigurationUpdatedTimestamp: awsTime(entry.configuredAt),
      NewStateValue: entry.state,
      NewStateReason: entry.reason,
      StateChangeTime: awsTime(entry.changedAt),
      Region: region,
      AlarmArn: entry.arn,
      OldStateValue: old,
      OKActions: input.OKActions ?? [],
      AlarmActions: input.AlarmActions ?? [],
      InsufficientDataActions: input.InsufficientDataActions ?? [],
      Trigger: entry.kind === 'composite' ? { AlarmRule: entry.input.AlarmRule } : triggerOf(entry.input),
    };
  }
}

const awsTime = (date: Date): string => date.toISOString().replace('Z', '+0000');

function actionsFor({ input }: AlarmEntry, state: AlarmState): readonly string[] | undefined {
  return { ALARM: input.AlarmActions, OK: input.OKActions, INSUFFICIENT_DATA: input.InsufficientDataActions }[state];
}

function triggerOf(input: AlarmInput): Record<string, unknown> {
  const {
    MetricName,
    Namespace,
    Statistic,
    ExtendedStatistic,
    Period,
    EvaluationPeriods,
    DatapointsToAlarm,
    Threshold,
    ComparisonOperator,
    TreatMissingData,
  } = input;
  const Dimensions = (input.Dimensions ?? []).map(({ Name, Value }) => ({ value: Value, name: Name }));
  return {
    MetricName,
    Namespace,
    Statistic: Statistic?.toUpperCase() ?? ExtendedStatistic,
    Dimensions,
    Period,
    EvaluationPeriods,
    DatapointsToAlarm,
    ComparisonOperator,
    Threshold,
    TreatMissingData: TreatMissingData ?? 'missing',
  };
}

/** Actions other than topics and functions have no effect here: an alarm that seems to stop an instance, and does not, is refused. */
function checkActions(input: CompositeInput | AlarmInput): void {
  const actions = [...(input.AlarmActions ?? []), ...(input.OKActions ?? []), ...(input.InsufficientDataActions ?? [])];
  const unserved = actions.find((action) => !/^arn:aws:(sns|lambda):/.test(action));
  if (unserved !== undefined)
    throw new AwsError('ValidationException', `Invalid arn syntax: ${unserved} (the desk serves topics and functions as actions)`);
}
