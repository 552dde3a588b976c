/**
 * The decision for one request in one account (IAM user guide, "Policy evaluation logic"): an explicit deny anywhere wins; then an allow of the
 * caller's own policies, or of the resource's policy that names the caller, suffices; otherwise the answer is no. A service has no policies
 * of its own: only the resource's policy can let it in.
 */
import { appliesTo, parsePolicy, type PolicyKind, type PrincipalPatterns, type Statement } from './policy.js';
import type { AccessDecision, AccessRequest, PolicyDocument, Principal } from './principal.js';
import { contextOf } from './variables.js';

export interface Evaluation {
  readonly principal: Principal;
  readonly request: AccessRequest;
  readonly identityPolicies: readonly PolicyDocument[];
  readonly resourcePolicies: readonly PolicyDocument[];
  /** `trust`: the resource policies are trust policies of a role, which have no Resource. */
  readonly resourceKind?: Extract<PolicyKind, 'resource' | 'trust'>;
  /** An allow for the whole account counts as one for the caller: the trust half of AssumeRole, whose other half the caller's policies are. */
  readonly accountGrants?: boolean;
  readonly now: Date;
  readonly region: string;
}

export function evaluate(evaluation: Evaluation): AccessDecision {
  const { principal, request, now, region } = evaluation;
  const context = contextOf(globalContext(principal, now, region), request.context ?? {});
  const applies = (statement: Statement): boolean => appliesTo(statement, request.action, request.resource, context);
  const identity = evaluation.identityPolicies.flatMap((document) => parsePolicy(document, 'identity')).filter(applies);
  const resource = evaluation.resourcePolicies
    .flatMap((document) => parsePolicy(document, evaluation.resourceKind ?? 'resource'))
    .filter(applies);

  const denial = identity.find((statement) => statement.effect === 'Deny');
  if (denial) return { allowed: false, why: `with an explicit deny in an identity-based policy (${denial.sid})` };
  const barring = resource.find((statement) => statement.effect === 'Deny' && names(statement, principal, 'account too'));
  if (barring) return { allowed: false, why: `with an explicit deny in a resource-based policy (${barring.sid})` };

  const own = identity.find((statement) => statement.effect === 'Allow');
  const counts =
    !request.resourcePolicyDelegates ||
    resource.some((statement) => statement.effect === 'Allow' && names(statement, principal, 'account too'));
  if (own && counts) return { allowed: true, why: `identity-based policy (${own.sid})` };
  const granted = resource.find(
    (statement) => statement.effect === 'Allow' && names(statement, principal, evaluation.accountGrants ? 'account too' : 'caller only'),
  );
  if (granted) return { allowed: true, why: `resource-based policy (${granted.sid})` };
  const kind = principal.kind === 'service' || own ? 'resource-based' : 'identity-based';
  return { allowed: false, why: `because no ${kind} policy allows the ${request.action} action` };
}

/**
 * Whether a statement of a resource policy names the caller. An allow for the whole account only delegates to the account's own policies
 * ("account principals"); a deny for the account bars everybody in it.
 */
function names(statement: Statement, principal: Principal, scope: 'account too' | 'caller only'): boolean {
  if (statement.notPrincipals) return !fits(statement.notPrincipals, principal, 'account too');
  return statement.principals !== undefined && fits(statement.principals, principal, scope);
}

function fits(patterns: PrincipalPatterns, principal: Principal, scope: 'account too' | 'caller only'): boolean {
  if (patterns.has('*')) return true;
  if (principal.kind === 'service') return (patterns.get('Service') ?? []).includes(principal.service);
  const own = principal.kind === 'role' ? [principal.arn, principal.roleArn] : [principal.arn];
  const account = scope === 'account too' ? [principal.accountId, `arn:aws:iam::${principal.accountId}:root`] : [];
  return (patterns.get('AWS') ?? []).some((pattern) => pattern === '*' || own.includes(pattern) || account.includes(pattern));
}

/** Keys that every request has (IAM user guide, "AWS global condition context keys"). The desk's loopback counts as TLS: local/README.md. */
function globalContext(principal: Principal, now: Date, region: string): Readonly<Record<string, string | undefined>> {
  const common = {
    'aws:CurrentTime': now.toISOString(),
    'aws:EpochTime': String(Math.floor(now.getTime() / 1000)),
    'aws:SecureTransport': 'true',
    'aws:RequestedRegion': region,
    'aws:ResourceAccount': principal.accountId,
    'aws:ViaAWSService': 'false',
  };
  if (principal.kind === 'service') {
    return {
      ...common,
      'aws:PrincipalIsAWSService': 'true',
      'aws:PrincipalServiceName': principal.service,
      'aws:SourceArn': principal.sourceArn,
      'aws:SourceAccount': principal.accountId,
    };
  }
  return {
    ...common,
    'aws:PrincipalIsAWSService': 'false',
    'aws:PrincipalAccount': principal.accountId,
    'aws:SourceIp': '127.0.0.1',
    // For a session the key holds the role's ARN, not the session's.
    'aws:PrincipalArn': principal.kind === 'role' ? principal.roleArn : principal.arn,
    'aws:PrincipalType': principal.kind === 'role' ? 'AssumedRole' : 'User',
    ...(principal.kind === 'administrator' ? { 'aws:username': principal.arn.split('/').pop() } : {}),
  };
}
