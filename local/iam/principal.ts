/** Who calls: an administrator of the desk, a function under its synthesised role, or an AWS service on behalf of a resource. */
export type Principal =
  | { readonly kind: 'administrator'; readonly arn: string; readonly accountId: string }
  | { readonly kind: 'role'; readonly arn: string; readonly roleArn: string; readonly sessionName: string; readonly accountId: string }
  | { readonly kind: 'service'; readonly service: string; readonly sourceArn: string; readonly accountId: string };

export interface PolicyDocument {
  readonly Version?: string;
  readonly Statement: readonly PolicyStatement[] | PolicyStatement;
}
export interface PolicyStatement {
  readonly Sid?: string;
  readonly Effect: 'Allow' | 'Deny';
  readonly Principal?: '*' | Readonly<Record<string, string | readonly string[]>>;
  readonly NotPrincipal?: unknown;
  readonly Action?: string | readonly string[];
  readonly NotAction?: string | readonly string[];
  readonly Resource?: string | readonly string[];
  readonly NotResource?: string | readonly string[];
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, string | boolean | number | readonly string[]>>>>;
}

/** One question to IAM. `context` holds condition keys beyond the ones that every request has (aws:SourceArn, aws:SourceAccount, aws:SecureTransport, aws:PrincipalArn …). */
export interface AccessRequest {
  readonly action: string;
  readonly resource: string;
  readonly context?: Readonly<Record<string, string | readonly string[]>>;
  /**
   * The caller's own policies allow nothing unless the resource's policy lets the whole account in: KMS keys (KMS developer guide, "Key policies").
   * @default they suffice
   */
  readonly resourcePolicyDelegates?: boolean;
}

export interface AccessDecision {
  readonly allowed: boolean;
  readonly why: string;
}
