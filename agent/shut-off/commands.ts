/**
 * Shut-off by an AWS IoT command: heard only by a device that is connected, and obeyed at once: not while a job that says the same is obeyed, but it does
 * not wait for what Jobs answers to that.
 *
 *     request {operation: 'shut-off', …} ─► "off", stored ─► actuation stops ─► one answer
 *
 * The power goes before the answer: AWS does not repeat a command, and the job that follows it is answered instead. One answer and no IN_PROGRESS before it:
 * AWS refuses updates that follow on each other's heels.
 */
import {
  COMMAND_FILTERS,
  ShutOffCommand,
  commandTopic,
  readCommandTopic,
  reasonCode,
  type CommandAnswer,
} from '../../domain/protocol/command.js';
import { SHUT_OFF_FAILURES, type ShutOffFailure } from '../../domain/protocol/shut-off.js';
import type { AgentSettings } from '../settings.js';
import type { Clock } from '../clock.js';
import type { Connection } from '../transport/transport.js';
import { namesOperation, type OrderEvent } from './orders.js';
import type { Obeyed, ShutOff } from './shut-off.js';

export interface CommandsContext {
  readonly thingName: string;
  readonly shutOff: ShutOff;
  readonly clock: Clock;
  readonly settings: Pick<AgentSettings, 'refused'>;
  readonly tell: (event: OrderEvent | { readonly kind: 'warning'; readonly message: string }) => void;
}

/** Of one device, over its connections: whether it may listen at all. */
export class Listening {
  private refusedAtMs = Number.NEGATIVE_INFINITY;

  constructor(private readonly isWanted: boolean) {}

  /** A refusal is not asked for again with each connection: AWS IoT counts them, and so does whoever watches behaviour. */
  isTime({ clock, settings }: CommandsContext): boolean {
    return this.isWanted && clock.nowMs() - this.refusedAtMs >= settings.refused.longestMs;
  }
  refused({ clock }: CommandsContext): void {
    this.refusedAtMs = clock.nowMs();
  }
}

export class Commands {
  /** Executions of ours that have been heard on this connection: a message may come twice. */
  private readonly heard = new Set<string>();

  constructor(
    private readonly device: CommandsContext,
    private readonly connection: Connection,
  ) {}

  /** In a SUBSCRIBE of its own: where the device may not hear commands, all else goes on. */
  async listen(listening: Listening): Promise<void> {
    const { device, connection } = this;
    if (!listening.isTime(device)) return;
    try {
      await connection.subscribe(COMMAND_FILTERS.map((filter) => commandTopic(device.thingName, filter)));
    } catch (error) {
      // Also where the connection ended over it: a region without commands must not cost the device one connection after another.
      listening.refused(device);
      this.warn(`commands are not heard: ${(error as Error).message}`);
    }
  }

  /** Takes a message. `false`: it is not about a command. */
  receive(topic: string, message: unknown): boolean {
    const about = readCommandTopic(this.device.thingName, topic);
    if (!about) return false;
    const { executionId, what } = about;
    if (what === 'request/json') {
      // Another program's, on the same device: an answer of ours would end its execution.
      if (this.heard.has(executionId) || !namesOperation(message)) return true;
      this.heard.add(executionId);
      void this.obey(executionId, message);
    } else if (what === 'response/rejected/json' && this.heard.has(executionId)) {
      // Too late, or answered before. The job is answered as well.
      this.warn(
        `the answer to command ${executionId} was not taken: ${(message as { readonly error?: string } | null)?.error ?? 'no reason'}`,
      );
    }
    return true;
  }

  private async obey(executionId: string, message: unknown): Promise<void> {
    const { shutOff, tell } = this.device;
    const command = ShutOffCommand.safeParse(message);
    if (!command.success) {
      this.warn(`command ${executionId} is not one that this device knows`);
      return this.answer(executionId, refusal('REJECTED', 'unsupported-document'));
    }
    const obeyed = await shutOff.obeyCommand(command.data);
    if ('refused' in obeyed) return this.answer(executionId, refusal('REJECTED', obeyed.refused));
    tell({ kind: 'order', executionId, operation: 'shut-off', ...obeyed });
    await this.answer(executionId, answerOf(obeyed));
  }

  private async answer(executionId: string, answer: CommandAnswer): Promise<void> {
    try {
      await this.connection.publish(commandTopic(this.device.thingName, `${executionId}/response/json`), JSON.stringify(answer), 1);
    } catch (error) {
      this.warn(`command ${executionId} is not answered: ${(error as Error).message}`);
    }
  }

  private warn(message: string): void {
    this.device.tell({ kind: 'warning', message });
  }
}

const refusal = (status: 'FAILED' | 'REJECTED', failure: ShutOffFailure): CommandAnswer => ({
  status,
  statusReason: { reasonCode: reasonCode(failure), reasonDescription: SHUT_OFF_FAILURES[failure] },
});

function answerOf({ status, details, failure }: Obeyed): CommandAnswer {
  if (failure !== undefined) return refusal('FAILED', failure);
  return { status, result: Object.fromEntries(Object.entries(details).map(([name, said]) => [name, { s: said }])) };
}
