/** Scene 3: a CA that is not AWS's. It knows nothing of AWS; somebody puts its CRL into the bucket. */
import { connectedCount, refused, take, watch } from './fleet-view.js';
import { putExternalCrl, type RevokedBook } from './external-crl.js';
import { expectRevoked } from './registry-view.js';
import type { Scene } from './scene.js';

export function otherCa(book: RevokedBook): Scene {
  return {
    id: '3',
    title: "a CA that is not AWS's",
    story: ['Part of the fleet has certificates of a factory CA. It revokes two of them; its CRL is put into the bucket.'],
    async run(stage) {
      const lost = take(stage, 'external', 2);
      const before = connectedCount(stage);
      book.revoke(lost[0]!.serialNumber, 'keyCompromise');
      book.revoke(lost[1]!.serialNumber, 'superseded');
      const crl = await stage.externalCa.crl(book.nextNumber(), book.entries(), stage.desk.world.clock.date());
      book.published = crl;
      stage.screen.say(
        `${stage.externalCa.madeBy} signed a CRL with ${book.entries().length} entries for ${lost.map((d) => d.thingName).join(' and ')}`,
      );
      const startedAt = performance.now();
      await putExternalCrl(stage, crl);
      const out = await watch(stage, lost, refused, 60_000);
      stage.expect(`both were cut off and refused, ${((performance.now() - startedAt) / 1000).toFixed(1)} s after the CRL was put`, out);
      await expectRevoked(stage, lost);
      stage.expect('everybody else stayed connected', connectedCount(stage) === before - lost.length);
    },
  };
}
