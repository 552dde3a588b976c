/** Scene: a firmware that makes weak keys. The first devices fail, AWS IoT stops the campaign by itself, and nobody is worse off than before. */
import type { EnrolledDevice } from '../fleet/enrol.js';
import type { Fleet } from '../fleet/fleet.js';
import { alarmed, enrolled, inventoryKnows, order, ROUND, runAgents } from './agents.js';
import { activeOf, connectedWith } from './registry-view.js';
import { decisionsOn, until } from './report.js';
import type { Scene } from './scene.js';
import type { Stage } from './stage.js';

const SENSORS = Array.from({ length: 20 }, (_, index) => `sensor-${String(index + 1).padStart(2, '0')}`);
const DAYS_LEFT = 200;
/** Id of the audit whose finding starts the campaign. */
const TASK = 'desk-bad-firmware';

export const badFirmware: Scene = {
  id: '8',
  title: 'bad firmware',
  story: [
    `An audit finding names the certificates of ${SENSORS.length} sensors. What nobody knows: their new`,
    'firmware makes keys on the curve P-192, which no CA takes any more.',
  ],
  async run(stage) {
    const devices = await enrolled(stage, SENSORS, DAYS_LEFT);
    const sensors = await runAgents(
      stage,
      devices.map((device) => ({ ...device, fault: 'weak-keys' })),
    );
    try {
      await inventoryKnows(stage, devices);
      const since = stage.desk.world.clock.date();
      await order(stage, { kind: 'finding', certificateIds: devices.map(({ certificateId }) => certificateId), taskId: TASK });
      const failed = await failing(stage, sensors);
      stage.screen.say('… simulated: a quarter of an hour passes');
      await stage.desk.world.clock.advance(ROUND);
      stage.expect('the alarm campaign-aborted went off', await alarmed(stage, 'campaign-aborted', since));
      await untouched(stage, sensors, devices, failed);
    } finally {
      await sensors.stop();
    }
  },
};

/** Answers who failed. */
async function failing(stage: Stage, sensors: Fleet): Promise<readonly string[]> {
  const draw = () => stage.screen.live(['sensors', 'rotation'], summary(sensors));
  const watching = setInterval(draw, 250);
  const done = await until(() => {
    const told = SENSORS.filter((name) => sensors.rotations().has(name));
    return told.length > 0 && told.every((name) => sensors.rotations().get(name)?.step === 'finished');
  }, 60_000);
  clearInterval(watching);
  draw();
  stage.screen.settle();
  const failed = SENSORS.filter((name) => sensors.steps(name).some(({ reason }) => reason === 'weak-key'));
  stage.expect(`the first ${failed.length} were refused, with the reason weak-key, and gave up`, done && failed.length > 0);
  return failed;
}

async function untouched(stage: Stage, sensors: Fleet, devices: readonly EnrolledDevice[], failed: readonly string[]): Promise<void> {
  const aborted = await until(async () => /aborted/.test((await stage.fleetwarden('campaigns')).output), 30_000);
  stage.expect('`fleetwarden campaigns` shows it as aborted: AWS IoT stopped it by itself', aborted);
  const untold = SENSORS.filter((name) => !sensors.rotations().has(name));
  stage.expect(`the other ${untold.length} were never told`, untold.length > 0);
  const theirs = devices.filter(({ thingName }) => failed.includes(thingName));
  const withdrawn = async () => Promise.all(theirs.map(({ certificateId }) => decisionsOn(stage, certificateId, 'withdraw')));
  stage.expect(
    'the rotations that failed are withdrawn, with the reason on record',
    await until(async () => (await withdrawn()).every((rows) => rows.some(({ reason }) => reason === 'execution-failed')), 30_000),
  );
  const active = await Promise.all(SENSORS.map((name) => activeOf(stage, name)));
  stage.expect(
    'every sensor has its old certificate, ACTIVE, and no other',
    active.every((ids, index) => ids.length === 1 && ids[0] === devices[index]!.certificateId),
  );
  stage.expect(
    'and is connected with it',
    devices.every(({ thingName, certificateId }) => connectedWith(stage, thingName) === certificateId),
  );
}

function summary(sensors: Fleet) {
  const counts = new Map<string, number>();
  for (const name of SENSORS) {
    const reason = sensors.steps(name).find((step) => step.reason !== undefined)?.reason;
    const word = reason === undefined ? (sensors.rotations().get(name)?.step ?? 'not told') : `failed: ${reason}`;
    counts.set(word, (counts.get(word) ?? 0) + 1);
  }
  return [...counts].map(([word, count]) => ({
    cells: [String(count), word],
    tone: word.startsWith('failed') ? ('bad' as const) : ('quiet' as const),
  }));
}
