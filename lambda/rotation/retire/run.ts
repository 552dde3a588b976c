import { METRICS } from '../../../domain/fleet/metrics.js';
import type { RetireMessage } from '../../../domain/protocol/rotation-work.js';
import { watchCampaign } from './campaign.js';
import { watchDeadlines } from './deadlines.js';
import { supersedeOrphans } from './orphans.js';
import type { RetirePorts, RetireSettings } from './ports.js';
import { retireDue } from './retire-old.js';
import { isToTidy, tidy, TIDIED_A_ROUND } from './tidy.js';

/** A campaign that was cancelled or aborted is looked at for so long: an execution IN_PROGRESS ends after seven days at the latest (FACTS D1). */
const LAST_EXECUTION_MS = 8 * 86_400_000;

/**
 * One message on the retire queue: a round, or a part of it. Without leave to act, each part reports what it would do. Everything is found again
 * by the next round, so that nothing waits in the queue while the emergency stop holds.
 */
export async function run(ports: RetirePorts, settings: RetireSettings, message: RetireMessage): Promise<void> {
  if (settings.mode === 'off') return ports.signals.info('rotation is off', { message: message.kind });
  const { stopped } = await ports.stop.state();
  if (stopped) ports.signals.count(METRICS.stopped);
  const acting = settings.mode === 'enforce' && !stopped;
  switch (message.kind) {
    case 'sweep':
      return sweep(ports);
    case 'retire':
      return retireDue(ports, settings, acting);
    case 'deadlines':
      return watchDeadlines(ports, settings, acting);
    case 'campaign':
      return watchCampaign(ports, settings, message.campaignId, acting);
    case 'orphans':
      return supersedeOrphans(ports, settings, acting);
    case 'tidy':
      return tidy(ports, message.campaignId, acting);
  }
}

/** One message for each part, so that one that fails does not stop the others. */
async function sweep({ campaigns, queue, clock, signals }: RetirePorts): Promise<void> {
  await queue.send({ kind: 'retire' });
  await queue.send({ kind: 'deadlines' });
  await queue.send({ kind: 'orphans' });
  let looked = 0;
  let tidied = 0;
  for await (const campaign of campaigns.all()) {
    const { campaignId, state, updatedAtMs } = campaign;
    if (tidied < TIDIED_A_ROUND && isToTidy(campaign, clock.nowMs())) {
      await queue.send({ kind: 'tidy', campaignId });
      tidied += 1;
    }
    const ended = state === 'cancelled' || state === 'aborted';
    if (state === 'completed' || state === 'planned' || (ended && clock.nowMs() - updatedAtMs > LAST_EXECUTION_MS)) continue;
    await queue.send({ kind: 'campaign', campaignId });
    looked += 1;
  }
  signals.info('round of retire', { campaigns: looked, tidied });
}
