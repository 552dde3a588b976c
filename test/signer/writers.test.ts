/** What our CA writes, judged by OpenSSL and by our own strict readers. */
import { generateKeyPairSync } from 'node:crypto';
import fc from 'fast-check';
import { Certificate } from '../../domain/pki/certificate.js';
import { deviceCertificateTbs, commonNameDer } from '../../domain/pki/certificate-writer.js';
import { crlTbs } from '../../domain/pki/crl-writer.js';
import { CRL_REASONS, type CrlReason } from '../../domain/pki/crl-reason.js';
import { readCrlBytes } from '../../domain/pki/crl-reader.js';
import { DerCursor, TAG } from '../../domain/pki/der.js';
import { integer, namedBits, oid, time } from '../../domain/pki/der-writer.js';
import { derToPem } from '../../domain/pki/pem.js';
import { serialNumberFromHex } from '../../domain/pki/serial-number.js';
import { readTime } from '../../domain/pki/time.js';
import { ownCa, type OwnCa } from '../builders/own-ca.js';
import { entriesOf, hasOpenssl, objectionsTo, openssl } from './openssl.js';

const NOW = Date.UTC(2026, 10, 22, 10);
const DAY_MS = 86_400_000;
const judged = hasOpenssl ? test : test.skip;

async function deviceOf(ca: OwnCa, commonName: string, key: 'ec' | 'rsa' = 'ec', serial = '41abcdef0102030405060708090a0b0c', days = 90) {
  const { publicKey } =
    key === 'ec' ? generateKeyPairSync('ec', { namedCurve: 'prime256v1' }) : generateKeyPairSync('rsa', { modulusLength: 2048 });
  const issuer = Certificate.read(ca.certificatePem);
  const content = {
    serialNumber: serialNumberFromHex(serial),
    notBeforeMs: NOW,
    notAfterMs: NOW + days * DAY_MS,
    commonName,
    spkiDer: publicKey.export({ type: 'spki', format: 'der' }),
  };
  const der = await ca.signer.sign(ca.publicKey, (algorithm) => deviceCertificateTbs(content, issuer, algorithm));
  return { certificate: Certificate.read(der), pem: derToPem(der, 'CERTIFICATE'), publicKey };
}

const crlOf = (ca: OwnCa, revoked: readonly { serial: string; reason: CrlReason }[], crlNumber = 1, atMs = NOW) =>
  ca.signer.sign(ca.publicKey, (algorithm) =>
    crlTbs(
      {
        crlNumber,
        thisUpdateMs: atMs,
        nextUpdateMs: atMs + 7 * DAY_MS,
        revoked: revoked.map(({ serial, reason }) => ({ serialNumber: serialNumberFromHex(serial), revokedAtMs: atMs, reason })),
      },
      Certificate.read(ca.certificatePem),
      algorithm,
    ),
  );

describe.each(['P-256', 'P-384', 'RSA-2048'] as const)('a CA on %s', (key) => {
  const ca = ownCa(key);

  judged('is a CA for OpenSSL, strictly', () => {
    const own = { 'ca.pem': ca.certificatePem };
    expect(openssl(own, 'verify', '-x509_strict', '-attime', String(NOW / 1000), '-CAfile', 'ca.pem', 'ca.pem').stdout).toBe(
      'ca.pem: OK\n',
    );
    const { stdout } = openssl(own, 'x509', '-in', 'ca.pem', '-noout', '-text');
    expect(stdout).toMatch(/Basic Constraints: critical\s+CA:TRUE, pathlen:0/);
    expect(stdout).toMatch(/Key Usage: critical\s+Certificate Sign, CRL Sign/);
  });

  judged('writes certificates that OpenSSL takes for a client, and for nothing else', async () => {
    for (const kind of ['ec', 'rsa'] as const) {
      const { pem } = await deviceOf(ca, 'pump-1', kind);
      expect(objectionsTo(pem, ca.certificatePem, NOW)).toBe('');
      expect(objectionsTo(pem, ca.certificatePem, NOW + 91 * DAY_MS)).toContain('expired');
      expect(objectionsTo(pem, ownCa(key).certificatePem, NOW)).not.toBe('');
      const { stdout } = openssl({ 'c.pem': pem }, 'x509', '-in', 'c.pem', '-noout', '-text');
      expect(stdout).toMatch(/Basic Constraints: critical\s+CA:FALSE/);
      expect(stdout).toMatch(
        kind === 'ec' ? /Key Usage: critical\s+Digital Signature\n/ : /Key Usage: critical\s+Digital Signature, Key Encipherment\n/,
      );
      expect(stdout).toMatch(/Extended Key Usage: ?\s+TLS Web Client Authentication\n/);
      expect(stdout).not.toContain('Alternative Name');
      expect(
        openssl(
          { 'c.pem': pem, 'ca.pem': ca.certificatePem },
          'verify',
          '-purpose',
          'sslserver',
          '-attime',
          String(NOW / 1000),
          '-CAfile',
          'ca.pem',
          'c.pem',
        ).status,
      ).not.toBe(0);
    }
  });

  test('writes what our own reader reads', async () => {
    const { certificate, publicKey } = await deviceOf(ca, 'pump "ü" + 1');
    const issuer = Certificate.read(ca.certificatePem);
    expect(certificate.wasSignedBy(issuer)).toBe(true);
    expect(certificate.publicKey.equals(publicKey)).toBe(true);
    expect(certificate).toMatchObject({
      isCa: false,
      extendedKeyUsages: ['1.3.6.1.5.5.7.3.2'],
      notBeforeMs: NOW,
      notAfterMs: NOW + 90 * DAY_MS,
    });
    expect(certificate.authorityKeyIdentifier).toEqual(issuer.subjectKeyIdentifier);
    expect(certificate.issuerId).toBe(issuer.subjectId);
    expect(issuer).toMatchObject({ isCa: true, maySignCrls: true });
  });

  judged('writes CRLs that OpenSSL verifies, and by which it refuses exactly the revoked', async () => {
    const [revoked, other] = [await deviceOf(ca, 'a', 'ec', '5a'), await deviceOf(ca, 'b', 'ec', 'ff00')];
    const crl = await crlOf(
      ca,
      [
        { serial: '5a', reason: 'superseded' },
        { serial: 'c0ffee', reason: 'unspecified' },
      ],
      4711,
    );
    expect(entriesOf(crl, ca.certificatePem)).toMatchObject({
      number: 4711n,
      entries: [
        { serialNumber: '5a', reason: 'Superseded' },
        { serialNumber: 'c0ffee', reason: '' },
      ],
    });
    const pem = derToPem(crl, 'X509 CRL');
    expect(objectionsTo(revoked.pem, ca.certificatePem, NOW + 1000, pem)).toContain('certificate revoked');
    expect(objectionsTo(other.pem, ca.certificatePem, NOW + 1000, pem)).toBe('');
    expect(objectionsTo(other.pem, ca.certificatePem, NOW + 8 * DAY_MS, pem)).toContain('CRL has expired');
  });

  test('writes CRLs that our own strict reader takes, an empty one too', async () => {
    const issuers = [{ certificate: Certificate.read(ca.certificatePem) }];
    for (const revoked of [[], [{ serial: '80', reason: 'keyCompromise' as const }]]) {
      const reading = readCrlBytes(await crlOf(ca, revoked, 300), { atMs: NOW, issuers });
      expect(reading).toMatchObject({ accepted: true, facts: { crlNumber: 300n, entries: revoked.length, thisUpdateMs: NOW } });
    }
    const forged = Buffer.from(await crlOf(ca, []));
    forged[forged.length - 1]! ^= 1;
    expect(readCrlBytes(forged, { atMs: NOW, issuers }).accepted).toBe(false);
  });
});

