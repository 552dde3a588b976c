/** Amazon EventBridge on the desk: the default bus, its rules and what IAM must allow for each operation. */
import type { BusEvent, Cloud } from '../../cloud.js';
import type { AccessRequest } from '../../iam/principal.js';
import { AwsError, type Operation } from '../../models/service.js';

import type { Target } from './delivery.js';
import { type Rule, type RuleDefinition, Rules, patternOf } from './rules.js';

/** Starts EventBridge. The answer stops its schedules and retries. */
export function startEvents(cloud: Cloud): () => void {
  const rules = new Rules(cloud);
  cloud.addService({
    name: 'events',
    signingNames: ['events'],
    operations: operations(rules),
    access: (operation, input) => access(rules, operation, input),
  });
  cloud.parts.putEvent = (event, options) => {
    if (options?.bestEffort && cloud.world.faults.losesEvent()) {
      cloud.world.journal.add({ kind: 'fault', what: `event lost: ${event['detail-type']}`, who: event.source, ok: true });
      return;
    }
    rules.publish(event);
  };
  return () => rules.stop();
}

function access(rules: Rules, operation: string, input: Readonly<Record<string, unknown>>): readonly AccessRequest[] {
  if (operation === 'PutEvents') {
    const entries = input.Entries as readonly Entry[];
    return entries.map((entry) => ({
      action: 'events:PutEvents',
      resource: rules.busArn,
      context: { 'events:source': entry.Source ?? '', 'events:detail-type': entry.DetailType ?? '' },
    }));
  }
  if (operation === 'TestEventPattern' || operation === 'ListRules' || operation === 'ListRuleNamesByTarget')
    return [{ action: `events:${operation}`, resource: '*' }];
  if (operation === 'DescribeEventBus' || operation === 'ListEventBuses')
    return [{ action: `events:${operation}`, resource: rules.busArn }];
  const resource = typeof input.ResourceARN === 'string' ? input.ResourceARN : rules.arnOf(String(input.Name ?? input.Rule));
  return [{ action: `events:${operation}`, resource }];
}

interface Entry {
  readonly Time?: Date;
  readonly Source?: string;
  readonly Resources?: readonly string[];
  readonly DetailType?: string;
  readonly Detail?: string;
  readonly EventBusName?: string;
}

/** 256 KiB for all entries of a request (EventBridge user guide, "Calculating PutEvents event entry size"). */
const MAXIMUM_REQUEST_BYTES = 262_144;

/** The guide's own sum: 14 for a time, the texts as UTF-8. */
function entryBytes(entry: Entry): number {
  const texts = [entry.Source, entry.DetailType, entry.Detail, ...(entry.Resources ?? [])];
  return (entry.Time ? 14 : 0) + texts.reduce((sum, text) => sum + Buffer.byteLength(text ?? ''), 0);
}

function putEvent(rules: Rules, entry: Entry): { EventId?: string; ErrorCode?: string; ErrorMessage?: string } {
  const refuse = (ErrorCode: string, ErrorMessage: string): { ErrorCode: string; ErrorMessage: string } => ({ ErrorCode, ErrorMessage });
  checkBus(entry.EventBusName, rules);
  if (!entry.Source) return refuse('InvalidArgument', 'Parameter Source is not valid. Reason: Source is a required argument.');
  if (entry.Source.startsWith('aws.')) return refuse('NotAuthorizedForSourceException', 'Not authorized for the source.');
  if (!entry.DetailType) return refuse('InvalidArgument', 'Parameter DetailType is not valid. Reason: DetailType is a required argument.');
  if (!entry.Detail) return refuse('InvalidArgument', 'Parameter Detail is not valid. Reason: Detail is a required argument.');
  try {
    const detail: unknown = JSON.parse(entry.Detail);
    if (detail === null || typeof detail !== 'object' || Array.isArray(detail)) return refuse('MalformedDetail', 'Detail is malformed.');
    const event: BusEvent = { source: entry.Source, 'detail-type': entry.DetailType, resources: entry.Resources ?? [], detail };
    return { EventId: rules.publish(event, entry.Time?.getTime()) };
  } catch (error) {
    if (error instanceof SyntaxError) return refuse('MalformedDetail', 'Detail is malformed.');
    throw error;
  }
}

function checkBus(name: string | undefined, rules: Rules): void {
  if (name === undefined || name === 'default' || name === rules.busArn) return;
  throw new AwsError('ResourceNotFoundException', `Event bus ${name} does not exist.`);
}

function describe(rule: Rule): Record<string, unknown> {
  const { name, description, eventPattern, scheduleExpression, state, roleArn } = rule.definition;
  return {
    Name: name,
    Arn: rule.arn,
    EventPattern: eventPattern,
    ScheduleExpression: scheduleExpression,
    State: state,
    Description: description,
    RoleArn: roleArn,
    EventBusName: 'default',
  };
}

/** A rule's ARN is `…:rule/<name>`, or `…:rule/<bus>/<name>` as the console writes it. */
const tagsOf = (rules: Rules, { ResourceARN }: { readonly ResourceARN: string }): Map<string, string> =>
  rules.get(ResourceARN.split('/').pop() ?? '').tags;

function page<T>(all: readonly T[], token: string | undefined, limit = 100): { items: T[]; next: { NextToken?: string } } {
  const from = Number(token ?? 0);
  return { items: all.slice(from, from + limit), next: from + limit < all.length ? { NextToken: String(from + limit) } : {} };
}

