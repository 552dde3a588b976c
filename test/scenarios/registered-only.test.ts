import { assemblyOf } from './support/assembly.js';
import { Scene } from './support/scene.js';

/**
 * The nearest thing to a hole: a certificate of a CA that is not AWS's, registered by API and never connected. No event tells of it, no
 * private CA can be asked, and no reconciliation has seen it when its CRL arrives.
 */
describe('certificates that were registered and never seen', () => {
  let scene: Scene;
  beforeAll(async () => {
    scene = await Scene.open(await assemblyOf());
  });
  afterAll(() => scene?.close());

  it('are revoked by the next CRL all the same, and counted by the brake once', async () => {
    const { factory, desk } = scene;
    const devices = await scene.enrol(['pump-1', 'pump-2', 'pump-3', 'pump-4'], (csrPem) => factory.sign(csrPem, desk.world.clock.date()));
    await scene.publish(devices); // four of five that the brake lets through in an hour: counted twice they would be eight
    await scene.settle();
    expect(await scene.statuses(devices)).toEqual(['REVOKED', 'REVOKED', 'REVOKED', 'REVOKED']);
  });

  it('are revoked also when they are registered after the CRL', async () => {
    const { factory, desk } = scene;
    const serialNumber = '4d0123456789abcdef0123456789abcd';
    await scene.publish([{ serialNumber }]);
    const [late] = await scene.enrol(['pump-5'], (csrPem) => factory.sign(csrPem, desk.world.clock.date(), serialNumber));
    await scene.reconcile();
    await scene.settle();
    expect(await scene.statuses([late!])).toEqual(['REVOKED']);
  });
});
