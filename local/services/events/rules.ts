/** The default event bus: its rules, their targets, and the schedules. */
import { randomUUID } from 'node:crypto';
import type { BusEvent, Cloud } from '../../cloud.js';
import { AwsError } from '../../models/service.js';
import { InvalidPattern, compilePattern } from '../../patterns/event-pattern.js';
import { type Target, TargetDelivery } from './delivery.js';
import { type DeliveredEvent, checkInput } from './input.js';
import { type Schedule, parseSchedule } from './schedule.js';

export interface RuleDefinition {
  readonly name: string;
  readonly description?: string;
  readonly eventPattern?: string;
  readonly scheduleExpression?: string;
  readonly state: 'ENABLED' | 'DISABLED';
  readonly roleArn?: string;
}

export interface Rule {
  readonly arn: string;
  definition: RuleDefinition;
  readonly targets: Map<string, Target>;
  readonly tags: Map<string, string>;
  matches: ((event: DeliveredEvent) => boolean) | undefined;
  schedule: Schedule | undefined;
  stopSchedule: () => void;
}

/** Members of a target whose effect the desk has. Others belong to targets that it does not serve, or would be ignored: refused. */
const TARGET_MEMBERS = [
  'Id',
  'Arn',
  'RoleArn',
  'Input',
  'InputPath',
  'InputTransformer',
  'SqsParameters',
  'DeadLetterConfig',
  'RetryPolicy',
];
const TARGETS_PER_RULE = 5;

export class Rules {
  private readonly rules = new Map<string, Rule>();
  private readonly delivery: TargetDelivery;

  constructor(private readonly cloud: Cloud) {
    this.delivery = new TargetDelivery(cloud);
  }

  get busArn(): string {
    return `arn:aws:events:${this.cloud.world.region}:${this.cloud.world.accountId}:event-bus/default`;
  }

  arnOf(name: string): string {
    return `arn:aws:events:${this.cloud.world.region}:${this.cloud.world.accountId}:rule/${name}`;
  }

  all(): readonly Rule[] {
    return [...this.rules.values()];
  }

  get(name: string): Rule {
    const rule = this.rules.get(name);
    if (!rule) throw new AwsError('ResourceNotFoundException', `Rule ${name} does not exist on EventBus default.`);
    return rule;
  }

  put(definition: RuleDefinition): Rule {
    if (definition.eventPattern === undefined && definition.scheduleExpression === undefined) {
      throw new AwsError('ValidationException', 'Parameter(s) EventPattern or ScheduleExpression must be specified.');
    }
    const matches = definition.eventPattern === undefined ? undefined : patternOf(definition.eventPattern);
    const schedule = definition.scheduleExpression === undefined ? undefined : parseSchedule(definition.scheduleExpression);
    const rule = this.rules.get(definition.name) ?? {
      arn: this.arnOf(definition.name),
      definition,
      targets: new Map<string, Target>(),
      tags: new Map<string, string>(),
      matches,
      schedule,
      stopSchedule: () => {},
    };
    Object.assign(rule, { definition, matches, schedule });
    this.rules.set(definition.name, rule);
    this.arm(rule);
    return rule;
  }

  setState(name: string, state: RuleDefinition['state']): void {
    const rule = this.get(name);
    rule.definition = { ...rule.definition, state };
    this.arm(rule);
  }

  delete(name: string): void {
    const rule = this.rules.get(name);
    if (!rule) return;
    if (rule.targets.size > 0) throw new AwsError('ValidationException', "Rule can't be deleted since it has targets.");
    rule.stopSchedule();
    this.rules.delete(name);
  }

  putTargets(name: string, targets: readonly Target[]): void {
    const rule = this.get(name);
    for (const target of targets) this.checkTarget(target);
    if (new Set([...rule.targets.keys(), ...targets.map((target) => target.Id)]).size > TARGETS_PER_RULE) {
      throw new AwsError(
        'LimitExceededException',
        `The requested resource exceeds the maximum number allowed: ${TARGETS_PER_RULE} targets per rule.`,
      );
    }
    for (const target of targets) rule.targets.set(target.Id, target);
  }

  /** One event on the default bus. Deliveries go on after the answer, as on AWS. */
  publish(event: BusEvent, timeMs?: number): string {
    const delivered = this.complete(event, timeMs);
    for (const rule of this.rules.values()) {
      if (rule.definition.state === 'ENABLED' && rule.matches?.(delivered)) this.fire(rule, delivered);
    }
    return delivered.id;
  }

  stop(): void {
    for (const rule of this.rules.values()) rule.stopSchedule();
    this.delivery.stop();
  }

  private complete(event: BusEvent, timeMs = this.cloud.world.clock.nowMs()): DeliveredEvent {
    const { accountId, region } = this.cloud.world;
    return {
      version: '0',
      id: randomUUID(),
      'detail-type': event['detail-type'],
      source: event.source,
      account: accountId,
      // EventBridge gives whole seconds.
      time: new Date(timeMs).toISOString().replace(/\.\d{3}Z$/, 'Z'),
      region,
      resources: event.resources,
      detail: event.detail,
    };
  }

  private fire(rule: Rule, event: DeliveredEvent): void {
    const named = { name: rule.definition.name, arn: rule.arn };
    this.cloud.parts.metrics?.([
      { namespace: 'AWS/Events', name: 'MatchedEvents', dimensions: { RuleName: named.name }, value: 1, unit: 'Count' },
    ]);
    for (const target of rule.targets.values()) this.delivery.deliver(named, target, event);
  }

  private arm(rule: Rule): void {
    rule.stopSchedule();
    rule.stopSchedule = () => {};
    const { clock } = this.cloud.world;
    const { schedule } = rule;
    if (!schedule || rule.definition.state !== 'ENABLED') return;
    const fire = (): void =>
      this.fire(rule, this.complete({ source: 'aws.events', 'detail-type': 'Scheduled Event', resources: [rule.arn], detail: {} }));
    if (schedule.kind === 'rate') {
      rule.stopSchedule = clock.every(schedule.periodMs, fire);
      return;
    }
    // Looked at once a minute: a long jump of the clock looks less often (DeskClock.every), so that it does not fire thousands of times.
    let nextMs = schedule.nextAfter(clock.nowMs());
    rule.stopSchedule = clock.every(60_000, () => {
      if (nextMs === undefined || nextMs > clock.nowMs()) return;
      nextMs = schedule.nextAfter(clock.nowMs());
      fire();
    });
  }

  private checkTarget(target: Target): void {
    const service = /^arn:aws:(sqs|lambda|sns|logs):/.exec(target.Arn)?.[1];
    if (!service)
      throw new AwsError(
        'ValidationException',
        `Target ${target.Id}: got ${target.Arn}, expected the ARN of sqs, lambda, sns or logs (what the desk delivers to).`,
      );
    const unserved = Object.entries(target).find(([member, value]) => value !== undefined && !TARGET_MEMBERS.includes(member));
    if (unserved) throw new AwsError('ValidationException', `Target ${target.Id}: ${unserved[0]} is not served by the desk.`);
    if (target.SqsParameters && service !== 'sqs')
      throw new AwsError('ValidationException', `Target ${target.Id}: SqsParameters needs a queue.`);
    checkInput(target);
  }
}

export function patternOf(text: string): (event: DeliveredEvent) => boolean {
  try {
    return compilePattern(text);
  } catch (error) {
    if (error instanceof InvalidPattern) throw new AwsError('InvalidEventPatternException', error.message);
    throw error;
  }
}
