/** Task tokens: opaque keys by which whoever got one ends the task that gave it (developer guide, "Wait for a callback with a task token"). */
import { randomBytes } from 'node:crypto';
import { AwsError } from '../../models/service.js';
import { StateFailure } from './failure.js';
import type { Json } from './values.js';

export interface TaskToken {
  readonly text: string;
  /** The output of SendTaskSuccess, or the failure of SendTaskFailure. */
  readonly answered: Promise<Json>;
  /** Called at every heartbeat. */
  onHeartbeat(listener: () => void): void;
  /** The task is over: the token is good for nothing more. */
  close(): void;
}

interface Open {
  readonly stateMachineArn: string;
  open: boolean;
  resolve(output: Json): void;
  reject(failure: StateFailure): void;
  heartbeat(): void;
}

export class TaskTokens {
  private readonly tokens = new Map<string, Open>();

  create(stateMachineArn: string): TaskToken {
    const text = randomBytes(408).toString('base64');
    let heard = (): void => undefined;
    let open: Open | undefined;
    const answered = new Promise<Json>((resolve, reject) => {
      open = { stateMachineArn, open: true, resolve, reject, heartbeat: () => heard() };
      this.tokens.set(text, open);
    });
    // Nobody may be waiting any more when a failure is sent.
    answered.catch(() => undefined);
    return {
      text,
      answered,
      onHeartbeat: (listener) => {
        heard = listener;
      },
      close: () => {
        open!.open = false;
      },
    };
  }

  /** For IAM: whose task it is. `undefined`: no such token. */
  stateMachineOf(text: string): string | undefined {
    return this.tokens.get(text)?.stateMachineArn;
  }

  succeed(text: string, output: Json): void {
    this.take(text).resolve(output);
  }

  fail(text: string, error: string | undefined, cause: string | undefined): void {
    this.take(text).reject(new StateFailure(error, cause));
  }

  heartbeat(text: string): void {
    this.open(text).heartbeat();
  }

  /** A token answers once: whoever is second comes too late. */
  private take(text: string): Open {
    const token = this.open(text);
    token.open = false;
    return token;
  }

  private open(text: string): Open {
    const token = this.tokens.get(text);
    if (!token) throw new AwsError('InvalidToken', "Invalid Token: 'Invalid token'");
    if (!token.open) throw new AwsError('TaskTimedOut', "Task Timed Out: 'Provided task does not exist anymore'");
    return token;
  }
}
