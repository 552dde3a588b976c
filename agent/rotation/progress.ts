/** The rotation that is under way, in memory and in storage: each step is stored before the next one begins. */
import type { Device, Session } from '../device.js';
import { jitteredMs } from '../retry.js';
import { StorageError } from '../storage/files.js';
import { failing, isBeforeProof } from './failing.js';
import type { In, Rotation } from './record.js';
import { step } from './steps.js';

export class Progress {
  private current: Rotation | undefined;

  constructor(private readonly device: Device) {}

  get rotation(): Rotation | undefined {
    return this.current;
  }

  async load(): Promise<void> {
    this.current = await this.device.record.load((message) => this.device.tell({ kind: 'warning', message }));
  }

  async begin(accepted: In<'accepted'>, session: Session): Promise<void> {
    await this.complete(accepted, () => Promise.resolve(accepted), session);
  }

  async advance(session: Session): Promise<void> {
    const from = this.current;
    if (from) await this.complete(from, () => step(from, this.device, session), session);
  }

  /** Stores where the rotation stands. Throws StorageError; one that fails goes on in memory, because a restart finds an earlier step, and that fails too. */
  async to(next: Rotation | undefined): Promise<void> {
    const { record, tell } = this.device;
    const { jobId } = (next ?? this.current)!;
    const isSameStep = next?.state === this.current?.state;
    if (next) {
      await record.save(next).catch((error: unknown) => {
        if (next.state !== 'failing') throw error;
      });
    } else await record.clear();
    this.current = next;
    if (isSameStep) return;
    tell({ kind: 'rotation', jobId, step: next?.state ?? 'finished', ...(next?.state === 'failing' ? { reason: next.reason } : {}) });
  }

  /** A connection was refused. Counts for a new certificate that has never been let in, also over restarts. */
  async refused(): Promise<void> {
    const { current, device } = this;
    if (current?.state !== 'certificate-stored') return;
    const refusals = current.refusals + 1;
    const next = refusals >= device.settings.trialTries ? failing(current, 'cannot-connect') : { ...current, refusals };
    await this.to(next).catch(() => {
      // Not stored: the count starts earlier after a restart.
      this.current = next;
    });
  }

  /** Does one step and stores it; again when the storage does not take it. */
  private async complete(from: Rotation, produce: () => Promise<Rotation | undefined>, session: Session): Promise<void> {
    const { settings, clock, random, tell } = this.device;
    for (let attempt = 0; ; attempt++) {
      try {
        return await this.to(await produce());
      } catch (error) {
        if (!(error instanceof StorageError)) throw error;
        tell({ kind: 'warning', message: error.message });
        if (attempt + 1 >= settings.storageTries && isBeforeProof(from)) return this.giveUp(from, session);
        await clock.sleep(jitteredMs(settings.storage, attempt, random), session.signal);
      }
    }
  }

  /** The storage does not take it. Nothing has been proved yet, so the old pair is untouched and in force. */
  private async giveUp(from: Rotation, { jobs }: Session): Promise<void> {
    if (from.state !== 'failing') return this.to(failing(from, 'storage'));
    // Not even deleting works. The cloud learns it, and withdraws the new certificate; what is left of it lies idle until the storage is repaired.
    if (from.reason !== 'job-over') await jobs.update(from, 'FAILED', { reason: from.reason });
    this.current = undefined;
  }
}
