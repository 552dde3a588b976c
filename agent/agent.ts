/**
 * The reference device: stays connected, publishes telemetry and reports on itself, changes its certificate when AWS IoT Jobs asks for it, and shuts off
 * and resumes when it is told to.
 *
 *     connect with the pair that the rotation wants ─► session: next step ─► stored ─► next step … ─► another pair is wanted ─► connect with that
 *            ▲                                            └── lost ──┐
 *            └──────────── a jittered time later ◄───────────────────┘
 *
 * Start it on a directory (main.ts), or by the thousand in one process on memoryFiles().
 */
import { systemClock, type Clock } from './clock.js';
import type { AgentEvent, Device, Session } from './device.js';
import { fileKeyStore } from './keys/file-key-store.js';
import type { KeyStore } from './keys/key-store.js';
import { NoAnswer } from './jobs/jobs-client.js';
import type { JobExecution } from './jobs/job-messages.js';
import { jitteredMs } from './retry.js';
import { accept, findJob } from './rotation/accept.js';
import { onOtherPair, otherPair, wantedPair } from './rotation/choice.js';
import { Progress } from './rotation/progress.js';
import { RotationRecord } from './rotation/record.js';
import { openSession } from './session.js';
import { DEFAULT_SETTINGS, type AgentSettings } from './settings.js';
import type { Actuation } from './shut-off/actuation.js';
import { Listening } from './shut-off/commands.js';
import { isOrder } from './shut-off/orders.js';
import { ShutOff } from './shut-off/shut-off.js';
import type { Metrics } from './speech/device-metrics.js';
import { Speaker } from './speech/speaker.js';
import type { Files } from './storage/files.js';
import { Identities, type Pair } from './storage/identities.js';
import { ConnectFailed, type Transport } from './transport/transport.js';

export interface AgentOptions {
  readonly thingName: string;
  /** Under which it connects. Topics go by the thing name all the same. @default the thing name (docs/protocol.md §3) */
  readonly clientId?: string;
  /** First levels of the device's topics. @default fleet */
  readonly topicPrefix?: string;
  /** Holds `active.json` and what it names. */
  readonly files: Files;
  /** @default keys in files */
  readonly keys?: KeyStore;
  readonly transport: Transport;
  /** @default the system's */
  readonly clock?: Clock;
  /** In [0, 1). @default Math.random */
  readonly random?: () => number;
  readonly settings?: Partial<AgentSettings>;
  /** What is published every few seconds; `undefined`: no telemetry. */
  readonly telemetry?: () => object;
  /** What is reported of the device itself, every five minutes; `undefined`: nothing. */
  readonly metrics?: Metrics;
  /** What the device does in the world; `undefined`: it only speaks. */
  readonly actuation?: Actuation;
  /** Is told to shut off by AWS IoT commands too, where the installation uses them. @default false: by jobs alone */
  readonly commands?: boolean;
  readonly onEvent?: (event: AgentEvent) => void;
}

export interface Agent {
  /** Resolves after `stop`. Rejects where the device cannot work: no identity, or a storage that cannot be read. */
  run(): Promise<void>;
  /** Ends the connection and everything that waits. A rotation goes on where it stood with the next `run`. */
  stop(): void;
}

export function createAgent(options: AgentOptions): Agent {
  const keys = options.keys ?? fileKeyStore(options.files);
  const device: Device = {
    thingName: options.thingName,
    clientId: options.clientId ?? options.thingName,
    topicPrefix: options.topicPrefix ?? 'fleet',
    identities: new Identities(options.files, keys),
    keys,
    record: new RotationRecord(options.files),
    shutOff: new ShutOff(options.files, options.actuation),
    listening: new Listening(options.commands ?? false),
    clock: options.clock ?? systemClock,
    random: options.random ?? Math.random,
    settings: { ...DEFAULT_SETTINGS, ...options.settings },
    tell: options.onEvent ?? (() => undefined),
  };
  return new RunningAgent(device, options.transport, new Speaker(device, options.telemetry, options.metrics));
}

class RunningAgent implements Agent {
  private readonly stopping = new AbortController();
  private readonly progress: Progress;
  private lastConnectMs = Number.NEGATIVE_INFINITY;

  constructor(
    private readonly device: Device,
    private readonly transport: Transport,
    private readonly speaker: Speaker,
  ) {
    this.progress = new Progress(device);
  }

  stop(): void {
    this.stopping.abort(new Error('the agent stops'));
  }

  async run(): Promise<void> {
    try {
      await this.device.shutOff.load((message) => this.device.tell({ kind: 'warning', message }));
      await this.progress.load();
      await this.live();
    } catch (error) {
      if (!this.stopping.signal.aborted) throw error;
    }
  }

