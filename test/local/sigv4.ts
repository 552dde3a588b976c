import { createHash, createHmac } from 'node:crypto';

export interface ToSign {
  readonly service: string;
  readonly method: string;
  /** With the query, if any. */
  readonly path: string;
  /** Names in lower case, `host` among them. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
  readonly date: Date;
}

/** Signature Version 4 as the AWS documentation writes it down, for requests that no SDK client sends. Plain paths and queries only. */
export function sign({ service, method, path, headers, body, credentials, date }: ToSign): Record<string, string> {
  const [location = '/', query = ''] = path.split('?');
  const timestamp = `${date.toISOString().replace(/[-:]/g, '').slice(0, 15)}Z`;
  const scope = `${timestamp.slice(0, 8)}/eu-west-1/${service}/aws4_request`;
  const all: Record<string, string> = { ...headers, 'x-amz-date': timestamp };
  const names = Object.keys(all).sort();
  const hash = (content: string | Uint8Array): string => createHash('sha256').update(content).digest('hex');
  const canonicalQuery = query
    .split('&')
    .filter(Boolean)
    .map((pair) => (pair.includes('=') ? pair : `${pair}=`))
    .sort()
    .join('&');
  const canonical = [
    method,
    location,
    canonicalQuery,
    ...names.map((name) => `${name}:${all[name]}`),
    '',
    names.join(';'),
    headers['x-amz-content-sha256'] ?? hash(body),
  ].join('\n');
  const key = [timestamp.slice(0, 8), 'eu-west-1', service, 'aws4_request'].reduce<string | Buffer>(
    (at, step) => createHmac('sha256', at).update(step).digest(),
    `AWS4${credentials.secretAccessKey}`,
  );
  const signature = createHmac('sha256', key)
    .update(['AWS4-HMAC-SHA256', timestamp, scope, hash(canonical)].join('\n'))
    .digest('hex');
  return {
    ...all,
    authorization: `AWS4-HMAC-SHA256 Credential=${credentials.accessKeyId}/${scope}, SignedHeaders=${names.join(';')}, Signature=${signature}`,
  };
}
