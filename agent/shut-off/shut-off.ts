/**
 * Is the device shut off? One small file, `shut-off.json`, that is there exactly while it is. No file: the device acts and speaks.
 *
 *     shut-off   file written ─► actuation stops ─► SUCCEEDED       a cut after the first arrow: off from the next start on
 *     resume     file removed ─► actuation resumes ─► SUCCEEDED     a cut before the first arrow: still off
 *
 * The answer needs no record of its own: a job that is IN_PROGRESS is offered again after a power cut, and obeying twice is obeying once. Fails to being
 * off: a file that cannot be read, and a storage that gives nothing, mean off.
 */
import { z } from 'zod';
import type { ShutOffCommand } from '../../domain/protocol/command.js';
import { SHUT_OFF_DETAIL, type ShutOffFailure, type ShutOffJob } from '../../domain/protocol/shut-off.js';
import type { Files } from '../storage/files.js';
import type { Actuation } from './actuation.js';

export const SHUT_OFF_RECORD = 'shut-off.json';
const Stored = z.object({ containmentId: z.string() });

/** With what the execution of the job ends: status and statusDetails. `failure`: the reason that stands in them. */
export interface Obeyed {
  readonly status: 'SUCCEEDED' | 'FAILED';
  readonly details: Readonly<Record<string, string>>;
  readonly failure?: ShutOffFailure;
}

export interface Refused {
  readonly refused: ShutOffFailure;
}

export class ShutOff {
  /** Without a containmentId: off, and which containment it was cannot be read any more. */
  private off: { readonly containmentId?: string } | undefined;
  /** Off for good: it is stored, and what the device moves has stopped. */
  private isSettled = false;
  /** The last containment that was over. Only of this run: what was sent before a restart does not arrive after it. */
  private resumed: string | undefined;
  private turn: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly files: Files,
    private readonly actuation: Actuation | undefined,
  ) {}

  get isOff(): boolean {
    return this.off !== undefined;
  }

  /** Once, at the start: tells the hardware which of the two it is. */
  async load(warn: (message: string) => void): Promise<void> {
    try {
      const bytes = await this.files.read(SHUT_OFF_RECORD);
      this.off = bytes && Stored.parse(JSON.parse(bytes.toString('utf8')));
    } catch {
      warn(`${SHUT_OFF_RECORD} cannot be read: the device stays off`);
      this.off = {};
    }
    try {
      await (this.off ? this.actuation?.stop() : this.actuation?.resume());
      this.isSettled = this.off?.containmentId !== undefined;
    } catch (error) {
      warn(`actuation: ${(error as Error).message}`);
    }
  }

  /** One after the other, also over connections: hardware may need longer to stand still than the device to connect again. Never rejects. */
  obey(job: ShutOffJob): Promise<Obeyed> {
    return this.inTurn(() => this.carryOut(job));
  }

  /** As `obey`, by a command: it may be late, and nobody can take it back, so it is refused where only a job can know better. Never rejects. */
  obeyCommand(command: ShutOffCommand): Promise<Obeyed | Refused> {
    return this.inTurn<Obeyed | Refused>(() => {
      // It was under way for longer than the containment: nobody would tell the device to go on again.
      if (this.resumed === command.containmentId) return { refused: 'containment-over' };
      // The device must remember whose `resume` it waits for. Whether a containment is over a job can say: it is cancelled.
      if (this.isOffByOther(command.containmentId)) return { refused: 'other-containment' };
      return this.carryOut(command);
    });
  }

  private inTurn<Said>(work: () => Said | Promise<Said>): Promise<Said> {
    const said = this.turn.then(work);
    this.turn = said;
    return said;
  }

  /** Is it off, by another containment than this one? */
  private isOffByOther(containmentId: string): boolean {
    return this.off?.containmentId !== undefined && this.off.containmentId !== containmentId;
  }

  private async carryOut({ operation, containmentId }: ShutOffJob): Promise<Obeyed> {
    const failure = operation === 'shut-off' ? await this.stop(containmentId) : await this.resume(containmentId);
    if (failure) return { status: 'FAILED', details: { reason: failure }, failure };
    const parts = [...(this.actuation ? ['actuation'] : []), 'telemetry'];
    return { status: 'SUCCEEDED', details: { [SHUT_OFF_DETAIL[operation]]: parts.join(',') } };
  }

  /** Stops what it can, also where one of its parts fails. Told again, by job or by command, it has nothing left to do. */
  private async stop(containmentId: string): Promise<ShutOffFailure | undefined> {
    if (this.isSettled && this.off?.containmentId === containmentId) return undefined;
    this.isSettled = false;
    this.off = { containmentId };
    const stored = await succeeds(() => this.files.replace(SHUT_OFF_RECORD, `${JSON.stringify({ containmentId })}\n`));
    const stopped = await succeeds(() => this.actuation?.stop());
    if (!stopped) return 'actuation';
    this.isSettled = stored;
    // It is off, and would be on again after a power cut: for the cloud that is no success.
    return stored ? undefined : 'storage';
  }

  private async resume(containmentId: string): Promise<ShutOffFailure | undefined> {
    if (this.isOffByOther(containmentId)) return 'other-containment';
    if (!(await succeeds(() => this.files.remove(SHUT_OFF_RECORD)))) return 'storage';
    this.off = undefined;
    this.isSettled = false;
    this.resumed = containmentId;
    return (await succeeds(() => this.actuation?.resume())) ? undefined : 'actuation';
  }
}

/** Drivers may throw where they should reject. */
async function succeeds(work: () => Promise<void> | undefined): Promise<boolean> {
  try {
    await work();
    return true;
  } catch {
    return false;
  }
}
