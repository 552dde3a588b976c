/** The monitor with its neighbours in memory: what is kept is kept as the ledger keeps it, with versions and conditions. */
import { createHash } from 'node:crypto';
import type { Behaviour, BehaviourList } from '../../../domain/fleet/behaviours.js';
import { DEFAULT_CUSTOM_METRICS } from '../../../domain/fleet/default-behaviours.js';
import type { FleetRecord, RefusedRecord } from '../../../domain/protocol/fleet-events.js';
import type { ViolationNotification } from '../../../domain/protocol/violation.js';
import { run as round, type OfflinePorts } from '../../../lambda/behaviour/offline/run.js';
import { settingsOf, type BehaviourSettings } from '../../../lambda/behaviour/settings.js';
import { WindowEvent } from '../../../lambda/behaviour/watch/event.js';
import type { WatchPorts, WatchSettings } from '../../../lambda/behaviour/watch/ports.js';
import { run as watch, type WindowAnswer } from '../../../lambda/behaviour/watch/run.js';
import { isLater } from '../../../lambda/behaviour/watch/window-state.js';
import type { FleetStream } from '../../../lambda/ports/fleet-stream.js';
import type { PresenceRow, Presences } from '../../../lambda/ports/presences.js';
import type { Standing } from '../../../domain/fleet/standing.js';
import type { Evidence, Standings, StoredStanding } from '../../../lambda/ports/standings.js';
import type { ViolationTopic } from '../../../lambda/ports/violation-topic.js';
import { TestClock } from '../../revocation/memory/clock.js';
import { MemoryDecisions } from '../../revocation/memory/ledger.js';
import { MemorySignals } from '../../revocation/memory/world.js';
import { MemoryLogging } from './logging.js';

export class MemoryStandings implements Standings {
  readonly rows = new Map<string, StoredStanding>();
  /** violationId → as a source would say it. */
  readonly violations = new Map<string, { readonly isOpen: boolean; readonly thingName: string; readonly evidence?: Evidence }>();

  async get(clientId: string, behaviour: string) {
    return this.rows.get(`${clientId}#${behaviour}`);
  }
  async *nearby(clientIds: Iterable<string>) {
    const wanted = new Set(clientIds);
    for (const row of Array.from(this.rows.values())) if (wanted.has(row.standing.clientId)) yield row;
  }
  async *all() {
    yield* Array.from(this.rows.values());
  }
  async write(before: StoredStanding | undefined, after: Standing, evidence?: Evidence) {
    const key = `${after.clientId}#${after.behaviour}`;
    if (this.rows.get(key)?.version !== before?.version) return false;
    this.rows.set(key, { standing: structuredClone(after), version: (before?.version ?? 0) + 1 });
    if (after.pending !== undefined && before?.standing.pending === undefined) {
      const isOpen = after.pending.violationEventType === 'in-alarm';
      const known = this.violations.get(after.violationId!);
      this.violations.set(after.violationId!, {
        thingName: after.thingName,
        ...known,
        isOpen,
        ...(isOpen && evidence ? { evidence } : {}),
      });
    }
    return true;
  }
  async remove(before: StoredStanding) {
    const key = `${before.standing.clientId}#${before.standing.behaviour}`;
    if (this.rows.get(key)?.version !== before.version) return false;
    return this.rows.delete(key);
  }
}

export class MemoryPresences implements Presences {
  readonly rows = new Map<string, PresenceRow & { readonly told?: boolean }>();
  async note(row: PresenceRow) {
    const known = this.rows.get(row.clientId);
    if (known === undefined || isLater(row, known)) this.rows.set(row.clientId, row);
  }
  async get(clientId: string) {
    return this.rows.get(clientId);
  }
  async *offlineSince(beforeMs: number) {
    for (const row of Array.from(this.rows.values())) if (!row.connected && row.atMs <= beforeMs && !row.told) yield row;
  }
  async markTold(row: PresenceRow) {
    this.rows.set(row.clientId, { ...this.rows.get(row.clientId)!, told: true });
  }
}

class MemoryTopic implements ViolationTopic {
  readonly published: ViolationNotification[] = [];
  async publish(notification: ViolationNotification) {
    this.published.push(structuredClone(notification));
  }
}

class MemoryStream implements FleetStream {
  readonly records: RefusedRecord[] = [];
  async put(records: readonly RefusedRecord[]) {
    this.records.push(...records);
  }
}

export const WINDOW_MS = 300_000;
export const behaviour = (fields: Partial<Behaviour> & Pick<Behaviour, 'name' | 'metric'>): Behaviour => ({
  operator: 'less-than-equals',
  value: 3,
  datapointsToAlarm: 1,
  datapointsToClear: 1,
  response: 'notify',
  ...fields,
});

