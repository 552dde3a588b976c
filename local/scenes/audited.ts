/**
 * Devices that only the audit of AWS IoT Device Defender finds: their certificates end in forty days, which its threshold takes in and the daily query does
 * not. Part of the scene of certificates that end soon; the finding starts a campaign of its own.
 */
import type { EnrolledDevice } from '../fleet/enrol.js';
import { enrolled, inventoryKnows, runAgents } from './agents.js';
import { activeOf, connectedWith } from './registry-view.js';
import { until } from './report.js';
import type { Stage } from './stage.js';

const NAMES = ['gas-0001', 'gas-0002'];
const DAYS_LEFT = 40;

export async function foundByAudit(stage: Stage): Promise<void> {
  const old = await enrolled(stage, NAMES, DAYS_LEFT);
  const meters = await runAgents(stage, old);
  try {
    await inventoryKnows(stage, old);
    const begun = await stage.fleetwarden('audit', '--check', 'DEVICE_CERTIFICATE_EXPIRING_CHECK');
    stage.expect(
      '`fleetwarden audit` begins an audit of Device Defender on demand',
      begun.status === 0,
      begun.status === 0 ? undefined : begun.output.slice(0, 200),
    );
    const finished = await until(async () => {
      await stage.desk.world.clock.advance(15_000);
      return NAMES.every((name) => meters.rotations().get(name)?.step === 'finished');
    }, 90_000);
    stage.expect(`${NAMES.length} gas meters, whose certificates end in ${DAYS_LEFT} days, are found by the audit, and rotate`, finished);
    stage.expect('each is connected with its one new certificate', await areNew(stage, old));
    const campaigns = await stage.fleetwarden('campaigns');
    stage.expect('the campaign says what found them', /audit-finding/.test(campaigns.output));
  } finally {
    await meters.stop();
  }
}

async function areNew(stage: Stage, old: readonly EnrolledDevice[]): Promise<boolean> {
  for (const { thingName, certificateId } of old) {
    const active = await activeOf(stage, thingName);
    if (active.length !== 1 || active[0] === certificateId || connectedWith(stage, thingName) !== active[0]) return false;
  }
  return true;
}
