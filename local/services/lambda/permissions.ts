/** AddPermission: one statement of the function's policy, in the words that Lambda itself writes. */
import type { PolicyStatement } from '../../iam/principal.js';
import { AwsError } from '../../models/service.js';
import type { LambdaFunction } from './function.js';

export interface PermissionInput {
  readonly StatementId: string;
  readonly Action: string;
  readonly Principal: string;
  readonly SourceArn?: string;
  readonly SourceAccount?: string;
  readonly EventSourceToken?: string;
  readonly PrincipalOrgID?: string;
  readonly FunctionUrlAuthType?: string;
  readonly InvokedViaFunctionUrl?: boolean;
}

export function addPermission(lambda: LambdaFunction, input: PermissionInput): PolicyStatement {
  for (const member of ['EventSourceToken', 'PrincipalOrgID', 'FunctionUrlAuthType', 'InvokedViaFunctionUrl'] as const) {
    // A condition that is dropped would let more callers in than the caller asked for.
    if (input[member] !== undefined) throw new AwsError('InvalidParameterValueException', `${member} is not served by the desk.`);
  }
  if (!/^lambda:(InvokeFunction|\*)$/.test(input.Action))
    throw new AwsError('InvalidParameterValueException', `Action: got ${input.Action}, expected lambda:InvokeFunction.`);
  if (lambda.statements.has(input.StatementId))
    throw new AwsError(
      'ResourceConflictException',
      `The statement id (${input.StatementId}) provided already exists. Please provide a new statement id, or remove the existing statement.`,
      409,
    );
  const condition = {
    ...(input.SourceArn === undefined ? {} : { ArnLike: { 'AWS:SourceArn': input.SourceArn } }),
    ...(input.SourceAccount === undefined ? {} : { StringEquals: { 'AWS:SourceAccount': input.SourceAccount } }),
  };
  const statement: PolicyStatement = {
    Sid: input.StatementId,
    Effect: 'Allow',
    Principal: principalOf(input.Principal),
    Action: input.Action,
    Resource: lambda.arn,
    ...(Object.keys(condition).length === 0 ? {} : { Condition: condition }),
  };
  lambda.statements.set(input.StatementId, statement);
  return statement;
}

function principalOf(principal: string): NonNullable<PolicyStatement['Principal']> {
  if (principal === '*') return '*';
  if (principal.endsWith('.amazonaws.com')) return { Service: principal };
  return { AWS: /^\d{12}$/.test(principal) ? `arn:aws:iam::${principal}:root` : principal };
}
