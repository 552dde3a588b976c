import type { PolicyDocument } from './principal.js';

const allow = (action: readonly string[]): PolicyDocument => ({
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Action: action, Resource: '*' }],
});

/** AWS's own policies which the synthesised templates name, as the AWS managed policy reference gives them. Others are refused. */
const DOCUMENTS: Readonly<Record<string, PolicyDocument>> = {
  'arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole': allow([
    'logs:CreateLogGroup',
    'logs:CreateLogStream',
    'logs:PutLogEvents',
  ]),
  'arn:aws:iam::aws:policy/service-role/AWSLambdaSQSQueueExecutionRole': allow([
    'sqs:ReceiveMessage',
    'sqs:DeleteMessage',
    'sqs:GetQueueAttributes',
    'logs:CreateLogGroup',
    'logs:CreateLogStream',
    'logs:PutLogEvents',
  ]),
  'arn:aws:iam::aws:policy/service-role/AWSIoTDeviceDefenderAudit': allow([
    'iot:GetLoggingOptions',
    'iot:GetV2LoggingOptions',
    'iot:ListCACertificates',
    'iot:ListCertificates',
    'iot:DescribeCACertificate',
    'iot:DescribeCertificate',
    'iot:ListPolicies',
    'iot:GetPolicy',
    'iot:GetEffectivePolicies',
    'iot:ListRoleAliases',
    'iot:DescribeRoleAlias',
    'cognito-identity:GetIdentityPoolRoles',
    'iam:ListRolePolicies',
    'iam:ListAttachedRolePolicies',
    'iam:GetRole',
    'iam:GetPolicy',
    'iam:GetPolicyVersion',
    'iam:GetRolePolicy',
    'iam:GenerateServiceLastAccessedDetails',
    'iam:GetServiceLastAccessedDetails',
  ]),
  'arn:aws:iam::aws:policy/AdministratorAccess': allow(['*']),
};

/** Throws for a policy that is not in the table: a role with fewer rights than on AWS would mislead, one with more would too. */
export function managedPolicy(arn: string): PolicyDocument {
  const document = DOCUMENTS[arn];
  if (!document) throw new Error(`managed policy: got '${arn}', expected one of ${Object.keys(DOCUMENTS).join(', ')}`);
  return document;
}