export interface WorldOptions {
  readonly behaviours: readonly Behaviour[];
  readonly customMetrics?: BehaviourList['customMetrics'];
  readonly sources?: WatchSettings['sources'];
  readonly ignored?: readonly string[];
}

const ALL_SOURCES = ['presence', 'subscriptions', 'sent', 'received', 'logs', 'reports'] as const;

export class World {
  readonly clock = new TestClock();
  readonly decisions = new MemoryDecisions();
  readonly logging = new MemoryLogging();
  readonly presences = new MemoryPresences();
  readonly signals = new MemorySignals();
  readonly standings = new MemoryStandings();
  readonly stream = new MemoryStream();
  readonly topic = new MemoryTopic();
  readonly settings: BehaviourSettings;
  readonly watchSettings: WatchSettings;
  /** State of the one shard, as Lambda carries it. */
  carried: WindowAnswer['state'] = {};
  windowStartMs = this.clock.nowMs();

  constructor({ behaviours, customMetrics = DEFAULT_CUSTOM_METRICS, sources = new Set(ALL_SOURCES), ignored = [] }: WorldOptions) {
    this.settings = settingsOf(
      {
        APPLICATION: 'fleetwarden',
        LEDGER_TABLE: 'ledger',
        VIOLATIONS_TOPIC_ARN: 'arn:aws:sns:eu-west-1:111122223333:fleetwarden-violations',
        BEHAVIOURS: { behaviours: [...behaviours], customMetrics },
        WINDOW_SECONDS: WINDOW_MS / 1000,
        SOURCES: sources,
      },
      'test',
    );
    this.watchSettings = { ...this.settings, ignored: new Set(ignored) };
  }

  get watchPorts(): WatchPorts {
    return this;
  }
  get offlinePorts(): OfflinePorts {
    return this;
  }

  /** As the event source mapping invokes it. */
  eventOf(data: readonly (object | string)[], flags: { readonly final?: boolean; readonly early?: boolean } = {}): WindowEvent {
    return WindowEvent.parse({
      Records: data.map((record, index) => ({
        kinesis: {
          data: Buffer.from(typeof record === 'string' ? record : JSON.stringify(record)).toString('base64'),
          sequenceNumber: String(index),
          partitionKey: 'k',
        },
      })),
      window: { start: new Date(this.windowStartMs).toISOString(), end: new Date(this.windowStartMs + WINDOW_MS).toISOString() },
      state: this.carried,
      shardId: 'shardId-000000000000',
      isFinalInvokeForWindow: flags.final ?? false,
      isWindowTerminatedEarly: flags.early ?? false,
    });
  }

  async take(...records: readonly (object | string)[]): Promise<void> {
    this.carried = (await watch(this.watchPorts, this.watchSettings, this.eventOf(records))).state;
  }
  /** The end of the window, and the beginning of the next. */
  async endWindow(): Promise<void> {
    await watch(this.watchPorts, this.watchSettings, this.eventOf([], { final: true }));
    this.carried = {};
    this.clock.advance(WINDOW_MS);
    this.windowStartMs += WINDOW_MS;
  }
  round = (): Promise<void> => round(this.offlinePorts, this.settings);

  /** Type and behaviour of what was announced so far. */
  get announced(): string[] {
    return this.topic.published.map(({ violationEventType, thingName, behavior }) => `${violationEventType} ${thingName} ${behavior.name}`);
  }

  private traces = 0;
  sent(clientId: string, bytes = 12, fields: object = {}): FleetRecord {
    this.traces += 1;
    const base64Length = Math.ceil(bytes / 3) * 4;
    const paddingAt = bytes % 3 === 0 ? -1 : base64Length - (3 - (bytes % 3));
    return {
      kind: 'sent',
      clientId,
      base64Length,
      paddingAt,
      traceId: `t${this.traces}`,
      timestamp: this.clock.nowMs(),
      ...fields,
    } as FleetRecord;
  }
  presence(
    clientId: string,
    eventType: 'connected' | 'disconnected' | 'connect_failed',
    versionNumber = 0,
    fields: object = {},
  ): FleetRecord {
    return {
      kind: 'presence',
      eventType,
      clientId,
      principalIdentifier: certificateOf(clientId),
      sessionIdentifier: `${clientId}-${versionNumber}`,
      ipAddress: '198.18.0.1',
      versionNumber,
      timestamp: this.clock.nowMs(),
      ...fields,
    } as FleetRecord;
  }
  report(clientId: string, reportId: number, said: object): FleetRecord {
    return {
      kind: 'report',
      clientId,
      timestamp: this.clock.nowMs(),
      header: { report_id: reportId, version: '1.0' },
      ...said,
    } as FleetRecord;
  }
}

/** Of the device with this client id. */
export const certificateOf = (clientId: string): string => createHash('sha256').update(clientId).digest('hex');
