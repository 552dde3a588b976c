/**
 * A subscription filter: the lines of a log group that its pattern matches, gzipped, to a data stream or a function
 * (CloudWatch Logs user guide, "Real-time processing of log data with subscriptions").
 *
 *     lines of one stream ──► {messageType: DATA_MESSAGE, …} ──► gzip ──► record of a data stream (role) │ event {awslogs: {data: base64}} (function)
 */
import { gzipSync } from 'node:zlib';
import type { Cloud } from '../../cloud.js';
import { AwsError } from '../../models/service.js';
import { type LineMatcher, compileFilterPattern } from './filter-pattern.js';
import type { LogEvent, LogGroup, Subscription, SubscriptionInput } from './log-group.js';

const SERVICE = 'logs.amazonaws.com';
/** Text of the lines in one message: what it comes to in gzip always fits a record. */
const MOST_CHARACTERS = 700_000;
const FIRST_PAUSE_MS = 10_000;
const LONGEST_PAUSE_MS = 10 * 60_000;
/** "CloudWatch Logs retries delivery for up to 24 hours." */
const PATIENCE_MS = 24 * 3_600_000;

export class SubscriptionFilter implements Subscription {
  private readonly matches: LineMatcher;

  constructor(
    private readonly cloud: Cloud,
    private readonly group: LogGroup,
    readonly input: SubscriptionInput,
    readonly createdAtMs: number,
  ) {
    this.matches = compileFilterPattern(input.filterPattern);
    const { destinationArn, roleArn, distribution = 'ByLogStream' } = input;
    const service = destinationArn.split(':')[2];
    if (service !== 'kinesis' && service !== 'lambda')
      throw new AwsError(
        'InvalidParameterException',
        `destinationArn: got ${destinationArn}, expected a data stream or a function (what the desk serves).`,
      );
    if ((service === 'kinesis') !== (roleArn !== undefined))
      throw new AwsError(
        'InvalidParameterException',
        service === 'kinesis'
          ? 'destinationArn for vendor kinesis requires roleArn'
          : 'destinationArn for vendor lambda cannot be used with roleArn',
      );
    if (distribution !== 'ByLogStream' && distribution !== 'Random')
      throw new AwsError('InvalidParameterException', `distribution: got ${distribution}, expected ByLogStream or Random.`);
  }

  /** Whether the destination takes a message at all: a control message for a stream, the function's policy for a function. Throws as PutSubscriptionFilter does. */
  async test(): Promise<void> {
    const toStream = this.input.roleArn !== undefined;
    const control = {
      messageType: 'CONTROL_MESSAGE',
      owner: 'CloudwatchLogs',
      logGroup: '',
      logStream: '',
      subscriptionFilters: [],
      logEvents: [{ id: '', timestamp: this.now(), message: 'CWL CONTROL MESSAGE: Checking health of destination Kinesis stream.' }],
    };
    const reached = toStream
      ? await this.deliver(control, 'control').then(
          (why) => why === undefined,
          () => false,
        )
      : this.functionLetsIn();
    if (reached) return;
    throw new AwsError(
      'InvalidParameterException',
      toStream
        ? 'Could not deliver test message to specified Kinesis stream. Check if the given kinesis stream is in ACTIVE state.'
        : 'Could not execute the lambda function. Make sure you have given CloudWatch Logs permission to execute your function.',
    );
  }

  /** Passes on what of these lines matches. */
  lines(logStream: string, events: readonly LogEvent[]): void {
    const wanted = events.filter((event) => this.matches(event.message));
    for (const logEvents of inMessages(wanted)) {
      const message = {
        messageType: 'DATA_MESSAGE',
        owner: this.cloud.world.accountId,
        logGroup: this.group.name,
        logStream,
        subscriptionFilters: [this.input.filterName],
        logEvents: logEvents.map(({ eventId: id, timestamp, message: text }) => ({ id, timestamp, message: text })),
      };
      const partitionKey = this.input.distribution === 'Random' ? logEvents[0]!.eventId : logStream;
      void this.cloud.world.clock.track(this.attempt(message, partitionKey, this.now(), FIRST_PAUSE_MS));
    }
  }

  private async attempt(message: object, partitionKey: string, sinceMs: number, pauseMs: number): Promise<void> {
    let why: string | undefined;
    try {
      why = await this.deliver(message, partitionKey);
    } catch (error) {
      why = (error as Error).message;
    }
    if (why === undefined) return;
    const { journal, clock } = this.cloud.world;
    const last = this.now() + pauseMs - sinceMs > PATIENCE_MS;
    journal.add({
      kind: 'delivery',
      what: 'logs → subscription',
      who: this.group.name,
      ok: false,
      detail: last ? `given up: ${why}` : why,
    });
    this.metric('DeliveryErrors', 1);
    if (!last) clock.after(pauseMs, () => this.attempt(message, partitionKey, sinceMs, Math.min(pauseMs * 2, LONGEST_PAUSE_MS)));
  }

  /** Why it was not delivered, or `undefined`. */
  private async deliver(message: object, partitionKey: string): Promise<string | undefined> {
    const packed = gzipSync(JSON.stringify(message));
    const { destinationArn: targetArn, roleArn } = this.input;
    const decision = await this.cloud.deliver({
      service: SERVICE,
      sourceArn: this.sourceArn,
      targetArn,
      ...(roleArn === undefined
        ? { payload: { awslogs: { data: packed.toString('base64') } } }
        : { payload: packed, roleArn, message: { partitionKey } }),
    });
    if (decision.allowed) this.metric('ForwardedBytes', packed.length);
    return decision.allowed ? undefined : decision.why;
  }

  /** No function is invoked for the test. */
  private functionLetsIn(): boolean {
    return this.cloud.mayDeliver({ service: SERVICE, sourceArn: this.sourceArn, targetArn: this.input.destinationArn, payload: {} })
      .allowed;
  }

  private get sourceArn(): string {
    return `${this.group.arn}:*`;
  }

  private metric(name: string, value: number): void {
    const dimensions = {
      LogGroupName: this.group.name,
      DestinationType: this.input.roleArn === undefined ? 'Lambda' : 'Kinesis Data Streams',
      FilterName: this.input.filterName,
    };
    this.cloud.parts.metrics?.([{ namespace: 'AWS/Logs', name, dimensions, value, unit: name === 'ForwardedBytes' ? 'Bytes' : 'None' }]);
  }

  private now(): number {
    return this.cloud.world.clock.nowMs();
  }
}

/** Lines of one stream, cut so that a message fits its destination. */
function inMessages(events: readonly LogEvent[]): LogEvent[][] {
  const messages: LogEvent[][] = [];
  let characters = Infinity;
  for (const event of events) {
    characters += event.message.length;
    if (characters > MOST_CHARACTERS) {
      messages.push([]);
      characters = event.message.length;
    }
    messages.at(-1)!.push(event);
  }
  return messages;
}