judged('OpenSSL and our reader find every serial number and every reason that was written', async () => {
  const ca = ownCa();
  const issuers = [{ certificate: Certificate.read(ca.certificatePem) }];
  const reasons = Object.values(CRL_REASONS).filter((reason) => reason !== 'removeFromCRL');
  const entry = fc.record({ serial: fc.bigInt({ min: 1n, max: (1n << 159n) - 1n }), reason: fc.constantFrom(...reasons) });
  await fc.assert(
    fc.asyncProperty(
      fc.uniqueArray(entry, { maxLength: 40, selector: ({ serial }) => serial }),
      fc.integer({ min: 1, max: 2 ** 48 }),
      async (list, number) => {
        const crl = await crlOf(
          ca,
          list.map(({ serial, reason }) => ({ serial: serial.toString(16), reason })),
          number,
        );
        const reading = readCrlBytes(crl, { atMs: NOW, issuers });
        if (!reading.accepted) throw new Error(JSON.stringify(reading.refusals));
        const sorted = list.map(({ serial, reason }) => `${serial.toString(16)} ${reason}`).sort();
        expect([...reading.fresh].map(({ serialNumber, reason }) => `${serialNumber} ${reason}`).sort()).toEqual(sorted);
        expect(reading.facts.crlNumber).toBe(BigInt(number));
        expect(
          entriesOf(crl, ca.certificatePem)
            .entries.map(({ serialNumber }) => serialNumber)
            .sort(),
        ).toEqual(sorted.map((line) => line.split(' ')[0]));
      },
    ),
    { numRuns: 15 },
  );
});

test('a CRL of 50,000 entries is written and read whole', async () => {
  const ca = ownCa();
  const revoked = Array.from({ length: 50_000 }, (_, index) => ({ serial: (index + 1).toString(16), reason: 'superseded' as const }));
  const reading = readCrlBytes(await crlOf(ca, revoked), { atMs: NOW, issuers: [{ certificate: Certificate.read(ca.certificatePem) }] });
  expect(reading).toMatchObject({ accepted: true, facts: { entries: 50_000 } });
});

describe('DER is written in the one form that the strict reader takes', () => {
  test('integers of any size', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 1n << 200n }), (value) => {
        const content = new DerCursor(integer(value)).integer();
        expect(BigInt(`0x${Buffer.from(content).toString('hex')}`)).toBe(value);
      }),
    );
  });

  test('times of two centuries, to the second: UTCTime through 2049, GeneralizedTime after', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: Date.UTC(2149, 0, 1) / 1000 }), (seconds) => {
        const der = time(seconds * 1000);
        expect(der[0]).toBe(seconds < Date.UTC(2050, 0, 1) / 1000 ? TAG.utcTime : TAG.generalizedTime);
        expect(readTime(new DerCursor(der))).toBe(seconds);
      }),
    );
  });

  test('identifiers and named bits', () => {
    for (const id of ['2.5.29.20', '1.2.840.113549.1.1.11', '2.16.840.1.101.3.4.2.1', '1.3.132.0.34'])
      expect(new DerCursor(oid(id)).oid()).toBe(id);
    fc.assert(
      fc.property(fc.uniqueArray(fc.integer({ min: 0, max: 12 }), { minLength: 1 }), (bits) => {
        expect(new DerCursor(namedBits(...bits)).namedBits()).toEqual(new Set(bits));
      }),
    );
  });

  test('a common name that is empty or too long is not written', () => {
    expect(() => commonNameDer('')).toThrow('common name: got 0 characters, expected 1 to 64');
    expect(() => commonNameDer('x'.repeat(65))).toThrow('got 65 characters');
    expect(() => commonNameDer('x'.repeat(64))).not.toThrow();
  });
});
