/**
 * The built-in monitor:
 *
 *     topic rules, subscription filter ─► stream ─(tumbling windows)─► watch ─► violations topic, ledger
 *     every five minutes ─► queue ─► offline ─────────────────────────────────► violations topic, ledger
 *
 * What the mapping gives up, and what a rule cannot put on the stream, lies in one dead-letter queue with an alarm: nothing is lost unseen.
 */
import { deflateRawSync } from 'node:zlib';
import { Duration, Validations } from 'aws-cdk-lib';
import { Rule, RuleTargetInput, Schedule } from 'aws-cdk-lib/aws-events';
import { Stream, StreamEncryption, StreamMode } from 'aws-cdk-lib/aws-kinesis';
import { CfnEventSourceMapping } from 'aws-cdk-lib/aws-lambda';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { MONITOR_LIMITS, fleetRules, fleetStreamName } from '../../domain/protocol/fleet-events.js';
import type { OfflineVariables } from '../../lambda/behaviour/offline/env.js';
import type { WatchVariables } from '../../lambda/behaviour/watch/env.js';
import { builtInBehaviours, sourcesOf } from '../config/behaviour-config.js';
import type { AppContext } from '../shared/app-context.js';
import { GuardedFunction } from '../shared/guarded-function.js';
import { InvokedFunction } from '../shared/own-function.js';
import * as may from '../shared/permissions.js';
import { MonitorLogs } from './monitor-logs.js';
import { RuleToStream } from './rule-to-stream.js';
import { watchMonitor } from './watch.js';

/** A violation is raised so long after its last event at most, while the state is carried in and out so seldom. */
const BATCHING_SECONDS = 5;
/** With the pauses of Lambda between them these ride out an outage of a quarter of an hour and more; then the batch is given up, with an alarm. */
const RETRIES = 20;
const MAX_RECORD_AGE_SECONDS = 6 * 3600;
const ROUND_MINUTES = 5;
/** Of 4 KB that all variables of a function have together. */
const MOST_VARIABLE_CHARACTERS = 3000;

export class Monitor extends Construct {
  readonly stream: Stream;
  readonly watch: InvokedFunction<WatchVariables>;
  readonly offline: GuardedFunction<OfflineVariables>;
  /** What the mapping and the rules have given up. */
  readonly deadLetters: Queue;
  /** Absent where refusals are not taken out of the log. */
  readonly logs?: MonitorLogs;

  constructor(
    scope: Construct,
    id: string,
    private readonly context: AppContext,
    private readonly topic: ITopic,
  ) {
    super(scope, id);
    this.stream = new Stream(this, 'Stream', {
      streamName: fleetStreamName(this.prefix),
      streamMode: StreamMode.PROVISIONED,
      shardCount: this.config.shards,
      retentionPeriod: Duration.hours(24),
      encryption: StreamEncryption.MANAGED,
    });
    this.deadLetters = this.makeDeadLetters();
    this.watch = this.makeWatch();
    this.offline = this.makeOffline();
    this.listen();
    if (this.config.sources.logs) this.logs = new MonitorLogs(this, this.stream);
    watchMonitor(context.alarms, {
      watch: this.watch.function,
      offline: this.offline.function,
      stream: this.stream,
      readsLogs: this.logs !== undefined,
    });
  }

  private get config() {
    return this.context.installation.configuration.behaviour;
  }
  private get prefix(): string {
    return this.context.installation.configuration.prefix;
  }

  private variables() {
    const list = deflateRawSync(JSON.stringify(builtInBehaviours(this.config))).toString('base64');
    if (list.length > MOST_VARIABLE_CHARACTERS)
      throw new RangeError(
        `behaviour.behaviours: got behaviours that take ${list.length} characters deflated, expected at most ${MOST_VARIABLE_CHARACTERS}: shorten their lists`,
      );
    return {
      APPLICATION: this.prefix,
      LEDGER_TABLE: this.context.state.ledger.tableName,
      VIOLATIONS_TOPIC_ARN: this.topic.topicArn,
      BEHAVIOURS: list,
      WINDOW_SECONDS: String(this.config.windowSeconds),
      SOURCES: sourcesOf(this.config).join(','),
    };
  }

