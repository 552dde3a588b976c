/** What hangs on a CA beside its certificates: tags, permissions of other services, a resource policy. */
import type { PolicyDocument } from '../../iam/principal.js';
import { parsePolicy } from '../../iam/policy.js';
import { AwsError, type Operation } from '../../models/service.js';
import { inPages } from '../pages.js';
import { authorityOf, type PcaState } from './authority.js';

interface ArnInput {
  readonly CertificateAuthorityArn: string;
}
interface PageInput extends ArnInput {
  readonly MaxResults?: number;
  readonly NextToken?: string;
}
interface Tag {
  readonly Key: string;
  readonly Value?: string;
}
interface PermissionInput extends ArnInput {
  readonly Principal: string;
  readonly SourceAccount?: string;
  readonly Actions: readonly string[];
}

const MOST_TAGS = 50;
const PERMITTED_ACTIONS = ['IssueCertificate', 'GetCertificate', 'ListPermissions'];

export function attributeOperations(state: PcaState): Readonly<Record<string, Operation>> {
  const { clock, accountId } = state.cloud.world;
  const page = <T>(all: readonly T[], input: PageInput): { page: readonly T[]; NextToken?: string } => {
    const { page: found, nextToken } = inPages(all, input.MaxResults ?? 1000, input.NextToken, 'InvalidNextTokenException');
    return { page: found, ...(nextToken === undefined ? {} : { NextToken: nextToken }) };
  };
  return {
    ListTags: (input: PageInput) => {
      const tags = [...authorityOf(state, input.CertificateAuthorityArn).tags].map(([Key, Value]) => ({
        Key,
        ...(Value === undefined ? {} : { Value }),
      }));
      const { page: Tags, ...rest } = page(tags, input);
      return { Tags, ...rest };
    },
    TagCertificateAuthority: (input: ArnInput & { Tags: readonly Tag[] }) => {
      const { tags } = authorityOf(state, input.CertificateAuthorityArn);
      if (new Set([...tags.keys(), ...input.Tags.map((tag) => tag.Key)]).size > MOST_TAGS)
        throw new AwsError('TooManyTagsException', `A certificate authority has at most ${MOST_TAGS} tags.`);
      for (const tag of input.Tags) tags.set(tag.Key, tag.Value);
    },
    // A tag given with its value is removed only where the value is the same (API reference).
    UntagCertificateAuthority: (input: ArnInput & { Tags: readonly Tag[] }) => {
      const { tags } = authorityOf(state, input.CertificateAuthorityArn);
      for (const tag of input.Tags) if (tag.Value === undefined || tags.get(tag.Key) === tag.Value) tags.delete(tag.Key);
    },
    CreatePermission: (input: PermissionInput) => {
      const { permissions } = authorityOf(state, input.CertificateAuthorityArn);
      if (input.Principal !== 'acm.amazonaws.com')
        throw new AwsError('InvalidArgsException', `Principal: got '${input.Principal}', expected acm.amazonaws.com.`);
      if (input.Actions.some((action) => !PERMITTED_ACTIONS.includes(action)))
        throw new AwsError('ValidationException', `Actions: expected some of ${PERMITTED_ACTIONS.join(', ')}`);
      if (permissions.has(input.Principal))
        throw new AwsError('PermissionAlreadyExistsException', `The permission for ${input.Principal} exists already.`);
      permissions.set(input.Principal, {
        principal: input.Principal,
        sourceAccount: input.SourceAccount ?? accountId,
        actions: input.Actions,
        createdAt: clock.date(),
      });
    },
    DeletePermission: (input: PermissionInput) => {
      if (!authorityOf(state, input.CertificateAuthorityArn).permissions.delete(input.Principal)) {
        throw new AwsError('ResourceNotFoundException', `There is no permission for ${input.Principal}.`);
      }
    },
    ListPermissions: (input: PageInput) => {
      const authority = authorityOf(state, input.CertificateAuthorityArn);
      const permissions = [...authority.permissions.values()].map((permission) => ({
        CertificateAuthorityArn: authority.arn,
        CreatedAt: permission.createdAt,
        Principal: permission.principal,
        SourceAccount: permission.sourceAccount,
        Actions: permission.actions,
      }));
      const { page: Permissions, ...rest } = page(permissions, input);
      return { Permissions, ...rest };
    },
    PutPolicy: (input: { ResourceArn: string; Policy: string }) => {
      const authority = authorityOf(state, input.ResourceArn);
      try {
        const document = JSON.parse(input.Policy) as PolicyDocument;
        parsePolicy(document, 'resource');
        authority.policy = { text: input.Policy, document };
      } catch (error) {
        throw new AwsError('InvalidPolicyException', `The policy is not valid: ${error instanceof Error ? error.message : String(error)}`);
      }
    },
    GetPolicy: (input: { ResourceArn: string }) => {
      const { policy } = authorityOf(state, input.ResourceArn);
      if (!policy) throw new AwsError('ResourceNotFoundException', 'The certificate authority has no policy.');
      return { Policy: policy.text };
    },
    DeletePolicy: (input: { ResourceArn: string }) => {
      delete authorityOf(state, input.ResourceArn).policy;
    },
  };
}
