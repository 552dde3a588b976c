/**
 * Scene: the power goes away in the midst of a rotation, once after each step that the device stores; and one device whose flash chip does not give
 * back what was written, so that its new certificate cannot connect. One campaign for all of them.
 */
import path from 'node:path';
import { ListThingPrincipalsCommand } from '@aws-sdk/client-iot';
import type { EnrolledDevice } from '../fleet/enrol.js';
import type { Fleet } from '../fleet/fleet.js';
import { buildPoweredDevice, PoweredDevice, ROTATION_STEPS } from '../fleet/powered-device.js';
import { enrolled, gatewayOf, inventoryKnows, MINUTE, order, ROUND, runAgents } from './agents.js';
import { activeOf, connectedWith, statusOf } from './registry-view.js';
import { until } from './report.js';
import type { Scene } from './scene.js';
import type { Stage } from './stage.js';

const VALVES = ROTATION_STEPS.map((_, index) => `valve-${index + 1}`);
const WORN = 'valve-worn';
const DAYS_LEFT = 20;
/** The steps of the protocol, short enough for a terminal of 80 columns. */
const HEADS = ['job', 'key', 'csr', 'cert', 'try', 'send', 'ok', 'swap', 'del', 'end'];
const POWER_BACK_MS = 300;

export function powerLoss(directory: string): Scene {
  return {
    id: '7',
    title: 'power cuts, and a worn-out chip',
    story: [
      `${VALVES.length} valves rotate, and each loses its power after another step: job accepted, key made,`,
      'request stored, certificate stored, tried, proof under way, proved, switched over, old',
      'pair deleted. A tenth has a flash chip that flips a bit of its new certificate.',
    ],
    async run(stage) {
      const [worn, ...valves] = await enrolled(stage, [WORN, ...VALVES], DAYS_LEFT);
      const program = buildPoweredDevice(directory);
      const powered = valves.map(
        (device) =>
          new PoweredDevice(
            program,
            { directory: path.join(directory, device.thingName), thingName: device.thingName, ...gatewayOf(stage) },
            device,
          ),
      );
      let chip: Fleet | undefined;
      try {
        for (const [index, device] of powered.entries()) device.start(ROTATION_STEPS[index]);
        chip = await runAgents(stage, [{ ...worn!, fault: 'flipped-bit' }], { backoff: { firstMs: 200, longestMs: 1000 } });
        await until(() => powered.every(({ isConnected }) => isConnected), 60_000);
        await inventoryKnows(stage, [worn!, ...valves]);
        await rotate(stage, powered, chip);
        await judge(stage, powered, valves);
        await wornChip(stage, chip, worn!);
      } finally {
        await Promise.all([...powered.map((device) => device.stop()), chip?.stop()]);
      }
    },
  };
}

/** The expiry query, as every day; then the power goes, and comes back. */
async function rotate(stage: Stage, powered: readonly PoweredDevice[], chip: Fleet): Promise<void> {
  await order(stage, { kind: 'due' });
  for (const device of powered) {
    device.onChange(() => {
      if (device.isOn || !device.wasCut || device.isFinished) return;
      setTimeout(() => {
        if (!device.isOn) device.start();
      }, POWER_BACK_MS);
    });
  }
  const draw = () => stage.screen.live(['thing', ...HEADS], powered.map(row));
  const watching = setInterval(draw, 250);
  const wornIsDone = () => chip.rotations().get(WORN)?.step === 'finished';
  // AWS IoT tells a few devices a minute: minutes pass until everybody has been told.
  const finished = await until(async () => {
    await stage.desk.world.clock.advance(MINUTE / 4);
    return wornIsDone() && powered.every(({ isFinished, isConnected }) => isFinished && isConnected);
  }, 120_000);
  clearInterval(watching);
  draw();
  stage.screen.settle();
  stage.screen.say('✔ done, ✂ the power went away right after it, ↻ done when it was back', {
    steps: Object.fromEntries(powered.map(({ thingName, steps }) => [thingName, steps])),
  });
  stage.expect(
    `each of the ${powered.length} lost its power once (its process was killed), each after another step`,
    powered.every(({ wasCut, steps }, index) => wasCut && steps.includes(ROTATION_STEPS[index]!)),
  );
  stage.expect('each came back, and finished its rotation', finished);
}

async function judge(stage: Stage, powered: readonly PoweredDevice[], before: readonly EnrolledDevice[]): Promise<void> {
  const active = await Promise.all(powered.map(({ thingName }) => activeOf(stage, thingName)));
  stage.expect(
    'the registry has exactly one ACTIVE certificate for each, and it is a new one',
    active.every((ids, index) => ids.length === 1 && ids[0] !== before[index]!.certificateId),
  );
  stage.expect(
    'and each is connected with it',
    powered.every(({ thingName }, index) => connectedWith(stage, thingName) === active[index]![0]),
  );
  const all = await Promise.all(
    powered.map(({ thingName }) =>
      stage.clients.iot.send(new ListThingPrincipalsCommand({ thingName })).then(({ principals = [] }) => principals),
    ),
  );
  stage.expect(
    'no power cut brought about a second new certificate',
    all.every(({ length }) => length === 2),
    `${all.reduce((sum, { length }) => sum + length, 0)} certificates of ${powered.length} things, old ones included`,
  );
}

/** Its new certificate is refused again and again; the device goes back to the old one, says so, and the cloud takes the new one back. */
async function wornChip(stage: Stage, chip: Fleet, { certificateId }: EnrolledDevice): Promise<void> {
  const failed = chip.steps(WORN).find(({ step }) => step === 'failing');
  stage.expect(
    `${WORN} gave up by itself: its new certificate was refused at every try`,
    failed?.reason === 'cannot-connect',
    failed?.reason,
  );
  stage.screen.say('… simulated: a quarter of an hour passes, and the rotations are settled');
  await stage.desk.world.clock.advance(ROUND);
  const { principals = [] } = await stage.clients.iot.send(new ListThingPrincipalsCommand({ thingName: WORN }));
  const fresh = principals.map((arn) => arn.split('/').at(-1)!).filter((id) => id !== certificateId);
  const withdrawn = await until(async () => {
    const statuses = await Promise.all(fresh.map((id) => statusOf(stage, id)));
    return statuses.length === 1 && statuses[0] === 'REVOKED';
  }, 30_000);
  stage.expect('the new certificate was withdrawn: the registry says REVOKED', withdrawn);
  const old = await statusOf(stage, certificateId);
  stage.expect(
    'the old one is ACTIVE, and the device is connected with it',
    old === 'ACTIVE' && connectedWith(stage, WORN) === certificateId,
    old,
  );
}

function row(device: PoweredDevice, index: number) {
  const cut = ROTATION_STEPS[index]!;
  const steps: readonly string[] = device.steps;
  const cutAt = ROTATION_STEPS.indexOf(cut);
  const cells = [...ROTATION_STEPS, 'finished'].map((step, at) => {
    if (!steps.includes(step)) return '';
    if (step === cut) return device.wasCut ? '✂' : '✔';
    return at < cutAt ? '✔' : '↻';
  });
  const tone = device.isFinished ? ('good' as const) : device.isOn ? ('quiet' as const) : ('bad' as const);
  return { cells: [device.thingName, ...cells], tone };
}
