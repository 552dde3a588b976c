/** Topic rules as resources: https://docs.aws.amazon.com/iot/latest/developerguide/iot-rules.html. The engine is in rules/. */
import { AwsError, type Operation } from '../../models/service.js';
import { invalidRequest } from './errors.js';
import { checkRuleName } from './names.js';
import { page } from './paging.js';
import { compileRule, type TopicRulePayload } from './rules/compile.js';
import type { IotState, TopicRule } from './state.js';
import { setTags } from './tags.js';

const MAX_RULES = 1000;

function ruleByName(state: IotState, name: unknown): TopicRule {
  const found = state.rules.get(checkRuleName(name));
  // AWS answers UnauthorizedException for a rule that does not exist (known from practice, the API pages do not say it).
  if (!found) throw new AwsError('UnauthorizedException', `Access to topic rule '${String(name)}' was denied`, 401);
  return found;
}

/** `key=value&key=value`, the form of the header x-amz-tagging. */
function tagsOf(text: string | undefined): { Key: string; Value: string }[] {
  return [...new URLSearchParams(text ?? '')].map(([Key, Value]) => ({ Key, Value }));
}

export function topicRuleOperations(state: IotState): Record<string, Operation> {
  const payloadOf = (rule: TopicRule): TopicRulePayload => rule.compiled.payload;
  const setDisabled = (name: unknown, ruleDisabled: boolean): Record<string, never> => {
    const rule = ruleByName(state, name);
    rule.compiled = { ...rule.compiled, payload: { ...payloadOf(rule), ruleDisabled } };
    return {};
  };
  return {
    CreateTopicRule: (input) => {
      const ruleName = checkRuleName(input.ruleName);
      if (state.rules.has(ruleName)) throw new AwsError('ResourceAlreadyExistsException', `Rule ${ruleName} already exists`, 409);
      if (state.rules.size >= MAX_RULES) throw invalidRequest(`An account can have at most ${MAX_RULES} rules`);
      const rule: TopicRule = {
        ruleName,
        arn: state.arn(`rule/${ruleName}`),
        createdAtMs: state.now(),
        compiled: compileRule(input.topicRulePayload),
      };
      state.rules.set(ruleName, rule);
      setTags(state, rule.arn, tagsOf(input.tags));
      return {};
    },
    ReplaceTopicRule: (input) => {
      ruleByName(state, input.ruleName).compiled = compileRule(input.topicRulePayload);
      return {};
    },
    GetTopicRule: (input) => {
      const rule = ruleByName(state, input.ruleName);
      const { sql, description, actions, ruleDisabled, awsIotSqlVersion, errorAction } = payloadOf(rule);
      return {
        ruleArn: rule.arn,
        rule: {
          ruleName: rule.ruleName,
          sql,
          ...(description === undefined ? {} : { description }),
          createdAt: new Date(rule.createdAtMs),
          actions,
          ruleDisabled: ruleDisabled === true,
          awsIotSqlVersion: awsIotSqlVersion ?? '2015-10-08',
          ...(errorAction ? { errorAction } : {}),
        },
      };
    },
    EnableTopicRule: (input) => setDisabled(input.ruleName, false),
    DisableTopicRule: (input) => setDisabled(input.ruleName, true),
    DeleteTopicRule: (input) => {
      const ruleName = checkRuleName(input.ruleName);
      const rule = state.rules.get(ruleName);
      if (rule) state.tags.delete(rule.arn);
      state.rules.delete(ruleName);
      return {};
    },
    ListTopicRules: (input) => {
      const all = [...state.rules.values()].filter(
        (rule) =>
          (input.topic === undefined || rule.compiled.statement.topicFilter === input.topic) &&
          (input.ruleDisabled === undefined || (payloadOf(rule).ruleDisabled === true) === input.ruleDisabled),
      );
      const { items, token } = page(all, (rule) => rule.ruleName, input.nextToken, input.maxResults);
      return {
        rules: items.map((rule) => ({
          ruleArn: rule.arn,
          ruleName: rule.ruleName,
          ...(rule.compiled.statement.topicFilter === undefined ? {} : { topicPattern: rule.compiled.statement.topicFilter }),
          createdAt: new Date(rule.createdAtMs),
          ruleDisabled: payloadOf(rule).ruleDisabled === true,
        })),
        ...(token ? { nextToken: token } : {}),
      };
    },
  };
}
