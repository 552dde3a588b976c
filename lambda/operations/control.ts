import { Refused, type Answer } from './answer.js';
import type { Application } from './application.js';
import { bad, good, time } from './words.js';

/** The emergency stop: from the next message on, nothing is mutated. Reading and reporting go on. */
export async function pause(application: Application, reason: string): Promise<Answer> {
  const before = await application.stop.state();
  if (before.stopped) throw new Refused(`the emergency stop is set already, by ${before.by}: ${before.reason}`);
  const { by, atMs } = await set(application, true, 'pause', reason);
  return {
    json: { stopped: true, by, reason, at: time(atMs) },
    text: () => bad(`Stopped. Nothing is changed any more until: fleetwarden resume`),
  };
}

/** Lifts the emergency stop: what waited meanwhile is done now. */
export async function resume(application: Application): Promise<Answer> {
  const before = await application.stop.state();
  if (!before.stopped) throw new Refused('the emergency stop is not set');
  const { by, atMs } = await set(application, false, 'resume', 'stop-lifted');
  return {
    json: { stopped: false, by, at: time(atMs) },
    text: () => good('The stop is lifted. What waited is taken up again within 15 minutes.'),
  };
}

async function set(
  { stop, decisions, clock, caller }: Application,
  stopped: boolean,
  act: string,
  reason: string,
): Promise<{ by: string; atMs: number }> {
  const by = await caller();
  const atMs = clock.nowMs();
  const decision = { subject: 'CONTROL', act, reason, runId: `${act}:${time(atMs)}`, by, atMs };
  await decisions.append({ ...decision, step: 'intent' });
  await stop.set(stopped, by, reason, atMs);
  await decisions.append({ ...decision, step: 'outcome' });
  return { by, atMs };
}

/** Asks for a comparison of the inventory with the whole registry, now. */
export async function reconcile({ reconcileQueue }: Application): Promise<Answer> {
  await reconcileQueue.send({ kind: 'start' });
  return {
    json: { sent: 'start' },
    text: () => good('Asked for a reconciliation; a run that is under way goes on instead. See: fleetwarden status'),
  };
}

/** Asks for a look at every known CRL, now. */
export async function sweep({ syncQueue }: Application): Promise<Answer> {
  await syncQueue.send({ kind: 'sweep' });
  return { json: { sent: 'sweep' }, text: () => good('Asked for a sweep of every CRL. See: fleetwarden status') };
}
