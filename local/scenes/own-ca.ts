/**
 * Scene: a CA of one's own, without AWS Private CA. Its key is in AWS KMS, and the application keeps its books: an operator revokes, and the CRL that
 * the application signs takes the way of any other CRL.
 */
import { X509Certificate } from 'node:crypto';
import { ListObjectsV2Command } from '@aws-sdk/client-s3';
import { DEFAULT_PREFIX } from '../../domain/protocol/application-parameters.js';
import { ANCHORS } from '../desk-configuration.js';
import { enrol } from '../fleet/enrol.js';
import { inventoryKnows, MINUTE, runAgents } from './agents.js';
import { connectedCount } from './fleet-view.js';
import { expectRevoked } from './registry-view.js';
import { until } from './report.js';
import type { Scene } from './scene.js';

const VALVE = 'valve-0001';

export const ownCa: Scene = {
  id: '12',
  title: 'a CA of one’s own',
  story: [
    'The plant has a CA without AWS Private CA: its key is in AWS KMS. A device of it is lost, and the operator revokes its certificate.',
  ],
  async run(stage) {
    const before = connectedCount(stage);
    const [valve] = await enrol({
      thingNames: [VALVE],
      iot: stage.clients.iot,
      issuer: { kind: 'software', sign: ({ csrPem }) => stage.ownCa.sign(csrPem, stage.desk.world.clock.date()) },
      policyName: `${DEFAULT_PREFIX}-device`,
    });
    const fleet = await runAgents(stage, [valve!]);
    try {
      await inventoryKnows(stage, [valve!]);
      const { serialNumber } = new X509Certificate(valve!.certificatePem);
      const startedAt = performance.now();
      const revoked = await stage.fleetwarden('ca', 'revoke', serialNumber, '--anchor', ANCHORS.own, '--reason', 'keyCompromise');
      stage.expect(
        `\`fleetwarden ca revoke … --anchor ${ANCHORS.own}\` writes it into the books`,
        revoked.status === 0,
        revoked.status === 0 ? undefined : revoked.output.slice(0, 200),
      );
      // Revocations of a minute become one CRL.
      await stage.desk.world.clock.advance(MINUTE);
      const out = await until(() => fleet.states().get(VALVE)?.state === 'refused', 60_000);
      const took = ((performance.now() - startedAt) / 1000).toFixed(1);
      stage.expect(`the application signed a CRL by KMS, read it, and ${VALVE} is refused, after ${took} s and a simulated minute`, out);
      const { Contents = [] } = await stage.clients.s3.send(
        new ListObjectsV2Command({ Bucket: stage.crlBucket, Prefix: `external/${ANCHORS.own}/` }),
      );
      stage.expect('the CRL lies in the bucket', Contents.length === 1, Contents[0]?.Key);
      await expectRevoked(stage, [valve!]);
      stage.expect('everybody else stayed connected', connectedCount(stage) === before);
    } finally {
      await fleet.stop();
    }
  },
};
