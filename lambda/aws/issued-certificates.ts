import { DeleteCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import { certificateId } from '../../domain/fleet/certificate-id.js';
import type { Clock } from '../ports/clock.js';
import type { IssuedCertificate, IssuedCertificates } from '../ports/issued-certificates.js';
import type { Ledger } from './ledger.js';
import { rowsOf } from './rows-of.js';
import { passesByItself, patiently } from './retry.js';

const PARTITION = 'ISSUED';
const keyOf = ({ toldAtMs, newCertificateId }: IssuedCertificate) => ({
  pk: PARTITION,
  sk: `${new Date(toldAtMs).toISOString()}#${newCertificateId}`,
});

/** One row for each, for about a day. An event that is told twice leaves two: both are compared, and the second finds nothing to do. */
export function dynamoIssuedCertificates({ client, table: TableName }: Ledger, clock: Clock): IssuedCertificates {
  return {
    async remember(issued) {
      await patiently(clock, passesByItself, () => client.send(new PutCommand({ TableName, Item: { ...keyOf(issued), ...issued } })));
    },
    async *toldBefore(atMs) {
      for await (const item of rowsOf({ client, table: TableName }, PARTITION, { below: new Date(atMs).toISOString() }))
        yield {
          oldCertificateId: certificateId(String(item['oldCertificateId'])),
          newCertificateId: certificateId(String(item['newCertificateId'])),
          certificateArn: String(item['certificateArn']),
          toldAtMs: Number(item['toldAtMs']),
        };
    },
    async forget(issued) {
      await client.send(new DeleteCommand({ TableName, Key: keyOf(issued) }));
    },
  };
}
