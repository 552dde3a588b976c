/**
 * What is kept of the events of one window of one shard. Every rule of adding up gives the same for any order of the events, and for copies of them: so
 * the verdict of a window depends on what happened, not on how it arrived. What cannot be known:
 *
 *   - a copy of a message whose original is further back than SEEN_MESSAGES messages of the shard counts twice (of everything else: SEEN_OTHERS);
 *   - an event that its source does not identify cannot be told from its copy;
 *   - an event that is older than its window by more than LATE_MS is not counted: it belongs to a window that is closed, and a closed verdict stands.
 */
import { hash } from 'node:crypto';
import type { Plan, Planned } from './plan.js';
import type { Presence, Sign } from './signs.js';

/** Members by one letter: a window has a megabyte for all its clients. */
export interface ClientState {
  /** Thing, where it is called otherwise than its client. */
  n?: string;
  /** Code of a metric → sum. */
  s?: Record<string, number>;
  /** The same, of what the log tells of: what is in it may be in `s` as well. */
  l?: Record<string, number>;
  /** Code of a metric → smallest and largest. */
  r?: Record<string, [number, number]>;
  /** Code of a metric → those that are not normal; empty: all were. */
  t?: Record<string, (string | number)[]>;
  p?: Presence;
  /** Behaviours whose violation in this window has been dealt with before its end. */
  x?: string[];
}

export interface WindowState {
  readonly clients: Map<string, ClientState>;
  readonly messages: Set<string>;
  readonly others: Set<string>;
  /** Clients were given up because the state was full: what is missing is not what did not happen. */
  partial: boolean;
  /** No further client is taken in. */
  full: boolean;
}

export const emptyState = (): WindowState => ({ clients: new Map(), messages: new Set(), others: new Set(), partial: false, full: false });

export const SEEN_MESSAGES = 8192;
export const SEEN_OTHERS = 16_384;
/** Lifecycle events are off by two minutes, and a broker that repeats does so within a few. */
export const LATE_MS = 420_000;
/** So many abnormal elements are kept for each behaviour, the first in order: one is enough for the verdict, the others are evidence. */
export const KEPT_ELEMENTS = 16;

export type Folded = 'counted' | 'again' | 'late' | 'lost';

/** Adds one sign to the state, which is changed. */
export function fold(state: WindowState, sign: Sign, plan: Plan, windowStartMs: number): Folded {
  if (sign.atMs < windowStartMs - LATE_MS) return 'late';
  if (sign.identity !== undefined && !remember(state, sign.identity, sign.isMessage)) return 'again';
  let client = state.clients.get(sign.clientId);
  if (client === undefined) {
    if (state.full) return 'lost';
    client = {};
    state.clients.set(sign.clientId, client);
  }
  add(client, sign, plan);
  return 'counted';
}

function add(client: ClientState, sign: Sign, plan: Plan): void {
  if (sign.thingName !== undefined && sign.thingName !== sign.clientId && (client.n === undefined || sign.thingName < client.n))
    client.n = sign.thingName;
  for (const [metric, value] of sign.values) {
    const planned = plan.byMetric.get(metric);
    if (planned === undefined) continue;
    const { code, gathering } = planned[0]!.metric;
    if (typeof value !== 'number') {
      if (gathering === 'set') (client.t ??= {})[code] = keep(client.t[code] ?? [], value, planned);
    } else if (gathering === 'sum') {
      if (!(value > 0) && planned[0]!.metric.side !== 'device') continue;
      const sums = sign.isFromLog ? (client.l ??= {}) : (client.s ??= {});
      sums[code] = (sums[code] ?? 0) + value;
    } else if (gathering === 'range') {
      const [least, most] = client.r?.[code] ?? [value, value];
      (client.r ??= {})[code] = [Math.min(least, value), Math.max(most, value)];
    }
  }
  if (sign.presence !== undefined && (client.p === undefined || isLater(sign.presence, client.p))) client.p = sign.presence;
}

/** The union, without what no behaviour objects to, and of the rest the first of each behaviour: for any order the same. */
function keep(kept: readonly (string | number)[], more: readonly (string | number)[], planned: readonly Planned[]): (string | number)[] {
  const all = [...new Set([...kept, ...more])].toSorted(inOrder);
  const wanted = new Set<string | number>();
  for (const { isNormal } of planned)
    for (const element of all.filter((each) => !isNormal(each)).slice(0, KEPT_ELEMENTS)) wanted.add(element);
  return all.filter((element) => wanted.has(element));
}

function inOrder(one: string | number, other: string | number): number {
  if (typeof one === 'number' && typeof other === 'number') return one - other;
  return String(one) < String(other) ? -1 : 1;
}

/** Within a window the versions of a client only grow; of one connection the end comes after the beginning (IG life-cycle-events.html). */
export function isLater(one: Presence, other: Presence): boolean {
  if (one.versionNumber !== other.versionNumber) return one.versionNumber > other.versionNumber;
  if (one.connected !== other.connected) return !one.connected;
  return one.atMs > other.atMs;
}

/** `false`: seen before. */
function remember({ messages, others }: WindowState, identity: string, isMessage: boolean): boolean {
  const [seen, most] = isMessage ? [messages, SEEN_MESSAGES] : [others, SEEN_OTHERS];
  // 48 bits: among 300,000 events of a full shard two different ones meet in one of 10,000 windows.
  const key = hash('sha1', identity, 'base64').slice(0, 8);
  if (seen.has(key)) return false;
  seen.add(key);
  if (seen.size > most) seen.delete(seen.values().next().value!);
  return true;
}
