import { METRICS } from '../../../domain/fleet/metrics.js';
import type { AuditMessage } from '../../../domain/protocol/audit.js';
import { collect } from './collect.js';
import type { CollectPorts, CollectSettings } from './ports.js';
import { watch } from './watch.js';

/** AWS IoT says by the message that a task is over, and still lists it as running: the message comes again. */
export class StillRunning extends Error {
  constructor(taskId: string) {
    super(`audit task ${taskId}: got a message that it is over, and AWS IoT says IN_PROGRESS`);
    this.name = 'StillRunning';
  }
}

/**
 * One message on the collect queue. The emergency stop does not hold it: it reads, records and tells; who is asked to change something (rotation,
 * quarantine, revocation) obeys the stop by itself.
 */
export async function run(ports: CollectPorts, settings: CollectSettings, message: AuditMessage): Promise<void> {
  if (!('kind' in message)) {
    const left = await collect(ports, settings, message.taskId);
    // Everybody who may publish to the topic can name a task; only one that runs right now comes back here.
    if (left === 'wait') throw new StillRunning(message.taskId);
    return;
  }
  switch (message.kind) {
    case 'task':
      // On record first: the notification of its end may be on its way, and is then known as ours. If the task runs, that one collects it.
      await ports.records.claim(message.taskId, message.by, ports.clock.nowMs());
      await collect(ports, settings, message.taskId);
      return;
    case 'page':
      await collect(ports, settings, message.taskId, message.nextToken);
      return;
    case 'watch':
      if (await watch(ports, settings)) ports.signals.count(METRICS.auditSilent);
  }
}
