/** Scene 2: the event is lost, as best-effort events may be; the CRL is the authority. */
import { RevokeCertificateCommand } from '@aws-sdk/client-acm-pca';
import { connected, connectedCount, refused, take, watch } from './fleet-view.js';
import { expectRevoked } from './registry-view.js';
import type { Scene } from './scene.js';

const MINUTE = 60_000;

export const crlOnly: Scene = {
  id: '2',
  title: 'the CRL alone',
  story: ['Two certificates are revoked, and EventBridge loses both events. Half an hour later the CA writes its CRL into the bucket.'],
  async run(stage) {
    const lost = take(stage, 'private-ca', 2);
    const before = connectedCount(stage);
    stage.desk.world.faults.set({ lostEvent: 1 });
    try {
      for (const device of lost) {
        await stage.clients.pca.send(
          new RevokeCertificateCommand({
            CertificateAuthorityArn: stage.privateCaArn,
            CertificateSerial: device.serialNumber,
            RevocationReason: 'CESSATION_OF_OPERATION',
          }),
        );
      }
    } finally {
      stage.desk.world.faults.set({ lostEvent: 0 });
    }
    stage.screen.say(`revoked ${lost.map((d) => d.thingName).join(' and ')}; both events lost`);
    stage.expect(
      'nothing has happened to them so far',
      lost.every((d) => connected(stage, d)),
    );
    stage.screen.say('… simulated: 31 minutes pass, the CA publishes its CRL');
    const startedAt = performance.now();
    await stage.desk.world.clock.advance(31 * MINUTE);
    const out = await watch(stage, lost, refused, 60_000);
    stage.expect(`both were cut off and refused, ${((performance.now() - startedAt) / 1000).toFixed(1)} s after the CRL appeared`, out);
    await expectRevoked(stage, lost);
    stage.expect('everybody else stayed connected', connectedCount(stage) === before - lost.length);
  },
};
