/** A topic rule as it was written, and as it runs. Everything that can be wrong is said when the rule is created. */
import { AwsError } from '../../../models/service.js';
import { invalidRequest } from '../errors.js';
import { isTopicFilter } from '../../../gateway/topic-filter.js';
import { SqlError } from './lexer.js';
import { parseStatement } from './parser.js';
import type { Statement } from './syntax.js';
import { parseTemplate } from './template.js';

export type RuleAction = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

export interface TopicRulePayload {
  readonly sql: string;
  readonly description?: string;
  readonly actions: readonly RuleAction[];
  readonly ruleDisabled?: boolean;
  readonly awsIotSqlVersion?: string;
  readonly errorAction?: RuleAction;
}

export interface CompiledRule {
  readonly payload: TopicRulePayload;
  readonly statement: Statement;
}

const MAX_ACTIONS = 10;
const SQL_VERSIONS = ['2015-10-08', '2016-03-23', 'beta'];
/** Members that each served kind of action must have (API reference, e.g. API_SqsAction). */
const ACTIONS: Readonly<Record<string, readonly string[]>> = {
  sqs: ['roleArn', 'queueUrl'],
  lambda: ['functionArn'],
  sns: ['roleArn', 'targetArn'],
  kinesis: ['roleArn', 'streamName'],
  republish: ['roleArn', 'topic'],
  s3: ['roleArn', 'bucketName', 'key'],
  cloudwatchLogs: ['roleArn', 'logGroupName'],
  cloudwatchMetric: ['roleArn', 'metricNamespace', 'metricName', 'metricValue', 'metricUnit'],
};

function checkAction(action: RuleAction): void {
  const kinds = Object.keys(action).filter((kind) => action[kind] !== undefined);
  const [kind] = kinds;
  if (kinds.length !== 1 || kind === undefined) throw invalidRequest('An action must have exactly one member');
  const required = ACTIONS[kind];
  if (!required) throw new AwsError('NotImplemented', `Rule action ${kind} is not served by the desk`, 501);
  for (const member of required)
    if (typeof action[kind]![member] !== 'string' || action[kind]![member] === '')
      throw invalidRequest(`${kind} action: ${member} is required`);
  for (const value of Object.values(action[kind]!)) if (typeof value === 'string') parseTemplate(value);
}

/** Throws SqlParseException or InvalidRequestException as AWS does, NotImplemented for actions that the desk does not have. */
export function compileRule(payload: TopicRulePayload): CompiledRule {
  if (payload.awsIotSqlVersion !== undefined && !SQL_VERSIONS.includes(payload.awsIotSqlVersion))
    throw invalidRequest(`Unknown awsIotSqlVersion ${payload.awsIotSqlVersion}`);
  if (payload.actions.length > MAX_ACTIONS) throw invalidRequest(`A rule can have at most ${MAX_ACTIONS} actions`);
  try {
    const statement = parseStatement(payload.sql);
    if (statement.topicFilter !== undefined && !isTopicFilter(statement.topicFilter))
      throw new SqlError(`Invalid topic filter '${statement.topicFilter}'`);
    payload.actions.forEach(checkAction);
    if (payload.errorAction) checkAction(payload.errorAction);
    return { payload, statement };
  } catch (error) {
    if (error instanceof SqlError) throw new AwsError('SqlParseException', error.message, 400);
    throw error;
  }
}
