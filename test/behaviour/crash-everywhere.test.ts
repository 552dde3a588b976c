/**
 * The process dies before, or right after, its n-th call of a neighbour, for every n; then Lambda invokes it again with the state from before, or SQS delivers
 * again. In the end everything is as if it had never died, every violation has been announced, and never under two ids.
 */
import { run as round } from '../../lambda/behaviour/offline/run.js';
import { run as watch } from '../../lambda/behaviour/watch/run.js';
import { crashing, Death } from '../revocation/memory/crashing.js';
import { World, behaviour } from './memory/world.js';

const behaviours = [
  behaviour({ name: 'flood', metric: 'aws:num-messages-sent', value: 2, datapointsToClear: 1 }),
  behaviour({ name: 'alive', metric: 'aws:num-messages-sent', operator: 'greater-than', value: 0 }),
  behaviour({ name: 'away', metric: 'aws:disconnect-duration', value: 60 }),
];

const dies = (run: Promise<unknown>): Promise<boolean> =>
  run.then(
    () => false,
    (error: unknown) => {
      if (error instanceof Death) return true;
      throw error;
    },
  );

/** What is the same however often a call was made. */
const endState = (world: World) => ({
  standings: [...world.standings.rows.values()].map(({ standing: { updatedAtMs: _updated, ...standing } }) => standing),
  violations: [...world.standings.violations],
  presences: [...world.presences.rows.values()],
  announced: [...new Set(world.topic.published.map((each) => JSON.stringify({ ...each, violationEventTime: 0 })))].toSorted(),
});

/** A window in which one device floods, one is silent, and one that flooded before has stopped. */
async function window(): Promise<{ world: World; step: (ports: World['watchPorts']) => Promise<unknown> }> {
  const world = new World({ behaviours });
  await world.take(...[1, 2, 3].map(() => world.sent('dev-before')));
  await world.endWindow();
  await world.take(world.sent('dev-before'), world.presence('dev-silent', 'connected', 1), world.sent('dev-1'), world.sent('dev-1'));
  const batch = world.eventOf([world.sent('dev-1'), world.sent('dev-2')]);
  let carried = world.carried;
  let taken = false;
  return {
    world,
    // Lambda: the batch first, with the state from before; the end of the window when the batch has succeeded.
    step: async (ports) => {
      if (!taken) {
        carried = (await watch(ports, world.watchSettings, batch)).state;
        taken = true;
      }
      world.carried = carried;
      await watch(ports, world.watchSettings, world.eventOf([], { final: true }));
    },
  };
}

async function absence(): Promise<{ world: World; step: (ports: World['offlinePorts']) => Promise<unknown> }> {
  const world = new World({ behaviours });
  await world.take(
    world.presence('dev-gone', 'connected', 1),
    world.presence('dev-gone', 'disconnected', 1),
    ...[1, 2, 3].map(() => world.sent('dev-gone')),
  );
  await world.endWindow();
  world.clock.advance(90 * 60_000);
  return { world, step: (ports) => round(ports, world.settings) };
}

describe.each(['before', 'after'] as const)('%s any call', (moment) => {
  test.each([
    ['a window', window, 18],
    ['the round', absence, 12],
  ] as const)('%s dies: the same end, nothing unsaid', async (_, prepare, least) => {
    const undisturbed = await prepare();
    await undisturbed.step(undisturbed.world);
    const expected = endState(undisturbed.world);
    expect(expected.announced.length).toBeGreaterThan(1);
    let deaths = 0;
    for (let n = 1; ; n += 1) {
      const { world, step } = await prepare();
      const died = await dies(step(crashing<World>(world, n, moment)));
      if (died) await step(world);
      // What somebody may still be at is left alone for two minutes; then the next round takes it up.
      if ([...world.standings.rows.values()].some(({ standing }) => standing.pending !== undefined)) {
        world.clock.advance(121_000);
        await step(world);
      }
      expect([n, endState(world)]).toEqual([n, expected]);
      if (!died) break;
      deaths += 1;
    }
    expect(deaths).toBeGreaterThan(least);
  });

  test('a window dies and is never tried again: the round announces what was decided', async () => {
    for (let n = 1; ; n += 1) {
      const { world, step } = await window();
      if (!(await dies(step(crashing<World>(world, n, moment))))) break;
      const decided = [...world.standings.violations.keys()];
      world.clock.advance(180_000);
      await world.round();
      const announced = new Set(world.topic.published.map(({ violationId }) => violationId));
      expect([n, decided.filter((id) => !announced.has(id))]).toEqual([n, []]);
    }
  });
});
