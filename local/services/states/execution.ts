/** One execution: runs its definition, keeps its history, and tells EventBridge, CloudWatch and the log group how it goes. */
import type { Cloud } from '../../cloud.js';
import type { Principal } from '../../iam/principal.js';
import { Cancellation } from './cancellation.js';
import type { Branch, Engine, TaskResource } from './engine.js';
import { StateFailure, Stopped } from './failure.js';
import { History, type HistoryEvent } from './history.js';
import { Integrations } from './integrations.js';
import { runStates } from './interpreter.js';
import { logEvent } from './logging.js';
import type { Revision, StateMachine } from './state-machine.js';
import type { TaskTokens } from './task-tokens.js';
import type { Json, JsonObject } from './values.js';

export type ExecutionStatus = 'RUNNING' | 'SUCCEEDED' | 'FAILED' | 'TIMED_OUT' | 'ABORTED';

interface Outcome {
  readonly status: Exclude<ExecutionStatus, 'RUNNING'>;
  readonly output?: string;
  readonly error?: string;
  readonly cause?: string;
}

export interface ExecutionStart {
  readonly arn: string;
  readonly name: string;
  /** JSON text as it was given. */
  readonly input: string;
  readonly traceHeader?: string;
}

/** Metric of each end (developer guide, "Monitoring Step Functions metrics using CloudWatch"). */
const METRIC_OF: Readonly<Record<Outcome['status'], string>> = {
  SUCCEEDED: 'ExecutionsSucceeded',
  FAILED: 'ExecutionsFailed',
  TIMED_OUT: 'ExecutionsTimedOut',
  ABORTED: 'ExecutionsAborted',
};

export class Execution {
  readonly startDate: Date;
  readonly revision: Revision;
  readonly history: History;
  stopDate: Date | undefined;
  outcome: Outcome | undefined;
  redriveCount = 0;
  redriveDate: Date | undefined;
  /** Where a redrive goes on: the state of the top level that did not end, and its input. */
  private at: { readonly name: string; readonly input: Json } | undefined;
  private cancellation = new Cancellation();
  private principal: Principal | undefined;

  constructor(
    readonly start: ExecutionStart,
    readonly machine: StateMachine,
    private readonly cloud: Cloud,
    private readonly tokens: TaskTokens,
    private readonly onEnd: () => void,
  ) {
    this.startDate = cloud.world.clock.date();
    this.revision = machine.revision;
    this.history = new History(cloud.world.clock, (event) => this.recorded(event));
  }

  get arn(): string {
    return this.start.arn;
  }

  get status(): ExecutionStatus {
    return this.outcome?.status ?? 'RUNNING';
  }

  begin(): void {
    this.history.append(0, 'ExecutionStarted', 'executionStartedEventDetails', {
      input: this.start.input,
      inputDetails: { truncated: false },
      roleArn: this.revision.roleArn,
    });
    this.metric('ExecutionsStarted', 1, 'Count');
    this.announce();
    this.run(this.revision.definition.StartAt, JSON.parse(this.start.input) as Json, 0);
  }

  /** Goes on with the state that did not end. */
  redrive(): void {
    const { name, input } = this.at!;
    this.outcome = undefined;
    this.stopDate = undefined;
    this.cancellation = new Cancellation();
    this.redriveCount++;
    this.redriveDate = this.cloud.world.clock.date();
    const last = this.history.append(this.history.events.length, 'ExecutionRedriven', 'executionRedrivenEventDetails', {
      redriveCount: this.redriveCount,
    });
    this.announce();
    this.run(name, input, last);
  }

  abort(error: string | undefined, cause: string | undefined): void {
    this.end({ status: 'ABORTED', ...(error === undefined ? {} : { error }), ...(cause === undefined ? {} : { cause }) });
  }

  /** Ends in silence: the desk stops. */
  halt(): void {
    this.cancellation.cancel();
  }

  private run(startAt: string, input: Json, lastEventId: number): void {
    const { definition } = this.revision;
    const { clock } = this.cloud.world;
    const { cancellation } = this;
    const cancelTimeout =
      definition.TimeoutSeconds === undefined
        ? () => undefined
        : clock.after(definition.TimeoutSeconds * 1000, () => this.end({ status: 'TIMED_OUT' }));
    cancellation.onCancel(cancelTimeout);
    const branch: Branch = { cancellation, lastEventId, top: true };
    const engine = this.engine((name, data) => {
      this.at = { name, input: data };
    });
    // Begins after StartExecution has answered.
    void Promise.resolve()
      .then(() => runStates(engine, definition, input, branch, startAt))
      .then(
        (output) => this.end({ status: 'SUCCEEDED', output: JSON.stringify(output) }, branch.lastEventId),
        (error: unknown) => this.failed(error, branch.lastEventId),
      )
      .finally(cancelTimeout);
  }

