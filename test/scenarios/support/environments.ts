/** The processes in which functions run, so that a test can take the power from them. */
import type { ChildProcess } from 'node:child_process';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';

/** Node says of every process that is started; the desk's own parts are not asked. */
const STARTED = 'child_process';

export class Environments {
  private readonly alive = new Set<ChildProcess>();

  constructor() {
    subscribe(STARTED, this.onStart);
  }

  /** Ends all execution environments at once, without warning. */
  kill(): void {
    for (const child of this.alive) child.kill('SIGKILL');
  }

  /** Looks no more. The test files of one worker share the channel. */
  stop(): void {
    unsubscribe(STARTED, this.onStart);
  }

  private readonly onStart = (message: unknown): void => {
    const { process: child } = message as { process: ChildProcess };
    // What it runs is known only after it was started.
    setImmediate(() => {
      if (!child.spawnargs?.some((argument) => argument.endsWith('runner.cjs'))) return;
      this.alive.add(child);
      child.once('exit', () => this.alive.delete(child));
    });
  };
}
