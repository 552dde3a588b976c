/** A CA of our own issues: at most one certificate for each order, the same for ever, whatever dies in between. */
import { DisableKeyCommand, EnableKeyCommand } from '@aws-sdk/client-kms';
import { PutCommand, QueryCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { Certificate } from '../../domain/pki/certificate.js';
import { fetchSigned } from '../../lambda/aws/kms-issued.js';
import { issueSigned, serialNumberOf } from '../../lambda/aws/kms-issuing-ca.js';
import { RequestRefusedByCa } from '../../lambda/ports/issuing-ca.js';
import { createRequest, type BuiltRequest } from '../builders/csr.js';
import { crashing, Death } from '../revocation/memory/crashing.js';
import { createKmsCa, startSignerDesk, type SignerDesk } from './desk.js';
import { hasOpenssl, objectionsTo } from './openssl.js';

let desk: SignerDesk;
let request: BuiltRequest;
beforeAll(async () => {
  desk = await startSignerDesk();
  request = await createRequest({ subject: 'CN=somebody else' });
});
afterAll(() => desk.stop());
afterEach(() => desk.desk.world.faults.set({ throttle: 0, serverError: 0, lostAnswer: 0 }));

const order = (idempotencyToken: string, csrDer: Uint8Array = request.der) => ({
  csrDer,
  commonName: 'dev-1',
  validityDays: 90,
  idempotencyToken,
});
const signatures = (): number => desk.desk.world.journal.counts().get('kms:Sign') ?? 0;
async function signedRows(anchorId: string) {
  const { Items = [] } = await desk.ledger.client.send(
    new QueryCommand({
      TableName: desk.ledger.table,
      KeyConditionExpression: 'pk = :pk',
      ExpressionAttributeValues: { ':pk': `SIGNED#${anchorId}` },
    }),
  );
  return Items;
}

test('the certificate is what was ordered, with the key of the request and nothing else of it; OpenSSL takes it', async () => {
  const anchor = desk.anchor('one');
  const { certificate, pem, reference } = await desk.issue(anchor, request.der, 'token');
  const ca = Certificate.read(anchor.certificatePem);
  expect(certificate.wasSignedBy(ca)).toBe(true);
  expect(certificate.publicKey.equals(request.publicKey)).toBe(true);
  expect(certificate).toMatchObject({ subject: 'CN=dev-1', isCa: false, extendedKeyUsages: ['1.3.6.1.5.5.7.3.2'] });
  expect(reference).toBe(`signer:one:${certificate.serialNumber}`);
  const nowMs = desk.clock.nowMs();
  expect(certificate.notAfterMs - nowMs).toBeGreaterThan(90 * 86_400_000 - 60_000);
  expect(certificate.notAfterMs - nowMs).toBeLessThanOrEqual(90 * 86_400_000);
  expect(certificate.notBeforeMs).toBeLessThanOrEqual(nowMs - 3_600_000);
  if (hasOpenssl) expect(objectionsTo(pem, anchor.certificatePem, nowMs)).toBe('');
});

test('an RSA key signs as well', async () => {
  const anchor = desk.anchor('rsa', await createKmsCa(desk.kms, desk.clock.nowMs(), 3650, 'RSA_2048'));
  const { pem, certificate } = await desk.issue(anchor, request.der, 'token');
  expect(certificate.wasSignedBy(Certificate.read(anchor.certificatePem))).toBe(true);
  if (hasOpenssl) expect(objectionsTo(pem, anchor.certificatePem, desk.clock.nowMs())).toBe('');
});

test('the same order again, ten at once and a year later: the same certificate, octet by octet', async () => {
  const anchor = desk.anchor('again');
  const first = await Promise.all(Array.from({ length: 10 }, () => desk.issue(anchor, request.der, 'token')));
  const before = signatures();
  await desk.desk.world.clock.advance(365 * 86_400_000);
  const later = await desk.issue(anchor, request.der, 'token');
  expect(new Set([...first, later].map(({ pem }) => pem)).size).toBe(1);
  expect(await signedRows('again')).toHaveLength(1);
  expect(signatures()).toBe(before);
  expect((await desk.issue(anchor, request.der, 'another token')).certificate.serialNumber).not.toBe(later.certificate.serialNumber);
});

test('an order that comes again with another key or name is an error, and changes nothing', async () => {
  const anchor = desk.anchor('mixed');
  const { pem } = await desk.issue(anchor, request.der, 'token');
  const other = await createRequest();
  await expect(desk.issue(anchor, other.der, 'token')).rejects.toThrow('planned for another name or key');
  await expect(desk.issue(anchor, request.der, 'token', 'dev-2')).rejects.toThrow('planned for another name or key');
  expect((await desk.issue(anchor, request.der, 'token')).pem).toBe(pem);
});

test.each(['before', 'after'] as const)(
  'it dies %s any call: in the end one certificate, and no other was ever handed out',
  async (moment) => {
    let deaths = 0;
    for (let n = 1; ; n += 1) {
      const anchor = desk.anchor(`crash-${moment}-${n}`);
      const references: string[] = [];
      const died = await issueSigned(crashing(desk.issuing(), n, moment), anchor, order('token')).then(
        (reference) => void references.push(reference),
        (error: unknown) => {
          if (!(error instanceof Death)) throw error;
          return 'died' as const;
        },
      );
      const rows = await signedRows(anchor.anchorId);
      expect(rows.length).toBeLessThanOrEqual(1);
      const kept: unknown = rows[0]?.['certificatePem'];
      const { pem, reference } = await desk.issue(anchor, request.der, 'token');
      if (kept !== undefined) expect(pem).toBe(kept);
      for (const given of references) expect(given).toBe(reference);
      expect(await signedRows(anchor.anchorId)).toHaveLength(1);
      if (died === undefined) break;
      deaths += 1;
    }
    expect(deaths).toBeGreaterThan(4);
  },
);

test('with throttles, failures and lost answers of KMS and the ledger: one certificate', async () => {
  const anchor = desk.anchor('faults');
  desk.desk.world.faults.set({ throttle: 0.15, serverError: 0.1, lostAnswer: 0.15 });
  const pems = new Set<string>();
  for (let delivered = 0; delivered < 12; delivered += 1)
    await desk.issue(anchor, request.der, 'token').then(
      ({ pem }) => pems.add(pem),
      () => undefined,
    );
  desk.desk.world.faults.set({ throttle: 0, serverError: 0, lostAnswer: 0 });
  pems.add((await desk.issue(anchor, request.der, 'token')).pem);
  expect(pems.size).toBe(1);
});

describe('nothing is signed', () => {
  test.each<[string, () => Promise<Uint8Array>, string]>([
    ['for a request that is none', () => Promise.resolve(Buffer.from('3003020100', 'hex')), 'MalformedRequest'],
    [
      'for a request that was not signed with its own key',
      async () => {
        const der = Buffer.from((await createRequest()).der);
        der[der.length - 1]! ^= 1;
        return der;
      },
      'RequestSignature',
    ],
    ['for a weak key', async () => (await createRequest({ key: 'RSA-1024' })).der, 'RequestKey'],
    ['for a key on a curve that devices here do not use', async () => (await createRequest({ key: 'P-521' })).der, 'RequestKey'],
  ])('%s: refused for good', async (_, csr, saying) => {
    const before = signatures();
    const refused = issueSigned(desk.issuing(), desk.anchor('refuses'), order('token', await csr()));
    await expect(refused).rejects.toEqual(new RequestRefusedByCa(saying));
    expect(signatures()).toBe(before);
  });

  test('beyond the end of the CA', async () => {
    const anchor = desk.anchor('short', await createKmsCa(desk.kms, desk.clock.nowMs(), 30));
    await expect(desk.issue(anchor, request.der, 'token')).rejects.toThrow('before a certificate of 90 days');
    expect(await signedRows('short')).toEqual([]);
  });

  test('with a key that is not the one of the pinned certificate', async () => {
    const other = await createKmsCa(desk.kms, desk.clock.nowMs());
    const anchor = desk.anchor('swapped', { keyArn: other.keyArn, certificatePem: desk.ca.certificatePem });
    const before = signatures();
    await expect(desk.issue(anchor, request.der, 'token')).rejects.toThrow('its public key is not that of the pinned certificate');
    expect(signatures()).toBe(before);
  });

  test('for longer than was ordered, whoever writes that into the ledger', async () => {
    const anchor = desk.anchor('forged');
    const secret = await desk.ports.records.serialSecret('forged');
    const serialNumber = serialNumberOf(secret, 'token');
    const nowMs = desk.clock.nowMs();
    const { keyId } = (await import('../../domain/pki/certificate-request.js')).CertificateRequest.read(request.der);
    const planned = { commonName: 'dev-1', keyId, notBeforeMs: nowMs - 1000, notAfterMs: nowMs + 3000 * 86_400_000, plannedAtMs: nowMs };
    await desk.ledger.client.send(
      new PutCommand({ TableName: desk.ledger.table, Item: { pk: 'SIGNED#forged', sk: serialNumber, ...planned } }),
    );
    await expect(desk.issue(anchor, request.der, 'token')).rejects.toThrow('planned for other times than are ordered');
  });

  test('while the key is disabled; when it is enabled again, the delivery after that goes on', async () => {
    const ca = await createKmsCa(desk.kms, desk.clock.nowMs());
    const anchor = desk.anchor('disabled', ca);
    await desk.kms.send(new DisableKeyCommand({ KeyId: ca.keyArn }));
    await expect(desk.issue(anchor, request.der, 'token')).rejects.toThrow('is disabled');
    await desk.kms.send(new EnableKeyCommand({ KeyId: ca.keyArn }));
    expect((await desk.issue(anchor, request.der, 'token')).certificate.subject).toBe('CN=dev-1');
  });
});

describe('a reference', () => {
  test('that this CA never gave is an error, and not "not yet"', async () => {
    const [anchor, other] = [desk.anchor('asked'), desk.anchor('other')];
    const { reference } = await desk.issue(other, request.der, 'token');
    for (const wrong of [reference, 'signer:asked:abc', 'arn:aws:acm-pca:eu-west-1:1:certificate-authority/x/certificate/y', ''])
      await expect(fetchSigned(desk.ports.records, anchor, wrong)).rejects.toThrow('which it never gave');
  });

  test('of a certificate that is being signed gives nothing yet', async () => {
    const anchor = desk.anchor('signing');
    const { reference, certificate } = await desk.issue(anchor, request.der, 'token');
    await desk.ledger.client.send(
      new UpdateCommand({
        TableName: desk.ledger.table,
        Key: { pk: 'SIGNED#signing', sk: certificate.serialNumber },
        UpdateExpression: 'REMOVE certificatePem',
      }),
    );
    expect(await fetchSigned(desk.ports.records, anchor, reference)).toBeUndefined();
  });
});

test('serial numbers are positive, 16 octets long, and of each token its own', () => {
  const secret = Buffer.alloc(32, 7);
  const serials = Array.from({ length: 1000 }, (_, index) => serialNumberOf(secret, `token ${index}`));
  expect(new Set(serials).size).toBe(1000);
  for (const serial of serials) expect(serial).toMatch(/^[4-7][0-9a-f]{31}$/);
  expect(serialNumberOf(Buffer.alloc(32, 8), 'token 0')).not.toBe(serials[0]);
});
