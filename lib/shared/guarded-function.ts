/**
 * The one place that makes functions which are fed by a queue: what every function has (own-function.ts), and its own queue with a dead-letter queue
 * in front.
 */
import type { Duration } from 'aws-cdk-lib';
import type { IAlarm } from 'aws-cdk-lib/aws-cloudwatch';
import type { Role } from 'aws-cdk-lib/aws-iam';
import type { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import { SqsEventSource } from 'aws-cdk-lib/aws-lambda-event-sources';
import { Construct } from 'constructs';
import { GuardedQueue } from './guarded-queue.js';
import { grant, makeFunction, type OwnFunctionProps, type Permission } from './own-function.js';

export type { Permission } from './own-function.js';

/** One queue-fed function; its environment may need its own queue, so the queue is made first: `environment` is a function of it. */
export interface GuardedFunctionProps<Variables extends Readonly<Record<string, string>>> extends OwnFunctionProps {
  /** From the function's `env.ts`: what it misses or has too much does not compile. */
  readonly environment: (ownQueueUrl: string) => Variables;
  /** Messages a call. 1: a message's failure is its own. */
  readonly batchSize: number;
  /** How long a batch is gathered before the function is called: more than ten messages a call need a second at least. @default not at all */
  readonly maxBatchingWindow?: Duration;
  /** Calls at the same time, 2 at least (AWS's own minimum). */
  readonly maxConcurrency: number;
  /** Alarm when the oldest message of its queue has waited longer. */
  readonly stalledAfter: Duration;
}

export class GuardedFunction<Variables extends Readonly<Record<string, string>>> extends Construct {
  readonly function: LambdaFunction;
  /** `<prefix>-<name>`, with its dead-letter queue. */
  readonly source: GuardedQueue;
  readonly errors: IAlarm;
  private readonly role: Role;

  constructor(scope: Construct, id: string, props: GuardedFunctionProps<Variables>) {
    super(scope, id);
    this.source = new GuardedQueue(this, 'Source', {
      prefix: props.installation.configuration.prefix,
      name: props.name,
      handlerTimeout: props.timeout,
      stalledAfter: props.stalledAfter,
      alarms: props.alarms,
    });
    const { function: made, role, errors } = makeFunction(this, props, props.environment(this.source.queue.queueUrl));
    [this.function, this.role, this.errors] = [made, role, errors];
    this.function.addEventSource(
      new SqsEventSource(this.source.queue, {
        batchSize: props.batchSize,
        ...(props.maxBatchingWindow === undefined ? {} : { maxBatchingWindow: props.maxBatchingWindow }),
        maxConcurrency: props.maxConcurrency,
        reportBatchItemFailures: true,
      }),
    );
  }

  /** Adds to the function's own role. Every permission of the application is given by a call of this. */
  allow(permission: Permission): this {
    grant(this.role, permission);
    return this;
  }
}
