/** Bucket policies: what S3 refuses to store. Who may do what is decided by IAM, which gets them through `resourcePolicies`. */
import type { PolicyDocument, PolicyStatement } from '../../iam/principal.js';
import { AwsError } from '../../models/service.js';
import type { Bucket } from './bucket.js';
import { accessDenied } from './errors.js';

const LARGEST = 20 * 1024;
/** Conditions on these, with fixed values, make a policy for everyone one that is not public. https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html */
const NARROWING = [
  'aws:sourcearn',
  'aws:sourceaccount',
  'aws:principalorgid',
  'aws:sourcevpc',
  'aws:sourcevpce',
  'aws:sourceip',
  'aws:principalarn',
  'aws:userid',
];

export function readPolicy(bucket: Bucket, text: string): { readonly text: string; readonly document: PolicyDocument } {
  if (Buffer.byteLength(text) > LARGEST) throw new AwsError('PolicyTooLarge', 'Policy exceeds the maximum allowed document size.', 400);
  let document: PolicyDocument;
  try {
    document = JSON.parse(text) as PolicyDocument;
  } catch {
    throw malformed('Policies must be valid JSON and the first byte must be {');
  }
  const statements = statementsOf(document);
  if (statements.length === 0) throw malformed('Missing required field Statement');
  for (const statement of statements) checkStatement(bucket, statement);
  if (bucket.settings.publicAccessBlock?.BlockPublicPolicy && isPublic(document)) {
    throw accessDenied('Access Denied: public policies are blocked by the BlockPublicPolicy block public access setting.');
  }
  return { text, document };
}

const malformed = (message: string) => new AwsError('MalformedPolicy', message, 400);

function statementsOf(document: PolicyDocument): readonly PolicyStatement[] {
  const { Statement } = document as { readonly Statement?: PolicyDocument['Statement'] };
  if (Statement === undefined) return [];
  return Array.isArray(Statement) ? (Statement as readonly PolicyStatement[]) : [Statement as PolicyStatement];
}

const listOf = (value: string | readonly string[] | undefined): readonly string[] =>
  value === undefined ? [] : typeof value === 'string' ? [value] : value;

function checkStatement(bucket: Bucket, statement: PolicyStatement): void {
  if (statement.Effect !== 'Allow' && statement.Effect !== 'Deny') throw malformed('Invalid effect: Effect must be Allow or Deny');
  if (statement.Principal === undefined && statement.NotPrincipal === undefined) throw malformed('Missing required field Principal');
  if (statement.Action === undefined && statement.NotAction === undefined) throw malformed('Missing required field Action');
  const resources = listOf(statement.Resource ?? statement.NotResource);
  const inBucket = (resource: string) =>
    resource === bucket.arn || resource.startsWith(`${bucket.arn}/`) || resource === '*' || resource === `${bucket.arn}*`;
  if (resources.length === 0 || !resources.every(inBucket)) throw malformed('Policy has invalid resource');
}

/** Whether the policy lets everyone in. */
export function isPublic(document: PolicyDocument): boolean {
  return statementsOf(document).some(
    (statement) => statement.Effect === 'Allow' && isForAll(statement.Principal) && !isNarrowed(statement),
  );
}

const isForAll = (principal: PolicyStatement['Principal']): boolean =>
  principal === '*' || (typeof principal === 'object' && listOf(principal['AWS']).includes('*'));

const isNarrowed = ({ Condition }: PolicyStatement): boolean =>
  Object.values(Condition ?? {}).some((keys) =>
    Object.entries(keys).some(
      ([key, value]) => NARROWING.includes(key.toLowerCase()) && !listOf(typeof value === 'object' ? value : String(value)).includes('*'),
    ),
  );
