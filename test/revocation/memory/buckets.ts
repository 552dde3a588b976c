import { createHash } from 'node:crypto';
import type { CrlObject, CrlObjectRef, CrlStore } from '../../../lambda/ports/crl-store.js';
import type { SerialState } from '../../../lambda/ports/serial-state.js';

interface Version {
  readonly versionId: string;
  readonly etag: string;
  /** Absent: a delete marker. */
  readonly octets?: Buffer;
}

const CHUNK = 1000;

/** A versioned bucket that counts what is asked of it. */
export class MemoryCrlStore implements CrlStore {
  readonly asked: { readonly key: string; readonly ifNoneMatch?: string }[] = [];
  private readonly versions = new Map<string, Version[]>();
  private made = 0;

  constructor(readonly bucket: string) {}

  /** Resolves to the reference that S3's event would carry. */
  put(key: string, octets: Uint8Array): Required<CrlObjectRef> {
    const versionId = `v${++this.made}`;
    const version = { versionId, etag: `"${createHash('md5').update(octets).digest('hex')}"`, octets: Buffer.from(octets) };
    this.versions.set(key, [...(this.versions.get(key) ?? []), version]);
    return { bucket: this.bucket, key, versionId };
  }

  delete(key: string): void {
    this.versions.set(key, [...(this.versions.get(key) ?? []), { versionId: `v${++this.made}`, etag: '' }]);
  }

  async open({ key, versionId }: CrlObjectRef, ifNoneMatch?: string): Promise<CrlObject> {
    this.asked.push({ key, ...(ifNoneMatch !== undefined && { ifNoneMatch }) });
    const all = this.versions.get(key) ?? [];
    const version = versionId === undefined ? all.at(-1) : all.find((one) => one.versionId === versionId);
    if (version?.octets === undefined) return { found: 'no' };
    if (version.etag === ifNoneMatch) return { found: 'unchanged' };
    return {
      found: 'yes',
      versionId: version.versionId,
      etag: version.etag,
      sizeBytes: version.octets.length,
      body: chunksOf(version.octets),
    };
  }

  async currentVersion({ key }: CrlObjectRef): Promise<string | undefined> {
    const current = this.versions.get(key)?.at(-1);
    return current?.octets === undefined ? undefined : current.versionId;
  }

  async *list(_bucket: string, prefix: string): AsyncIterable<string> {
    for (const [key, all] of this.versions) if (key.startsWith(prefix) && all.at(-1)?.octets !== undefined) yield key;
  }
}

export class MemoryStates implements SerialState {
  readonly objects = new Map<string, Buffer>();

  async *load(key: string): AsyncIterable<Uint8Array> {
    const octets = this.objects.get(key);
    if (octets === undefined) throw new Error(`NoSuchKey: ${key}`);
    yield* chunksOf(octets);
  }

  async save(key: string, parts: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<void> {
    const chunks: Uint8Array[] = [];
    for await (const part of parts) chunks.push(Buffer.from(part));
    this.objects.set(key, Buffer.concat(chunks));
  }
}

async function* chunksOf(octets: Buffer): AsyncIterable<Uint8Array> {
  for (let at = 0; at < octets.length; at += CHUNK) yield octets.subarray(at, at + CHUNK);
}
