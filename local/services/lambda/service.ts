/** AWS Lambda on the desk: its operations, what IAM must allow for each, and deliveries from other services (asynchronous). */
import type { Cloud } from '../../cloud.js';
import type { AccessRequest } from '../../iam/principal.js';
import { AsyncInvocations } from './async-invocation.js';
import { EventSources } from './event-sources.js';
import { Functions } from './functions.js';
import { Invocations } from './invocation.js';
import { lambdaOperations } from './operations.js';

/** Starts Lambda. The answer ends every execution environment and removes the code. */
export function startLambda(cloud: Cloud): () => Promise<void> {
  const functions = new Functions(cloud);
  const invocations = new Invocations(cloud);
  const asyncInvocations = new AsyncInvocations(cloud, invocations);
  const sources = new EventSources(cloud, functions, invocations);
  cloud.addService({
    name: 'lambda',
    signingNames: ['lambda'],
    operations: lambdaOperations({ functions, invocations, asyncInvocations, sources }),
    access: (operation, input) => access(functions, sources, operation, input),
    resourcePolicies: (arn) => {
      // Event source mappings have ARNs too, and no policy.
      const policy = arn.includes(':function:') ? functions.policyOf(arn) : undefined;
      return policy ? [policy] : [];
    },
  });
  cloud.addTarget(
    'lambda',
    async (delivery) => {
      asyncInvocations.accept(functions.get(delivery.targetArn), JSON.stringify(delivery.payload));
    },
    (delivery) => ({ action: 'lambda:InvokeFunction', resource: functions.arnOf(delivery.targetArn) }),
  );
  cloud.parts.createFunction = (definition) => functions.create(definition).arn;
  cloud.parts.invoke = async (functionArn, event) => invocations.invoke(functions.get(functionArn), JSON.stringify(event));
  cloud.parts.invocationsUnderWay = () => invocations.underWay;
  return async () => {
    asyncInvocations.stop();
    sources.stop();
    await functions.stop();
  };
}

/** API operation and IAM action differ in a few names (service authorization reference, "Actions defined by AWS Lambda"). */
const ACTION: Readonly<Record<string, string>> = { Invoke: 'InvokeFunction' };

function access(
  functions: Functions,
  sources: EventSources,
  operation: string,
  input: Readonly<Record<string, unknown>>,
): readonly AccessRequest[] {
  const action = `lambda:${ACTION[operation] ?? operation}`;
  if (operation === 'ListFunctions' || operation === 'ListEventSourceMappings') return [{ action, resource: '*' }];
  if (operation.endsWith('EventSourceMapping')) {
    const functionArn =
      typeof input.UUID === 'string' ? String(sources.describe(input.UUID).FunctionArn) : functions.arnOf(String(input.FunctionName));
    const resource = typeof input.UUID === 'string' ? String(sources.describe(input.UUID).EventSourceMappingArn) : '*';
    return [{ action, resource, context: { 'lambda:FunctionArn': functionArn } }];
  }
  return [{ action, resource: functions.arnOf(String(input.FunctionName ?? input.Resource)) }];
}
