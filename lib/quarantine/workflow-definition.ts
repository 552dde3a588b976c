/**
 * The state machine of one containment, in the Amazon States Language (JSONPath). Every step asks the ledger, so the machine is a hub: a step, what it
 * answers (`next`, `seconds`), and the state that is named there. What fails for good waits and looks again: a containment is never given up half-way.
 */
import { CONTAIN_STEPS, RELEASE_STEPS, type ContainStep, type NextState } from '../../domain/protocol/containment-workflow.js';

export interface Workers {
  readonly partition: string;
  readonly containArn: string;
  readonly releaseArn: string;
}

type State = Readonly<Record<string, unknown>>;

/** Waits until somebody speaks, or the time that the step before has named is over. */
const WAITING: ReadonlySet<string> = new Set<ContainStep>(['Settle', 'AwaitWord']);
/** Longer than the functions may run. */
const STEP_TIMEOUT_SECONDS = 360;
const STUCK_SECONDS = 900;

const RETRY = { IntervalSeconds: 2, BackoffRate: 2, MaxAttempts: 8, MaxDelaySeconds: 300, JitterStrategy: 'FULL' } as const;

export function workflowDefinition({ partition, containArn, releaseArn }: Workers): State {
  const step = (name: string, functionArn: string): State => ({
    Type: 'Task',
    Resource: `arn:${partition}:states:::lambda:invoke`,
    Parameters: { FunctionName: functionArn, Payload: { step: name, 'input.$': '$.input' } },
    ResultSelector: { 'next.$': '$.Payload.next', 'seconds.$': '$.Payload.seconds' },
    ResultPath: '$.step',
    TimeoutSeconds: STEP_TIMEOUT_SECONDS,
    Retry: [{ ErrorEquals: ['States.TaskFailed', 'States.Timeout'], ...RETRY }],
    Catch: [{ ErrorEquals: ['States.ALL'], ResultPath: '$.failure', Next: 'Stuck' }],
    Next: 'Next',
  });
  const waiting = (name: string): State => ({
    Type: 'Task',
    Resource: `arn:${partition}:states:::lambda:invoke.waitForTaskToken`,
    Parameters: { FunctionName: containArn, Payload: { step: name, 'input.$': '$.input', 'taskToken.$': '$$.Task.Token' } },
    ResultPath: '$.word',
    TimeoutSecondsPath: '$.step.seconds',
    Retry: [{ ErrorEquals: ['States.TaskFailed'], ...RETRY }],
    Catch: [
      { ErrorEquals: ['States.Timeout'], ResultPath: '$.word', Next: 'Record' },
      { ErrorEquals: ['States.ALL'], ResultPath: '$.failure', Next: 'Stuck' },
    ],
    Next: 'Record',
  });
  const pause = (next: string): State => ({ Type: 'Wait', SecondsPath: '$.step.seconds', Next: next });
  const resting: Readonly<Record<string, State>> = {
    AwaitAnswer: pause('CheckAnswer'),
    AwaitKey: pause('CheckReKey'),
    Paused: pause('Record'),
    Released: { Type: 'Succeed' },
  };
  const named: readonly NextState[] = [...CONTAIN_STEPS, ...RELEASE_STEPS, 'AwaitAnswer', 'AwaitKey', 'Paused', 'Released'];
  return {
    Comment: 'One containment: out, locked, back for repair alone, until it is released',
    StartAt: 'Begin',
    States: {
      Begin: { Type: 'Pass', Parameters: { 'input.$': '$' }, Next: 'Record' },
      ...Object.fromEntries(CONTAIN_STEPS.map((name) => [name, WAITING.has(name) ? waiting(name) : step(name, containArn)])),
      ...Object.fromEntries(RELEASE_STEPS.map((name) => [name, step(name, releaseArn)])),
      ...resting,
      Next: {
        Type: 'Choice',
        Choices: named.map((name) => ({ Variable: '$.step.next', StringEquals: name, Next: name })),
        Default: 'Stuck',
      },
      Stuck: { Type: 'Wait', Seconds: STUCK_SECONDS, Next: 'Record' },
    },
  };
}
