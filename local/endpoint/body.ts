/**
 * A request's body out of its codings: `aws-chunked` with its trailers (Amazon S3 API reference, "Signature calculations: multiple chunks"), gzip
 * (CloudWatch clients compress large metric batches), and the checks of the digests that came along.
 */
import { createHash } from 'node:crypto';
import { gunzipSync } from 'node:zlib';

import { AwsError } from '../models/service.js';
import { crc32, crc32c, crc64nvme } from './crc.js';

export interface DecodedBody {
  readonly body: Uint8Array;
  /** Headers as the operation shall see them: trailers joined in, codings taken out. */
  readonly headers: Readonly<Record<string, string | undefined>>;
}

export function decodeBody(raw: Uint8Array, headers: Readonly<Record<string, string | undefined>>): DecodedBody {
  const payloadHash = headers['x-amz-content-sha256'];
  const codings = (headers['content-encoding'] ?? '').split(',').map((coding) => coding.trim());
  if (payloadHash?.startsWith('STREAMING-') || codings.includes('aws-chunked')) {
    const { body, trailers } = readChunks(Buffer.from(raw.buffer, raw.byteOffset, raw.byteLength));
    const rest = codings.filter((coding) => coding && coding !== 'aws-chunked').join(',');
    return { body, headers: { ...headers, ...trailers, 'content-encoding': rest || undefined, 'content-length': String(body.length) } };
  }
  return { body: raw, headers };
}

/** Services other than S3 (whose objects keep their coding) read a compressed body as if it had been sent plain. */
export const inflate = (body: Uint8Array, headers: Readonly<Record<string, string | undefined>>): Uint8Array =>
  headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body;

/** `<size in hex>[;chunk-signature=…]\r\n<bytes>\r\n … 0\r\n<trailer>:<value>\r\n\r\n` */
function readChunks(raw: Buffer): { body: Uint8Array; trailers: Record<string, string> } {
  const chunks: Buffer[] = [];
  let at = 0;
  for (;;) {
    const lineEnd = raw.indexOf('\r\n', at);
    const size = lineEnd < 0 ? Number.NaN : Number.parseInt(raw.toString('latin1', at, lineEnd), 16);
    if (Number.isNaN(size) || lineEnd + 2 + size > raw.length)
      throw new AwsError('IncompleteBody', 'The request body terminated unexpectedly', 400);
    at = lineEnd + 2;
    if (size === 0) break;
    chunks.push(raw.subarray(at, at + size));
    at += size + 2;
  }
  const trailers: Record<string, string> = {};
  for (const line of raw.toString('latin1', at).split(/\r?\n/)) {
    const colon = line.indexOf(':');
    if (colon > 0) trailers[line.slice(0, colon).trim().toLowerCase()] = line.slice(colon + 1).trim();
  }
  return { body: Buffer.concat(chunks), trailers };
}

const CHECKSUMS: Readonly<Record<string, (body: Uint8Array) => string>> = {
  'x-amz-checksum-crc32': (body) => bigEndian(BigInt(crc32(body)), 4),
  'x-amz-checksum-crc32c': (body) => bigEndian(BigInt(crc32c(body)), 4),
  'x-amz-checksum-crc64nvme': (body) => bigEndian(crc64nvme(body), 8),
  'x-amz-checksum-sha1': (body) => createHash('sha1').update(body).digest('base64'),
  'x-amz-checksum-sha256': (body) => createHash('sha256').update(body).digest('base64'),
};

const bigEndian = (value: bigint, octets: number): string =>
  Buffer.from(value.toString(16).padStart(octets * 2, '0'), 'hex').toString('base64');

/** Throws BadDigest where a digest that the client sent is not the body's (S3, "Checking object integrity"). */
export function checkDigests(body: Uint8Array, headers: Readonly<Record<string, string | undefined>>): void {
  for (const [name, digest] of Object.entries(CHECKSUMS)) {
    const given = headers[name];
    if (given !== undefined && given !== digest(body)) {
      throw new AwsError(
        'BadDigest',
        `The ${name.slice('x-amz-checksum-'.length).toUpperCase()} you specified did not match the calculated checksum.`,
        400,
      );
    }
  }
  const md5 = headers['content-md5'];
  if (md5 !== undefined && md5 !== createHash('md5').update(body).digest('base64')) {
    throw new AwsError('BadDigest', 'The Content-MD5 you specified did not match what we received.', 400);
  }
}