  private async live(): Promise<void> {
    const { clock, settings, tell } = this.device;
    let attempt = 0;
    let refusals = 0;
    let wantedBefore: string | undefined;
    while (!this.stopping.signal.aborted) {
      const rotation = this.progress.rotation;
      const wanted = rotation ? wantedPair(rotation) : await this.device.identities.active();
      if (wanted.certificate !== wantedBefore) refusals = 0;
      wantedBefore = wanted.certificate;
      // After every `trialTries` refusals of the wanted pair the other one has one try.
      const isOthersTurn = refusals % (settings.trialTries + 1) === settings.trialTries;
      const other = rotation && isOthersTurn ? otherPair(rotation) : undefined;
      const pair = other ?? wanted;
      const session = await this.connect(pair);
      if (session instanceof ConnectFailed) {
        tell({ kind: 'refused', certificate: pair.certificate, detail: `${session.kind}: ${session.message}` });
        if (session.kind === 'refused') {
          refusals += 1;
          await this.progress.refused();
        }
        await this.pause(attempt++);
        continue;
      }
      refusals = 0;
      tell({ kind: 'connected', certificate: pair.certificate });
      const connectedMs = clock.nowMs();
      const isDone = await this.use(session, pair, other !== undefined);
      await session.connection.close();
      const isOwn = isDone || this.stopping.signal.aborted;
      const lastedMs = clock.nowMs() - connectedMs;
      this.speaker.ended(lastedMs, isOwn);
      tell({ kind: 'disconnected', isOwn, detail: await session.connection.closed });
      if (isDone || lastedMs >= settings.stableAfterMs) attempt = 0;
      if (!isDone) await this.pause(attempt++);
    }
  }

  private async connect(pair: Pair): Promise<Session | ConnectFailed> {
    const { clock, settings } = this.device;
    const sinceLastMs = clock.nowMs() - this.lastConnectMs;
    if (sinceLastMs < settings.connectIntervalMs) await clock.sleep(settings.connectIntervalMs - sinceLastMs, this.stopping.signal);
    this.lastConnectMs = clock.nowMs();
    try {
      return await openSession(this.transport, pair, this.device, this.stopping.signal);
    } catch (error) {
      if (error instanceof ConnectFailed) return error;
      // A pair that cannot be read: what the storage does not give, the other pair may.
      return new ConnectFailed('refused', (error as Error).message);
    }
  }

  private async pause(attempt: number): Promise<void> {
    const { clock, settings, random } = this.device;
    await clock.sleep(settings.reconnect.firstMs / 2 + jitteredMs(settings.reconnect, attempt, random), this.stopping.signal);
  }

  /** Until the connection is over (`false`), or another pair is wanted than the one in use (`true`). */
  private async use(session: Session, pair: Pair, isOther: boolean): Promise<boolean> {
    const { progress, device } = this;
    // Before the device says anything: there may be a job to shut off. A rotation that is under way does not ask for the next job by itself.
    let first = progress.rotation ? undefined : this.firstJob(session);
    const looked = first ? first.then((execution) => session.orders.saw(execution)) : session.orders.look();
    void this.speaker.speak(
      session,
      looked.catch(() => undefined),
    );
    try {
      for (;;) {
        const { rotation } = progress;
        if (!rotation) await this.awaitJob(session, await (first ?? this.firstJob(session)));
        else if (isOther) await progress.to(await onOtherPair(rotation, device, session));
        else await progress.advance(session);
        first = undefined;
        if (isOther || (progress.rotation && wantedPair(progress.rotation).certificate !== pair.certificate)) return true;
      }
    } catch (error) {
      if (!session.signal.aborted) device.tell({ kind: 'warning', message: error instanceof Error ? error.message : String(error) });
      return false;
    }
  }

  private async awaitJob(session: Session, first: JobExecution | undefined): Promise<void> {
    const { device } = this;
    let next = first;
    for (;;) {
      // Obeyed beside this; when it is over, Jobs says what is next.
      if (next && isOrder(next)) next = undefined;
      const job = await findJob(next, session);
      const accepted = job && (await accept(job, device, session));
      if (job) next = undefined;
      if (accepted) return this.progress.begin(accepted, session);
      const said = await session.inbox.take(device.clock, session.signal);
      if (said?.kind === 'next') next = said.execution;
      // Behind a job of another operation, ours is announced only by the list having changed.
      else if (said?.kind !== 'pending') next = undefined;
    }
  }

  private async firstJob({ jobs, orders }: Session): Promise<JobExecution | undefined> {
    try {
      const execution = await jobs.next();
      void orders.saw(execution);
      return execution;
    } catch (error) {
      if (!(error instanceof NoAnswer)) throw error;
      // Telemetry goes on; a job that comes is still announced.
      this.device.tell({ kind: 'warning', message: error.message });
      return undefined;
    }
  }
}
