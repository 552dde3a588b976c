import { AwsError } from '../../models/service.js';
import type { Tag } from './bucket.js';

/** Checked tags: unique keys, 1–128 characters, values up to 256. */
export function readTags(tags: readonly Tag[], most: number): ReadonlyMap<string, string> {
  const map = new Map(tags.map(({ Key, Value }) => [Key, Value]));
  if (map.size < tags.length) throw new AwsError('InvalidTag', 'Cannot provide multiple Tags with the same key', 400);
  if (map.size > most) throw new AwsError('BadRequest', `Object tags cannot be greater than ${most}`, 400);
  for (const [key, value] of map) {
    if (key.length === 0 || key.length > 128) throw new AwsError('InvalidTag', 'The TagKey you have provided is invalid', 400);
    if (value.length > 256) throw new AwsError('InvalidTag', 'The TagValue you have provided is invalid', 400);
  }
  return map;
}

export const writeTags = (tags: ReadonlyMap<string, string>): readonly Tag[] => [...tags].map(([Key, Value]) => ({ Key, Value }));

/** The `x-amz-tagging` header: `key=value&key=value`, URL-encoded. */
export const readTagHeader = (header: string | undefined): ReadonlyMap<string, string> =>
  readTags(
    [...new URLSearchParams(header ?? '')].map(([Key, Value]) => ({ Key, Value })),
    10,
  );
