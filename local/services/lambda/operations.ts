/** The Lambda operations that the desk serves (Lambda API reference). Functions come from templates: CreateFunction is not served. */
import { AwsError, type Operation } from '../../models/service.js';
import type { AsyncInvocations } from './async-invocation.js';
import type { MappingInput } from './event-source-mapping.js';
import type { EventSources } from './event-sources.js';
import { configurationOf } from './function.js';
import type { Functions } from './functions.js';
import type { Invocations } from './invocation.js';
import { type PermissionInput, addPermission } from './permissions.js';

interface Parts {
  readonly functions: Functions;
  readonly invocations: Invocations;
  readonly asyncInvocations: AsyncInvocations;
  readonly sources: EventSources;
}
interface OfFunction {
  readonly FunctionName: string;
}
interface InvokeInput extends OfFunction {
  readonly InvocationType?: string;
  readonly LogType?: string;
  readonly Payload?: Uint8Array;
}
interface AsyncInput extends OfFunction {
  readonly MaximumRetryAttempts?: number;
  readonly MaximumEventAgeInSeconds?: number;
  readonly DestinationConfig?: {
    readonly OnFailure?: { readonly Destination?: string };
    readonly OnSuccess?: { readonly Destination?: string };
  };
}

/** Lambda gives at most the last four kilobytes of the log in the answer. */
const TAIL_BYTES = 4096;
const PAGE = 50;

