/** Scene 1: a certificate is revoked at the Private CA, and the revocation event carries it to the fleet. */
import { RevokeCertificateCommand } from '@aws-sdk/client-acm-pca';
import { connectedCount, refused, take, watch } from './fleet-view.js';
import { expectRevoked } from './registry-view.js';
import type { Scene } from './scene.js';

const MINUTE = 60_000;

export const fastPath: Scene = {
  id: '1',
  title: 'the fast path',
  story: ['One device is lost. Its certificate is revoked at AWS Private CA; the CRL will not appear for another half hour.'],
  async run(stage) {
    const [lost] = take(stage, 'private-ca', 1);
    const others = stage.members.length - 1;
    const startedAt = performance.now();
    await stage.clients.pca.send(
      new RevokeCertificateCommand({
        CertificateAuthorityArn: stage.privateCaArn,
        CertificateSerial: lost!.serialNumber,
        RevocationReason: 'KEY_COMPROMISE',
      }),
    );
    stage.screen.say(`revoked serial ${lost!.serialNumber} of ${lost!.thingName}, reason keyCompromise`);
    const out = await watch(stage, [lost!], refused, 60_000);
    const took = performance.now() - startedAt;
    stage.expect(`${lost!.thingName} was cut off and refused, ${(took / 1000).toFixed(1)} s after the revocation`, out);
    await expectRevoked(stage, [lost!]);
    stage.expect(`the other ${others} devices stayed connected`, connectedCount(stage) === others);
    const why = await stage.fleetwarden('why', lost!.thingName);
    stage.expect('`fleetwarden why` tells the reason', why.status === 0 && /revoke/i.test(why.output));
    // The certificate is on the next CRL as well. That CRL must find nothing left to do, and must not use up the brake.
    await stage.desk.world.clock.advance(31 * MINUTE);
    stage.expect('the CRL that follows changes nothing more', connectedCount(stage) === others);
  },
};
