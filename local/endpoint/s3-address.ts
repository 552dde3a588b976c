/**
 * S3's two ways to name a bucket ("Methods for accessing a bucket"): in the path, `/bucket/key`, or in the host, `bucket.localhost:4566`. The
 * desk's own host names have no bucket in front.
 */
const OWN_HOST = /^(?:127\.0\.0\.1|\[::1\]|localhost|s3(?:[.-][a-z0-9-]+)?\.(?:localhost|amazonaws\.com))(?::\d+)?$/i;
const VIRTUAL_HOST = /^(?<bucket>.+?)\.(?:s3[.-][a-z0-9.-]*amazonaws\.com|s3\.localhost|localhost)(?::\d+)?$/i;

export function readBucket(path: string, host: string): { readonly path: string; readonly bucket?: string } {
  const inHost = OWN_HOST.test(host) ? undefined : VIRTUAL_HOST.exec(host)?.groups?.['bucket'];
  if (inHost !== undefined) return { path, bucket: inHost };
  const [, bucket = '', rest] = /^\/([^/]*)(\/.*)?$/.exec(path) ?? [];
  return bucket === '' ? { path: '/' } : { path: rest ?? '/', bucket: decodeURIComponent(bucket) };
}
