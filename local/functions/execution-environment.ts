/**
 * One execution environment: a child process that has loaded one function and runs one invocation at a time. It sees only the variables
 * that Lambda gives (no PATH, no NODE_PATH, no home of the user), and its code lies outside the repository: a bundle that is not
 * self-contained fails here as it would on AWS. It ends with the desk: its runner exits when the channel to the desk closes.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import path from 'node:path';
import { type Readable } from 'node:stream';

export interface EnvironmentSettings {
  /** Folder of the unpacked code, outside the repository. */
  readonly directory: string;
  readonly variables: Readonly<Record<string, string>>;
  readonly memoryMiB: number;
  readonly functionArn: string;
  /** How far simulated time is ahead at the start. */
  readonly offsetMs: number;
}

export interface FunctionError {
  readonly errorType: string;
  readonly errorMessage: string;
  readonly trace: readonly string[];
}

export interface Outcome {
  readonly requestId: string;
  /** JSON text of the result; undefined where `error` is there. */
  readonly payload?: string;
  readonly error?: FunctionError;
  readonly lines: readonly string[];
  /** Wall time of the invocation; of the init phase on a cold start. */
  readonly durationMs: number;
  readonly initMs?: number;
  readonly maxMemoryMiB?: number;
}

interface Answer {
  readonly kind: 'ready' | 'initError' | 'result' | 'error';
  readonly payload?: string;
  readonly error?: FunctionError;
  readonly fatal?: boolean;
  readonly maxMemoryMiB?: number;
}

const END_MARK = '\u0000end ';
/** Lambda gives the init phase ten seconds (developer guide, "Lambda execution environment lifecycle"). The desk's machine may be busy. */
const INIT_LIMIT_MS = 30_000;

export class ExecutionEnvironment {
  private readonly child: ChildProcess;
  private readonly ready: Promise<Answer>;
  private readonly exited: Promise<Answer>;
  private readonly startedAtMs = performance.now();
  private initMs: number | undefined;
  private initReported = false;
  private lines: string[] = [];
  private onAnswer: ((answer: Answer) => void) | undefined;
  private endMarksSeen = 0;
  private onEndMarks: (() => void) | undefined;
  private gone = false;

  constructor(private readonly settings: EnvironmentSettings) {
    this.child = fork(path.join(__dirname, 'runner.cjs'), [String(settings.offsetMs)], {
      cwd: settings.directory,
      env: { ...settings.variables },
      execArgv: [`--max-old-space-size=${settings.memoryMiB}`, '--require', path.join(__dirname, 'simulated-time.cjs')],
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    this.read(this.child.stdout!);
    this.read(this.child.stderr!);
    this.exited = new Promise((resolve) => {
      this.child.once('close', (code, signal) => {
        this.gone = true;
        resolve({
          kind: 'error',
          fatal: true,
          error: {
            errorType: 'Runtime.ExitError',
            errorMessage: `Runtime exited with ${signal ? `signal: ${signal}` : `error: exit status ${code}`}`,
            trace: [],
          },
        });
      });
      this.child.once('error', () => this.kill());
    });
    this.ready = new Promise((resolve) => {
      this.child.on('message', (message) => {
        const answer = message as Answer;
        if (answer.kind === 'ready' || answer.kind === 'initError') {
          this.initMs = performance.now() - this.startedAtMs;
          resolve(answer);
        } else this.onAnswer?.(answer);
      });
      void this.exited.then(resolve);
    });
  }

  /** `false`: the process is gone or about to go, and takes no more invocations. */
  get alive(): boolean {
    return !this.gone;
  }

  /** Runs one invocation. Never rejects: whatever goes wrong is an outcome with an error. A time-out kills the environment. */
  async invoke(event: string, timeoutMs: number, offsetMs: number): Promise<Outcome> {
    const requestId = randomUUID();
    const started = await Promise.race([this.ready, expire(INIT_LIMIT_MS, 'Sandbox.Timedout', 'Init phase took too long')]);
    const startedAtMs = performance.now();
    if (started.kind !== 'ready') {
      this.kill();
      return this.outcome(requestId, started, startedAtMs);
    }
    this.endMarksSeen = 0;
    const answered = new Promise<Answer>((resolve) => (this.onAnswer = resolve));
    const written = new Promise<void>((resolve) => (this.onEndMarks = resolve));
    this.child.send({ requestId, event, offsetMs, timeoutMs, invokedFunctionArn: this.settings.functionArn }, () => {
      // A channel that is closed already shows as the exit of the process.
    });
    const limit = expire(
      timeoutMs,
      'Sandbox.Timedout',
      `RequestId: ${requestId} Error: Task timed out after ${(timeoutMs / 1000).toFixed(2)} seconds`,
    );
    const answer = await Promise.race([answered, this.exited, limit]);
    limit.cancel();
    const endedAtMs = performance.now();
    if (answer.fatal || answer.error?.errorType === 'Sandbox.Timedout') this.kill();
    else await Promise.race([written, this.exited]);
    return this.outcome(requestId, answer, startedAtMs, endedAtMs);
  }

  /** Ends the process at once. Lambda gives no warning either. */
  kill(): void {
    this.gone = true;
    this.child.kill('SIGKILL');
  }

  /** Ends the process and waits until it is gone. */
  async stop(): Promise<void> {
    this.kill();
    await this.exited;
  }

  private outcome(requestId: string, answer: Answer, startedAtMs: number, endedAtMs = performance.now()): Outcome {
    const { payload, error, maxMemoryMiB } = answer;
    const lines = this.lines;
    this.lines = [];
    const initMs = this.initReported ? undefined : this.initMs;
    this.initReported = true;
    return {
      requestId,
      lines,
      durationMs: endedAtMs - startedAtMs,
      ...(payload === undefined ? {} : { payload }),
      ...(error === undefined ? {} : { error }),
      ...(initMs === undefined ? {} : { initMs }),
      ...(maxMemoryMiB === undefined ? {} : { maxMemoryMiB }),
    };
  }

  /** Lines end with a line feed only: the runner sends a line break inside a message as a carriage return. */
  private read(stream: Readable): void {
    let rest = '';
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      const lines = (rest + chunk).split('\n');
      rest = lines.pop()!;
      for (const line of lines) {
        if (!line.startsWith(END_MARK)) this.lines.push(line.replaceAll('\r', '\n'));
        else if (++this.endMarksSeen === 2) this.onEndMarks?.();
      }
    });
  }
}

interface Limit extends Promise<Answer> {
  cancel(): void;
}

function expire(afterMs: number, errorType: string, errorMessage: string): Limit {
  let timer: NodeJS.Timeout;
  const limit = new Promise<Answer>((resolve) => {
    timer = setTimeout(() => resolve({ kind: 'error', error: { errorType, errorMessage, trace: [] } }), afterMs);
    timer.unref();
  });
  return Object.assign(limit, { cancel: () => clearTimeout(timer) });
}
