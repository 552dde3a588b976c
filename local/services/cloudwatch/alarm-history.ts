/** DescribeAlarmHistory and DescribeAlarmsForMetric. Of the history the desk keeps state updates; creation and actions are not items. */
import type { MetricAlarm } from './alarm.js';
import type { AlarmEntry, Alarms, StateUpdate } from './alarms.js';
import { type Dimension, dimensionsOf } from './queries.js';
import { keyOf } from './metric-store.js';

interface HistoryInput {
  readonly AlarmName?: string;
  readonly AlarmTypes?: readonly string[];
  readonly HistoryItemType?: string;
  readonly StartDate?: Date;
  readonly EndDate?: Date;
  readonly MaxRecords?: number;
  readonly NextToken?: string;
  readonly ScanBy?: string;
}

const typeOf = ({ kind }: AlarmEntry): string => (kind === 'metric' ? 'MetricAlarm' : 'CompositeAlarm');

export function describeAlarmHistory(alarms: Alarms, input: HistoryInput): Record<string, unknown> {
  const types = input.AlarmTypes ?? ['MetricAlarm'];
  const wanted = alarms.stateUpdates.filter(
    ({ alarm, at }) =>
      (input.HistoryItemType ?? 'StateUpdate') === 'StateUpdate' &&
      (input.AlarmName === undefined || alarm.input.AlarmName === input.AlarmName) &&
      types.includes(typeOf(alarm)) &&
      at.getTime() >= (input.StartDate?.getTime() ?? 0) &&
      at.getTime() <= (input.EndDate?.getTime() ?? Number.MAX_SAFE_INTEGER),
  );
  if (input.ScanBy === 'TimestampAscending') wanted.reverse();
  const from = Number(input.NextToken ?? 0);
  const to = from + (input.MaxRecords ?? 100);
  return { AlarmHistoryItems: wanted.slice(from, to).map(item), ...(to < wanted.length ? { NextToken: String(to) } : {}) };
}

function item({ alarm, at, from, to, reason }: StateUpdate): Record<string, unknown> {
  return {
    AlarmName: alarm.input.AlarmName,
    AlarmType: typeOf(alarm),
    Timestamp: at,
    HistoryItemType: 'StateUpdate',
    HistorySummary: `Alarm updated from ${from} to ${to}`,
    HistoryData: JSON.stringify({
      version: '1.0',
      oldState: { stateValue: from },
      newState: { stateValue: to, stateReason: reason },
    }),
  };
}

/** Alarms on one metric with exactly these dimensions; alarms on metric math are not among them. */
export function alarmsOn(
  alarms: Alarms,
  input: { readonly Namespace: string; readonly MetricName: string; readonly Dimensions?: readonly Dimension[] },
): AlarmEntry[] {
  const key = keyOf({ namespace: input.Namespace, name: input.MetricName, dimensions: dimensionsOf(input.Dimensions) });
  const watches = (alarm: MetricAlarm): boolean => alarm.input.Metrics === undefined && alarm.seriesKeys.has(key);
  return alarms.all().filter((entry) => entry.kind === 'metric' && watches(entry.alarm));
}
