/** The CRL of a CA of our own: named, numbered, in time, and in order. */
import { DisableKeyCommand, EnableKeyCommand } from '@aws-sdk/client-kms';
import { DeleteObjectCommand } from '@aws-sdk/client-s3';
import { Certificate } from '../../domain/pki/certificate.js';
import { readCrlBytes } from '../../domain/pki/crl-reader.js';
import { METRICS } from '../../domain/fleet/metrics.js';
import { derToPem } from '../../domain/pki/pem.js';
import type { TrustAnchor } from '../../domain/pki/trust-anchor.js';
import { signedCrlKey, type PublishMessage } from '../../domain/protocol/signer.js';
import { s3Client } from '../../lambda/aws/clients.js';
import { run } from '../../lambda/signer/publish/run.js';
import { BUCKETS } from '../revocation/desk-ports.js';
import { crashing, Death } from '../revocation/memory/crashing.js';
import { createRequest, type BuiltRequest } from '../builders/csr.js';
import { createKmsCa, startSignerDesk, type SignerDesk } from './desk.js';
import { entriesOf, hasOpenssl, objectionsTo } from './openssl.js';

const DAY_MS = 86_400_000;
let desk: SignerDesk;
let request: BuiltRequest;
beforeAll(async () => {
  desk = await startSignerDesk();
  request = await createRequest();
});
afterAll(() => desk.stop());

async function read(anchor: TrustAnchor) {
  const crl = await desk.crl(anchor.anchorId);
  const issuers = [{ certificate: Certificate.read(anchor.certificatePem) }];
  const reading = readCrlBytes(crl, { atMs: desk.clock.nowMs(), issuers });
  if (!reading.accepted) throw new Error(JSON.stringify(reading.refusals));
  const listed = [...reading.fresh].map(({ serialNumber, reason }) => `${serialNumber} ${reason}`).sort();
  if (hasOpenssl) expect(entriesOf(crl, anchor.certificatePem).entries).toHaveLength(listed.length);
  return { number: reading.facts.crlNumber, listed, facts: reading.facts, crl };
}
const issued = (anchor: TrustAnchor, token: string, days = 90) => desk.issue(anchor, request.der, token, 'dev-1', days);
const settled = (): Promise<unknown[]> => desk.asked();

test('the first look publishes an empty CRL for seven days; the next ones publish nothing until half of them are over', async () => {
  const anchor = desk.anchor('first');
  expect(await desk.publish('first')).toBe('published');
  const { number, listed, facts } = await read(anchor);
  expect(listed).toEqual([]);
  expect(facts.nextUpdateMs - facts.thisUpdateMs).toBe(7 * DAY_MS);
  expect(facts.authorityKeyIdentifier).toEqual(Certificate.read(anchor.certificatePem).subjectKeyIdentifier);
  expect(facts.distributionPoint).toBeUndefined();
  expect(await desk.publish('first')).toBe('current');
  await desk.desk.world.clock.advance(3 * DAY_MS);
  expect(await desk.publish('first')).toBe('current');
  await desk.desk.world.clock.advance(0.6 * DAY_MS);
  expect(await desk.publish('first')).toBe('published');
  expect((await read(anchor)).number).toBeGreaterThan(number);
});

test('a superseded certificate is on the next CRL with that reason, and OpenSSL refuses it; the others not', async () => {
  const anchor = desk.anchor('supersede');
  const [old, other] = [await issued(anchor, 'old'), await issued(anchor, 'other')];
  expect(await desk.publish('supersede')).toBe('published');
  expect(await desk.supersede(anchor, old.certificate.serialNumber)).toBe(true);
  expect(await desk.supersede(anchor, old.certificate.serialNumber)).toBe(false);
  const [message] = (await settled()) as PublishMessage[];
  expect(message).toMatchObject({ kind: 'publish', anchorId: 'supersede' });
  expect(await run(desk.publishing(), message!)).toBe('published');
  const { listed, crl } = await read(anchor);
  expect(listed).toEqual([`${old.certificate.serialNumber} superseded`]);
  if (!hasOpenssl) return;
  const pem = derToPem(crl, 'X509 CRL');
  expect(objectionsTo(old.pem, anchor.certificatePem, desk.clock.nowMs(), pem)).toContain('certificate revoked');
  expect(objectionsTo(other.pem, anchor.certificatePem, desk.clock.nowMs(), pem)).toBe('');
});

