/** Which CA answers for which anchor: AWS Private CA, a signer of ours, or nobody. */
import type { TrustAnchor } from '../../domain/pki/trust-anchor.js';
import { gaveReference } from '../../domain/pki/trust-anchor.js';
import { readSignerReference, signerReference } from '../../domain/protocol/signer.js';
import { serialNumberFromHex } from '../../domain/pki/serial-number.js';
import { privateCaClient } from '../../lambda/aws/clients.js';
import { issuingCaOf } from '../../lambda/aws/issuing-anchor.js';
import { issuingCas } from '../../lambda/aws/issuing-cas.js';
import { kmsCaSigner } from '../../lambda/aws/kms-ca-signer.js';
import { createRequest } from '../builders/csr.js';
import { startSignerDesk, type SignerDesk } from './desk.js';

const CA_ARN = 'arn:aws:acm-pca:eu-west-1:111122223333:certificate-authority/0f1e2d3c-4b5a-4678-8a9b-0c1d2e3f4a5b';
let desk: SignerDesk;
let own: TrustAnchor;
let foreign: TrustAnchor;
beforeAll(async () => {
  desk = await startSignerDesk();
  own = desk.anchor('own');
  foreign = { ...own, anchorId: 'foreign', signer: undefined };
});
afterAll(() => desk.stop());

test('an anchor with a signer issues, fetches and supersedes by the ports that rotation has', async () => {
  const { records, clock, anchors, publish } = desk.ports;
  const issuing = issuingCaOf(
    { privateCa: privateCaClient(), records, clock, signerOf: (arn) => kmsCaSigner(desk.kms, arn) },
    anchors,
    'own',
  );
  const order = { csrDer: (await createRequest()).der, commonName: 'dev-1', validityDays: 30, idempotencyToken: 'token' };
  const reference = await issuing.issue(order);
  const cas = issuingCas(privateCaClient(), anchors, { records, clock, publish });
  const pem = await issuing.fetch(reference);
  expect(pem).toContain('BEGIN CERTIFICATE');
  expect(await cas.fetch(own, reference)).toBe(pem);
  const { serialNumber } = readSignerReference(reference)!;
  for (let i = 0; i < 2; i += 1) expect(await cas.supersede(own, serialNumber)).toBe(true);
  expect((await records.get('own', serialNumber))?.revocationReason).toBe('superseded');
  expect(await desk.asked()).toHaveLength(2);
});

test('an external CA without a signer cannot be asked: people revoke there', async () => {
  const { records, clock, anchors, publish } = desk.ports;
  const cas = issuingCas(privateCaClient(), anchors, { records, clock, publish });
  expect(await cas.fetch(foreign, 'signer:foreign:ab')).toBeUndefined();
  expect(await cas.supersede(foreign, 'ab')).toBe(false);
});

test('a function that was not told the publish queue does not pretend to have superseded', async () => {
  const { records, clock, anchors } = desk.ports;
  await expect(issuingCas(privateCaClient(), anchors, { records, clock }).supersede(own, 'abc')).rejects.toThrow('got no publish queue');
  expect(
    await records.revoke('own', { serialNumber: serialNumberFromHex('abc'), reason: 'superseded', revokedAtMs: 1, notAfterMs: 2 }),
  ).toBe(true);
});

test('an anchor that is neither is an error at the first order', async () => {
  const { records, clock, anchors } = desk.ports;
  const issuing = issuingCaOf(
    { privateCa: privateCaClient(), records, clock, signerOf: (arn) => kmsCaSigner(desk.kms, arn) },
    anchors,
    'nobody',
  );
  const order = { csrDer: (await createRequest()).der, commonName: 'dev-1', validityDays: 30, idempotencyToken: 'token' };
  await expect(issuing.issue(order)).rejects.toThrow('issuing CA: got trust anchor "nobody", expected one of type acm-pca');
});

test.each<[string, Partial<TrustAnchor>, string, boolean]>([
  ['the ARN of a certificate of that CA', { certificateAuthorityArn: CA_ARN, signer: undefined }, `${CA_ARN}/certificate/ab`, true],
  ['the ARN of a CA whose ARN begins alike', { certificateAuthorityArn: CA_ARN, signer: undefined }, `${CA_ARN}0/certificate/ab`, false],
  ['a reference of that signer', {}, 'signer:own:ab', true],
  ['a reference of another signer', {}, 'signer:own-2:ab', false],
  ['a reference that is none', {}, 'signer:own:AB CD', false],
  ['a reference at an anchor without a signer', { signer: undefined }, 'signer:own:ab', false],
])('%s: known as its own', (_, change, reference, expected) => {
  expect(gaveReference({ ...own, ...change }, reference)).toBe(expected);
});

test('a reference says anchor and serial number, and is read back', () => {
  const reference = signerReference('plant-7', serialNumberFromHex('0B7C2'));
  expect(readSignerReference(reference)).toEqual({ anchorId: 'plant-7', serialNumber: 'b7c2' });
  for (const wrong of ['', 'signer:', 'signer:Plant:ab', 'signer:plant:', `signer:plant:${'a'.repeat(41)}`])
    expect(readSignerReference(wrong)).toBeUndefined();
});
