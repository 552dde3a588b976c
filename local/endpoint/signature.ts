/**
 * AWS Signature Version 4, the server's side ("Create a signed AWS API request", IAM user guide): reads what a request claims, computes the
 * signature again with the key that the desk knows, and compares. Chunk signatures of streaming bodies are not checked (local/README.md).
 */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto';

export interface SignedRequest {
  readonly method: string;
  /** Path as sent, percent-encoded. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: Readonly<Record<string, string | undefined>>;
}

/** What a request says about itself. */
export interface SignatureClaim {
  readonly accessKeyId: string;
  /** `20261122` */
  readonly day: string;
  readonly region: string;
  readonly service: string;
  readonly signedHeaders: readonly string[];
  readonly signature: string;
  readonly sessionToken: string | undefined;
  /** `20261122T041500Z` */
  readonly timestamp: string;
  /** Presigned URLs only: seconds of validity. */
  readonly expiresSeconds?: number;
}

const ALGORITHM = 'AWS4-HMAC-SHA256';

/** `undefined`: the request is not signed. */
export function readClaim(request: SignedRequest): SignatureClaim | undefined {
  const { headers, query } = request;
  const authorization = headers['authorization'];
  if (authorization?.startsWith(ALGORITHM)) {
    const field = (name: string): string => new RegExp(`${name}=([^,\\s]+)`).exec(authorization)?.[1] ?? '';
    return claim(
      field('Credential'),
      field('SignedHeaders'),
      field('Signature'),
      headers['x-amz-security-token'],
      headers['x-amz-date'] ?? isoBasic(headers['date']),
    );
  }
  if (query.get('X-Amz-Algorithm') === ALGORITHM) {
    const field = (name: string): string => query.get(`X-Amz-${name}`) ?? '';
    return {
      ...claim(
        field('Credential'),
        field('SignedHeaders'),
        field('Signature'),
        query.get('X-Amz-Security-Token') ?? undefined,
        field('Date'),
      ),
      expiresSeconds: Number(field('Expires')),
    };
  }
  return undefined;
}

function claim(
  credential: string,
  signedHeaders: string,
  signature: string,
  sessionToken: string | undefined,
  timestamp: string,
): SignatureClaim {
  const [accessKeyId = '', day = '', region = '', service = ''] = credential.split('/');
  return { accessKeyId, day, region, service, signedHeaders: signedHeaders.split(';'), signature, sessionToken, timestamp };
}

const isoBasic = (httpDate: string | undefined): string => {
  const date = new Date(httpDate ?? Number.NaN);
  return Number.isNaN(date.getTime()) ? '' : `${date.toISOString().replace(/[-:]/g, '').slice(0, 15)}Z`;
};

export const sha256Hex = (content: Uint8Array | string): string => createHash('sha256').update(content).digest('hex');
const hmac = (key: Uint8Array | string, text: string): Buffer => createHmac('sha256', key).update(text).digest();

/** Whether the claim's signature is the one that `secretAccessKey` gives for this very request. */
export function signatureHolds(request: SignedRequest, claimed: SignatureClaim, secretAccessKey: string, payloadHash: string): boolean {
  const canonical = [
    request.method,
    claimed.service === 's3' ? request.path : doubleEncoded(request.path),
    canonicalQuery(request.query, claimed.service),
    ...claimed.signedHeaders.map((name) => `${name}:${(request.headers[name] ?? '').trim().replace(/\s+/g, ' ')}`),
    '',
    claimed.signedHeaders.join(';'),
    payloadHash,
  ].join('\n');
  const scope = `${claimed.day}/${claimed.region}/${claimed.service}/aws4_request`;
  const toSign = [ALGORITHM, claimed.timestamp, scope, sha256Hex(canonical)].join('\n');
  const key = [claimed.region, claimed.service, 'aws4_request'].reduce<Uint8Array>(
    (at, step) => hmac(at, step),
    hmac(`AWS4${secretAccessKey}`, claimed.day),
  );
  const expected = hmac(key, toSign);
  const given = Buffer.from(claimed.signature, 'hex');
  return given.length === expected.length && timingSafeEqual(given, expected);
}

/** RFC 3986: everything but unreserved characters is escaped. */
const escapeUri = (text: string): string =>
  encodeURIComponent(text).replace(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);

/** Services other than S3 encode the path as sent once more, after removing empty and dot segments. */
function doubleEncoded(path: string): string {
  const kept: string[] = [];
  for (const segment of path.split('/')) {
    if (segment === '..') kept.pop();
    else if (segment !== '' && segment !== '.') kept.push(segment);
  }
  const slash = kept.length > 0 && path.endsWith('/') ? '/' : '';
  return `/${kept.map(escapeUri).join('/')}${slash}`;
}

function canonicalQuery(query: URLSearchParams, service: string): string {
  return [...query]
    .filter(
      ([name]) =>
        name !== 'X-Amz-Signature' && !(service !== 's3' && name === 'X-Amz-Security-Token' && query.get('X-Amz-Algorithm') === null),
    )
    .map(([name, value]) => [escapeUri(name), escapeUri(value)] as const)
    .sort(([nameA, valueA], [nameB, valueB]) => compare(nameA, nameB) || compare(valueA, valueB))
    .map(([name, value]) => `${name}=${value}`)
    .join('&');
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
