import { AwsError, type Operation } from '../../models/service.js';
import { notFound } from './errors.js';
import { parseIotArn } from './names.js';
import { page } from './paging.js';
import type { IotState } from './state.js';

const MAX_TAGS = 50;

export function setTags(state: IotState, arn: string, tags: readonly { Key: string; Value?: string }[] | undefined): void {
  if (!tags || tags.length === 0) return;
  const held = state.tags.get(arn) ?? new Map<string, string>();
  for (const tag of tags) held.set(tag.Key, tag.Value ?? '');
  if (held.size > MAX_TAGS) throw new AwsError('LimitExceededException', `A resource may have at most ${MAX_TAGS} tags`, 410);
  state.tags.set(arn, held);
}

/** Only kinds that can carry tags exist here; a certificate of a device cannot (https://docs.aws.amazon.com/iot/latest/developerguide/tagging-iot.html). */
function taggable(state: IotState, arn: unknown): string {
  const { resourceType, resourceId } = parseIotArn(arn);
  const holders: Readonly<Record<string, ReadonlyMap<string, unknown>>> = {
    cacert: state.cas,
    command: state.commands.commands,
    custommetric: state.detect.customMetrics,
    dimension: state.detect.dimensions,
    securityprofile: state.detect.profiles,
    job: state.jobs,
    jobtemplate: state.jobTemplates,
    policy: state.policies,
    rule: state.rules,
    scheduledaudit: state.audit.schedules,
    thinggroup: state.groups,
    thingtype: state.thingTypes,
  };
  if (!holders[resourceType]?.has(resourceId)) throw notFound(`Resource not found: ${String(arn)}`);
  return String(arn);
}

export function tagOperations(state: IotState): Record<string, Operation> {
  return {
    TagResource: (input) => {
      setTags(state, taggable(state, input.resourceArn), input.tags);
      return {};
    },
    UntagResource: (input) => {
      const held = state.tags.get(taggable(state, input.resourceArn));
      for (const key of input.tagKeys) held?.delete(key);
      return {};
    },
    ListTagsForResource: (input) => {
      const tags = [...(state.tags.get(taggable(state, input.resourceArn)) ?? [])].map(([Key, Value]) => ({ Key, Value }));
      const { items, token } = page(tags, (tag) => tag.Key, input.nextToken, MAX_TAGS);
      return { tags: items, ...(token ? { nextToken: token } : {}) };
    },
  };
}
