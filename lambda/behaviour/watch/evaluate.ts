/**
 * What the state of a window means for each client and behaviour. Fails to saying nothing: what was not seen is no datapoint, unless the source of the
 * metric sees everything, and then nothing is zero.
 *
 *     certain     during the window: what no later event can make normal again (a sum over its upper limit, an element that is not allowed)
 *     conclude    at its end: everything
 */
import { isUpperLimit, meets, percentile, type Behaviour } from '../../../domain/fleet/behaviours.js';
import type { MonitorSource } from '../../../domain/fleet/behaviour-metrics.js';
import type { MetricValue } from '../../../domain/protocol/violation.js';
import type { Plan, Planned } from './plan.js';
import type { ClientState, WindowState } from './window-state.js';

export interface Verdict {
  readonly clientId: string;
  readonly behaviour: Behaviour;
  readonly isNormal: boolean;
  readonly value: MetricValue;
}

/** A percentile of fewer devices says nothing about one of them. */
export const LEAST_DEVICES = 30;

export function* certain(clientId: string, client: ClientState, plan: Plan): Generator<Verdict> {
  for (const planned of plan.all) {
    const { behaviour, metric } = planned;
    if (behaviour.statistic !== undefined || client.x?.includes(behaviour.name)) continue;
    if (metric.gathering === 'offline' || (metric.gathering === 'sum' && !isUpperLimit(behaviour.operator))) continue;
    const judged = judge(planned, client);
    if (judged !== undefined && !judged.isNormal) yield { clientId, behaviour, ...judged };
  }
}

/**
 * Everything abnormal that has not been dealt with, and what is normal where `isOpen` says that something is waiting for it: of a quiet fleet nothing
 * is said, client by client.
 */
export function* conclude(
  { clients, partial }: WindowState,
  plan: Plan,
  sources: ReadonlySet<MonitorSource>,
  isOpen: (clientId: string, behaviour: string) => boolean,
): Generator<Verdict> {
  const limits = partial ? new Map<string, number>() : percentiles(clients, plan);
  for (const [clientId, client] of clients) {
    for (const planned of plan.all) {
      const { behaviour, metric } = planned;
      if (client.x?.includes(behaviour.name)) continue;
      // Counts that were given up in between are not the whole truth: only what is too much stays too much.
      const onlyCertain = partial && (metric.gathering === 'sum' || metric.gathering === 'range');
      const judged = judge(planned, client, limits.get(behaviour.name)) ?? silence(planned, sources);
      if (judged === undefined || (onlyCertain && (judged.isNormal || !isUpperLimit(behaviour.operator)))) continue;
      if (!judged.isNormal || isOpen(clientId, behaviour.name)) yield { clientId, behaviour, ...judged };
    }
  }
}

type Judged = Pick<Verdict, 'isNormal' | 'value'>;

/** `undefined`: no datapoint. */
function judge({ behaviour, metric, isNormal }: Planned, client: ClientState, fleetLimit?: number): Judged | undefined {
  const { code, gathering, kind } = metric;
  if (gathering === 'offline') return client.p?.connected === true ? { isNormal: true, value: { count: 0 } } : undefined;
  if (gathering === 'set') {
    const abnormal = client.t?.[code];
    if (abnormal === undefined) return undefined;
    const found = abnormal.filter((element) => !isNormal(element));
    return { isNormal: found.length === 0, value: { [kind]: found } };
  }
  const operator = behaviour.operator!;
  const observed = observedOf(gathering, client, code, isUpperLimit(operator));
  const limit = behaviour.statistic === undefined ? behaviour.value : fleetLimit;
  if (observed === undefined || typeof limit !== 'number') return undefined;
  return { isNormal: meets(operator, observed, limit), value: { [kind]: observed } };
}

/**
 * Of a sum that presence events and the log both tell of, the larger: each of them tells of what happened once at most, so whichever is deaf does not
 * matter, and nothing counts twice.
 */
function observedOf(gathering: 'sum' | 'range', client: ClientState, code: string, upper: boolean): number | undefined {
  if (gathering === 'range') return client.r?.[code]?.[upper ? 1 : 0];
  const [told, logged] = [client.s?.[code], client.l?.[code]];
  return told === undefined ? logged : Math.max(told, logged ?? 0);
}

/** A count of the cloud's own is zero when nothing came; what a device does not report is not known. */
export function silence({ behaviour, metric }: Planned, sources: ReadonlySet<MonitorSource>): Judged | undefined {
  if (metric.gathering !== 'sum' || metric.side !== 'cloud' || typeof behaviour.value !== 'number') return undefined;
  if (!metric.sources.some((source) => sources.has(source))) return undefined;
  return { isNormal: meets(behaviour.operator!, 0, behaviour.value), value: { count: 0 } };
}

/** Of all devices of this shard that have a value; shards hold devices by a hash of their names, so each is a fair sample of the fleet. */
function percentiles(clients: ReadonlyMap<string, ClientState>, plan: Plan): Map<string, number> {
  const limits = new Map<string, number>();
  for (const { behaviour, metric } of plan.all) {
    if (behaviour.statistic === undefined || metric.gathering === 'set' || metric.gathering === 'offline') continue;
    const values: number[] = [];
    for (const client of clients.values()) {
      const observed = observedOf(metric.gathering, client, metric.code, isUpperLimit(behaviour.operator));
      if (observed !== undefined) values.push(observed);
    }
    if (values.length >= LEAST_DEVICES) limits.set(behaviour.name, percentile(values, behaviour.statistic));
  }
  return limits;
}
