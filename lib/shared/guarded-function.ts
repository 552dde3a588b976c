/**
 * The one place that makes functions. Each has its own role with only what is granted, its own queue with a dead-letter queue in front,
 * a log group with retention, and an alarm on errors. Its environment is typed by the schema that its handler reads it with.
 */
import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import type { IAlarm } from 'aws-cdk-lib/aws-cloudwatch';
import { PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Architecture, Function as LambdaFunction, RecursiveLoop, Runtime } from 'aws-cdk-lib/aws-lambda';
import { SqsEventSource } from 'aws-cdk-lib/aws-lambda-event-sources';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import type { Alarms } from '../observability/alarms.js';
import { GuardedQueue } from './guarded-queue.js';
import type { HandlerName, Installation } from './installation.js';
import { acknowledgeWildcards } from './wildcard.js';

/** The newest runtime that AWS lists (FACTS E): deprecated on 2028-04-30 at the earliest. */
const RUNTIME = Runtime.NODEJS_24_X;

/** One queue-fed function; its environment may need its own queue, so the queue is made first: `environment` is a function of it. */
export interface GuardedFunctionProps<Variables extends Readonly<Record<string, string>>> {
  readonly installation: Installation;
  readonly alarms: Alarms;
  /** Also the name of the function, of its log group and of its queue, behind the installation's prefix. */
  readonly name: HandlerName;
  readonly description: string;
  /** From the function's `env.ts`: what it misses or has too much does not compile. */
  readonly environment: (ownQueueUrl: string) => Variables;
  readonly timeout: Duration;
  readonly memoryMiB: number;
  /** Messages a call. 1: a message's failure is its own. */
  readonly batchSize: number;
  /** Calls at the same time, 2 at least (AWS's own minimum). */
  readonly maxConcurrency: number;
  /** Alarm when the oldest message of its queue has waited longer. */
  readonly stalledAfter: Duration;
  /**
   * Sends messages to its own queue, and more than 16 hops of that are legitimate: without this, Lambda's detection of recursive loops would
   * stop the chain there and drop it (docs.aws.amazon.com/lambda/latest/dg/invocation-recursion.html). @default false
   */
  readonly continuesItself?: boolean;
}

export interface Permission {
  readonly actions: readonly string[];
  readonly resources: readonly string[];
  /** Why a resource ends in `*`. Without it, cdk-nag refuses the synthesis. */
  readonly wildcard?: string;
}

export class GuardedFunction<Variables extends Readonly<Record<string, string>>> extends Construct {
  readonly function: LambdaFunction;
  readonly source: GuardedQueue;
  readonly errors: IAlarm;
  private readonly role: Role;

  constructor(scope: Construct, id: string, props: GuardedFunctionProps<Variables>) {
    super(scope, id);
    const { configuration, handlerCode } = props.installation;
    const functionName = `${configuration.prefix}-${props.name}`;
    this.source = new GuardedQueue(this, 'Source', {
      prefix: configuration.prefix,
      name: props.name,
      handlerTimeout: props.timeout,
      stalledAfter: props.stalledAfter,
      alarms: props.alarms,
    });
    // Deleted with the stack: the name is fixed, and a log group left behind would refuse the next deployment. Decisions are in the ledger.
    const logGroup = new LogGroup(this, 'LogGroup', {
      logGroupName: `/aws/lambda/${functionName}`,
      retention: configuration.logRetentionDays,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    // No aws:SourceArn in the trust: AWS does not document that Lambda sends it when it assumes an execution role, and a role cannot be
    // passed to a function of another account, so there is no deputy to confuse.
    this.role = new Role(this, 'Role', {
      assumedBy: new ServicePrincipal('lambda.amazonaws.com'),
      description: `What ${functionName} may do`,
    });
    this.allow({ actions: ['logs:CreateLogStream', 'logs:PutLogEvents'], resources: [logGroup.logGroupArn] });
    this.function = new LambdaFunction(this, 'Function', {
      functionName,
      description: props.description,
      runtime: RUNTIME,
      architecture: Architecture.ARM_64,
      handler: 'index.handler',
      code: handlerCode(props.name),
      role: this.role,
      logGroup,
      timeout: props.timeout,
      memorySize: props.memoryMiB,
      environment: { ...props.environment(this.source.queue.queueUrl) },
      ...(props.continuesItself ? { recursiveLoop: RecursiveLoop.ALLOW } : {}),
    });
    this.function.addEventSource(
      new SqsEventSource(this.source.queue, {
        batchSize: props.batchSize,
        maxConcurrency: props.maxConcurrency,
        reportBatchItemFailures: true,
      }),
    );
    this.errors = props.alarms.add('function-errors', {
      of: props.name,
      metric: this.function.metricErrors({ period: Duration.minutes(5), statistic: 'Sum' }),
      atLeast: 1,
    });
  }

  /** Adds to the function's own role. Every permission of the application is given by a call of this. */
  allow({ actions, resources, wildcard }: Permission): this {
    if (resources.length === 0) return this;
    this.role.addToPolicy(new PolicyStatement({ actions: [...actions], resources: [...resources] }));
    if (wildcard !== undefined) acknowledgeWildcards(this.role, resources, wildcard);
    return this;
  }
}