test('a certificate of this CA that is not in the books is revoked all the same', async () => {
  const anchor = desk.anchor('foreign');
  await desk.supersede(anchor, 'deadbeef');
  await desk.publish('foreign');
  expect((await read(anchor)).listed).toEqual(['deadbeef superseded']);
});

test('revocations that come together are one CRL: the messages behind the first find that it names them', async () => {
  const anchor = desk.anchor('together');
  await settled();
  for (let i = 0; i < 5; i += 1) await desk.supersede(anchor, (await issued(anchor, `t${i}`)).certificate.serialNumber);
  const messages = (await settled()) as PublishMessage[];
  expect(messages).toHaveLength(5);
  const outcomes = [];
  for (const message of messages) outcomes.push(await run(desk.publishing(), message));
  expect(outcomes).toEqual(['published', 'covered', 'covered', 'covered', 'covered']);
  expect((await read(anchor)).listed).toHaveLength(5);
});

test('an entry stays until one CRL has named it after the end of its certificate, and then goes', async () => {
  const anchor = desk.anchor('ends');
  const short = await issued(anchor, 'short', 10);
  const long = await issued(anchor, 'long', 300);
  for (const { certificate } of [short, long]) await desk.supersede(anchor, certificate.serialNumber);
  await desk.publish('ends');
  const both = [short, long].map(({ certificate }) => `${certificate.serialNumber} superseded`).sort();
  const seen: string[][] = [];
  for (let looks = 0; looks < 6; looks += 1) {
    seen.push((await read(anchor)).listed);
    await desk.desk.world.clock.advance(4 * DAY_MS);
    expect(await desk.publish('ends')).toBe('published');
  }
  // Day 0, 4, 8: alive. Day 12: ended two days before, named once more. Day 16: gone.
  expect(seen).toEqual([
    both,
    both,
    both,
    both,
    [`${long.certificate.serialNumber} superseded`],
    [`${long.certificate.serialNumber} superseded`],
  ]);
  expect((await desk.ports.records.get('ends', short.certificate.serialNumber))?.revocationReason).toBe('superseded');
  expect(await desk.supersede(anchor, short.certificate.serialNumber)).toBe(false);
});

test('a certificate that is revoked after its end is named once', async () => {
  const anchor = desk.anchor('late');
  const { certificate } = await issued(anchor, 'late', 1);
  await desk.publish('late');
  await desk.desk.world.clock.advance(3 * DAY_MS);
  await desk.supersede(anchor, certificate.serialNumber);
  expect(await desk.publish('late')).toBe('published');
  expect((await read(anchor)).listed).toEqual([`${certificate.serialNumber} superseded`]);
  expect(await desk.publish('late')).toBe('current');
  await desk.desk.world.clock.advance(4 * DAY_MS);
  await desk.publish('late');
  expect((await read(anchor)).listed).toEqual([]);
});

test('a CRL that somebody deleted is published again', async () => {
  const anchor = desk.anchor('gone');
  await desk.publish('gone');
  const { number } = await read(anchor);
  await s3Client().send(new DeleteObjectCommand({ Bucket: BUCKETS.crls, Key: signedCrlKey('gone') }));
  expect(await desk.publish('gone')).toBe('published');
  expect((await read(anchor)).number).toBeGreaterThan(number);
});

