/**
 * Carries out the actions of a rule, each under the action's role (Lambda under the function's resource policy). The roles are assumed as AWS
 * does: the trust policy must let iot.amazonaws.com in, the role's policy must allow the call
 * (https://docs.aws.amazon.com/iot/latest/developerguide/iot-rule-actions.html).
 */
import { randomUUID } from 'node:crypto';
import type { Cloud } from '../../../cloud.js';
import type { AccessRequest, Principal } from '../../../iam/principal.js';
import type { RuleAction } from './compile.js';
import { toText, type MessageContext } from './functions.js';
import { fill, parseTemplate } from './template.js';

const SERVICE = 'iot.amazonaws.com';

export interface ActionRun {
  readonly cloud: Cloud;
  readonly ruleArn: string;
  readonly message: MessageContext;
  readonly output: unknown;
}

/** The name of an action in logs and in metrics, `SqsAction`. */
export const actionName = (action: RuleAction): string => {
  const kind = Object.keys(action)[0]!;
  return `${kind[0]!.toUpperCase()}${kind.slice(1)}Action`;
};

/** Throws with the reason when the action failed. */
export async function runAction(action: RuleAction, run: ActionRun): Promise<void> {
  const kind = Object.keys(action)[0]!;
  const settings = action[kind]!;
  const field = (name: string): string => {
    const filled = fill(parseTemplate(String(settings[name])), run.message);
    if (filled === undefined) throw new Error(`The substitution template of ${name} is undefined for this message`);
    return filled;
  };
  await RUNNERS[kind]!(settings, field, run);
}

type Runner = (settings: Readonly<Record<string, unknown>>, field: (name: string) => string, run: ActionRun) => Promise<void>;

async function deliver(
  run: ActionRun,
  targetArn: string,
  payload: unknown,
  roleArn?: string,
  message?: { readonly partitionKey: string },
): Promise<void> {
  const decision = await run.cloud.deliver({
    service: SERVICE,
    sourceArn: run.ruleArn,
    targetArn,
    payload,
    ...(roleArn ? { roleArn } : {}),
    ...(message ? { message } : {}),
  });
  if (!decision.allowed) throw new Error(decision.why);
}

/** Sessions of roles that AWS IoT has assumed; as on AWS, one session serves many messages. */
const sessions = new WeakMap<Cloud, Map<string, Principal>>();

/** Throws AccessDenied when the role's trust policy does not let AWS IoT in. */
function assume(run: ActionRun, roleArn: string): Principal {
  const { iam } = run.cloud;
  const held = sessions.get(run.cloud) ?? new Map<string, Principal>();
  sessions.set(run.cloud, held);
  const known = held.get(roleArn);
  if (known) return known;
  const principal = iam.principalOf(iam.assume(roleArn, SERVICE, 'iot-rule', run.ruleArn).accessKeyId);
  if (!principal) throw new Error(`The session of ${roleArn} is not known`);
  held.set(roleArn, principal);
  return principal;
}

/** For what is no call of another service: the role must be assumable by AWS IoT and allow exactly this. */
function authorise(run: ActionRun, roleArn: string, request: AccessRequest): void {
  assume(run, roleArn);
  const decision = run.cloud.iam.roleAllows(roleArn, request);
  if (!decision.allowed) throw new Error(decision.why);
}

/** What goes on as JSON text or as the text of a payload that is none. */
const asText = (output: unknown): unknown => (output instanceof Uint8Array ? Buffer.from(output).toString() : output);

/** `http://127.0.0.1:4566/000000000000/queue`, also `https://sqs.<region>.amazonaws.com/<account>/queue`. */
function queueArn(cloud: Cloud, queueUrl: string): string {
  const [account, name] = new URL(queueUrl).pathname.split('/').slice(-2);
  return `arn:${cloud.world.partition}:sqs:${cloud.world.region}:${account}:${name}`;
}

const RUNNERS: Readonly<Record<string, Runner>> = {
  sqs: async (settings, field, run) => {
    const payload = settings['useBase64'] === true ? Buffer.from(bytesOf(run.output)).toString('base64') : asText(run.output);
    await deliver(run, queueArn(run.cloud, field('queueUrl')), payload, field('roleArn'));
  },
  lambda: (_, field, run) => deliver(run, field('functionArn'), asText(run.output)),
  sns: (_, field, run) => deliver(run, field('targetArn'), asText(run.output), field('roleArn')),
  // The record is the payload as bytes; without a partition key records are spread over the shards.
  kinesis: async (settings, field, run) => {
    const { partition, region, accountId } = run.cloud.world;
    const streamArn = `arn:${partition}:kinesis:${region}:${accountId}:stream/${field('streamName')}`;
    const partitionKey = settings['partitionKey'] === undefined ? randomUUID() : field('partitionKey');
    await deliver(run, streamArn, bytesOf(run.output), field('roleArn'), { partitionKey });
  },
  republish: async (settings, field, run) => {
    const topic = field('topic').replace(/^\$\$/, '$');
    const { partition, region, accountId } = run.cloud.world;
    authorise(run, field('roleArn'), { action: 'iot:Publish', resource: `arn:${partition}:iot:${region}:${accountId}:topic/${topic}` });
    run.cloud.parts.gateway?.publish(topic, bytesOf(run.output), { qos: settings['qos'] === 1 ? 1 : 0 });
  },
  s3: async (_, field, run) => {
    await run.cloud.callAs(assume(run, field('roleArn')), 's3', 'PutObject', {
      Bucket: field('bucketName'),
      Key: field('key'),
      Body: bytesOf(run.output),
    });
  },
  cloudwatchLogs: async (_, field, run) => {
    const group = field('logGroupName');
    const { partition, region, accountId } = run.cloud.world;
    authorise(run, field('roleArn'), {
      action: 'logs:PutLogEvents',
      resource: `arn:${partition}:logs:${region}:${accountId}:log-group:${group}:*`,
    });
    run.cloud.parts.logs?.(group, run.ruleArn.split('/').at(-1)!, [
      { timestamp: run.message.nowMs, message: toText(asText(run.output)) ?? '' },
    ]);
  },
  cloudwatchMetric: async (_, field, run) => {
    const value = Number(field('metricValue'));
    if (!Number.isFinite(value)) throw new Error('metricValue is not a number');
    await run.cloud.callAs(assume(run, field('roleArn')), 'cloudwatch', 'PutMetricData', {
      Namespace: field('metricNamespace'),
      MetricData: [{ MetricName: field('metricName'), Value: value, Unit: field('metricUnit'), Timestamp: new Date(run.message.nowMs) }],
    });
  },
};

function bytesOf(output: unknown): Uint8Array {
  return output instanceof Uint8Array ? output : Buffer.from(typeof output === 'string' ? output : JSON.stringify(output));
}
