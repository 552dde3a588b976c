/**
 * Runs the topic rules on a message: which rules match, what their SQL gives, what became of each action. A failed action goes to the
 * rule's error action, to the metrics of AWS/IoT and to the log; PUBACK has been sent long before (https://docs.aws.amazon.com/iot/latest/developerguide/rule-error-handling.html).
 */
import { randomUUID } from 'node:crypto';
import { topicMatches } from '../../../gateway/topic-filter.js';
import type { Cloud } from '../../../cloud.js';
import { createIotMetrics, type Count } from '../../../gateway/metrics.js';
import type { LogPlan } from '../../../gateway/iot-log.js';
import type { IotState, TopicRule } from '../state.js';
import { actionName, runAction } from './actions.js';
import type { RuleAction } from './compile.js';
import { select } from './evaluate.js';
import type { MessageContext } from './functions.js';

type Message = Parameters<NonNullable<Cloud['parts']['rules']>>[0];

const BASIC_INGEST = /^\$aws\/rules\/([^/]+)(?:\/(.*))?$/s;

function parsePayload(raw: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(raw.buffer, raw.byteOffset, raw.byteLength).toString('utf8')) as unknown;
  } catch {
    return undefined;
  }
}

export function createRuleEngine(state: IotState, plan: LogPlan): NonNullable<Cloud['parts']['rules']> {
  const metric = createIotMetrics(state.cloud);
  return (message) => {
    const ingest = BASIC_INGEST.exec(message.topic);
    if (ingest) {
      const rule = state.rules.get(ingest[1]!);
      if (!rule) metric('RuleNotFound', { RuleName: ingest[1]! });
      else if (!disabled(rule)) run(state, rule, { ...message, topic: ingest[2] ?? '' }, metric, plan);
      return;
    }
    for (const rule of state.rules.values()) {
      const filter = rule.compiled.statement.topicFilter;
      if (filter !== undefined && !disabled(rule) && topicMatches(filter, message.topic)) run(state, rule, message, metric, plan);
    }
  };
}

const disabled = (rule: TopicRule): boolean => rule.compiled.payload.ruleDisabled === true;

function run(state: IotState, rule: TopicRule, message: Message, metric: Count, plan: LogPlan): void {
  const { cloud } = state;
  const context: MessageContext = {
    payload: parsePayload(message.payload),
    raw: message.payload,
    topic: message.topic,
    ...(message.clientId === undefined ? {} : { clientId: message.clientId }),
    ...(message.principal === undefined ? {} : { principal: message.principal }),
    ...(message.sourceIp === undefined ? {} : { sourceIp: message.sourceIp }),
    accountId: cloud.world.accountId,
    traceId: randomUUID(),
    nowMs: state.now(),
  };
  metric('TopicMatch', { RuleName: rule.ruleName });
  const selected = select(rule.compiled.statement, context);
  if (!selected) return;
  metric('RulesExecuted', { RuleName: rule.ruleName });
  const { actions, errorAction } = rule.compiled.payload;
  const attempt = (action: RuleAction, output: unknown): Promise<void> =>
    runAction(action, { cloud, ruleArn: rule.arn, message: context, output });
  for (const action of actions) {
    attempt(action, selected.output).then(
      () => metric('Success', { RuleName: rule.ruleName, ActionType: actionName(action) }),
      async (error: Error) => {
        metric('Failure', { RuleName: rule.ruleName, ActionType: actionName(action) });
        logFailure(state, plan, rule, action, context, error);
        if (!errorAction) return;
        await attempt(errorAction, errorPayload(rule, action, context, error)).then(
          () => metric('ErrorActionSuccess', { RuleName: rule.ruleName, ActionType: actionName(errorAction) }),
          () => metric('ErrorActionFailure', { RuleName: rule.ruleName, ActionType: actionName(errorAction) }),
        );
      },
    );
  }
}

/** What an action was aimed at, as it is written in the rule. */
function resourceOf(action: RuleAction): string {
  const [settings] = Object.values(action);
  const named =
    settings?.['queueUrl'] ??
    settings?.['streamName'] ??
    settings?.['functionArn'] ??
    settings?.['targetArn'] ??
    settings?.['topic'] ??
    settings?.['bucketName'];
  return typeof named === 'string' ? named : '';
}

/** The message of an error action (rule-error-handling.html). */
function errorPayload(rule: TopicRule, action: RuleAction, message: MessageContext, error: Error): unknown {
  return {
    ruleName: rule.ruleName,
    topic: message.topic,
    cloudwatchTraceId: message.traceId,
    ...(message.clientId ? { clientId: message.clientId } : {}),
    ...(message.sourceIp ? { sourceIp: message.sourceIp } : {}),
    base64OriginalPayload: Buffer.from(message.raw).toString('base64'),
    failures: [
      {
        failedAction: actionName(action),
        failedResource: resourceOf(action),
        errorMessage: error.message,
      },
    ],
  };
}

function logFailure(state: IotState, plan: LogPlan, rule: TopicRule, action: RuleAction, message: MessageContext, error: Error): void {
  const { world, parts } = state.cloud;
  world.journal.add({ kind: 'denied', what: `iot rule → ${actionName(action)}`, who: rule.ruleName, ok: false, detail: error.message });
  const { clientId, principal: principalId, sourceIp } = message;
  const subject = { ...(clientId ? { clientId } : {}), ...(principalId ? { principalId } : {}), ...(sourceIp ? { sourceIp } : {}) };
  const planned = plan({ eventType: 'RuleExecution', ...subject }, 'ERROR');
  if (!planned) return;
  const entry = {
    timestamp: new Date(message.nowMs).toISOString().replace('T', ' ').replace('Z', ''),
    logLevel: 'ERROR',
    traceId: message.traceId,
    accountId: world.accountId,
    status: 'Failure',
    eventType: 'RuleExecution',
    clientId: message.clientId ?? 'N/A',
    topicName: message.topic,
    ruleName: rule.ruleName,
    ruleAction: actionName(action),
    details: error.message,
    ...(message.principal ? { principalId: message.principal } : {}),
  };
  parts.logs?.(planned.group, `rule-${rule.ruleName}`, [{ timestamp: message.nowMs, message: JSON.stringify(entry) }]);
}
