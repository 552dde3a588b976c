/** AWS STS: who am I, and AssumeRole for tools and people (functions get their sessions from `Iam.assume`). */
import type { Cloud } from '../../cloud.js';
import type { DeskIam } from '../../iam/desk-iam.js';
import { AwsError, type AwsService, type Call } from '../../models/service.js';

interface AssumeRoleInput {
  readonly RoleArn: string;
  readonly RoleSessionName: string;
  readonly DurationSeconds?: number;
}

const SESSION_NAME = /^[\w+=,.@-]{2,64}$/;
const DEFAULT_SECONDS = 3600;

export function createSts(cloud: Cloud & { readonly iam: DeskIam }): AwsService {
  const { iam, world } = cloud;
  return {
    name: 'sts',
    signingNames: ['sts'],
    operations: {
      GetCallerIdentity: (_input: unknown, call: Call) => {
        const { principal } = call;
        if (principal.kind === 'service') throw new AwsError('AccessDenied', 'A service has no identity of its own here.', 403);
        const userId = principal.kind === 'role' ? `${iam.roleIdOf(principal.roleArn)}:${principal.sessionName}` : 'AIDAADMINISTRATOR0001';
        return { Account: principal.accountId, Arn: principal.arn, UserId: userId };
      },
      AssumeRole: (input: AssumeRoleInput, call: Call) => {
        if (!SESSION_NAME.test(input.RoleSessionName)) {
          throw new AwsError(
            'ValidationError',
            `Value '${input.RoleSessionName}' at 'roleSessionName' failed to satisfy constraint: ${SESSION_NAME.source}`,
          );
        }
        const seconds = input.DurationSeconds ?? DEFAULT_SECONDS;
        if (seconds < 900 || seconds > 43_200)
          throw new AwsError('ValidationError', `Value '${seconds}' at 'durationSeconds' must be between 900 and 43200`);
        const session = iam.assumeAs(call.principal, input.RoleArn, input.RoleSessionName, seconds);
        return {
          Credentials: {
            AccessKeyId: session.accessKeyId,
            SecretAccessKey: session.secretAccessKey,
            SessionToken: session.sessionToken,
            Expiration: new Date(world.clock.nowMs() + seconds * 1000),
          },
          AssumedRoleUser: { AssumedRoleId: `${iam.roleIdOf(input.RoleArn)}:${input.RoleSessionName}`, Arn: session.arn },
        };
      },
    },
    // GetCallerIdentity needs no permission (STS API reference). AssumeRole is decided by the role's trust policy, in `assumeAs`.
    access: () => [],
  };
}
