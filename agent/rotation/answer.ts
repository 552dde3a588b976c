/**
 * Sends a message until it is answered. At least once, as the cloud expects: the same request always gives the same answer.
 */
import type { RotationResponse } from '../../domain/protocol/rotation.js';
import type { Device, Session } from '../device.js';
import { jitteredMs } from '../retry.js';

export interface Asking {
  readonly jobId: string;
  /** What settles it; `refused` always does, unless it is not final. */
  readonly wanted: 'issued' | 'proved';
  readonly tries: number;
  readonly send: () => Promise<void>;
  /** Looked at before the message is sent again, and when the cloud says that another job is next. */
  readonly isOver: () => Promise<boolean>;
}

/** `over`: `isOver` said so. `undefined`: no answer. Rejects when the connection is over. */
export async function ask(asking: Asking, device: Device, session: Session): Promise<RotationResponse | 'over' | undefined> {
  const { settings, random } = device;
  let refusals = 0;
  for (let attempt = 0; attempt < asking.tries; attempt++) {
    if (attempt + refusals > 0 && (await asking.isOver())) return 'over';
    await asking.send();
    let waitMs = settings.answerMs + jitteredMs(settings.ask, attempt, random);
    for (let until = device.clock.nowMs() + waitMs; waitMs > 0; waitMs = until - device.clock.nowMs()) {
      const said = await session.inbox.take(device.clock, session.signal, waitMs);
      if (said?.kind === 'next' && said.execution?.jobId !== asking.jobId && (await asking.isOver())) return 'over';
      if (said?.kind !== 'response' || said.response.jobId !== asking.jobId) continue;
      const { response } = said;
      if (response.status === asking.wanted || (response.status === 'refused' && response.final)) return response;
      if (response.status === 'refused') {
        // Not final: the cloud is alive and says "later". That is no failed try, and the cloud's own time-out of the job bounds it.
        until = device.clock.nowMs() + settings.refused.firstMs / 2 + jitteredMs(settings.refused, refusals++, random);
        attempt = -1;
      }
    }
  }
  return undefined;
}
