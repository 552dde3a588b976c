/**
 * Scene: devices that stay away. Their job waits without end, their certificates do not: people are told, at marks before the deadline, and at the
 * deadline itself. They belong to the campaign of the scene before, so that its day of grace is the day on which the marks are passed.
 */
import type { EnrolledDevice } from '../fleet/enrol.js';
import { alarmed, enrolled, inventoryKnows, runAgents } from './agents.js';
import { decisionsOn, until } from './report.js';
import { statusOf } from './registry-view.js';
import type { Scene } from './scene.js';
import type { Stage } from './stage.js';

/** Ends in so many days; a day later the mark of so many days is passed; 0 is the end itself. */
const AWAY = [
  { thingName: 'cellar-1', validityDays: 15, mark: 14 },
  { thingName: 'cellar-2', validityDays: 8, mark: 7 },
  { thingName: 'cellar-3', validityDays: 2, mark: 1 },
  { thingName: 'cellar-4', validityDays: 1, mark: 0 },
] as const;
const LAST = AWAY[3];

export class Cellar {
  devices: readonly EnrolledDevice[] = [];
  since = new Date(0);

  /** Meters that were connected once, and then never again. */
  async fill(stage: Stage): Promise<void> {
    this.since = stage.desk.world.clock.date();
    const enrolling = AWAY.map(({ thingName, validityDays }) => enrolled(stage, [thingName], validityDays));
    this.devices = (await Promise.all(enrolling)).flat();
    const meters = await runAgents(stage, this.devices);
    await inventoryKnows(stage, this.devices);
    await meters.stop();
  }
}

export function offline(cellar: Cellar): Scene {
  return {
    id: '6',
    title: 'devices that stay away',
    story: [
      'Four meters have hung in cellars without a signal since yesterday. They were',
      'told to rotate as well. The certificate of the last one has ended by now.',
    ],
    async run(stage) {
      const { devices, since } = cellar;
      for (const [index, { thingName, mark }] of AWAY.entries()) {
        const rows = () => decisionsOn(stage, devices[index]!.certificateId, 'escalate');
        await until(async () => (await rows()).length > 0, 30_000);
        const [row] = await rows();
        const when = mark === 0 ? 'when its certificate ended' : `${mark} ${mark === 1 ? 'day' : 'days'} before its certificate ends`;
        stage.expect(`${thingName}: people were told, ${when}`, row?.detail?.days === mark, row?.reason);
      }
      stage.expect('the alarm rotation-escalated went off', await alarmed(stage, 'rotation-escalated', since));
      stage.expect('the alarm rotation-deadline-missed went off', await alarmed(stage, 'rotation-deadline-missed', since));
      const inTime = devices.filter(({ thingName }) => thingName !== LAST.thingName);
      const statuses = await Promise.all(inTime.map(({ certificateId }) => statusOf(stage, certificateId)));
      stage.expect(
        'the others are ACTIVE: who comes back in time can still rotate',
        statuses.every((status) => status === 'ACTIVE'),
        statuses.join(' '),
      );
      const why = await stage.fleetwarden('why', LAST.thingName);
      stage.expect('`fleetwarden why` tells the story', why.status === 0 && /deadline/i.test(why.output));
    },
  };
}
