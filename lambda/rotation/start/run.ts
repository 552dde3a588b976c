import type { StartMessage } from '../../../domain/protocol/rotation-work.js';
import { METRICS } from '../../../domain/fleet/metrics.js';
import { startAsked } from './asked.js';
import { control } from './control.js';
import { findDue, firstCursor } from './due.js';
import { launch } from './launch.js';
import type { StartPorts, StartSettings } from './ports.js';

/** Longest delay of SQS. A message that waits is sent anew each time, so waiting uses up neither deliveries nor retention. */
const DEFER_SECONDS = 900;

/**
 * One message on the start queue. Without leave to act, the expiry query and what is asked for are reported, as the same plan. The emergency
 * stop keeps what was begun or asked for until it is lifted; pausing and cancelling go on, because they only take offers back.
 */
export async function run(ports: StartPorts, settings: StartSettings, message: StartMessage): Promise<void> {
  const { stopped } = await ports.stop.state();
  if (stopped) ports.signals.count(METRICS.stopped);
  const enforcing = settings.mode === 'enforce';
  const waits = stopped && message.kind !== 'due' && !(message.kind === 'control' && message.control !== 'resume');
  if (settings.mode === 'off') return ports.signals.info('rotation is off', { message: message.kind });
  if (enforcing && waits) return ports.queue.send(message, DEFER_SECONDS);
  const acting = enforcing && !stopped;
  switch (message.kind) {
    case 'due':
      return findDue(ports, settings, firstCursor(ports.clock.nowMs()), acting);
    case 'continue':
      return findDue(ports, settings, message.cursor, acting);
    case 'rotate':
    case 'finding':
      return startAsked(ports, settings, message, acting);
    case 'launch':
      if (acting) return launch(ports, settings, message.campaignId);
      return ports.signals.info('would launch', { campaignId: message.campaignId, reason: 'mode-observe' });
    case 'control':
      if (enforcing) return control(ports, settings, message);
      return ports.signals.info('would control a campaign', { campaignId: message.campaignId, control: message.control, by: message.by });
  }
}
