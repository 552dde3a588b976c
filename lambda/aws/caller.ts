import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';

/** Who is asking, as AWS itself says: the ARN goes into the audit trail, so it is never taken from an option. */
export async function callerArn(client = new STSClient({ maxAttempts: 3 })): Promise<string> {
  const { Arn } = await client.send(new GetCallerIdentityCommand({}));
  if (Arn === undefined) throw new Error('GetCallerIdentity: got no ARN');
  return Arn;
}
