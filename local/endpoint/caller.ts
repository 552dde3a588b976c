import type { World } from '../cloud.js';
import type { DeskIam } from '../iam/desk-iam.js';
import type { Principal } from '../iam/principal.js';
import { AwsError } from '../models/service.js';
import { sha256Hex, signatureHolds, type SignatureClaim, type SignedRequest } from './signature.js';

/** S3 has its own words for a bad key or signature; the others share theirs by protocol. */
type Dialect = 's3' | 'query' | 'json';

const CODES: Readonly<
  Record<Dialect, { readonly unknownKey: string; readonly badSignature: string; readonly badToken: string; readonly expired: string }>
> = {
  s3: { unknownKey: 'InvalidAccessKeyId', badSignature: 'SignatureDoesNotMatch', badToken: 'InvalidToken', expired: 'ExpiredToken' },
  query: {
    unknownKey: 'InvalidClientTokenId',
    badSignature: 'SignatureDoesNotMatch',
    badToken: 'InvalidClientTokenId',
    expired: 'ExpiredToken',
  },
  json: {
    unknownKey: 'UnrecognizedClientException',
    badSignature: 'InvalidSignatureException',
    badToken: 'UnrecognizedClientException',
    expired: 'ExpiredTokenException',
  },
};

/** Who sent a signed request. Throws AwsError as AWS does for a key that is unknown, expired, or does not fit the signature. */
export function authenticate(
  world: World,
  iam: DeskIam,
  request: SignedRequest,
  rawBody: Uint8Array,
  claim: SignatureClaim,
  dialect: Dialect,
): Principal {
  const codes = CODES[dialect];
  const key = iam.keyOf(claim.accessKeyId);
  if (!key) throw new AwsError(codes.unknownKey, 'The security token included in the request is invalid.', 403);
  if ((key.sessionToken ?? undefined) !== claim.sessionToken)
    throw new AwsError(codes.badToken, 'The security token included in the request is invalid.', 403);
  if (key.expiresAtMs !== undefined && key.expiresAtMs <= world.clock.nowMs()) {
    throw new AwsError(codes.expired, 'The security token included in the request is expired', dialect === 's3' ? 400 : 403);
  }
  const payloadHash = hashOfPayload(request, rawBody, claim);
  if (!signatureHolds(request, claim, key.secretAccessKey, payloadHash)) {
    const message =
      'The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method.';
    throw new AwsError(codes.badSignature, message, 403);
  }
  if (claim.expiresSeconds !== undefined && !withinExpiry(world, claim)) throw new AwsError('AccessDenied', 'Request has expired', 403);
  return key.principal;
}

/** The hash that was signed. One in clear hex is also held against the body. */
function hashOfPayload(request: SignedRequest, rawBody: Uint8Array, claim: SignatureClaim): string {
  const given = request.headers['x-amz-content-sha256'];
  if (claim.expiresSeconds !== undefined) return given ?? (claim.service === 's3' ? 'UNSIGNED-PAYLOAD' : sha256Hex(rawBody));
  if (given === undefined) return sha256Hex(rawBody);
  if (/^[0-9a-f]{64}$/.test(given) && given !== sha256Hex(rawBody)) {
    throw new AwsError('XAmzContentSHA256Mismatch', "The provided 'x-amz-content-sha256' header does not match what was computed.", 400);
  }
  return given;
}

/**
 * A presigned URL is good for so many seconds, by the desk's clock or by the wall clock of the client that made it: a client does not know that the
 * desk's clock was moved.
 */
function withinExpiry(world: World, claim: SignatureClaim): boolean {
  const [, year, month, day, hour, minute, second] = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(claim.timestamp) ?? [];
  const signedAtMs = Date.UTC(Number(year), Number(month) - 1, Number(day), Number(hour), Number(minute), Number(second));
  const expiresMs = (claim.expiresSeconds ?? 0) * 1000;
  const deskMs = world.clock.nowMs();
  return [deskMs, deskMs - world.clock.offsetMs].some((nowMs) => nowMs - signedAtMs <= expiresMs);
}
