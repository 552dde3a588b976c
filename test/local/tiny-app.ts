/**
 * A tiny CDK application for the deployer's tests: an event bus rule, a queue with a dead-letter queue, and a function that does what each
 * message says and reports to a second queue. Synthesised with the default synthesizer; its bundle is made here.
 */
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { App, CfnOutput, Duration, Stack } from 'aws-cdk-lib';
import { Alarm } from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import { Rule, Schedule } from 'aws-cdk-lib/aws-events';
import { SqsQueue } from 'aws-cdk-lib/aws-events-targets';
import { PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Code, Function as LambdaFunction, Runtime } from 'aws-cdk-lib/aws-lambda';
import { SqsEventSource } from 'aws-cdk-lib/aws-lambda-event-sources';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { SqsSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import { Queue } from 'aws-cdk-lib/aws-sqs';
import { buildSync } from 'esbuild';

/** What one message asks of the function. */
const SOURCE = `
import { SQSClient, SendMessageCommand } from '@aws-sdk/client-sqs';
const sqs = new SQSClient({});
export const handler = async (event, context) => {
  console.log(JSON.stringify({ _aws: { Timestamp: Date.now(), CloudWatchMetrics: [{ Namespace: 'Tiny', Dimensions: [[]], Metrics: [{ Name: 'Seen' }] }] }, Seen: event.Records?.length ?? 1 }));
  if (!event.Records) return { now: Date.now(), date: new Date().toISOString(), event, environment: Object.keys(process.env).sort(), home: process.env.HOME, paths: (await import('node:module')).default.globalPaths };
  const batchItemFailures = [];
  for (const record of event.Records) {
    const body = JSON.parse(record.body);
    const work = body.detail ?? body;
    if (work.kind === 'fail') { batchItemFailures.push({ itemIdentifier: record.messageId }); continue; }
    if (work.kind === 'throw') throw new TypeError('as asked');
    if (work.kind === 'sleep') await new Promise((resolve) => setTimeout(resolve, 60_000));
    await sqs.send(new SendMessageCommand({ QueueUrl: process.env.RESULTS_URL, MessageBody: JSON.stringify({ work, now: Date.now(), remaining: context.getRemainingTimeInMillis(), attempt: record.attributes.ApproximateReceiveCount }) }));
  }
  return { batchItemFailures };
};
`;

/** Writes and bundles the function. Answers the folder with index.mjs. */
export function bundle(source = SOURCE): string {
  const directory = mkdtempSync(path.join(tmpdir(), 'tiny-function-'));
  buildSync({
    stdin: { contents: source, resolveDir: __dirname, loader: 'js' },
    outfile: path.join(directory, 'index.mjs'),
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'esm',
    mainFields: ['module', 'main'],
    logLevel: 'error',
    banner: { js: "import{createRequire as __cr}from'node:module';const require=__cr(import.meta.url);" },
  });
  return directory;
}

/** Two stacks, the second importing from the first. Answers the folder of the assembly. */
export function synthesise(codeDirectory: string): string {
  const outdir = mkdtempSync(path.join(tmpdir(), 'tiny-assembly-'));
  const app = new App({ outdir, analyticsReporting: false });
  const base = new Stack(app, 'tiny-base');
  const results = new Queue(base, 'Results', { queueName: 'results' });
  new CfnOutput(base, 'ResultsUrl', { value: results.queueUrl });
  new Rule(base, 'Nightly', { schedule: Schedule.cron({ hour: '3', minute: '30' }), targets: [new SqsQueue(results)] });
  const topic = new Topic(base, 'Alarms');
  topic.addSubscription(new SqsSubscription(results));

  const stack = new Stack(app, 'tiny-app');
  const dead = new Queue(stack, 'Dead');
  const work = new Queue(stack, 'Work', { visibilityTimeout: Duration.seconds(30), deadLetterQueue: { queue: dead, maxReceiveCount: 2 } });
  const role = new Role(stack, 'WorkerRole', { assumedBy: new ServicePrincipal('lambda.amazonaws.com') });
  const logGroup = new LogGroup(stack, 'WorkerLogs', { retention: RetentionDays.ONE_WEEK });
  role.addToPolicy(new PolicyStatement({ actions: ['logs:CreateLogStream', 'logs:PutLogEvents'], resources: [logGroup.logGroupArn] }));
  results.grantSendMessages(role);
  const worker = new LambdaFunction(stack, 'Worker', {
    runtime: Runtime.NODEJS_24_X,
    handler: 'index.handler',
    code: Code.fromAsset(codeDirectory),
    role,
    logGroup,
    timeout: Duration.seconds(3),
    memorySize: 128,
    environment: { RESULTS_URL: results.queueUrl },
  });
  worker.addEventSource(new SqsEventSource(work, { batchSize: 5, reportBatchItemFailures: true, maxConcurrency: 2 }));
  new Rule(stack, 'Asked', {
    eventPattern: { source: ['tiny.test'], detail: { kind: [{ 'anything-but': 'ignore' }] } },
    targets: [new SqsQueue(work)],
  });
  new Alarm(stack, 'DeadLetters', {
    metric: dead.metricApproximateNumberOfMessagesVisible({ statistic: 'Maximum', period: Duration.minutes(5) }),
    threshold: 1,
    evaluationPeriods: 1,
  }).addAlarmAction(new SnsAction(topic));
  for (const [name, value] of Object.entries({
    WorkUrl: work.queueUrl,
    DeadUrl: dead.queueUrl,
    WorkerName: worker.functionName,
    LogGroup: logGroup.logGroupName,
  }))
    new CfnOutput(stack, name, { value });
  app.synth();
  return outdir;
}

interface Template {
  Resources: Record<string, { Type: string; Properties: Record<string, unknown> }>;
}

/** Writes the template of the second stack again, changed. */
export function changeTemplate(assembly: string, change: (template: Template) => void): void {
  const file = path.join(assembly, 'tiny-app.template.json');
  const template = JSON.parse(readFileSync(file, 'utf8')) as Template;
  change(template);
  writeFileSync(file, JSON.stringify(template));
}

/** An assembly of one hand-written template, for the intrinsic functions. */
export function assemblyOf(template: object): string {
  const outdir = mkdtempSync(path.join(tmpdir(), 'tiny-template-'));
  mkdirSync(outdir, { recursive: true });
  writeFileSync(path.join(outdir, 'one.template.json'), JSON.stringify(template));
  writeFileSync(
    path.join(outdir, 'manifest.json'),
    JSON.stringify({
      version: '48.0.0',
      artifacts: {
        one: {
          type: 'aws:cloudformation:stack',
          environment: 'aws://unknown-account/unknown-region',
          properties: { templateFile: 'one.template.json' },
        },
      },
    }),
  );
  return outdir;
}
