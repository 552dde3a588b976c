/** What one shard takes and gives in a second (Kinesis developer guide, "Quotas and limits"). Asked only where the desk's faults enforce quotas. */
import { TokenBucket } from '../../world/quotas.js';

export const RECORDS_A_SECOND = 1000;
export const BYTES_WRITTEN_A_SECOND = 1024 * 1024;
export const READS_A_SECOND = 5;

export class Throughput {
  private second = 0;
  private records = 0;
  private bytes = 0;
  private reads: TokenBucket | undefined;

  /** `false`: one record more would be over the shard's limit in this second. */
  take(bytes: number, nowMs: number): boolean {
    const second = Math.floor(nowMs / 1000);
    if (second !== this.second) [this.second, this.records, this.bytes] = [second, 0, 0];
    // A record of a stream with a larger maximum record size may be more than a second's worth by itself: it needs an empty second.
    if (this.records + 1 > RECORDS_A_SECOND || (this.bytes > 0 && this.bytes + bytes > BYTES_WRITTEN_A_SECOND)) return false;
    this.records++;
    this.bytes += bytes;
    return true;
  }

  /** `false`: a sixth GetRecords within a second. */
  read(nowMs: number): boolean {
    this.reads ??= new TokenBucket(READS_A_SECOND, nowMs);
    return this.reads.take(nowMs);
  }
}
