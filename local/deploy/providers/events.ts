/** AWS::Events::Rule (CloudFormation template reference, Amazon EventBridge). */
import { onlyServed, present, textOf } from '../properties.js';
import type { Provider, Providers } from '../provider.js';

const rule: Provider = async (properties, { cloud, physicalName }) => {
  onlyServed(properties, [
    'Name',
    'Description',
    'EventPattern',
    'ScheduleExpression',
    'State',
    'RoleArn',
    'EventBusName',
    'Targets',
    'Tags',
  ]);
  const Name = textOf(properties, 'Name') ?? physicalName(64);
  const { EventPattern, EventBusName } = properties;
  const { RuleArn } = await cloud.call<{ RuleArn: string }>(
    'events',
    'PutRule',
    present({
      Name,
      EventBusName,
      Description: properties.Description,
      ScheduleExpression: properties.ScheduleExpression,
      State: properties.State,
      RoleArn: properties.RoleArn,
      Tags: properties.Tags,
      EventPattern: EventPattern === undefined || typeof EventPattern === 'string' ? EventPattern : JSON.stringify(EventPattern),
    }),
  );
  const Targets = (properties.Targets ?? []) as readonly Record<string, unknown>[];
  if (Targets.length > 0) await cloud.call('events', 'PutTargets', present({ Rule: Name, EventBusName, Targets: Targets.map(target) }));
  return { ref: Name, attributes: { Arn: RuleArn } };
};

/** Numbers may stand in a template as texts; the API wants numbers. */
function target(given: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const { RetryPolicy, ...rest } = given;
  if (RetryPolicy === undefined) return rest;
  return {
    ...rest,
    RetryPolicy: Object.fromEntries(Object.entries(RetryPolicy as object).map(([name, value]) => [name, Number(value)])) as unknown,
  };
}

export const providers: Providers = { 'AWS::Events::Rule': rule };
