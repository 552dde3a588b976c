/**
 * Commands and their executions as AWS IoT Device Management keeps them. A command is a payload, or a template of one; an execution is that
 * payload sent to one device, once. https://docs.aws.amazon.com/iot/latest/developerguide/iot-remote-command-concepts.html
 *
 *     CREATED ──► IN_PROGRESS ──► SUCCEEDED | FAILED | REJECTED | TIMED_OUT by the device: terminal
 *        └───────────┴── nothing heard in time: TIMED_OUT by the cloud, which the device may still replace by an end
 */

/** A typed value: exactly one member. The keys are those of the API; binary values are octets. */
export interface ParameterValue {
  readonly S?: string;
  readonly B?: boolean;
  readonly I?: number;
  readonly L?: number;
  readonly D?: number;
  readonly BIN?: Uint8Array;
  readonly UL?: string;
}

export type ParameterType = 'STRING' | 'INTEGER' | 'DOUBLE' | 'LONG' | 'UNSIGNEDLONG' | 'BOOLEAN' | 'BINARY';

export interface ValueCondition {
  readonly comparisonOperator: string;
  readonly operand: {
    readonly number?: string;
    readonly numbers?: readonly string[];
    readonly string?: string;
    readonly strings?: readonly string[];
    readonly numberRange?: { readonly min: string; readonly max: string };
  };
}

export interface CommandParameter {
  readonly name: string;
  readonly type?: ParameterType;
  readonly value?: ParameterValue;
  readonly defaultValue?: ParameterValue;
  readonly valueConditions?: readonly ValueCondition[];
  readonly description?: string;
}

export interface Command {
  readonly commandId: string;
  readonly arn: string;
  displayName?: string;
  description?: string;
  /** A static command has a payload, a dynamic one a template. */
  readonly payload?: { readonly content: Uint8Array; readonly contentType: string };
  readonly payloadTemplate?: string;
  readonly preprocessor?: { readonly awsJsonSubstitution: { readonly outputFormat: string } };
  readonly mandatoryParameters?: readonly CommandParameter[];
  readonly createdAtMs: number;
  lastUpdatedAtMs: number;
  deprecatedAtMs?: number;
  pendingDeletion: boolean;
}

/** What a device may report. */
export const REPORTABLE = ['IN_PROGRESS', 'SUCCEEDED', 'FAILED', 'REJECTED', 'TIMED_OUT'] as const;
export type ExecutionStatus = 'CREATED' | (typeof REPORTABLE)[number];

export interface StatusReason {
  readonly reasonCode: string;
  readonly reasonDescription?: string;
}

export type ExecutionResult = Readonly<Record<string, Pick<ParameterValue, 'S' | 'B' | 'BIN'>>>;

/** A thing, or a client that the registry need not know. */
export interface Target {
  readonly arn: string;
  /** As in topics. */
  readonly kind: 'things' | 'clients';
  readonly id: string;
}

export interface CommandExecution {
  readonly executionId: string;
  readonly commandId: string;
  readonly commandArn: string;
  readonly target: Target;
  readonly parameters?: Readonly<Record<string, ParameterValue>>;
  readonly executionTimeoutSeconds: number;
  readonly clientToken?: string;
  readonly createdAtMs: number;
  lastUpdatedAtMs: number;
  completedAtMs?: number;
  status: ExecutionStatus;
  statusReason?: StatusReason;
  result?: ExecutionResult;
  /** No report is taken any more. TIMED_OUT alone does not tell: by the cloud it is not, by the device it is. */
  isTerminal: boolean;
  cancelTimer?: () => void;
}

const DAY_MS = 24 * 3600 * 1000;
/** "The default value is six months" (API_GetCommandExecution); 180 days by the quotas. */
const KEPT_MS = 180 * DAY_MS;

export const timeToLiveMs = ({ createdAtMs }: CommandExecution): number => createdAtMs + KEPT_MS;

/** Waits for its device: counts against the quota of executions at the same time. */
export const isUnderWay = ({ status }: CommandExecution): boolean => status === 'CREATED' || status === 'IN_PROGRESS';

interface Started {
  readonly executionId: string;
  /** The request without its token, to tell a retry from another request. */
  readonly request: unknown;
}

/** All commands and executions of the account. */
export class CommandState {
  readonly commands = new Map<string, Command>();
  readonly executions = new Map<string, CommandExecution>();
  /** Executions by the ARN of their target. */
  readonly byTarget = new Map<string, Set<CommandExecution>>();
  /** clientToken → what it started. */
  readonly started = new Map<string, Started>();

  add(execution: CommandExecution): void {
    // What nobody asks for any more goes too. The oldest are first.
    for (const old of this.executions.values()) {
      if (execution.createdAtMs < timeToLiveMs(old)) break;
      this.remove(old);
    }
    this.executions.set(execution.executionId, execution);
    const held = this.byTarget.get(execution.target.arn) ?? new Set<CommandExecution>();
    this.byTarget.set(execution.target.arn, held.add(execution));
  }

  remove(execution: CommandExecution): void {
    execution.cancelTimer?.();
    this.executions.delete(execution.executionId);
    if (execution.clientToken !== undefined) this.started.delete(execution.clientToken);
    const held = this.byTarget.get(execution.target.arn);
    held?.delete(execution);
    if (held?.size === 0) this.byTarget.delete(execution.target.arn);
  }

  /** An execution whose time to live is over does not exist any more. */
  execution(executionId: string, nowMs: number): CommandExecution | undefined {
    const found = this.executions.get(executionId);
    if (!found || nowMs < timeToLiveMs(found)) return found;
    this.remove(found);
    return undefined;
  }
}
