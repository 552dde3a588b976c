import { AwsError } from '../models/service.js';

/** One page of a list. Tokens are opaque to the client, as AWS's are. Throws for a token that this desk did not give. */
export function inPages<T>(
  all: readonly T[],
  size: number,
  token: string | undefined,
  invalidTokenCode = 'InvalidNextToken',
): { page: readonly T[]; nextToken?: string } {
  const start =
    token === undefined
      ? 0
      : Number(
          Buffer.from(token, 'base64url')
            .toString('latin1')
            .replace(/^from:/, ''),
        );
  if (!Number.isSafeInteger(start) || start < 0) throw new AwsError(invalidTokenCode, 'The specified token is not valid.');
  const end = start + size;
  return { page: all.slice(start, end), ...(end < all.length ? { nextToken: Buffer.from(`from:${end}`).toString('base64url') } : {}) };
}
