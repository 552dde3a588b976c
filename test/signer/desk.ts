/** The adapters of the signer against the desk: a real key in KMS, the ledger, the CRL bucket and a queue, by real SDK clients. */
import { CreateKeyCommand, KMSClient } from '@aws-sdk/client-kms';
import { GetObjectCommand } from '@aws-sdk/client-s3';
import { Certificate } from '../../domain/pki/certificate.js';
import { rootCertificateTbs } from '../../domain/pki/certificate-writer.js';
import { derToPem } from '../../domain/pki/pem.js';
import { serialNumberFromHex } from '../../domain/pki/serial-number.js';
import type { TrustAnchor } from '../../domain/pki/trust-anchor.js';
import { signedCrlKey } from '../../domain/protocol/signer.js';
import { documentClient, s3Client, sqsClient } from '../../lambda/aws/clients.js';
import { s3CrlObjects } from '../../lambda/aws/crl-objects.js';
import { dynamoDecisionLog } from '../../lambda/aws/decision-log.js';
import { kmsCaSigner, kmsClient, kmsPublicKey } from '../../lambda/aws/kms-ca-signer.js';
import { fetchSigned, revokeSigned } from '../../lambda/aws/kms-issued.js';
import { issueSigned } from '../../lambda/aws/kms-issuing-ca.js';
import { dynamoCrlPublications } from '../../lambda/aws/kms-publications.js';
import { dynamoCaRecords } from '../../lambda/aws/kms-records.js';
import { sqsPublishQueue } from '../../lambda/aws/publish-queue.js';
import type { Clock } from '../../lambda/ports/clock.js';
import type { PublishPorts } from '../../lambda/signer/publish/ports.js';
import { run } from '../../lambda/signer/publish/run.js';
import type { Desk } from '../../local/desk.js';
import { BUCKETS, TABLES, createQueue, deskWithStores, takeAll } from '../revocation/desk-ports.js';
import { MemorySignals } from '../revocation/memory/world.js';

const DAY_MS = 86_400_000;

/** Makes a key in KMS and the CA of it, as `fleetwarden ca create` does. */
export async function createKmsCa(kms: KMSClient, nowMs: number, days = 3650, KeySpec: 'ECC_NIST_P256' | 'RSA_2048' = 'ECC_NIST_P256') {
  const { KeyMetadata } = await kms.send(new CreateKeyCommand({ KeySpec, KeyUsage: 'SIGN_VERIFY' }));
  const keyArn = KeyMetadata?.Arn ?? '';
  const publicKey = await kmsPublicKey(kms, keyArn);
  const der = await kmsCaSigner(kms, keyArn).sign(publicKey, (algorithm) =>
    rootCertificateTbs(
      {
        serialNumber: serialNumberFromHex('4f1ee7'),
        notBeforeMs: Math.floor(nowMs / 1000) * 1000 - 3_600_000,
        notAfterMs: Math.floor(nowMs / 1000) * 1000 + days * DAY_MS,
        commonName: 'Own CA',
        spkiDer: publicKey.export({ type: 'spki', format: 'der' }),
      },
      algorithm,
    ),
  );
  return { keyArn, certificatePem: derToPem(der, 'CERTIFICATE') };
}

export const anchorOf = (anchorId: string, ca: { readonly keyArn: string; readonly certificatePem: string }): TrustAnchor => ({
  anchorId,
  certificatePem: ca.certificatePem,
  type: 'external',
  signer: { type: 'kms', keyArn: ca.keyArn, crlValidityDays: 7 },
  crl: { type: 'COMPLETE', prefix: `external/${anchorId}/`, distributionPoints: [] },
});

export async function startSignerDesk() {
  const desk: Desk = await deskWithStores();
  const clock: Clock = {
    nowMs: () => desk.world.clock.nowMs(),
    async sleepUntil(atMs) {
      const waitMs = atMs - desk.world.clock.nowMs();
      if (waitMs > 0) await desk.world.clock.advance(waitMs);
    },
  };
  const kms = kmsClient();
  const ca = await createKmsCa(kms, clock.nowMs());
  const ledger = { client: documentClient(), table: TABLES.ledger };
  const queueUrl = await createQueue('publish');
  const anchors: TrustAnchor[] = [];
  const signals = new MemorySignals();
  const common = {
    clock,
    records: dynamoCaRecords(ledger, clock),
    publish: sqsPublishQueue(sqsClient(), queueUrl),
    anchors: { all: () => Promise.resolve(anchors) },
    decisions: dynamoDecisionLog(ledger),
    objects: s3CrlObjects(s3Client(), BUCKETS.crls),
    publications: dynamoCrlPublications(ledger),
    signals,
  };
  return {
    desk,
    kms,
    ca,
    clock,
    ledger,
    signals,
    ports: common,
    /** An anchor of its own for a test: the same key, other books. */
    anchor(anchorId: string, of = ca): TrustAnchor {
      const anchor = anchorOf(anchorId, of);
      anchors.push(anchor);
      return anchor;
    },
    issuing: (of = ca) => ({ ...common, signer: kmsCaSigner(kms, of.keyArn) }),
    publishing: (): PublishPorts => ({ ...common, signerOf: (keyArn) => kmsCaSigner(kms, keyArn) }),
    async issue(anchor: TrustAnchor, csrDer: Uint8Array, idempotencyToken: string, commonName = 'dev-1', validityDays = 90) {
      const reference = await issueSigned({ ...common, signer: kmsCaSigner(kms, anchor.signer!.keyArn) }, anchor, {
        csrDer,
        commonName,
        validityDays,
        idempotencyToken,
      });
      const pem = await fetchSigned(common.records, anchor, reference);
      return { reference, pem: pem!, certificate: Certificate.read(pem!) };
    },
    supersede: (anchor: TrustAnchor, serialNumber: string) => revokeSigned(common, anchor, serialNumberFromHex(serialNumber), 'superseded'),
    publish: (anchorId: string) => run({ ...common, signerOf: (keyArn) => kmsCaSigner(kms, keyArn) }, { kind: 'publish', anchorId }),
    /** What waits on the publish queue, once the time of gathering is over. */
    async asked() {
      await desk.world.clock.advance(61_000);
      return takeAll(queueUrl);
    },
    async crl(anchorId: string): Promise<Buffer> {
      const { Body } = await s3Client().send(new GetObjectCommand({ Bucket: BUCKETS.crls, Key: signedCrlKey(anchorId) }));
      return Buffer.from(await Body!.transformToByteArray());
    },
    stop: () => desk.stop(),
  };
}
export type SignerDesk = Awaited<ReturnType<typeof startSignerDesk>>;
