/** A function as the desk keeps it, and as the Lambda API answers it. */
import { randomUUID } from 'node:crypto';
import type { Cloud, FunctionDefinition } from '../../cloud.js';
import type { PolicyStatement } from '../../iam/principal.js';
import { CodeStore } from '../../functions/code-store.js';
import { ExecutionEnvironment } from '../../functions/execution-environment.js';
import { EnvironmentPool, type Started } from '../../functions/environment-pool.js';

/** Environments of one function at a time on a desk: a laptop has a handful of cores. A lower reserved concurrency wins. */
export const DESK_CONCURRENCY = 4;
/** "Lambda terminates execution environments every few hours" (docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html). */
const ENVIRONMENT_LIFE_MS = 6 * 3_600_000;

/** Settings of asynchronous invocation (PutFunctionEventInvokeConfig). */
export interface AsyncSettings {
  readonly maximumRetries: number;
  readonly maximumAgeSeconds: number;
  readonly onFailureArn?: string;
  readonly onSuccessArn?: string;
}

export class LambdaFunction {
  readonly arn: string;
  readonly pool: EnvironmentPool;
  readonly lastModified: Date;
  readonly revisionId = randomUUID();
  readonly statements = new Map<string, PolicyStatement>();
  async: AsyncSettings = { maximumRetries: 2, maximumAgeSeconds: 21_600 };
  reservedConcurrency: number | undefined;
  private readonly directory: string;
  private environments = 0;

  constructor(
    readonly definition: FunctionDefinition,
    private readonly cloud: Cloud,
    code: CodeStore,
  ) {
    const { accountId, region, clock } = cloud.world;
    this.arn = `arn:aws:lambda:${region}:${accountId}:function:${definition.functionName}`;
    this.lastModified = clock.date();
    this.directory = code.add(definition.functionName, definition.directory);
    this.pool = new EnvironmentPool(
      () => this.startEnvironment(),
      () => clock.nowMs(),
      DESK_CONCURRENCY,
    );
    this.reserve(definition.reservedConcurrency);
  }

  get name(): string {
    return this.definition.functionName;
  }

  get timeoutMs(): number {
    return (this.definition.timeoutSeconds ?? 3) * 1000;
  }

  get memoryMiB(): number {
    return this.definition.memoryMiB ?? 128;
  }

  get logGroup(): string {
    return this.definition.logGroup ?? `/aws/lambda/${this.name}`;
  }

  /** Reserved concurrency is a right and a limit. `undefined`: the account's. */
  reserve(concurrency: number | undefined): void {
    this.reservedConcurrency = concurrency;
    this.pool.limit = Math.min(concurrency ?? DESK_CONCURRENCY, DESK_CONCURRENCY);
  }

  /** Throws AccessDenied when the role's trust policy does not let Lambda in. */
  private startEnvironment(): Started {
    const { world, iam, endpoint } = this.cloud;
    const session = iam.assume(this.definition.roleArn, 'lambda.amazonaws.com', this.name, this.arn);
    const logStreamName = `${world.clock.date().toISOString().slice(0, 10).replaceAll('-', '/')}/[$LATEST]${randomUUID().replaceAll('-', '')}`;
    this.environments++;
    const environment = new ExecutionEnvironment({
      directory: this.directory,
      memoryMiB: this.memoryMiB,
      functionArn: this.arn,
      offsetMs: world.clock.offsetMs,
      variables: {
        ...this.definition.environment,
        AWS_REGION: world.region,
        AWS_DEFAULT_REGION: world.region,
        AWS_ACCESS_KEY_ID: session.accessKeyId,
        AWS_SECRET_ACCESS_KEY: session.secretAccessKey,
        AWS_SESSION_TOKEN: session.sessionToken,
        AWS_ENDPOINT_URL: endpoint,
        AWS_LAMBDA_FUNCTION_NAME: this.name,
        AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
        AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(this.memoryMiB),
        AWS_LAMBDA_LOG_GROUP_NAME: this.logGroup,
        AWS_LAMBDA_LOG_STREAM_NAME: logStreamName,
        AWS_LAMBDA_LOG_FORMAT: this.definition.logFormat ?? 'Text',
        AWS_LAMBDA_INITIALIZATION_TYPE: 'on-demand',
        AWS_EXECUTION_ENV: `AWS_Lambda_${this.definition.runtime}`,
        LAMBDA_TASK_ROOT: this.directory,
        _HANDLER: this.definition.handler,
        TZ: ':UTC',
        // The SDK looks for profiles in the home of the user who runs the desk: on Lambda there are none.
        HOME: this.directory,
        // The desk runs functions on the Node.js at hand; the SDK's warning about it would fill the function's log.
        AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
      },
    });
    logStreams.set(environment, logStreamName);
    return { environment, usableUntilMs: world.clock.nowMs() + ENVIRONMENT_LIFE_MS };
  }
}

/** Each environment writes to a log stream of its own, as on AWS. */
const logStreams = new WeakMap<ExecutionEnvironment, string>();
export const logStreamOf = (environment: ExecutionEnvironment): string => logStreams.get(environment) ?? 'unknown';

const lambdaTime = (date: Date): string => date.toISOString().replace('Z', '+0000');

/** FunctionConfiguration of the Lambda API. */
export function configurationOf(lambda: LambdaFunction): Record<string, unknown> {
  const { definition } = lambda;
  return {
    FunctionName: lambda.name,
    FunctionArn: lambda.arn,
    Runtime: definition.runtime,
    Role: definition.roleArn,
    Handler: definition.handler,
    CodeSize: 0,
    CodeSha256: definition.codeSha256,
    Description: definition.description ?? '',
    Timeout: lambda.timeoutMs / 1000,
    MemorySize: lambda.memoryMiB,
    LastModified: lambdaTime(lambda.lastModified),
    Version: '$LATEST',
    ...(definition.deadLetterArn === undefined ? {} : { DeadLetterConfig: { TargetArn: definition.deadLetterArn } }),
    ...(definition.environment === undefined ? {} : { Environment: { Variables: definition.environment } }),
    TracingConfig: { Mode: definition.tracingMode ?? 'PassThrough' },
    RevisionId: lambda.revisionId,
    State: 'Active',
    LastUpdateStatus: 'Successful',
    PackageType: 'Zip',
    Architectures: definition.architectures ?? ['x86_64'],
    EphemeralStorage: { Size: definition.ephemeralStorageMiB ?? 512 },
    LoggingConfig: { LogFormat: definition.logFormat ?? 'Text', LogGroup: lambda.logGroup },
  };
}
