/**
 * When a campaign may tell its devices. Each job has a rollout of its own, but all devices ask the same functions:
 *
 *     campaign 1  ├── size / rate ──┤
 *     campaign 2                    ├── size / rate ──┤          told no earlier than that, but for a little
 *
 * An audit that finds a whole fleet makes one campaign of each page of 250. All launched at once they would tell tens of thousands of devices in the first
 * minute, which then wait for their certificate, time out, and abort their campaigns by their number.
 *
 * Fails to launching: a campaign that is late is worse than a queue that is long.
 */
import { DAY_MS } from '../../../domain/fleet/rotation-window.js';
import type { Campaign } from '../../ports/rotations.js';
import type { StartPorts, StartSettings } from './ports.js';

const PACE = 'rollout';
/** A campaign whose certificates end so soon does not wait behind an audit that takes weeks. */
const URGENT_MS = 7 * DAY_MS;
/** Longest delay of SQS. A message that waits is sent anew each time, so waiting uses up neither deliveries nor retention. */
const DEFER_SECONDS = 900;

/** `true`: others are told first, and the launch comes again by itself. `size`: devices that the campaign will tell. */
export async function waitsForTurn(
  { campaigns, clock, pace, queue, signals }: Pick<StartPorts, 'campaigns' | 'clock' | 'pace' | 'queue' | 'signals'>,
  { rollout }: Pick<StartSettings, 'rollout'>,
  { campaignId, reason, deadlineMs, turnAtMs }: Campaign,
  size: number,
): Promise<boolean> {
  const nowMs = clock.nowMs();
  // A person asks for a few things, and waits for them.
  if (reason === 'operator' || deadlineMs - nowMs < URGENT_MS) return false;
  // On record, so that a launch that comes again keeps its turn. Dies it before that, its slots are wasted: the others are late, never too fast.
  const turnMs = turnAtMs ?? (await campaigns.takeTurn(campaignId, await pace.reserve(PACE, size, rollout.maximumPerMinute / 60, nowMs)));
  // So far ahead of its turn a campaign may be: its devices then wait for a quarter of the time that their job gives them.
  const aheadMs = (rollout.inProgressTimeoutMinutes * 60_000) / 4;
  const waitMs = turnMs - aheadMs - nowMs;
  if (waitMs <= 0) return false;
  signals.info('campaign waits for its turn', { campaignId, size, turn: new Date(turnMs).toISOString() });
  await queue.send({ kind: 'launch', campaignId }, Math.min(DEFER_SECONDS, Math.ceil(waitMs / 1000)));
  return true;
}
