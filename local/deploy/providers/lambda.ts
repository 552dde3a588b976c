/** AWS::Lambda::* (CloudFormation template reference, AWS Lambda). Node.js functions from file assets, or inline. */
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { FunctionDefinition } from '../../cloud.js';
import { booleanOf, numberOf, onlyServed, present, tagMap, textOf } from '../properties.js';
import type { Provider, ProviderContext, Providers } from '../provider.js';

type Properties = Readonly<Record<string, unknown>>;

const FUNCTION = [
  'FunctionName',
  'Role',
  'Handler',
  'Runtime',
  'Code',
  'Description',
  'Timeout',
  'MemorySize',
  'Environment',
  'Architectures',
  'Tags',
  'DeadLetterConfig',
  'ReservedConcurrentExecutions',
  'LoggingConfig',
  'TracingConfig',
  'EphemeralStorage',
  'PackageType',
  // Lambda stops functions that call themselves through queues; the desk does not, and its time-outs and dead-letter queues end such a loop.
  'RecursiveLoop',
];

const lambdaFunction: Provider = (properties, context) => {
  onlyServed(properties, FUNCTION);
  const runtime = textOf(properties, 'Runtime') ?? '';
  if (!/^nodejs\d+\.x$/.test(runtime)) throw new Error(`Runtime: got ${runtime}, expected a Node.js runtime`);
  if (properties.PackageType !== undefined && properties.PackageType !== 'Zip') throw new Error('PackageType: expected Zip');
  const functionName = textOf(properties, 'FunctionName') ?? context.physicalName(64);
  const code = codeOf(properties.Code as Properties, context);
  try {
    const arn = context.cloud.parts.createFunction!(definitionOf(properties, functionName, runtime, code));
    return { ref: functionName, attributes: { Arn: arn } };
  } finally {
    code.discard();
  }
};

interface Code {
  readonly directory: string;
  readonly codeSha256: string;
  /** The function has its own copy by then. */
  discard(): void;
}

function codeOf(code: Properties, context: ProviderContext): Code {
  const inline = textOf(code, 'ZipFile');
  if (inline !== undefined) {
    const directory = mkdtempSync(path.join(tmpdir(), 'fleetwarden-inline-'));
    writeFileSync(path.join(directory, 'index.js'), inline);
    const codeSha256 = createHash('sha256').update(inline).digest('base64');
    return { directory, codeSha256, discard: () => rmSync(directory, { recursive: true, force: true }) };
  }
  onlyServed(code, ['S3Bucket', 'S3Key']);
  const hash = /([0-9a-f]{64})\.zip$/.exec(textOf(code, 'S3Key') ?? '')?.[1];
  if (hash === undefined) throw new Error(`Code.S3Key: got ${String(code.S3Key)}, expected the key of a file asset, <hash>.zip`);
  return { directory: context.assetDirectory(hash), codeSha256: Buffer.from(hash, 'hex').toString('base64'), discard: () => undefined };
}

function definitionOf(properties: Properties, functionName: string, runtime: string, { directory, codeSha256 }: Code): FunctionDefinition {
  const logging = (properties.LoggingConfig ?? {}) as Properties;
  onlyServed(logging, ['LogGroup', 'LogFormat']);
  const part = (name: string, member: string): unknown => (properties[name] as Properties | undefined)?.[member];
  const variables = Object.entries((part('Environment', 'Variables') ?? {}) as Properties).map(([name, value]) => [name, String(value)]);
  return present({
    functionName,
    runtime,
    directory,
    codeSha256,
    handler: textOf(properties, 'Handler') ?? '',
    roleArn: textOf(properties, 'Role') ?? '',
    description: textOf(properties, 'Description'),
    timeoutSeconds: numberOf(properties, 'Timeout'),
    memoryMiB: numberOf(properties, 'MemorySize'),
    ephemeralStorageMiB: part('EphemeralStorage', 'Size') as number | undefined,
    architectures: properties.Architectures as string[] | undefined,
    environment: Object.fromEntries(variables) as Record<string, string>,
    reservedConcurrency: numberOf(properties, 'ReservedConcurrentExecutions'),
    deadLetterArn: part('DeadLetterConfig', 'TargetArn') as string | undefined,
    logGroup: textOf(logging, 'LogGroup'),
    logFormat: textOf(logging, 'LogFormat') as 'Text' | 'JSON' | undefined,
    tracingMode: part('TracingConfig', 'Mode') as string | undefined,
    tags: tagMap(properties),
  });
}

const permission: Provider = async (properties, { cloud, physicalName }) => {
  onlyServed(properties, ['Action', 'FunctionName', 'Principal', 'SourceArn', 'SourceAccount']);
  const StatementId = physicalName(100);
  await cloud.call('lambda', 'AddPermission', { ...properties, StatementId });
  return { ref: StatementId, attributes: { Id: StatementId } };
};

/** Properties that CloudFormation takes as texts too. */
const MAPPING_NUMBERS = [
  'BatchSize',
  'MaximumBatchingWindowInSeconds',
  'ParallelizationFactor',
  'MaximumRecordAgeInSeconds',
  'MaximumRetryAttempts',
  'TumblingWindowInSeconds',
];
const MAPPING_SWITCHES = ['Enabled', 'BisectBatchOnFunctionError'];

const eventSourceMapping: Provider = async (properties, { cloud }) => {
  const { Tags: _tags, ...rest } = properties;
  const startSeconds = numberOf(properties, 'StartingPositionTimestamp');
  const { UUID, EventSourceMappingArn } = await cloud.call<{ UUID: string; EventSourceMappingArn: string }>(
    'lambda',
    'CreateEventSourceMapping',
    present({
      ...rest,
      ...Object.fromEntries(MAPPING_NUMBERS.map((name) => [name, numberOf(properties, name)])),
      ...Object.fromEntries(MAPPING_SWITCHES.map((name) => [name, booleanOf(properties, name)])),
      StartingPositionTimestamp: startSeconds === undefined ? undefined : new Date(startSeconds * 1000),
    }),
  );
  return { ref: UUID, attributes: { Id: UUID, EventSourceMappingArn } };
};

const eventInvokeConfig: Provider = async (properties, { cloud }) => {
  onlyServed(properties, ['FunctionName', 'Qualifier', 'MaximumRetryAttempts', 'MaximumEventAgeInSeconds', 'DestinationConfig']);
  if (properties.Qualifier !== undefined && properties.Qualifier !== '$LATEST')
    throw new Error(`Qualifier: got ${JSON.stringify(properties.Qualifier)}, expected $LATEST: the desk has no versions`);
  const { FunctionName, DestinationConfig } = properties;
  await cloud.call(
    'lambda',
    'PutFunctionEventInvokeConfig',
    present({
      FunctionName,
      DestinationConfig,
      MaximumRetryAttempts: numberOf(properties, 'MaximumRetryAttempts'),
      MaximumEventAgeInSeconds: numberOf(properties, 'MaximumEventAgeInSeconds'),
    }),
  );
  return { ref: `${String(FunctionName)}|$LATEST`, attributes: {} };
};

export const providers: Providers = {
  'AWS::Lambda::Function': lambdaFunction,
  'AWS::Lambda::Permission': permission,
  'AWS::Lambda::EventSourceMapping': eventSourceMapping,
  'AWS::Lambda::EventInvokeConfig': eventInvokeConfig,
};
