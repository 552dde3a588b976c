/** Functions that lack a grant: beside each function of a template, one twin for each action that its role has, under a role without it. */
import type { Resource, Template } from './assembly.js';

export interface Grant {
  /** `revocation-sync` */
  readonly of: string;
  readonly action: string;
  /** FunctionName of the twin that lacks it. */
  readonly twin: string;
}

interface Statement {
  readonly Action: string | readonly string[];
}
interface Policy {
  readonly PolicyName: string;
  readonly PolicyDocument: { readonly Statement: readonly Statement[] };
  readonly Roles: readonly { readonly Ref: string }[];
}

/** What an event source and the log need is not a matter of messages, and tested by itself. */
const NOT_BY_MESSAGE = /^(logs:|sqs:(?!SendMessage))/;

export function addTwins({ Resources }: Template): Grant[] {
  const grants: Grant[] = [];
  for (const [id, { Type, Properties }] of Object.entries(Resources)) {
    if (Type !== 'AWS::Lambda::Function') continue;
    const name = String(Properties['FunctionName']);
    const roleId = (Properties['Role'] as { 'Fn::GetAtt': [string, string] })['Fn::GetAtt'][0];
    const [policyId, policy] = policyOf(Resources, roleId);
    const actions = new Set(
      policy.PolicyDocument.Statement.flatMap(({ Action }) => Action).filter((action) => !NOT_BY_MESSAGE.test(action)),
    );
    for (const action of actions) {
      const suffix = `Without${grants.length}`;
      const twin = `${name}-${grants.length}`;
      grants.push({ of: name.replace('fleetwarden-', ''), action, twin });
      Resources[roleId + suffix] = Resources[roleId]!;
      const document = { ...policy.PolicyDocument, Statement: without(policy.PolicyDocument.Statement, action) };
      Resources[policyId + suffix] = {
        Type: 'AWS::IAM::Policy',
        Properties: { PolicyName: policy.PolicyName + suffix, PolicyDocument: document, Roles: [{ Ref: roleId + suffix }] },
      };
      Resources[id + suffix] = {
        Type,
        Properties: { ...Properties, FunctionName: twin, Role: { 'Fn::GetAtt': [roleId + suffix, 'Arn'] } },
      };
    }
  }
  return grants;
}

/** Takes one action out of a function's own role. */
export function takeAway({ Resources }: Template, functionName: string, action: string): void {
  const lambda = Object.values(Resources).find(({ Properties }) => Properties['FunctionName'] === functionName)!;
  const [, policy] = policyOf(Resources, (lambda.Properties['Role'] as { 'Fn::GetAtt': [string, string] })['Fn::GetAtt'][0]);
  Object.assign(policy.PolicyDocument, { Statement: without(policy.PolicyDocument.Statement, action) });
}

function policyOf(resources: Readonly<Record<string, Resource>>, roleId: string): [string, Policy] {
  const [id, { Properties }] = Object.entries(resources).find(
    ([, { Type, Properties: of }]) => Type === 'AWS::IAM::Policy' && (of as unknown as Policy).Roles.some(({ Ref }) => Ref === roleId),
  )!;
  return [id, Properties as unknown as Policy];
}

const without = (statements: readonly Statement[], action: string): Statement[] =>
  statements
    .map((statement) => ({ ...statement, Action: [statement.Action].flat().filter((one) => one !== action) }))
    .filter(({ Action }) => Action.length > 0);
