/**
 * One invocation of one shard's window:
 *
 *     records ─► state ─► what is certain is raised at once ─► … ─► at the end: everything else, and who is connected
 *
 * A flood is raised with the message that makes it one, not at the end of its window. The verdict of a window is applied once for each client and
 * behaviour (standing/decide.ts), so a repeated invocation, which Lambda gives the state from before, changes nothing.
 */
import { METRICS } from '../../../domain/fleet/metrics.js';
import { apply } from '../standing/apply.js';
import { inParallel } from '../in-parallel.js';
import { certain, conclude, silence, type Verdict } from './evaluate.js';
import type { WindowEvent } from './event.js';
import type { WatchPorts, WatchSettings } from './ports.js';
import { readRecord } from './read-record.js';
import { signOf } from './signs.js';
import { decodeState, encodeState, type CarriedState } from './state-codec.js';
import { fold, type WindowState } from './window-state.js';

export interface WindowAnswer {
  readonly state: CarriedState;
  readonly batchItemFailures: readonly [];
}

export async function run(ports: WatchPorts, settings: WatchSettings, event: WindowEvent): Promise<WindowAnswer> {
  const state = decodeState(event.state);
  const touched = await take(ports, settings, event, state);
  await raiseCertain(ports, settings, event, state, touched);
  const isEnd = event.isFinalInvokeForWindow || event.isWindowTerminatedEarly;
  if (event.isWindowTerminatedEarly) ports.signals.count(METRICS.monitorLost, state.clients.size);
  if (isEnd) await end(ports, settings, event, state);

  const { carried, bytes, lost } = encodeState(state);
  ports.signals.count(METRICS.monitorStateBytes, bytes);
  if (lost > 0) {
    ports.signals.count(METRICS.monitorLost, lost);
    ports.signals.warn('the state of the window was too large: its clients are given up', { shardId: event.shardId, lost });
  }
  return { state: isEnd ? {} : carried, batchItemFailures: [] };
}

/** Adds all records to the state; the clients that have changed. */
async function take(ports: WatchPorts, settings: WatchSettings, event: WindowEvent, state: WindowState): Promise<ReadonlySet<string>> {
  const { stream, signals } = ports;
  const counts = { counted: 0, again: 0, late: 0, lost: 0, unreadable: 0, reports: 0 };
  const touched = new Set<string>();
  for (const { kinesis } of event.Records) {
    const read = readRecord(kinesis.data);
    const place = { shardId: event.shardId, sequenceNumber: kinesis.sequenceNumber };
    if (read.kind === 'refusals') {
      await stream.put(read.refusals.filter(({ clientId }) => !settings.ignored.has(clientId)));
      counts.unreadable += read.unreadable;
      if (read.unreadable > 0) signals.warn('lines of the log cannot be read', { ...place, lines: read.unreadable });
    } else if (read.kind === 'unreadable') {
      counts.unreadable += 1;
      signals.warn('a record of the stream cannot be read', place);
    } else if (!settings.ignored.has(read.record.clientId)) {
      const sign = signOf(read.record);
      if (sign === undefined) {
        counts.reports += 1;
        continue;
      }
      const folded = fold(state, sign, settings.plan, event.window.startMs);
      counts[folded] += 1;
      if (folded === 'counted') touched.add(sign.clientId);
    }
  }
  const report = (metric: string, value: number): void => void (value > 0 && signals.count(metric, value));
  report(METRICS.monitorEvents, counts.counted);
  report(METRICS.monitorCopies, counts.again);
  report(METRICS.monitorLate, counts.late);
  report(METRICS.monitorLost, counts.lost);
  report(METRICS.monitorUnreadable, counts.unreadable);
  report(METRICS.reportUnreadable, counts.reports);
  return touched;
}

async function raiseCertain(
  ports: WatchPorts,
  settings: WatchSettings,
  event: WindowEvent,
  state: WindowState,
  touched: ReadonlySet<string>,
): Promise<void> {
  const verdicts = [...touched].flatMap((clientId) => [...certain(clientId, state.clients.get(clientId)!, settings.plan)]);
  await inParallel(verdicts, async (verdict) => {
    await bring(ports, settings, event, state, verdict);
    (state.clients.get(verdict.clientId)!.x ??= []).push(verdict.behaviour.name);
  });
}

async function end(ports: WatchPorts, settings: WatchSettings, event: WindowEvent, state: WindowState): Promise<void> {
  const open = new Set<string>();
  const key = (clientId: string, behaviour: string): string => `${clientId}\n${behaviour}`;
  for await (const { standing } of ports.standings.nearby(state.clients.keys())) open.add(key(standing.clientId, standing.behaviour));
  const isOpen = (clientId: string, behaviour: string): boolean => open.has(key(clientId, behaviour));
  // A window that Lambda ended early is not over: what is normal so far may not be in the end.
  const early = !event.isFinalInvokeForWindow;
  const verdicts = [...conclude(early ? { ...state, partial: true } : state, settings.plan, settings.sources, isOpen)];
  await inParallel(
    verdicts.filter(({ isNormal }) => !early || !isNormal),
    (verdict) => bring(ports, settings, event, state, verdict),
  );
  await inParallel([...state.clients], async ([clientId, { p: presence, n: thingName }]) => {
    if (presence !== undefined) await ports.presences.note({ clientId, ...(thingName === undefined ? {} : { thingName }), ...presence });
  });
}

async function bring(
  ports: WatchPorts,
  { criteriaOf, plan, sources, announcing }: WatchSettings,
  { window: { startMs, endMs } }: WindowEvent,
  state: WindowState,
  { clientId, behaviour, isNormal, value }: Verdict,
): Promise<void> {
  const client = state.clients.get(clientId);
  const known = client?.n === undefined || client.p?.address === undefined ? await ports.presences.get(clientId) : undefined;
  const address = client?.p?.address ?? known?.address;
  const planned = plan.all.find((each) => each.behaviour.name === behaviour.name);
  await apply(
    ports,
    announcing,
    {
      clientId,
      thingName: client?.n ?? known?.thingName ?? clientId,
      isNormal,
      value,
      windowStartMs: startMs,
      windowEndMs: endMs,
      silenceIsNormal: planned !== undefined && silence(planned, sources)?.isNormal === true,
    },
    criteriaOf(behaviour),
    { clientId, windowStartMs: startMs, windowEndMs: endMs, ...(address === undefined ? {} : { address }) },
  );
}
