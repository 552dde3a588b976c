/** AWS Step Functions on the desk: standard workflows in JSONPath, and what IAM must allow for each operation. */
import type { Cloud } from '../../cloud.js';
import type { AccessRequest } from '../../iam/principal.js';
import { executionOperations } from './execution-operations.js';
import { Executions } from './executions.js';
import { machineOperations } from './operations.js';
import { StateMachines } from './state-machines.js';
import { stateMachineArn } from './arns.js';

/** Starts Step Functions. The answer stops every execution where it is. */
export function startStates(cloud: Cloud): () => void {
  const machines = new StateMachines(cloud);
  const executions = new Executions(cloud, machines);
  cloud.addService({
    name: 'states',
    signingNames: ['states'],
    operations: { ...machineOperations(machines, executions), ...executionOperations(machines, executions) },
    access: (operation, input) => access(cloud, executions, operation, input),
  });
  return () => executions.halt();
}

/** Without a resource type in the service authorization reference. */
const ACCOUNT_WIDE = ['ListStateMachines'];

function access(
  cloud: Cloud,
  executions: Executions,
  operation: string,
  input: Readonly<Record<string, unknown>>,
): readonly AccessRequest[] {
  const action = `states:${operation}`;
  const text = (name: string): string => (typeof input[name] === 'string' ? input[name] : '*');
  if (ACCOUNT_WIDE.includes(operation)) return [{ action, resource: '*' }];
  // Who makes a machine act under a role must be allowed to hand it over (IAM user guide, "Granting a user permissions to pass a role").
  const passRole: readonly AccessRequest[] =
    typeof input.roleArn === 'string'
      ? [{ action: 'iam:PassRole', resource: input.roleArn, context: { 'iam:PassedToService': 'states.amazonaws.com' } }]
      : [];
  if (operation === 'CreateStateMachine') return [{ action, resource: stateMachineArn(cloud.world, text('name')) }, ...passRole];
  if (operation === 'UpdateStateMachine') return [{ action, resource: text('stateMachineArn') }, ...passRole];
  // The service authorization reference names no resource type for these; AWS's own refusals name these resources (README).
  if (operation === 'ValidateStateMachineDefinition') return [{ action, resource: stateMachineArn(cloud.world, '*') }];
  if (operation.startsWith('SendTask')) return [{ action, resource: executions.tokens.stateMachineOf(text('taskToken')) ?? '*' }];
  const { executionArn, stateMachineArn: machineArn, resourceArn, mapRunArn } = input;
  // Without any of them the operation refuses the request itself.
  const resource = [executionArn, machineArn, resourceArn, mapRunArn].find((arn) => typeof arn === 'string') ?? '*';
  return [{ action, resource }];
}