interface PutRuleInput {
  readonly Name: string;
  readonly Description?: string;
  readonly EventPattern?: string;
  readonly ScheduleExpression?: string;
  readonly State?: RuleDefinition['state'];
  readonly RoleArn?: string;
  readonly EventBusName?: string;
  readonly Tags?: readonly { Key: string; Value: string }[];
}
interface OfRule {
  readonly Name: string;
  readonly EventBusName?: string;
}

function operations(rules: Rules): Readonly<Record<string, Operation>> {
  return {
    PutEvents: (input: { Entries: readonly Entry[] }) => {
      if (input.Entries.length > 10)
        throw new AwsError(
          'ValidationException',
          `1 validation error detected: Value at 'entries' failed to satisfy constraint: Member must have length less than or equal to 10`,
        );
      if (input.Entries.reduce((sum, entry) => sum + entryBytes(entry), 0) > MAXIMUM_REQUEST_BYTES)
        throw new AwsError('ValidationException', 'Total size of the entries in the request is over the limit.');
      const Entries = input.Entries.map((entry) => putEvent(rules, entry));
      return { Entries, FailedEntryCount: Entries.filter((entry) => entry.ErrorCode !== undefined).length };
    },
    PutRule: (input: PutRuleInput) => {
      checkBus(input.EventBusName, rules);
      const state = input.State ?? 'ENABLED';
      if (state !== 'ENABLED' && state !== 'DISABLED')
        throw new AwsError('ValidationException', `State ${String(state)} is not served by the desk.`);
      const {
        Name: name,
        Description: description,
        EventPattern: eventPattern,
        ScheduleExpression: scheduleExpression,
        RoleArn: roleArn,
      } = input;
      const rule = rules.put({ name, description, eventPattern, scheduleExpression, state, roleArn });
      for (const { Key, Value } of input.Tags ?? []) rule.tags.set(Key, Value);
      return { RuleArn: rule.arn };
    },
    DescribeRule: (input: OfRule) => (checkBus(input.EventBusName, rules), describe(rules.get(input.Name))),
    ListRules: (input: { NamePrefix?: string; EventBusName?: string; NextToken?: string; Limit?: number }) => {
      checkBus(input.EventBusName, rules);
      const { items, next } = page(
        rules.all().filter((rule) => rule.definition.name.startsWith(input.NamePrefix ?? '')),
        input.NextToken,
        input.Limit,
      );
      return { Rules: items.map(describe), ...next };
    },
    EnableRule: (input: OfRule) => (checkBus(input.EventBusName, rules), rules.setState(input.Name, 'ENABLED'), {}),
    DisableRule: (input: OfRule) => (checkBus(input.EventBusName, rules), rules.setState(input.Name, 'DISABLED'), {}),
    DeleteRule: (input: OfRule) => (checkBus(input.EventBusName, rules), rules.delete(input.Name), {}),
    PutTargets: (input: { Rule: string; EventBusName?: string; Targets: readonly Target[] }) => {
      checkBus(input.EventBusName, rules);
      rules.putTargets(input.Rule, input.Targets);
      return { FailedEntryCount: 0, FailedEntries: [] };
    },
    RemoveTargets: (input: { Rule: string; EventBusName?: string; Ids: readonly string[] }) => {
      checkBus(input.EventBusName, rules);
      for (const id of input.Ids) rules.get(input.Rule).targets.delete(id);
      return { FailedEntryCount: 0, FailedEntries: [] };
    },
    ListTargetsByRule: (input: { Rule: string; EventBusName?: string; NextToken?: string; Limit?: number }) => {
      checkBus(input.EventBusName, rules);
      const { items, next } = page([...rules.get(input.Rule).targets.values()], input.NextToken, input.Limit);
      return { Targets: items, ...next };
    },
    ListRuleNamesByTarget: (input: { TargetArn: string; EventBusName?: string; NextToken?: string; Limit?: number }) => {
      checkBus(input.EventBusName, rules);
      const holding = rules.all().filter((rule) => [...rule.targets.values()].some((target) => target.Arn === input.TargetArn));
      const { items, next } = page(holding, input.NextToken, input.Limit);
      return { RuleNames: items.map((rule) => rule.definition.name), ...next };
    },
    DescribeEventBus: (input: { Name?: string }) => (checkBus(input.Name, rules), { Name: 'default', Arn: rules.busArn }),
    ListEventBuses: () => ({ EventBuses: [{ Name: 'default', Arn: rules.busArn }] }),
    TestEventPattern: (input: { EventPattern: string; Event: string }) => ({
      Result: patternOf(input.EventPattern)(JSON.parse(input.Event)),
    }),
    ListTagsForResource: (input: { ResourceARN: string }) => ({
      Tags: [...tagsOf(rules, input)].map(([Key, Value]) => ({ Key, Value })),
    }),
    TagResource: (input: { ResourceARN: string; Tags: readonly { Key: string; Value: string }[] }) => {
      for (const { Key, Value } of input.Tags) tagsOf(rules, input).set(Key, Value);
      return {};
    },
    UntagResource: (input: { ResourceARN: string; TagKeys: readonly string[] }) => {
      for (const key of input.TagKeys) tagsOf(rules, input).delete(key);
      return {};
    },
  };
}
