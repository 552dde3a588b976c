/**
 * What AWS IoT Jobs pushes to a thing: the list of its pending executions when an execution enters or changes its status, and the next one
 * when another has become the next. https://docs.aws.amazon.com/iot/latest/developerguide/jobs-comm-notifications.html
 */
import type { IotState } from '../state.js';
import type { JobExecution } from './job.js';
import type { PendingExecutions } from './pending-executions.js';
import { executionOf, seconds, summaryOf, type Json } from './wire.js';

/** "A list of no more than 15 pending job executions"; older pages say 10. */
const MAX_LISTED = 15;

export class JobNotifications {
  constructor(
    private readonly state: IotState,
    private readonly pending: PendingExecutions,
  ) {}

  /** Runs `change`, which may alter the pending executions of a thing, and tells the thing what is different. */
  around(thingName: string, change: () => void): void {
    const before = this.pending.of(thingName).map((execution) => ({ execution, status: execution.status }));
    change();
    const after = this.pending.of(thingName);
    const same =
      before.length === after.length &&
      before.every(({ execution, status }, index) => after[index] === execution && status === execution.status);
    if (!same) this.publish(thingName, 'notify', { jobs: listed(after) });
    if (before[0]?.execution !== after[0]) this.publish(thingName, 'notify-next', after[0] ? { execution: next(after[0]) } : {});
  }

  private publish(thingName: string, topic: 'notify' | 'notify-next', message: Json): void {
    const text = JSON.stringify({ timestamp: seconds(this.state.now()), ...message });
    this.state.cloud.parts.gateway?.publish(`$aws/things/${thingName}/jobs/${topic}`, text, { qos: 1 });
  }
}

function listed(pending: readonly JobExecution[]): Json {
  const shown = pending.slice(0, MAX_LISTED);
  const withStatus = (status: string): Json => {
    const found = shown.filter((execution) => execution.status === status);
    return found.length > 0 ? { [status]: found.map(summaryOf) } : {};
  };
  return { ...withStatus('IN_PROGRESS'), ...withStatus('QUEUED') };
}

/** The samples of this message name no thing: the topic does. */
function next(execution: JobExecution): Json {
  const { thingName: _, ...shown } = executionOf(execution);
  return shown;
}
