import { isTerminal, type JobExecution } from './job.js';

/** Executions that wait or run, by thing: IN_PROGRESS before QUEUED, then in the order of queueing (jobs-mqtt-api.html, StartNextPendingJobExecution). */
export class PendingExecutions {
  private readonly byThing = new Map<string, Set<JobExecution>>();

  /** Takes up an execution or lets it go, by its status. */
  note(execution: JobExecution): void {
    const held = this.byThing.get(execution.thingName) ?? new Set<JobExecution>();
    if (isTerminal(execution.status)) held.delete(execution);
    else held.add(execution);
    if (held.size > 0) this.byThing.set(execution.thingName, held);
    else this.byThing.delete(execution.thingName);
  }

  forget(execution: JobExecution): void {
    const held = this.byThing.get(execution.thingName);
    held?.delete(execution);
    if (held?.size === 0) this.byThing.delete(execution.thingName);
  }

  of(thingName: string): JobExecution[] {
    return [...(this.byThing.get(thingName) ?? [])].toSorted((a, b) => rank(a) - rank(b) || a.order - b.order);
  }

  next(thingName: string): JobExecution | undefined {
    return this.of(thingName)[0];
  }
}

const rank = ({ status }: JobExecution): number => (status === 'IN_PROGRESS' ? 0 : 1);