  private failed(error: unknown, lastEventId: number): void {
    if (error instanceof Stopped) return;
    const { error: name, reason } =
      error instanceof StateFailure
        ? error
        : { error: 'States.Runtime', reason: `The desk failed: ${(error as Error).stack ?? String(error)}` };
    this.end(
      { status: 'FAILED', ...(name === undefined ? {} : { error: name }), ...(reason === undefined ? {} : { cause: reason }) },
      lastEventId,
    );
  }

  private end(outcome: Outcome, lastEventId = 0): void {
    if (this.outcome) return;
    this.outcome = outcome;
    this.stopDate = this.cloud.world.clock.date();
    const { status, output, error, cause } = outcome;
    const word = { SUCCEEDED: 'Succeeded', FAILED: 'Failed', TIMED_OUT: 'TimedOut', ABORTED: 'Aborted' }[status];
    const details = status === 'SUCCEEDED' ? { output, outputDetails: { truncated: false } } : { error, cause };
    this.history.append(lastEventId, `Execution${word}`, `execution${word}EventDetails`, details);
    this.metric(METRIC_OF[status], 1, 'Count');
    this.metric('ExecutionTime', this.stopDate.getTime() - this.startDate.getTime(), 'Milliseconds');
    this.announce();
    this.cancellation.cancel();
    this.onEnd();
  }

  private engine(onState: (name: string, input: Json) => void): Engine {
    const { world } = this.cloud;
    const integrations = new Integrations(this.cloud, () => this.role(), this.arn, this.machine.arn);
    return {
      clock: world.clock,
      region: world.region,
      history: this.history,
      random: () => world.faults.random(),
      context: () => this.context(),
      callService: (resource, parameters) => integrations.call(resource, parameters),
      openToken: () => this.tokens.create(this.machine.arn),
      countTask: (resource, what) => this.countTask(resource, what),
      onTopState: onState,
    };
  }

  private context(): JsonObject {
    const { arn, name, input } = this.start;
    return {
      Execution: {
        Id: arn,
        Input: JSON.parse(input) as Json,
        Name: name,
        RoleArn: this.revision.roleArn,
        StartTime: this.startDate.toISOString(),
        RedriveCount: this.redriveCount,
        ...(this.redriveDate ? { RedriveTime: this.redriveDate.toISOString() } : {}),
      },
      StateMachine: { Id: this.machine.arn, Name: this.machine.name },
    };
  }

  /** The session for this execution; IAM looks at the trust policy again, with the state machine as aws:SourceArn. */
  private role(): Principal {
    this.principal ??= (() => {
      const { accessKeyId } = this.cloud.iam.assume(this.revision.roleArn, 'states.amazonaws.com', this.start.name, this.machine.arn);
      return this.cloud.iam.principalOf(accessKeyId)!;
    })();
    return this.principal;
  }

  private recorded(event: HistoryEvent): void {
    logEvent(this.cloud, this.revision.logging, this.machine.name, this.arn, this.redriveCount, event);
  }

  /** "Step Functions Execution Status Change" at the beginning and at the end (developer guide, "Automating event delivery with EventBridge"). */
  private announce(): void {
    const { status, outcome, start, startDate, stopDate, redriveDate } = this;
    const redrivable = this.redrivable();
    this.cloud.parts.putEvent?.({
      source: 'aws.states',
      'detail-type': 'Step Functions Execution Status Change',
      resources: [this.arn],
      detail: {
        executionArn: this.arn,
        stateMachineArn: this.machine.arn,
        name: start.name,
        status,
        startDate: startDate.getTime(),
        stopDate: stopDate?.getTime() ?? null,
        input: start.input,
        output: outcome?.output ?? null,
        stateMachineVersionArn: null,
        stateMachineAliasArn: null,
        redriveCount: this.redriveCount,
        redriveDate: redriveDate?.getTime() ?? null,
        redriveStatus: redrivable === undefined ? 'REDRIVABLE' : 'NOT_REDRIVABLE',
        redriveStatusReason: redrivable ?? null,
        inputDetails: { included: true },
        outputDetails: outcome?.output === undefined ? null : { included: true },
        error: outcome?.error ?? null,
        cause: outcome?.cause ?? null,
      },
    });
  }

  /** Why it cannot be redriven; nothing: it can. */
  redrivable(): string | undefined {
    const unfit = this.status === 'RUNNING' || this.status === 'SUCCEEDED';
    return unfit ? `Execution is ${this.status} and cannot be redriven` : undefined;
  }

  private countTask(resource: TaskResource, what: string): void {
    if (what === 'Submitted') return;
    const lambda = resource.service === 'function';
    this.cloud.parts.metrics?.([
      {
        namespace: 'AWS/States',
        name: `${lambda ? 'LambdaFunctions' : 'ServiceIntegrations'}${what}`,
        dimensions: lambda ? { LambdaFunctionArn: resource.arn } : { ServiceIntegrationResourceArn: resource.arn },
        value: 1,
        unit: 'Count',
      },
    ]);
  }

  private metric(name: string, value: number, unit: string): void {
    this.cloud.parts.metrics?.([{ namespace: 'AWS/States', name, dimensions: { StateMachineArn: this.machine.arn }, value, unit }]);
  }
}
