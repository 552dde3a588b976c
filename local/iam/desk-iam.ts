import { AwsError } from '../models/service.js';
import type { Iam, World } from '../cloud.js';
import { longTermCredentials, sessionCredentials, uniqueId, type Credentials, type SessionCredentials } from './credentials.js';
import { evaluate } from './evaluate.js';
import { managedPolicy } from './managed-policies.js';
import { parsePolicy } from './policy.js';
import type { AccessDecision, AccessRequest, PolicyDocument, Principal } from './principal.js';

interface Role {
  readonly arn: string;
  readonly roleId: string;
  readonly trust: PolicyDocument;
  readonly policies: PolicyDocument[];
}

/** A key that the endpoint accepts. */
export interface KnownKey extends Credentials {
  readonly principal: Principal;
  readonly sessionToken?: string;
  readonly expiresAtMs?: number;
}

const ADMINISTRATOR_POLICY: PolicyDocument = {
  Version: '2012-10-17',
  Statement: [{ Sid: 'Administrator', Effect: 'Allow', Action: '*', Resource: '*' }],
};

/** Roles, sessions and decisions of the one account on the desk. Denied by default. */
export class DeskIam implements Iam {
  readonly administrator: Principal;
  readonly administratorCredentials: Credentials;
  private readonly roles = new Map<string, Role>();
  private readonly managedPolicies = new Map<string, PolicyDocument>();
  private readonly keys = new Map<string, KnownKey>();

  constructor(private readonly world: World) {
    const arn = `arn:${world.partition}:iam::${world.accountId}:user/administrator`;
    this.administrator = { kind: 'administrator', arn, accountId: world.accountId };
    this.administratorCredentials = longTermCredentials();
    this.keys.set(this.administratorCredentials.accessKeyId, { ...this.administratorCredentials, principal: this.administrator });
  }

  createRole(
    name: string,
    trust: PolicyDocument,
    policies: readonly PolicyDocument[],
    managedPolicyArns: readonly string[],
  ): { arn: string; roleId: string } {
    if ([...this.roles.values()].some((role) => role.arn === this.roleArn(name))) {
      throw new AwsError('EntityAlreadyExists', `Role with name ${name} already exists.`, 409);
    }
    parsePolicy(trust, 'trust');
    const role: Role = { arn: this.roleArn(name), roleId: uniqueId('AROA'), trust, policies: [] };
    this.roles.set(role.arn, role);
    for (const document of policies) this.addPolicy(name, document);
    for (const managed of managedPolicyArns) this.addPolicy(name, this.managedPolicies.get(managed) ?? managedPolicy(managed));
    return { arn: role.arn, roleId: role.roleId };
  }

  createManagedPolicy(name: string, document: PolicyDocument): { arn: string; policyId: string } {
    parsePolicy(document, 'identity');
    const arn = `arn:${this.world.partition}:iam::${this.world.accountId}:policy/${name}`;
    if (this.managedPolicies.has(arn)) throw new AwsError('EntityAlreadyExists', `A policy called ${name} already exists.`, 409);
    this.managedPolicies.set(arn, document);
    return { arn, policyId: uniqueId('ANPA') };
  }

  addPolicy(roleName: string, document: PolicyDocument): void {
    parsePolicy(document, 'identity');
    this.role(this.roleArn(roleName)).policies.push(document);
  }

  /** A service renews the sessions that it holds: these do not run out, however far the clock is moved. */
  assume(roleArn: string, service: string, sessionName: string, sourceArn?: string): SessionCredentials {
    const { accessKeyId, secretAccessKey, sessionToken } = this.assumeAs(this.serviceOf(service, sourceArn), roleArn, sessionName);
    return { accessKeyId, secretAccessKey, sessionToken };
  }

  /** Whether a service may assume a role at all, without a session: for deliveries. */
  trustsService(roleArn: string, service: string, sourceArn?: string): AccessDecision {
    const role = this.roles.get(roleArn);
    if (!role) return { allowed: false, why: `because the role ${roleArn} does not exist` };
    return this.trusts(role, this.serviceOf(service, sourceArn), { action: 'sts:AssumeRole', resource: roleArn });
  }