  private makeDeadLetters(): Queue {
    const queue = new Queue(this, 'DeadLetterQueue', {
      queueName: `${this.prefix}-behaviour-watch-dead`,
      encryption: QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
      retentionPeriod: Duration.days(14),
    });
    const reason =
      'It is itself what others put their failures into: the mapping of the stream and the topic rules, neither of which the rule knows.';
    Validations.of(queue).acknowledge({ id: 'AwsSolutions-SQS3', reason });
    this.context.alarms.add('dead-letters', {
      of: 'behaviour-watch',
      metric: queue.metricApproximateNumberOfMessagesVisible({ period: Duration.minutes(5), statistic: 'Maximum' }),
      atLeast: 1,
    });
    return queue;
  }

  private makeWatch(): InvokedFunction<WatchVariables> {
    const { ledger } = this.context.state;
    const watch = new InvokedFunction<WatchVariables>(this, 'Watch', {
      ...this.context,
      name: 'behaviour-watch',
      description: 'Counts fleet events in windows and raises violations of behaviours',
      environment: { ...this.variables(), FLEET_STREAM: this.stream.streamName, IGNORED_CLIENTS: this.config.ignoreClients.join(',') },
      // A storm at the end of a window: tens of thousands of violations at sixteen a time.
      timeout: Duration.minutes(5),
      memoryMiB: 1024,
    })
      .allow(may.onTable(ledger, 'GetItem', 'Query', 'PutItem', 'UpdateItem', 'DeleteItem'))
      .allow({ actions: ['sns:Publish'], resources: [this.topic.topicArn] })
      .allow({
        actions: [
          'kinesis:DescribeStream',
          'kinesis:DescribeStreamSummary',
          'kinesis:GetRecords',
          'kinesis:GetShardIterator',
          'kinesis:ListShards',
          ...(this.config.sources.logs ? ['kinesis:PutRecords'] : []),
        ],
        resources: [this.stream.streamArn],
      })
      .allow({ actions: ['sqs:SendMessage'], resources: [this.deadLetters.queueArn] });
    const mapping = new CfnEventSourceMapping(this, 'Windows', {
      functionName: watch.function.functionName,
      eventSourceArn: this.stream.streamArn,
      startingPosition: 'TRIM_HORIZON',
      batchSize: MONITOR_LIMITS.batchSize,
      maximumBatchingWindowInSeconds: BATCHING_SECONDS,
      tumblingWindowInSeconds: this.config.windowSeconds,
      bisectBatchOnFunctionError: true,
      maximumRetryAttempts: RETRIES,
      maximumRecordAgeInSeconds: MAX_RECORD_AGE_SECONDS,
      functionResponseTypes: ['ReportBatchItemFailures'],
      destinationConfig: { onFailure: { destination: this.deadLetters.queueArn } },
    });
    // The role's policy is a resource of its own: the mapping is refused while the role may not read the stream.
    mapping.node.addDependency(watch);
    return watch;
  }

  private makeOffline(): GuardedFunction<OfflineVariables> {
    const { ledger } = this.context.state;
    const offline = new GuardedFunction<OfflineVariables>(this, 'Offline', {
      ...this.context,
      name: 'behaviour-offline',
      description: 'Looks for devices that have been away too long, and settles what is open about those that are silent',
      environment: () => this.variables(),
      timeout: Duration.minutes(5),
      memoryMiB: 512,
      batchSize: 1,
      maxConcurrency: 2,
      stalledAfter: Duration.minutes(30),
    })
      .allow(may.onTable(ledger, 'GetItem', 'Query', 'PutItem', 'UpdateItem', 'DeleteItem'))
      .allow({ actions: ['sns:Publish'], resources: [this.topic.topicArn] });
    if (this.config.sources.logs)
      offline.allow({
        actions: ['iot:GetV2LoggingOptions'],
        resources: ['*'],
        wildcard: 'The logging belongs to the account, not to a resource (service authorization reference of AWS IoT). It is only read.',
      });
    new Rule(this, 'Round', {
      ruleName: `${this.prefix}-behaviour-round`,
      description: 'Looks for devices of which nothing arrives',
      schedule: Schedule.rate(Duration.minutes(ROUND_MINUTES)),
      targets: [offline.source.asTarget('behaviour-round', RuleTargetInput.fromObject({ kind: 'round' }))],
    });
    return offline;
  }

  private listen(): void {
    const { devices } = this.context.installation.configuration;
    for (const { source, sql, partitionKey, description } of fleetRules(devices.topicPrefix)) {
      if (!this.config.sources[source]) continue;
      new RuleToStream(this, `On-${source}`, {
        ruleName: `${this.prefix}_behaviour_${source}`.replaceAll('-', '_'),
        description,
        sql,
        partitionKey,
        stream: this.stream,
        deadLetters: this.deadLetters,
      });
    }
  }
}
