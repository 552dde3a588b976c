/**
 * What every function of the application has, whoever calls it: a role that no other function has and that holds only what is granted, a log group
 * with retention, an alarm on errors, and an environment that is typed by the schema which its handler reads it with.
 *
 *     fed by a queue (SQS)                      GuardedFunction
 *     invoked and waited for (Step Functions,   InvokedFunction
 *     an event source mapping of a stream)
 */
import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import type { IAlarm } from 'aws-cdk-lib/aws-cloudwatch';
import { PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Architecture, Function as LambdaFunction, RecursiveLoop, Runtime } from 'aws-cdk-lib/aws-lambda';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import type { Alarms } from '../observability/alarms.js';
import type { HandlerName, Installation } from './installation.js';
import { acknowledgeWildcards } from './wildcard.js';

/** The newest runtime that AWS lists (FACTS E): deprecated on 2028-04-30 at the earliest. */
const RUNTIME = Runtime.NODEJS_24_X;

export interface OwnFunctionProps {
  readonly installation: Installation;
  readonly alarms: Alarms;
  /** Also the name of the function and of its log group, behind the installation's prefix. */
  readonly name: HandlerName;
  readonly description: string;
  readonly timeout: Duration;
  readonly memoryMiB: number;
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
  /** By operator and key. @default none */
  readonly conditions?: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

export interface OwnFunction {
  readonly function: LambdaFunction;
  readonly role: Role;
  readonly errors: IAlarm;
}

/** Name of the function in its account and region. */
export const functionNameOf = ({ installation, name }: Pick<OwnFunctionProps, 'installation' | 'name'>): string =>
  `${installation.configuration.prefix}-${name}`;

/** Makes the function with what belongs to it, as children of `scope`. */
export function makeFunction(scope: Construct, props: OwnFunctionProps, environment: Readonly<Record<string, string>>): OwnFunction {
  const { configuration, handlerCode } = props.installation;
  const functionName = functionNameOf(props);
  // Deleted with the stack: the name is fixed, and a log group left behind would refuse the next deployment. Decisions are in the ledger.
  const logGroup = new LogGroup(scope, 'LogGroup', {
    logGroupName: `/aws/lambda/${functionName}`,
    retention: configuration.logRetentionDays,
    removalPolicy: RemovalPolicy.DESTROY,
  });
  // No aws:SourceArn in the trust: AWS does not document that Lambda sends it when it assumes an execution role, and a role cannot be
  // passed to a function of another account, so there is no deputy to confuse.
  const role = new Role(scope, 'Role', {
    assumedBy: new ServicePrincipal('lambda.amazonaws.com'),
    description: `What ${functionName} may do`,
  });
  grant(role, { actions: ['logs:CreateLogStream', 'logs:PutLogEvents'], resources: [logGroup.logGroupArn] });
  const made = new LambdaFunction(scope, 'Function', {
    functionName,
    description: props.description,
    runtime: RUNTIME,
    architecture: Architecture.ARM_64,
    handler: 'index.handler',
    code: handlerCode(props.name),
    role,
    logGroup,
    timeout: props.timeout,
    memorySize: props.memoryMiB,
    environment: { ...environment },
    ...(props.continuesItself ? { recursiveLoop: RecursiveLoop.ALLOW } : {}),
  });
  return { function: made, role, errors: alarmOnErrors(props, made) };
}

function alarmOnErrors({ alarms, name }: OwnFunctionProps, made: LambdaFunction): IAlarm {
  return alarms.add('function-errors', {
    of: name,
    metric: made.metricErrors({ period: Duration.minutes(5), statistic: 'Sum' }),
    atLeast: 1,
  });
}

/** Adds to the function's own role. Every permission of the application is given by a call of this. */
export function grant(role: Role, { actions, resources, wildcard, conditions }: Permission): void {
  if (resources.length === 0) return;
  role.addToPolicy(new PolicyStatement({ actions: [...actions], resources: [...resources], ...(conditions && { conditions }) }));
  if (wildcard !== undefined) acknowledgeWildcards(role, resources, wildcard);
}

export interface InvokedFunctionProps<Variables extends Readonly<Record<string, string>>> extends OwnFunctionProps {
  /** From the function's `env.ts`: what it misses or has too much does not compile. */
  readonly environment: Variables;
}

/** A function whose caller waits for its answer and repeats what fails. Who that is, and what becomes of a failure, is the caller's construct. */
export class InvokedFunction<Variables extends Readonly<Record<string, string>>> extends Construct {
  readonly function: LambdaFunction;
  readonly errors: IAlarm;
  private readonly role: Role;

  constructor(scope: Construct, id: string, props: InvokedFunctionProps<Variables>) {
    super(scope, id);
    ({ function: this.function, role: this.role, errors: this.errors } = makeFunction(this, props, props.environment));
  }

  allow(permission: Permission): this {
    grant(this.role, permission);
    return this;
  }
}
