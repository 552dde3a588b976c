/** The processes in which functions run, so that a test can take the power from them. */
import type { ChildProcess } from 'node:child_process';
import { subscribe } from 'node:diagnostics_channel';

const alive = new Set<ChildProcess>();

// Node says of every process that is started; the desk's own parts are not asked.
subscribe('child_process', (message) => {
  const { process: child } = message as { process: ChildProcess };
  setImmediate(() => {
    if (!child.spawnargs?.some((argument) => argument.endsWith('runner.cjs'))) return;
    alive.add(child);
    child.once('exit', () => alive.delete(child));
  });
});

/** Ends all execution environments at once, without warning. Answers how many. */
export function killEnvironments(): number {
  const victims = [...alive];
  for (const child of victims) child.kill('SIGKILL');
  return victims.length;
}