test('ten publishers at once: numbers rise, none is used twice, and the last CRL in the bucket has the highest', async () => {
  const anchor = desk.anchor('race');
  const numbers: bigint[] = [];
  for (let round = 0; round < 4; round += 1) {
    await desk.supersede(anchor, (await issued(anchor, `r${round}`)).certificate.serialNumber);
    const outcomes = await Promise.allSettled(Array.from({ length: 10 }, () => desk.publish('race')));
    expect(outcomes.some((outcome) => outcome.status === 'fulfilled' && outcome.value === 'published')).toBe(true);
    const { number, listed } = await read(anchor);
    expect(listed).toHaveLength(round + 1);
    const { published, lastNumber } = await desk.ports.publications.of('race');
    expect(BigInt(published!.crlNumber)).toBe(number);
    expect(BigInt(lastNumber)).toBeGreaterThanOrEqual(number);
    numbers.push(number);
  }
  expect(numbers).toEqual([...numbers].sort((a, b) => Number(a - b)));
  expect(new Set(numbers).size).toBe(4);
});

test.each(['before', 'after'] as const)(
  'it dies %s any call: the next delivery leaves a CRL that names everything, with a number above all before',
  async (moment) => {
    let deaths = 0;
    for (let n = 1; ; n += 1) {
      const anchorId = `crash-${moment}-${n}`;
      const anchor = desk.anchor(anchorId);
      await desk.publish(anchorId);
      const { number } = await read(anchor);
      const { certificate } = await issued(anchor, 'old', 1);
      await desk.supersede(anchor, certificate.serialNumber);
      await desk.supersede(anchor, 'beef');
      await desk.desk.world.clock.advance(2 * DAY_MS);
      const died = await run(crashing(desk.publishing(), n, moment), { kind: 'publish', anchorId }).then(
        () => false,
        (error: unknown) => {
          if (!(error instanceof Death)) throw error;
          return true;
        },
      );
      const between = await read(anchor);
      expect(between.number).toBeGreaterThanOrEqual(number);
      if (died) {
        expect(['published', 'current']).toContain(await desk.publish(anchorId));
        expect((await read(anchor)).number).toBeGreaterThanOrEqual(between.number);
      }
      const end = await read(anchor);
      expect(end.number).toBeGreaterThan(number);
      expect(end.listed).toContain('beef superseded');
      // The one that has ended was named by this CRL, or by the one before it.
      expect([...between.listed, ...end.listed]).toContain(`${certificate.serialNumber} superseded`);
      if (!died) break;
      deaths += 1;
    }
    expect(deaths).toBeGreaterThan(7);
  },
);

test('a failure is counted and comes back; an anchor without a signer is an error', async () => {
  const failed = () => desk.signals.metrics.get(METRICS.crlPublishFailed) ?? 0;
  const before = failed();
  await expect(desk.publish('nobody')).rejects.toThrow('publish: got trust anchor "nobody", expected one with a signer');
  expect(failed()).toBe(before + 1);
});

test('the regular look tells of a key that is disabled, although no CRL is due', async () => {
  const ca = await createKmsCa(desk.kms, desk.clock.nowMs());
  desk.anchor('key', ca);
  expect(await desk.publish('key')).toBe('published');
  await desk.kms.send(new DisableKeyCommand({ KeyId: ca.keyArn }));
  await expect(desk.publish('key')).rejects.toThrow('is disabled');
  await desk.kms.send(new EnableKeyCommand({ KeyId: ca.keyArn }));
  expect(await desk.publish('key')).toBe('current');
});

test('each look tells how long the CRL still counts', async () => {
  desk.anchor('left');
  const toldBy = async (): Promise<number> => {
    desk.signals.metrics.delete(METRICS.crlSecondsLeft);
    await desk.publish('left');
    return desk.signals.metrics.get(METRICS.crlSecondsLeft) ?? 0;
  };
  expect(await toldBy()).toBeGreaterThan(7 * 86_400 - 60);
  await desk.desk.world.clock.advance(DAY_MS);
  const left = await toldBy();
  expect(left).toBeLessThanOrEqual(6 * 86_400);
  expect(left).toBeGreaterThan(5 * 86_400);
});
