/** All queues of the account, by name; where dead letters and metrics leave a queue. */
import type { Cloud } from '../../cloud.js';
import { AwsError } from '../../models/service.js';
import { type Attributes, checkAttributes, parseRedrive, parseRedriveAllow } from './attributes.js';
import type { Message } from './message.js';
import { Queue } from './queue.js';

const doesNotExist = (): AwsError => new AwsError('QueueDoesNotExist', 'The specified queue does not exist.');

export class Queues {
  private readonly byName = new Map<string, Queue>();
  /** Highest number of visible messages published in the current minute, by queue: arrivals publish only what raises it. */
  private readonly published = new Map<string, { minute: number; visible: number }>();

  constructor(private readonly cloud: Cloud) {}

  arnOf(name: string): string {
    return `arn:aws:sqs:${this.cloud.world.region}:${this.cloud.world.accountId}:${name}`;
  }

  urlOf(queue: Queue): string {
    return `${this.cloud.endpoint}/${this.cloud.world.accountId}/${queue.name}`;
  }

  /** By URL: whatever the host, the last segment is the name (clients keep URLs over restarts, and ports change). */
  byUrl(url: string): Queue {
    const queue = this.byName.get(nameInUrl(url));
    if (!queue) throw doesNotExist();
    return queue;
  }

  find(name: string): Queue | undefined {
    return this.byName.get(name);
  }

  byArn(arn: string): Queue {
    const queue = this.byName.get(arn.split(':')[5] ?? '');
    if (!queue || queue.arn !== arn) throw doesNotExist();
    return queue;
  }

  all(): readonly Queue[] {
    return [...this.byName.values()];
  }

  /** The same name with the same attributes gives the same queue; with others QueueNameExists (CreateQueue API reference). */
  create(name: string, attributes: Attributes, tags: Readonly<Record<string, string>>): Queue {
    const fifo = name.endsWith('.fifo');
    if (!/^[A-Za-z0-9_-]{1,80}$/.test(fifo ? name.slice(0, -5) : name) || name.length > 80) {
      throw new AwsError('InvalidParameterValue', 'Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length');
    }
    if (attributes.FifoQueue !== undefined && (attributes.FifoQueue === 'true') !== fifo) {
      throw new AwsError(
        'InvalidParameterValue',
        'The name of a FIFO queue can only include alphanumeric characters, hyphens, or underscores, must end with .fifo suffix and be 1 to 80 in length.',
      );
    }
    if (fifo && attributes.FifoQueue !== 'true')
      throw new AwsError('InvalidParameterValue', 'A queue whose name ends with .fifo needs the attribute FifoQueue=true.');
    checkAttributes(attributes, fifo);
    const existing = this.byName.get(name);
    if (existing) {
      const different = Object.entries(attributes).find(([key, value]) => existing.attribute(key) !== value);
      if (different)
        throw new AwsError(
          'QueueNameExists',
          `A queue already exists with the same name and a different value for attribute ${different[0]}`,
        );
      return existing;
    }
    const queue = new Queue(name, this.arnOf(name), this.cloud.world.clock, (arn, message) => this.deadLetter(arn, message));
    this.set(queue, attributes);
    for (const [key, value] of Object.entries(tags)) queue.tags.set(key, value);
    this.byName.set(name, queue);
    queue.onVisible(() => this.publishRaised(queue));
    return queue;
  }

  set(queue: Queue, attributes: Attributes): void {
    checkAttributes(attributes, queue.fifo);
    if (attributes.FifoQueue !== undefined && attributes.FifoQueue !== String(queue.fifo))
      throw new AwsError('InvalidAttributeName', 'Unknown Attribute FifoQueue.');
    const redrive = parseRedrive(attributes.RedrivePolicy);
    if (redrive) this.checkDeadLetterTarget(queue, redrive.deadLetterTargetArn);
    queue.setAttributes(attributes);
  }

  delete(queue: Queue): void {
    queue.close();
    this.byName.delete(queue.name);
  }

  /** Queues whose redrive policy names this one. */
  sourcesOf(deadLetterQueue: Queue): readonly Queue[] {
    return this.all().filter((queue) => parseRedrive(queue.attribute('RedrivePolicy'))?.deadLetterTargetArn === deadLetterQueue.arn);
  }

  /** AWS/SQS metrics, each minute for every queue. */
  publishAll(): void {
    for (const queue of this.all()) {
      const { visible, inFlight, delayed, oldestAgeSeconds } = queue.counts();
      this.publish(queue, {
        ApproximateNumberOfMessagesVisible: visible,
        ApproximateNumberOfMessagesNotVisible: inFlight,
        ApproximateNumberOfMessagesDelayed: delayed,
        ApproximateAgeOfOldestMessage: oldestAgeSeconds,
      });
    }
  }

  close(): void {
    for (const queue of this.all()) queue.close();
  }

  private publishRaised(queue: Queue): void {
    const minute = Math.floor(this.cloud.world.clock.nowMs() / 60_000);
    const visible = queue.visibleCount;
    const last = this.published.get(queue.name);
    if (last?.minute === minute && last.visible >= visible) return;
    this.published.set(queue.name, { minute, visible });
    this.publish(queue, { ApproximateNumberOfMessagesVisible: visible });
  }

  private publish(queue: Queue, values: Readonly<Record<string, number>>): void {
    const dimensions = { QueueName: queue.name };
    this.cloud.parts.metrics?.(
      Object.entries(values).map(([name, value]) => ({
        namespace: 'AWS/SQS',
        name,
        dimensions,
        value,
        unit: name.startsWith('ApproximateAge') ? 'Seconds' : 'Count',
      })),
    );
  }

  private deadLetter(arn: string, message: Message): boolean {
    const target = this.byName.get(arn.split(':')[5] ?? '');
    target?.accept(message);
    return target !== undefined;
  }

  private checkDeadLetterTarget(source: Queue, targetArn: string): void {
    const target = this.byName.get(targetArn.split(':')[5] ?? '');
    const refuse = (reason: string): never => {
      throw new AwsError(
        'InvalidParameterValue',
        `Value ${JSON.stringify({ deadLetterTargetArn: targetArn })} for parameter RedrivePolicy is invalid. Reason: ${reason}`,
      );
    };
    if (!target) return refuse('Dead letter target does not exist.');
    if (target.fifo !== source.fifo) return refuse('Dead-letter queue must be same type of queue as the source.');
    const allow = parseRedriveAllow(target.attribute('RedriveAllowPolicy'));
    if (allow?.redrivePermission === 'denyAll' || (allow?.redrivePermission === 'byQueue' && !allow.sourceQueueArns.includes(source.arn))) {
      return refuse(`Queue ${source.arn} does not have permission to use the dead-letter queue.`);
    }
  }
}

export function nameInUrl(url: string): string {
  return url.split('/').pop() ?? '';
}
