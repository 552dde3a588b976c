/**
 * Sequence numbers: decimal texts of 56 digits that rise within a shard, over its whole life. AWS promises only that they rise and are unique
 * within a shard (Kinesis developer guide, "Terminology"); their bits are not documented. Here, in hexadecimal digits from the left:
 *
 *     2 | creation of the shard, s (9) | shard (1) | number of the record (16) | 0 | 0 | shard (8) | arrival, s (9) | 2
 */
const hex = (value: number, digits: number): string => value.toString(16).padStart(digits, '0').slice(-digits);

export function sequenceNumber(shard: { readonly index: number; readonly createdAtMs: number }, number: number, atMs: number): string {
  const created = hex(Math.floor(shard.createdAtMs / 1000), 9);
  const arrived = hex(Math.floor(atMs / 1000), 9);
  return BigInt(`0x2${created}${hex(shard.index, 1)}${hex(number, 16)}0${hex(0, 1)}${hex(shard.index, 8)}${arrived}2`).toString();
}

/** Order of two sequence numbers: below zero where `a` is older. Texts of one length compare as numbers. */
export function compareSequenceNumbers(a: string, b: string): number {
  return a.length - b.length || (a < b ? -1 : Number(a > b));
}

/** From which shard of a stream made at which second a number is; undefined for one that was never issued. */
export function originOf(number: string): { readonly shardIndex: number; readonly createdAtSecond: number } | undefined {
  const digits = BigInt(number).toString(16);
  const [, created, index] = /^2([0-9a-f]{9})[0-9a-f]{19}([0-9a-f]{8})[0-9a-f]{9}2$/.exec(digits) ?? [];
  if (created === undefined || index === undefined) return undefined;
  return { shardIndex: parseInt(index, 16), createdAtSecond: parseInt(created, 16) };
}
