/** ARNs of Step Functions, and what is wrong with a text that should be one. */
import { AwsError } from '../../models/service.js';
import type { World } from '../../cloud.js';

export interface ExecutionArn {
  readonly stateMachineName: string;
  readonly name: string;
}

export const stateMachineArn = ({ region, accountId }: World, name: string): string =>
  `arn:aws:states:${region}:${accountId}:stateMachine:${name}`;

export const executionArn = ({ region, accountId }: World, machineName: string, name: string): string =>
  `arn:aws:states:${region}:${accountId}:execution:${machineName}:${name}`;

/** Throws InvalidArn for anything that is no ARN of Step Functions. */
export function checkArn(arn: string): void {
  if (!arn.startsWith('arn:')) throw new AwsError('InvalidArn', `Invalid Arn: 'Invalid ARN prefix: ${arn}'`);
  if (!/^arn:aws[a-z-]*:states:[a-z0-9-]+:\d{12}:\w+:.+$/.test(arn))
    throw new AwsError('InvalidArn', `Invalid Arn: 'Resource type not valid in this context: ${arn}'`);
}

/** Names of state machines and executions: 1 to 80 characters without white space, brackets, wildcards and the special characters that the API reference lists. */
export function checkName(name: string): void {
  // oxlint-disable-next-line no-control-regex -- the API reference excludes them by their codes
  if (name.length < 1 || name.length > 80 || /[\s<>{}[\]?*"#%\\^|~`$&,;:/\u0000-\u001f\u007f-\u009f]/.test(name))
    throw new AwsError('InvalidName', `Invalid Name: '${name}'`);
}
