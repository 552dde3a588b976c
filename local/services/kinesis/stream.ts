/** A data stream: shards that share out the 128 bits of MD5, and its settings. */
import { createHash } from 'node:crypto';
import type { PolicyDocument } from '../../iam/principal.js';
import { Shard } from './shard.js';

export type StreamMode = 'ON_DEMAND' | 'PROVISIONED';

export interface StreamSettings {
  readonly name: string;
  readonly arn: string;
  readonly mode: StreamMode;
  readonly shardCount: number;
  readonly maximumRecordKiB: number;
  readonly tags: Readonly<Record<string, string>>;
  readonly createdAtMs: number;
}

const HASH_KEYS = 1n << 128n;
export const DEFAULT_RETENTION_HOURS = 24;
const HOUR_MS = 3_600_000;

export class Stream {
  readonly shards: readonly Shard[];
  readonly tags: Map<string, string>;
  /** Set where the stream is encrypted at rest. */
  keyId: string | undefined;
  retentionHours = DEFAULT_RETENTION_HOURS;
  policy: { readonly text: string; readonly document: PolicyDocument } | undefined;
  private readonly listeners = new Set<() => void>();

  constructor(readonly settings: StreamSettings) {
    const share = HASH_KEYS / BigInt(settings.shardCount);
    this.shards = Array.from({ length: settings.shardCount }, (_, index) => {
      const first = share * BigInt(index);
      const last = index === settings.shardCount - 1 ? HASH_KEYS - 1n : first + share - 1n;
      return new Shard(index, settings.createdAtMs, first, last);
    });
    this.tags = new Map(Object.entries(settings.tags));
  }

  get name(): string {
    return this.settings.name;
  }

  get arn(): string {
    return this.settings.arn;
  }

  /** MD5 of the partition key as a number of 128 bits, unless the producer says which (PutRecord API reference). */
  shardFor(partitionKey: string, explicitHashKey: string | undefined): Shard {
    const hashKey = BigInt(explicitHashKey ?? `0x${createHash('md5').update(partitionKey).digest('hex')}`);
    return this.shards.find((shard) => shard.holds(hashKey))!;
  }

  shard(id: string): Shard | undefined {
    return this.shards.find((shard) => shard.id === id);
  }

  trim(nowMs: number): void {
    for (const shard of this.shards) shard.trim(nowMs - this.retentionHours * HOUR_MS);
  }

  onArrival(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => {
      this.listeners.delete(listener);
    };
  }

  arrived(): void {
    for (const listener of this.listeners) listener();
  }
}
