/**
 * Message move tasks: a dead-letter queue's messages go back to where they came from, or to a named queue. A moved message is a new one:
 * new id, new send time, receive count zero (StartMessageMoveTask API reference). One running task per source queue.
 */
import { randomUUID } from 'node:crypto';
import type { DeskClock } from '../../world/clock.js';
import { AwsError } from '../../models/service.js';
import { type Message, newMessageId } from './message.js';
import type { Queue } from './queue.js';
import type { Queues } from './queues.js';

interface Task {
  readonly handle: string;
  readonly source: Queue;
  readonly destinationArn: string | undefined;
  readonly perSecond: number | undefined;
  readonly startedAtMs: number;
  readonly toMove: number;
  moved: number;
  status: 'RUNNING' | 'COMPLETED' | 'CANCELLED' | 'FAILED';
  failure?: string;
  cancelTimer?: () => void;
}

/** What a task without MaxNumberOfMessagesPerSecond moves in one step: AWS optimises the rate by itself up to 500 a second. */
const DEFAULT_RATE = 500;

export class MoveTasks {
  private readonly tasks: Task[] = [];

  constructor(
    private readonly queues: Queues,
    private readonly clock: DeskClock,
  ) {}

  start(source: Queue, destinationArn: string | undefined, perSecond: number | undefined): string {
    if (this.queues.sourcesOf(source).length === 0)
      throw new AwsError('InvalidParameterValue', 'Source queue must be configured as a Dead Letter Queue.');
    if (this.tasks.some((task) => task.source === source && task.status === 'RUNNING')) {
      throw new AwsError(
        'UnsupportedOperation',
        'There is already a task running. Only one active task is allowed for a source queue arn at a given time.',
      );
    }
    if (destinationArn !== undefined) this.queues.byArn(destinationArn);
    const startedAtMs = this.clock.nowMs();
    const handle = Buffer.from(JSON.stringify({ taskId: randomUUID(), sourceArn: source.arn })).toString('base64');
    const task: Task = {
      handle,
      source,
      destinationArn,
      perSecond,
      startedAtMs,
      toMove: source.counts().visible,
      moved: 0,
      status: 'RUNNING',
    };
    this.tasks.unshift(task);
    this.step(task);
    return handle;
  }

  cancel(handle: string): number {
    const task = this.tasks.find((candidate) => candidate.handle === handle);
    if (!task) throw new AwsError('ResourceNotFoundException', 'Task does not exist.', 404);
    if (task.status !== 'RUNNING') throw new AwsError('UnsupportedOperation', 'Only active tasks can be cancelled.');
    task.status = 'CANCELLED';
    task.cancelTimer?.();
    return task.moved;
  }

  /** Newest first, at most ten (ListMessageMoveTasks API reference). */
  list(source: Queue, limit: number): Record<string, unknown>[] {
    const own = this.tasks.filter((task) => task.source === source).slice(0, limit);
    return own.map((task) => ({
      ...(task.status === 'RUNNING' ? { TaskHandle: task.handle } : {}),
      Status: task.status,
      SourceArn: source.arn,
      ...(task.destinationArn === undefined ? {} : { DestinationArn: task.destinationArn }),
      ...(task.perSecond === undefined ? {} : { MaxNumberOfMessagesPerSecond: task.perSecond }),
      ApproximateNumberOfMessagesMoved: task.moved,
      ApproximateNumberOfMessagesToMove: task.toMove,
      ...(task.failure === undefined ? {} : { FailureReason: task.failure }),
      StartedTimestamp: task.startedAtMs,
    }));
  }

  private step(task: Task): void {
    const batch = task.source.drain(task.perSecond ?? DEFAULT_RATE);
    for (const [index, message] of batch.entries()) {
      if (this.move(task, message)) continue;
      for (const left of batch.slice(index)) task.source.accept(left);
      task.status = 'FAILED';
      return;
    }
    if (task.source.counts().visible === 0) task.status = 'COMPLETED';
    else task.cancelTimer = this.clock.after(1000, () => this.step(task));
  }

  private move(task: Task, message: Message): boolean {
    const arn = task.destinationArn ?? message.deadLetterSourceArn;
    const destination = arn === undefined ? undefined : this.queues.find(arn.split(':')[5] ?? '');
    if (!destination) {
      task.failure = arn === undefined ? 'CouldNotDetermineMessageSource' : 'AWS.SimpleQueueService.NonExistentQueue';
      return false;
    }
    const { body, attributes, systemAttributes, senderId, groupId, deduplicationId, sequenceNumber } = message;
    const nowMs = this.clock.nowMs();
    destination.accept({
      body,
      attributes,
      systemAttributes,
      senderId,
      groupId,
      deduplicationId,
      sequenceNumber,
      messageId: newMessageId(),
      sentAtMs: nowMs,
      receiveCount: 0,
      hiddenUntilMs: 0,
      inFlight: false,
    });
    task.moved++;
    return true;
  }
}
