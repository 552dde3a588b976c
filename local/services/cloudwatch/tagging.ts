/** Tags of alarms. On AWS the tags of PutMetricAlarm count for a new alarm only (PutMetricAlarm API reference, Tags). */
import type { Operation } from '../../models/service.js';
import type { Tag } from './alarm.js';
import type { Alarms } from './alarms.js';

export const taggingOperations = (alarms: Alarms): Readonly<Record<string, Operation>> => ({
  ListTagsForResource: (input: { ResourceARN: string }) => ({
    Tags: [...alarms.byArn(input.ResourceARN).tags].map(([Key, Value]) => ({ Key, Value })),
  }),
  TagResource: (input: { ResourceARN: string; Tags: readonly Tag[] }) => {
    const { tags } = alarms.byArn(input.ResourceARN);
    for (const { Key, Value } of input.Tags) tags.set(Key, Value);
    return {};
  },
  UntagResource: (input: { ResourceARN: string; TagKeys: readonly string[] }) => {
    const { tags } = alarms.byArn(input.ResourceARN);
    for (const key of input.TagKeys) tags.delete(key);
    return {};
  },
});