export function lambdaOperations({ functions, invocations, asyncInvocations, sources }: Parts): Readonly<Record<string, Operation>> {
  return {
    Invoke: async (input: InvokeInput) => {
      const lambda = functions.get(input.FunctionName);
      const event = input.Payload && input.Payload.length > 0 ? Buffer.from(input.Payload).toString() : '{}';
      checkJson(event);
      if (input.InvocationType === 'DryRun') return { StatusCode: 204 };
      if (input.InvocationType === 'Event') {
        asyncInvocations.accept(lambda, event);
        return { StatusCode: 202 };
      }
      const result = await invocations.invoke(lambda, event);
      return {
        StatusCode: 200,
        ExecutedVersion: '$LATEST',
        Payload: Buffer.from(result.text),
        ...(result.ok ? {} : { FunctionError: 'Unhandled' }),
        ...(input.LogType === 'Tail' ? { LogResult: Buffer.from(result.lines.join('\n')).subarray(-TAIL_BYTES).toString('base64') } : {}),
      };
    },
    GetFunction: (input: OfFunction) => {
      const lambda = functions.get(input.FunctionName);
      return {
        Configuration: configurationOf(lambda),
        Code: { RepositoryType: 'S3' },
        ...(lambda.definition.tags ? { Tags: lambda.definition.tags } : {}),
        ...(lambda.reservedConcurrency === undefined ? {} : { Concurrency: { ReservedConcurrentExecutions: lambda.reservedConcurrency } }),
      };
    },
    GetFunctionConfiguration: (input: OfFunction) => configurationOf(functions.get(input.FunctionName)),
    ListFunctions: (input: { Marker?: string; MaxItems?: number }) => {
      const { items, next } = page(functions.all(), input.Marker, input.MaxItems);
      return { Functions: items.map(configurationOf), ...next };
    },
    // What the desk has none of, in the words that tools take for "none".
    GetFunctionCodeSigningConfig: (input: OfFunction) => ({
      CodeSigningConfigArn: '',
      FunctionName: functions.get(input.FunctionName).name,
    }),
    ListVersionsByFunction: (input: OfFunction) => ({ Versions: [configurationOf(functions.get(input.FunctionName))] }),
    ListAliases: (input: OfFunction) => (functions.get(input.FunctionName), { Aliases: [] }),
    GetFunctionUrlConfig: (input: OfFunction) => {
      functions.get(input.FunctionName);
      throw new AwsError('ResourceNotFoundException', 'The resource you requested does not exist.', 404, { Type: 'User' });
    },
    ListTags: (input: { Resource: string }) => ({ Tags: functions.get(input.Resource).definition.tags ?? {} }),
    GetPolicy: (input: OfFunction) => {
      const policy = functions.policyOf(functions.get(input.FunctionName).name);
      if (!policy) throw new AwsError('ResourceNotFoundException', 'The resource you requested does not exist.', 404, { Type: 'User' });
      return { Policy: JSON.stringify({ ...policy, Id: 'default' }), RevisionId: functions.get(input.FunctionName).revisionId };
    },
    AddPermission: (input: OfFunction & PermissionInput) => ({
      Statement: JSON.stringify(addPermission(functions.get(input.FunctionName), input)),
    }),
    RemovePermission: (input: OfFunction & { StatementId: string }) => {
      if (!functions.get(input.FunctionName).statements.delete(input.StatementId))
        throw new AwsError('ResourceNotFoundException', `Statement ${input.StatementId} is not found in resource policy.`, 404, {
          Type: 'User',
        });
      return {};
    },
    PutFunctionConcurrency: (input: OfFunction & { ReservedConcurrentExecutions: number }) => {
      functions.get(input.FunctionName).reserve(input.ReservedConcurrentExecutions);
      return { ReservedConcurrentExecutions: input.ReservedConcurrentExecutions };
    },
    GetFunctionConcurrency: (input: OfFunction) => {
      const { reservedConcurrency } = functions.get(input.FunctionName);
      return reservedConcurrency === undefined ? {} : { ReservedConcurrentExecutions: reservedConcurrency };
    },
    DeleteFunctionConcurrency: (input: OfFunction) => {
      functions.get(input.FunctionName).reserve(undefined);
      return {};
    },
    PutFunctionEventInvokeConfig: (input: AsyncInput) => {
      const lambda = functions.get(input.FunctionName);
      lambda.async = {
        maximumRetries: input.MaximumRetryAttempts ?? 2,
        maximumAgeSeconds: input.MaximumEventAgeInSeconds ?? 21_600,
        onFailureArn: input.DestinationConfig?.OnFailure?.Destination,
        onSuccessArn: input.DestinationConfig?.OnSuccess?.Destination,
      };
      return asyncConfiguration(functions, input.FunctionName);
    },
    GetFunctionEventInvokeConfig: (input: OfFunction) => asyncConfiguration(functions, input.FunctionName),
    CreateEventSourceMapping: async (input: MappingInput) => sources.describe(await sources.create(input)),
    GetEventSourceMapping: (input: { UUID: string }) => sources.describe(input.UUID),
    UpdateEventSourceMapping: (input: MappingInput & { UUID: string }) => {
      sources.update(input.UUID, input);
      return sources.describe(input.UUID);
    },
    DeleteEventSourceMapping: (input: { UUID: string }) => {
      const last = sources.describe(input.UUID);
      sources.delete(input.UUID);
      return { ...last, State: 'Deleting' };
    },
    ListEventSourceMappings: (input: { FunctionName?: string; EventSourceArn?: string; Marker?: string; MaxItems?: number }) => {
      const { items, next } = page(sources.list(input.FunctionName, input.EventSourceArn), input.Marker, input.MaxItems);
      return { EventSourceMappings: items, ...next };
    },
  };
}

function page<T>(all: readonly T[], marker: string | undefined, limit = PAGE): { items: T[]; next: { NextMarker?: string } } {
  const from = Number(marker ?? 0);
  return { items: all.slice(from, from + limit), next: from + limit < all.length ? { NextMarker: String(from + limit) } : {} };
}

function checkJson(event: string): void {
  try {
    JSON.parse(event);
  } catch (error) {
    throw new AwsError('InvalidRequestContentException', `Could not parse request body into json: ${(error as Error).message}`, 400, {
      Type: 'User',
    });
  }
}

function asyncConfiguration(functions: Functions, name: string): Record<string, unknown> {
  const lambda = functions.get(name);
  const { maximumRetries, maximumAgeSeconds, onFailureArn, onSuccessArn } = lambda.async;
  return {
    LastModified: lambda.lastModified,
    FunctionArn: `${lambda.arn}:$LATEST`,
    MaximumRetryAttempts: maximumRetries,
    MaximumEventAgeInSeconds: maximumAgeSeconds,
    DestinationConfig: { OnFailure: { Destination: onFailureArn }, OnSuccess: { Destination: onSuccessArn } },
  };
}