  /** AssumeRole by anybody: what the trust policy says, and for a principal with policies of its own those too. */
  assumeAs(
    principal: Principal,
    roleArn: string,
    sessionName: string,
    durationSeconds?: number,
  ): SessionCredentials & { readonly arn: string } {
    const role = this.roles.get(roleArn);
    const request: AccessRequest = { action: 'sts:AssumeRole', resource: roleArn };
    const decision: AccessDecision = role
      ? this.trusts(role, principal, request)
      : { allowed: false, why: 'because the role does not exist' };
    if (!role || !decision.allowed) {
      const who = principal.kind === 'service' ? principal.service : principal.arn;
      throw new AwsError(
        'AccessDenied',
        `User: ${who} is not authorized to perform: sts:AssumeRole on resource: ${roleArn} ${decision.why}`,
        403,
      );
    }
    const name = roleArn.split('/').pop() ?? '';
    const session: Principal = {
      kind: 'role',
      arn: `arn:${this.world.partition}:sts::${this.world.accountId}:assumed-role/${name}/${sessionName}`,
      roleArn,
      sessionName,
      accountId: this.world.accountId,
    };
    const credentials = sessionCredentials();
    const expiry = durationSeconds === undefined ? {} : { expiresAtMs: this.world.clock.nowMs() + durationSeconds * 1000 };
    this.keys.set(credentials.accessKeyId, { ...credentials, principal: session, ...expiry });
    return { ...credentials, arn: session.arn };
  }

  principalOf(accessKeyId: string): Principal | undefined {
    return this.keys.get(accessKeyId)?.principal;
  }

  keyOf(accessKeyId: string): KnownKey | undefined {
    return this.keys.get(accessKeyId);
  }

  roleIdOf(roleArn: string): string {
    return this.role(roleArn).roleId;
  }

  decide(principal: Principal, request: AccessRequest, resourcePolicies: readonly PolicyDocument[]): AccessDecision {
    return evaluate({ ...this.asked(principal, request), identityPolicies: this.identityPolicies(principal), resourcePolicies });
  }

  roleAllows(roleArn: string, request: AccessRequest): AccessDecision {
    return this.decide({ kind: 'role', arn: roleArn, roleArn, sessionName: '', accountId: this.world.accountId }, request, []);
  }

  /** A trust policy that names the caller suffices; one that names the account leaves it to the caller's own policies. */
  private trusts(role: Role, principal: Principal, request: AccessRequest): AccessDecision {
    const trust = {
      ...this.asked(principal, request),
      identityPolicies: [],
      resourcePolicies: [role.trust],
      resourceKind: 'trust',
    } as const;
    const direct = evaluate(trust);
    if (direct.allowed || principal.kind === 'service') return direct;
    const account = evaluate({ ...trust, accountGrants: true });
    return account.allowed ? this.decide(principal, request, []) : account;
  }

  private serviceOf(service: string, sourceArn: string | undefined): Principal {
    return { kind: 'service', service, sourceArn: sourceArn ?? '', accountId: this.world.accountId };
  }

  private asked(principal: Principal, request: AccessRequest): { principal: Principal; request: AccessRequest; now: Date; region: string } {
    return { principal, request, now: this.world.clock.date(), region: this.world.region };
  }

  private identityPolicies(principal: Principal): readonly PolicyDocument[] {
    if (principal.kind === 'administrator') return [ADMINISTRATOR_POLICY];
    if (principal.kind === 'role') return this.role(principal.roleArn).policies;
    return [];
  }

  private role(arn: string): Role {
    const role = this.roles.get(arn);
    if (!role) throw new AwsError('NoSuchEntity', `The role with ARN ${arn} cannot be found.`, 404);
    return role;
  }

  private roleArn(name: string): string {
    return `arn:${this.world.partition}:iam::${this.world.accountId}:role/${name}`;
  }
}
