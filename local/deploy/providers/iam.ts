/** AWS::IAM::Role, ::Policy, ::ManagedPolicy. What the desk's IAM does not evaluate (boundaries, users, groups) is refused. */
import type { PolicyDocument } from '../../iam/principal.js';
import { onlyServed, textOf } from '../properties.js';
import type { Provider, Providers } from '../provider.js';

interface InlinePolicy {
  readonly PolicyName: string;
  readonly PolicyDocument: PolicyDocument;
}

const list = <T>(value: unknown): readonly T[] => (value === undefined ? [] : (value as readonly T[]));

const role: Provider = (properties, context) => {
  onlyServed(properties, [
    'AssumeRolePolicyDocument',
    'Description',
    'ManagedPolicyArns',
    'MaxSessionDuration',
    'Path',
    'Policies',
    'RoleName',
    'Tags',
  ]);
  onlyRootPath(properties);
  const name = textOf(properties, 'RoleName') ?? context.physicalName(64);
  const { arn, roleId } = context.cloud.iam.createRole(
    name,
    properties['AssumeRolePolicyDocument'] as PolicyDocument,
    list<InlinePolicy>(properties['Policies']).map((policy) => policy.PolicyDocument),
    list<string>(properties['ManagedPolicyArns']),
  );
  return { ref: name, attributes: { Arn: arn, RoleId: roleId } };
};

const policy: Provider = (properties, context) => {
  onlyServed(properties, ['PolicyDocument', 'PolicyName', 'Roles']);
  for (const roleName of list<string>(properties['Roles']))
    context.cloud.iam.addPolicy(roleName, properties['PolicyDocument'] as PolicyDocument);
  const name = textOf(properties, 'PolicyName') ?? context.logicalId;
  return { ref: name, attributes: { Id: name } };
};

const managedPolicy: Provider = (properties, context) => {
  onlyServed(properties, ['Description', 'ManagedPolicyName', 'Path', 'PolicyDocument', 'Roles']);
  onlyRootPath(properties);
  const name = textOf(properties, 'ManagedPolicyName') ?? context.physicalName(128);
  const document = properties['PolicyDocument'] as PolicyDocument;
  const { arn, policyId } = context.cloud.iam.createManagedPolicy(name, document);
  for (const roleName of list<string>(properties['Roles'])) context.cloud.iam.addPolicy(roleName, document);
  return { ref: arn, attributes: { PolicyArn: arn, PolicyId: policyId } };
};

/** A path would be part of the ARN; names here are looked up without one. */
function onlyRootPath(properties: Readonly<Record<string, unknown>>): void {
  const path = textOf(properties, 'Path');
  if (path !== undefined && path !== '/') throw new Error(`Path: got '${path}', the desk has only '/'`);
}

export const providers: Providers = { 'AWS::IAM::Role': role, 'AWS::IAM::Policy': policy, 'AWS::IAM::ManagedPolicy': managedPolicy };
