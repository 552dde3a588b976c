/**
 * Delivery of one event to one target. No permission or no such resource goes straight to the target's dead-letter queue; everything else
 * is retried with back-off until the attempts or the age of the retry policy are used up (EventBridge user guide, "Event retry policy and
 * using dead-letter queues"). Without a dead-letter queue the event is dropped, as on AWS; the journal and FailedInvocations say so.
 */
import type { Cloud } from '../../cloud.js';
import { AwsError } from '../../models/service.js';
import { type DeliveredEvent, type RuleName, type TargetInput, inputText } from './input.js';

export interface Target extends TargetInput {
  readonly Id: string;
  readonly Arn: string;
  readonly RoleArn?: string;
  readonly SqsParameters?: { readonly MessageGroupId?: string };
  readonly DeadLetterConfig?: { readonly Arn?: string };
  readonly RetryPolicy?: { readonly MaximumRetryAttempts?: number; readonly MaximumEventAgeInSeconds?: number };
}

/** AWS's defaults and bounds: 185 attempts within 24 hours. */
const DEFAULT_ATTEMPTS = 185;
const DEFAULT_AGE_SECONDS = 86_400;
const FIRST_BACKOFF_MS = 1000;
const LONGEST_BACKOFF_MS = 600_000;
const SERVICE = 'events.amazonaws.com';

interface Failure {
  readonly code: 'NO_PERMISSIONS' | 'RESOURCE_NOT_FOUND' | 'SDK_CLIENT_ERROR';
  readonly message: string;
  readonly retriable: boolean;
}

export class TargetDelivery {
  private readonly cancels = new Set<() => void>();

  constructor(private readonly cloud: Cloud) {}

  stop(): void {
    for (const cancel of this.cancels) cancel();
  }

  deliver(rule: RuleName, target: Target, event: DeliveredEvent): void {
    void this.attempt(rule, target, event, 0, this.cloud.world.clock.nowMs());
  }

  private async attempt(rule: RuleName, target: Target, event: DeliveredEvent, retries: number, startedAtMs: number): Promise<void> {
    const failure = await this.send(rule, target, event);
    this.count(rule, 'Invocations');
    if (!failure) return;
    const backoffMs = Math.min(FIRST_BACKOFF_MS * 2 ** retries, LONGEST_BACKOFF_MS);
    const attemptsLeft = retries < (target.RetryPolicy?.MaximumRetryAttempts ?? DEFAULT_ATTEMPTS);
    const ageMs = this.cloud.world.clock.nowMs() + backoffMs - startedAtMs;
    const youngEnough = ageMs <= (target.RetryPolicy?.MaximumEventAgeInSeconds ?? DEFAULT_AGE_SECONDS) * 1000;
    if (failure.retriable && attemptsLeft && youngEnough) {
      const cancel = this.cloud.world.clock.after(backoffMs, async () => {
        this.cancels.delete(cancel);
        await this.attempt(rule, target, event, retries + 1, startedAtMs);
      });
      this.cancels.add(cancel);
      return;
    }
    const condition = !failure.retriable ? undefined : attemptsLeft ? 'MaximumEventAgeInSeconds' : 'MaximumRetryAttempts';
    await this.giveUp(rule, target, event, failure, retries, condition);
  }

  private async send(rule: RuleName, target: Target, event: DeliveredEvent): Promise<Failure | undefined> {
    try {
      const text = inputText(target, event, rule);
      const takesText = /^arn:aws:(sqs|sns):/.test(target.Arn);
      const groupId = target.SqsParameters?.MessageGroupId;
      const decision = await this.cloud.deliver({
        service: SERVICE,
        sourceArn: rule.arn,
        targetArn: target.Arn,
        payload: takesText ? text : (JSON.parse(text) as unknown),
        ...(target.RoleArn === undefined ? {} : { roleArn: target.RoleArn }),
        ...(groupId === undefined ? {} : { message: { groupId } }),
      });
      return decision.allowed ? undefined : { code: 'NO_PERMISSIONS', message: decision.why, retriable: false };
    } catch (error) {
      const absent = error instanceof AwsError && /(DoesNotExist|NotFound)/.test(error.code);
      return { code: absent ? 'RESOURCE_NOT_FOUND' : 'SDK_CLIENT_ERROR', message: (error as Error).message, retriable: !absent };
    }
  }

  private async giveUp(
    rule: RuleName,
    target: Target,
    event: DeliveredEvent,
    failure: Failure,
    retries: number,
    condition: string | undefined,
  ): Promise<void> {
    this.count(rule, 'FailedInvocations');
    const { journal } = this.cloud.world;
    journal.add({
      kind: 'delivery',
      what: `events → ${target.Arn}`,
      who: rule.arn,
      ok: false,
      detail: `${failure.code}: ${failure.message}`,
    });
    const queueArn = target.DeadLetterConfig?.Arn;
    if (queueArn === undefined) return;
    const attributes = {
      RULE_ARN: rule.arn,
      TARGET_ARN: target.Arn,
      ERROR_CODE: failure.code,
      ERROR_MESSAGE: failure.message,
      RETRY_ATTEMPTS: String(retries),
      ...(condition === undefined ? {} : { EXHAUSTED_RETRY_CONDITION: condition }),
    };
    try {
      const decision = await this.cloud.deliver({
        service: SERVICE,
        sourceArn: rule.arn,
        targetArn: queueArn,
        payload: JSON.stringify(event),
        message: { attributes },
      });
      this.count(rule, decision.allowed ? 'InvocationsSentToDlq' : 'InvocationsFailedToBeSentToDlq');
    } catch (error) {
      this.count(rule, 'InvocationsFailedToBeSentToDlq');
      journal.add({ kind: 'delivery', what: `events → ${queueArn}`, who: rule.arn, ok: false, detail: (error as Error).message });
    }
  }

  private count(rule: RuleName, name: string): void {
    this.cloud.parts.metrics?.([{ namespace: 'AWS/Events', name, dimensions: { RuleName: rule.name }, value: 1, unit: 'Count' }]);
  }
}
