/** When is the desk at rest? Work of the application is a message that can be received, a function under way, or a call that was just made. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Desk } from '../../../local/desk.js';

export const QUEUES = {
  sync: 'fleetwarden-revocation-sync',
  fast: 'fleetwarden-revocation-fast',
  revoke: 'fleetwarden-revocation-revoke',
  record: 'fleetwarden-inventory-record',
  reconcile: 'fleetwarden-inventory-reconcile',
} as const;
export type QueueName = keyof typeof QUEUES;

export interface Depth {
  readonly visible: number;
  /** Received and not deleted: in the hands of a function, or of one that has failed. */
  readonly inFlight: number;
  readonly delayed: number;
}

const POLL_MS = 25;
const QUIET_POLLS = 6;
const TIMEOUT_MS = 50_000;
const MINUTE = 60_000;
const STEP_MINUTES = 5;
/** Longer than the desk puts a delivery behind others. */
const BEHIND_MS = 3_000;

export const queueUrlOf = ({ endpoint, world }: Desk, name: string): string => `${endpoint}/${world.accountId}/${name}`;

export async function depthOf(desk: Desk, name: string): Promise<Depth> {
  const { Attributes = {} } = await desk.cloud.call<{ Attributes?: Record<string, string> }>('sqs', 'GetQueueAttributes', {
    QueueUrl: queueUrlOf(desk, name),
    AttributeNames: ['All'],
  });
  return {
    visible: Number(Attributes['ApproximateNumberOfMessages']),
    inFlight: Number(Attributes['ApproximateNumberOfMessagesNotVisible']),
    delayed: Number(Attributes['ApproximateNumberOfMessagesDelayed']),
  };
}

async function depth(desk: Desk, except: ReadonlySet<string> = new Set()): Promise<Depth> {
  const names = Object.values(QUEUES).filter((name) => !except.has(name));
  const all = await Promise.all(names.map((name) => depthOf(desk, name)));
  const sum = (member: keyof Depth): number => all.reduce((total, one) => total + one[member], 0);
  return { visible: sum('visible'), inFlight: sum('inFlight'), delayed: sum('delayed') };
}

/**
 * Waits until nothing happens any more without the clock being moved. Messages of failed functions and delayed ones may be left.
 * `except`: queues that nobody reads.
 */
export async function quiet(desk: Desk, except?: ReadonlySet<string>): Promise<Depth> {
  let end = performance.now() + TIMEOUT_MS;
  let fewest = Infinity;
  let steps = 0;
  const off = desk.world.journal.on(({ kind, who }) => {
    if (kind !== 'connection' && kind !== 'alarm' && who !== 'administrator') steps++;
  });
  try {
    for (let polls = 0, seen = -1; ;) {
      const now = await depth(desk, except);
      const busy = now.visible > 0 || desk.cloud.parts.invocationsUnderWay!() > 0 || steps !== seen;
      seen = steps;
      // A long queue that grows shorter is on its way to rest, however slow the computer.
      if (now.visible < fewest) [fewest, end] = [now.visible, performance.now() + TIMEOUT_MS];
      polls = busy ? 0 : polls + 1;
      if (polls === QUIET_POLLS) return now;
      if (performance.now() > end) throw new Error(`the desk did not come to rest: ${JSON.stringify(now)}`);
      await sleep(POLL_MS);
    }
  } finally {
    off();
  }
}

/** Lets time pass until no message is left: those of failed functions come back after their queue's visibility timeout. */
export async function settle(desk: Desk, patienceMinutes = 360): Promise<void> {
  let left = await quiet(desk);
  for (let minutes = 0; minutes < patienceMinutes; minutes += STEP_MINUTES) {
    const waiting = left.inFlight + left.delayed > 0;
    // A delivery that was put behind later ones is nowhere to be seen meanwhile.
    await desk.world.clock.advance(waiting ? STEP_MINUTES * MINUTE : BEHIND_MS);
    left = await quiet(desk);
    if (!waiting && left.inFlight + left.delayed === 0) return;
  }
  throw new Error(`messages are left after ${patienceMinutes} minutes: ${JSON.stringify(left)}`);
}
