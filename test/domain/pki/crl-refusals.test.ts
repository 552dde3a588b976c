/** One test for each control of the CRL reader: take the control out, and its sentence goes red. */
import { generateKeyPairSync } from 'node:crypto';
import { Certificate } from '../../../domain/pki/certificate.js';
import { readCrlBytes, type CrlIssuer, type CrlReadOptions, type CrlRefusalCode } from '../../../domain/pki/crl-reader.js';
import { KeyUsageFlags, createCa, type KeyName, type TestCa } from '../../builders/ca.js';
import { THIS_UPDATE, buildCrl, crlPem, tbsCertList, unknownExtension, type CrlSpec } from '../../builders/crl.js';
import {
  bitString,
  boolean,
  context,
  contextPrimitive,
  enumerated,
  extension,
  generalizedTime,
  integer,
  nullValue,
  octetString,
  oid,
  sequence,
  tlv,
  utcTime,
  utf8String,
} from '../../builders/der.js';
import { algorithmIdentifier, pssParameters, signatureOver, type SignatureName } from '../../builders/signature.js';

const AT_MS = THIS_UPDATE.getTime() + 3_600_000;
const ENTRIES = [{ serial: 0xb7c2n, reason: 1 }, { serial: 0xffn }];

let ca: TestCa;
let issuers: readonly CrlIssuer[];
beforeAll(async () => {
  ca = await createCa({ name: 'C=DE,O=Example,CN=Fleet CA' });
  issuers = [{ certificate: Certificate.read(ca.certificatePem) }];
});

function codes(bytes: Uint8Array, options: Partial<CrlReadOptions> = {}): readonly CrlRefusalCode[] {
  return readCrlBytes(bytes, { atMs: AT_MS, issuers, ...options }).refusals.map(({ code }) => code);
}
const crl = (spec: Partial<CrlSpec> = {}): Buffer => buildCrl({ ca, crlNumber: 7n, entries: ENTRIES, ...spec });
const attribute = (value: Uint8Array): Buffer => sequence(oid('2.5.4.3'), value);
const text = (value: string): Buffer => Buffer.from(value, 'latin1');

describe('a CRL that is in order', () => {
  it('is accepted, and gives serial, date and reason of every entry, in order', () => {
    const reading = readCrlBytes(crl(), { atMs: AT_MS, issuers });
    if (!reading.accepted) throw new Error(JSON.stringify(reading.refusals));
    expect(reading.facts).toMatchObject({
      issuer: 'CN=Fleet CA,O=Example,C=DE',
      crlNumber: 7n,
      entries: 2,
      thisUpdateMs: THIS_UPDATE.getTime(),
    });
    expect(reading.issuerIndex).toBe(0);
    expect([...reading.fresh]).toEqual([
      { serialNumber: 'ff', revocationDateMs: Date.UTC(2026, 0, 1), reason: 'unspecified', action: 'revoke' },
      { serialNumber: 'b7c2', revocationDateMs: Date.UTC(2026, 0, 1), reason: 'keyCompromise', action: 'revoke' },
    ]);
  });

  it.each<[string, () => Buffer]>([
    ['as PEM', () => text(crlPem(crl()))],
    ['as PEM with CRLF', () => text(crlPem(crl()).replaceAll('\n', '\r\n'))],
    ['without entries', () => crl({ entries: [] })],
    ['with an empty list of entries (a zlint case which is DER and revokes nothing)', () => crl({ entriesDer: Buffer.alloc(0) })],
    ['with the largest serial, 20 octets, all bits set', () => crl({ entries: [{ serial: (1n << 160n) - 1n }] })],
    ['with CRL number 0', () => crl({ crlNumber: 0n })],
    ['with the largest CRL number, 20 octets', () => crl({ crlNumber: (1n << 160n) - 1n })],
    ['for user certificates only', () => crl({ idp: { onlyContainsUserCerts: true } })],
    ['with an unknown extension that is not critical', () => crl({ extensions: [unknownExtension(false)] })],
    [
      'with a freshestCRL',
      () =>
        crl({
          extensions: [extension('2.5.29.46', sequence(sequence(context(0, context(0, contextPrimitive(6, text('http://x/d.crl')))))))],
        }),
    ],
    [
      'with an invalidity date',
      () => crl({ entries: [{ serial: 5n, extensions: [extension('2.5.29.24', generalizedTime(new Date(0)))] }] }),
    ],
    ['with dates from 2050 on', () => crl({ nextUpdate: new Date('2055-01-01T00:00:00Z') })],
    ['with a thisUpdate a little ahead', () => crl({ thisUpdate: new Date(AT_MS + 200_000) })],
    [
      'with a long serial list of one octet each',
      () => crl({ entries: Array.from({ length: 127 }, (_, i) => ({ serial: BigInt(i + 1) })) }),
    ],
  ])('is accepted %s', (_, build) => {
    expect(codes(build())).toEqual([]);
  });

  it('has a digest of its own: other entries mean another signature, and that is in it', async () => {
    const own = await createCa({ key: 'RSA-2048' }); // its signatures are the same each time
    const pinned = [{ certificate: Certificate.read(own.certificatePem) }];
    const digest = (serial: bigint): string | undefined =>
      readCrlBytes(buildCrl({ ca: own, entries: [{ serial }] }), { atMs: AT_MS, issuers: pinned }).facts?.digest;
    expect(digest(5n)).toBe(digest(5n));
    expect(digest(5n)).not.toBe(digest(6n));
  });

  it('is accepted although it is expired, and says so', () => {
    const reading = readCrlBytes(crl(), { atMs: THIS_UPDATE.getTime() + 400 * 86_400_000, issuers });
    expect(reading).toMatchObject({ accepted: true, expired: true });
  });

  it('is expired only after nextUpdate', () => {
    const nextUpdate = new Date(AT_MS);
    expect(readCrlBytes(crl({ nextUpdate }), { atMs: AT_MS, issuers })).toMatchObject({ expired: false });
    expect(readCrlBytes(crl({ nextUpdate }), { atMs: AT_MS + 1, issuers })).toMatchObject({ expired: true });
  });
});

describe('signatures', () => {
  it.each<[KeyName, SignatureName]>([
    ['P-256', 'ecdsa-with-SHA256'],
    ['P-384', 'ecdsa-with-SHA384'],
    ['P-521', 'ecdsa-with-SHA512'],
    ['P-256', 'ecdsa-with-SHA512'],
    ['RSA-2048', 'sha256WithRSAEncryption'],
    ['RSA-2048', 'sha384WithRSAEncryption'],
    ['RSA-2048', 'sha512WithRSAEncryption'],
    ['RSA-2048', 'rsassa-pss-sha256'],
    ['RSA-2048', 'rsassa-pss-sha384'],
    ['RSA-2048', 'rsassa-pss-sha512'],
  ])('by %s, %s are verified, and one by another key is not', async (key, scheme) => {
    const [own, other] = [await createCa({ key }), await createCa({ key })];
    const pinned = [{ certificate: Certificate.read(own.certificatePem) }];
    expect(codes(buildCrl({ ca: own, scheme }), { issuers: pinned })).toEqual([]);
    expect(codes(buildCrl({ ca: own, scheme, signWith: other.privateKey }), { issuers: pinned })).toEqual(['bad-signature']);
  });

  it.each<[KeyName, SignatureName, CrlRefusalCode]>([
    ['P-256', 'ecdsa-with-SHA1', 'weak-hash'],
    ['RSA-2048', 'sha1WithRSAEncryption', 'weak-hash'],
    ['RSA-2048', 'md5WithRSAEncryption', 'weak-hash'],
    ['RSA-2048', 'rsassa-pss-sha1', 'weak-hash'],
    ['RSA-2048', 'sha224WithRSAEncryption', 'unsupported-signature-algorithm'],
    ['P-256', 'ecdsa-with-SHA224', 'unsupported-signature-algorithm'],
  ])('by %s, %s are refused: %s', async (key, scheme, code) => {
    const own = await createCa({ key });
    expect(codes(buildCrl({ ca: own, scheme }), { issuers: [{ certificate: Certificate.read(own.certificatePem) }] })).toEqual([code]);
  });

  it('over a broken hash are refused even where nobody asks for the signature', async () => {
    expect(codes(crl({ scheme: 'ecdsa-with-SHA1' }), { issuers: undefined })).toEqual(['weak-hash']);
  });

  it('by Ed25519 are refused: not in the table', () => {
    const { privateKey } = generateKeyPairSync('ed25519');
    expect(codes(crl({ signWith: privateKey }))).toEqual(['unsupported-signature-algorithm']);
  });

  it('by an algorithm of another family than the pinned key are refused', async () => {
    const rsa = await createCa({ key: 'RSA-2048' });
    expect(codes(crl({ signWith: rsa.privateKey }))).toEqual(['unsupported-signature-algorithm']);
  });

  it('with PSS parts that do not belong together are refused', async () => {
    const rsa = await createCa({ key: 'RSA-2048' });
    const pinned = [{ certificate: Certificate.read(rsa.certificatePem) }];
    const hash = (last: number): Buffer => sequence(oid(`2.16.840.1.101.3.4.2.${last}`), nullValue());
    const algorithm = (params: Buffer): Buffer => sequence(oid('1.2.840.113549.1.1.10'), params);
    const build = (params: Buffer): Buffer => buildCrl({ ca: rsa, scheme: 'rsassa-pss-sha256', outerAlgorithm: algorithm(params) });
    expect(codes(build(pssParameters(hash(1), hash(1), 32)), { issuers: pinned })).toEqual([]);
    expect(codes(build(pssParameters(hash(1), hash(2), 32)), { issuers: pinned })).toEqual(['unsupported-signature-algorithm']);
    expect(codes(build(pssParameters(hash(1), hash(1), 21)), { issuers: pinned })).toEqual(['bad-signature']);
    expect(codes(build(pssParameters(hash(1), hash(1), 20)), { issuers: pinned })).toEqual(['not-der']);
    const more = (part: number, ...inside: Buffer[]): Buffer =>
      sequence(
        ...[context(0, hash(1)), context(1, sequence(oid('1.2.840.113549.1.1.8'), hash(1))), context(2, integer(32))].with(
          part,
          context(part, ...inside),
        ),
      );
    expect(codes(build(more(0, hash(1), nullValue())), { issuers: pinned })).toEqual(['not-der']);
    expect(codes(build(more(1, sequence(oid('1.2.840.113549.1.1.8'), hash(1), nullValue()))), { issuers: pinned })).toEqual(['not-der']);
    for (const salt of [-2, 128])
      expect(codes(build(pssParameters(hash(1), hash(1), salt)), { issuers: pinned })).toEqual(['unsupported-signature-algorithm']);
  });

  it('whose algorithm inside is not the one outside are refused', () => {
    expect(codes(crl({ innerAlgorithm: algorithmIdentifier('ecdsa-with-SHA512') }))).toContain('algorithm-mismatch');
    expect(codes(crl({ innerAlgorithm: algorithmIdentifier('ecdsa-with-SHA512') }), { issuers: undefined })).toEqual([
      'algorithm-mismatch',
    ]);
  });

  it('that are not of whole octets are refused', () => {
    const algorithm = algorithmIdentifier('ecdsa-with-SHA256');
    const unsigned = tbsCertList({ ca, crlNumber: 7n }, algorithm);
    expect(codes(sequence(unsigned, algorithm, bitString(Buffer.from([0x30, 0x80]), 1)), { issuers: undefined })).toEqual([
      'bad-signature',
    ]);
  });
});

describe('the issuer', () => {
  it('must be one that is pinned', async () => {
    const stranger = await createCa({ name: 'CN=Stranger' });
    expect(codes(buildCrl({ ca: stranger }))).toEqual(['foreign-issuer']);
  });

  it('is nobody where the list of pinned CAs is empty', () => {
    expect(codes(crl(), { issuers: [] })).toEqual(['foreign-issuer']);
  });

  it('of the same name and another key is told by the authority key identifier', async () => {
    const successor = await createCa({ name: 'C=DE,O=Example,CN=Fleet CA' });
    expect(codes(buildCrl({ ca: successor }))).toEqual(['foreign-authority-key-identifier']);
    const both = [...issuers, { certificate: Certificate.read(successor.certificatePem) }];
    expect(readCrlBytes(buildCrl({ ca: successor }), { atMs: AT_MS, issuers: both })).toMatchObject({ accepted: true, issuerIndex: 1 });
    expect(readCrlBytes(crl(), { atMs: AT_MS, issuers: both })).toMatchObject({ accepted: true, issuerIndex: 0 });
  });

  it('must have cRLSign', async () => {
    const own = await createCa({ keyUsages: KeyUsageFlags.keyCertSign });
    expect(codes(buildCrl({ ca: own }), { issuers: [{ certificate: Certificate.read(own.certificatePem) }] })).toEqual([
      'issuer-without-crl-sign',
    ]);
  });

  it('without a keyUsage extension may sign CRLs (RFC 5280 §6.3.3 (f))', async () => {
    const own = await createCa({ keyUsages: null });
    expect(codes(buildCrl({ ca: own }), { issuers: [{ certificate: Certificate.read(own.certificatePem) }] })).toEqual([]);
  });

  it('without a subjectKeyIdentifier is compared by the digest of its key', async () => {
    const own = await createCa({ withSubjectKeyIdentifier: false });
    const pinned = [{ certificate: Certificate.read(own.certificatePem) }];
    expect(codes(buildCrl({ ca: own }), { issuers: pinned })).toEqual([]);
    expect(codes(buildCrl({ ca: own, authorityKeyIdentifier: Buffer.alloc(20, 1) }), { issuers: pinned })).toEqual([
      'foreign-authority-key-identifier',
    ]);
  });
});

describe('the place where it was found', () => {
  const at = (uri: string): Partial<CrlReadOptions> => ({
    issuers: [{ certificate: issuers[0]!.certificate, acceptDistributionPoint: (found) => found === uri }],
  });

  it('must be one of those that the CRL names', () => {
    const partition = crl({ idp: { uris: ['http://x/1.crl', 'http://x/2.crl'] } });
    expect(readCrlBytes(partition, { atMs: AT_MS, ...at('http://x/2.crl') })).toMatchObject({
      accepted: true,
      facts: { distributionPoint: 'http://x/2.crl' },
    });
    expect(codes(partition, at('http://x/3.crl'))).toEqual(['distribution-point-mismatch']);
  });

  it('cannot be compared with a name that is no URI', () => {
    const named = sequence(context(0, context(0, context(4, ca.nameDer))));
    expect(codes(crl({ idp: named }), at('http://x/2.crl'))).toEqual(['distribution-point-mismatch']);
    expect(codes(crl({ idp: named }))).toEqual([]);
  });

  it('does not matter to a CRL that names none', () => {
    expect(codes(crl({ idp: { onlyContainsUserCerts: true } }), at('http://x/2.crl'))).toEqual([]);
  });
});

describe('a CRL is refused', () => {
  const reasonCode = (code: number): Buffer => extension('2.5.29.21', enumerated(code));
  const entryWith = (...extensions: Buffer[]): Buffer => crl({ entries: [{ serial: 5n, extensions }] });

  it.each<[string, readonly CrlRefusalCode[], () => Uint8Array]>([
    ['that is of version 1', ['version-1', 'no-crl-number', 'no-authority-key-identifier'], () => crl({ version: 1 })],
    [
      'that is of version 1, and yet has extensions',
      ['version-1'],
      () => {
        const algorithm = algorithmIdentifier('ecdsa-with-SHA256');
        const tbs = tbsCertList({ ca, entries: ENTRIES }, algorithm);
        const unversioned = sequence(tbs.subarray(tbs.indexOf(integer(1)) + 3));
        return sequence(unversioned, algorithm, bitString(signatureOver(unversioned, 'ecdsa-with-SHA256', ca.privateKey)));
      },
    ],
    ['without a number', ['no-crl-number'], () => crl({ crlNumber: null })],
    ['with a negative number', ['crl-number-out-of-range'], () => crl({ crlNumber: -1n })],
    ['with a number of 161 bits', ['crl-number-out-of-range'], () => crl({ crlNumber: 1n << 160n })],
    ['without an authority key identifier', ['no-authority-key-identifier'], () => crl({ authorityKeyIdentifier: null })],
    [
      'with a foreign authority key identifier',
      ['foreign-authority-key-identifier'],
      () => crl({ authorityKeyIdentifier: Buffer.alloc(20, 7) }),
    ],
    ['without nextUpdate', ['no-next-update'], () => crl({ nextUpdate: null })],
    ['whose nextUpdate is its thisUpdate', ['next-update-not-after-this-update'], () => crl({ nextUpdate: THIS_UPDATE })],
    [
      'whose thisUpdate lies ahead of now by more than the skew',
      ['this-update-in-the-future'],
      () => crl({ thisUpdate: new Date(AT_MS + 301_000) }),
    ],
    ['that is a delta', ['delta-crl'], () => crl({ extensions: [extension('2.5.29.27', integer(1), true)] })],
    ['that is a delta and does not say so critically', ['delta-crl'], () => crl({ extensions: [extension('2.5.29.27', integer(1))] })],
    ['that is indirect', ['indirect-crl'], () => crl({ idp: { indirectCRL: true } })],
    [
      'with an entry of another certificate issuer',
      ['indirect-crl'],
      () => entryWith(extension('2.5.29.29', sequence(context(4, ca.nameDer)), true)),
    ],
    ['for CA certificates only', ['scope-ca-certificates'], () => crl({ idp: { onlyContainsCACerts: true } })],
    ['for attribute certificates only', ['scope-attribute-certificates'], () => crl({ idp: { onlyContainsAttributeCerts: true } })],
    ['for some reasons only', ['scope-some-reasons'], () => crl({ idp: { onlySomeReasons: true } })],
    ['with a relative distribution point', ['relative-distribution-point'], () => crl({ idp: { relativeName: true } })],
    ['with an empty IDP', ['malformed-extension'], () => crl({ idp: sequence() })],
    [
      'with a directory name in its IDP that is none',
      ['malformed-extension'],
      () => crl({ idp: sequence(context(0, context(0, context(4, sequence(integer(1)))))) }),
    ],
    [
      'with two scopes in its IDP',
      ['malformed-extension'],
      () => crl({ idp: { onlyContainsUserCerts: true, onlyContainsAttributeCerts: true } }),
    ],
    [
      'with a default written out in its IDP',
      ['malformed-extension'],
      () => crl({ idp: sequence(contextPrimitive(1, boolean(false).subarray(2))) }),
    ],
    ['with an unknown critical extension', ['unknown-critical-extension'], () => crl({ extensions: [unknownExtension(true)] })],
    [
      'with a critical CRL number',
      ['extension-must-not-be-critical'],
      () => crl({ crlNumber: null, extensions: [extension('2.5.29.20', integer(7), true)] }),
    ],
    [
      'whose authority key identifier has an issuer without a serial',
      ['malformed-extension', 'no-authority-key-identifier'],
      () =>
        crl({
          authorityKeyIdentifier: null,
          extensions: [extension('2.5.29.35', sequence(contextPrimitive(0, ca.keyIdentifier), context(1, context(4, ca.nameDer))))],
        }),
    ],
    [
      'with the same extension twice',
      ['duplicate-extension'],
      () => crl({ extensions: [unknownExtension(false), unknownExtension(false)] }),
    ],
    [
      'with something behind an extension',
      ['malformed-extension', 'no-crl-number'],
      () => crl({ crlNumber: null, extensions: [extension('2.5.29.20', Buffer.concat([integer(7), integer(8)]))] }),
    ],
    ['with an unknown critical extension of an entry', ['unknown-critical-entry-extension'], () => entryWith(unknownExtension(true))],
    ['with an extension of an entry twice', ['duplicate-extension'], () => entryWith(reasonCode(1), reasonCode(1))],
    [
      'with an extension of an entry that does not decode',
      ['malformed-entry-extension'],
      () => entryWith(extension('2.5.29.24', utcTime(new Date(0)))),
    ],
    [
      'with an empty list of extensions',
      ['malformed-extension', 'no-crl-number', 'no-authority-key-identifier'],
      () => crl({ crlNumber: null, authorityKeyIdentifier: null }),
    ],
    [
      'with an empty list of extensions of an entry',
      ['malformed-entry-extension'],
      () => crl({ entriesDer: sequence(integer(5), utcTime(new Date(0)), sequence()) }),
    ],
    ['with a reason code 7', ['unknown-reason-code'], () => entryWith(reasonCode(7))],
    ['with a reason code 11', ['unknown-reason-code'], () => entryWith(reasonCode(11))],
    ['with the reason removeFromCRL', ['remove-from-crl'], () => entryWith(reasonCode(8))],
    ['with a serial of zero', ['serial-out-of-range'], () => crl({ entries: [{ serial: 0n }] })],
    ['with a negative serial', ['serial-out-of-range'], () => crl({ entries: [{ serial: -5n }] })],
    ['with a serial of 161 bits', ['serial-out-of-range'], () => crl({ entries: [{ serial: 1n << 160n }] })],
    ['with a serial twice', ['duplicate-serial'], () => crl({ entries: [{ serial: 9n }, { serial: 8n }, { serial: 9n, reason: 6 }] })],
    [
      'whose number of hold and revoke entries is one serial',
      ['duplicate-serial'],
      () => crl({ entries: [{ serial: 9n, reason: 6 }, { serial: 9n }] }),
    ],
  ])('%s: %j', (_, expected, build) => {
    expect([...codes(build())].sort()).toEqual([...expected].sort());
  });
});

describe('what is not strict DER is refused', () => {
  const patched = (find: string, replacement: string): Buffer => {
    const hex = crl().toString('hex');
    if (!hex.includes(find)) throw new Error(`no ${find} in the fixture`);
    return Buffer.from(hex.replace(find, replacement), 'hex');
  };
  const minutes = (value: string, tag = 0x17): Partial<CrlSpec> => ({
    thisUpdate: tlv(tag, text(value)),
    nextUpdate: new Date('2027-01-01T00:00:00Z'),
  });

  it.each<[string, CrlRefusalCode, () => Uint8Array]>([
    ['nothing at all', 'truncated', () => Buffer.alloc(0)],
    ['an octet behind the end', 'trailing-bytes', () => Buffer.concat([crl(), Buffer.from([0])])],
    ['two CRLs in a row', 'trailing-bytes', () => Buffer.concat([crl(), crl()])],
    ['an indefinite length', 'not-der', () => Buffer.concat([Buffer.from('3080', 'hex'), crl().subarray(4), Buffer.from('0000', 'hex')])],
    [
      'a length that is not minimal',
      'not-der',
      () => {
        const good = crl();
        return Buffer.concat([Buffer.from('308300', 'hex'), good.subarray(2)]);
      },
    ],
    ['a serial that is not minimal', 'not-der', () => crl({ entries: [{ serial: Buffer.from([0, 5]) }] })],
    ['a serial without content', 'not-der', () => crl({ entries: [{ serial: Buffer.alloc(0) }] })],
    ['a version 3', 'not-der', () => patched('0201013', '0201023')],
    [
      'a BOOLEAN of 01',
      'not-der',
      () => crl({ extensions: [sequence(oid('1.2.3.4'), tlv(0x01, Buffer.from([1])), octetString(text('x')))] }),
    ],
    ['a default written out', 'not-der', () => crl({ extensions: [sequence(oid('1.2.3.4'), boolean(false), octetString(text('x')))] })],
    ['a time without seconds', 'not-der', () => crl(minutes('2611010000Z'))],
    ['a time with an offset', 'not-der', () => crl(minutes('261101000000+0100'))],
    ['a time with a fraction', 'not-der', () => crl(minutes('20261101000000.5Z', 0x18))],
    ['a time that no calendar has', 'not-der', () => crl(minutes('260229000000Z'))],
    ['an entry date that no calendar has', 'not-der', () => crl({ entries: [{ serial: 5n, date: tlv(0x17, text('260431000000Z')) }] })],
    [
      'something behind the reason in an entry',
      'not-der',
      () => crl({ entriesDer: sequence(integer(5), utcTime(new Date(0)), sequence(extension('2.5.29.21', enumerated(1))), nullValue()) }),
    ],
    ['an entry that is no SEQUENCE', 'not-der', () => crl({ entriesDer: integer(5) })],
    ...(
      [
        ['a UTF8String that is not UTF-8', 0x0c, 'fffe'],
        ['a PrintableString with an underscore', 0x13, '615f62'],
        ['a NumericString with a letter', 0x12, '61'],
        ['an IA5String above 7F', 0x16, 'e4'],
        ['a VisibleString with a control character', 0x1a, '07'],
        ['a BMPString with half a character', 0x1e, '006100'],
        ['a BMPString with a surrogate', 0x1e, 'd800'],
        ['a UniversalString beyond Unicode', 0x1c, '00110000'],
      ] as const
    ).map<[string, CrlRefusalCode, () => Uint8Array]>(([what, tag, hex]) => [
      `an issuer with ${what}`,
      'not-der',
      () => crl({ issuerName: sequence(tlv(0x31, attribute(tlv(tag, Buffer.from(hex, 'hex'))))) }),
    ]),
    [
      'an issuer with an attribute twice',
      'not-der',
      () => crl({ issuerName: sequence(tlv(0x31, attribute(utf8String('a')), attribute(utf8String('a')))) }),
    ],
    ['two CRLs as PEM', 'not-one-pem-crl', () => text(crlPem(crl()) + crlPem(crl()))],
    ['PEM with text before it', 'not-one-pem-crl', () => text(`issuer\n${crlPem(crl())}`)],
    ['PEM with text behind it', 'not-one-pem-crl', () => text(`${crlPem(crl())}end`)],
    ['PEM of another label', 'not-one-pem-crl', () => text(crlPem(crl()).replaceAll('X509 CRL', 'CERTIFICATE'))],
    ['PEM without its end', 'not-one-pem-crl', () => text(crlPem(crl()).replace(/-----END.*/, ''))],
    ['PEM with a letter that is not base64', 'not-one-pem-crl', () => text(crlPem(crl()).replace('\nM', '\n!'))],
  ])('%s', (_, code, build) => {
    expect(codes(build())).toEqual([code]);
  });
});

describe('what costs too much is refused', () => {
  const many = (count: number): Buffer => crl({ entries: Array.from({ length: count }, (_, i) => ({ serial: BigInt(i + 1) })) });

  it('at its declared size, before the rest has been read', () => {
    expect(codes(many(100).subarray(0, 300), { limits: { maxBytes: 1_000 } })).toEqual(['too-large']);
  });
  it('at one entry too many', () => {
    expect(codes(many(10), { limits: { maxEntries: 10 } })).toEqual([]);
    expect(codes(many(11), { limits: { maxEntries: 10 } })).toEqual(['too-many-entries']);
  });
  it('when the time is over', () => {
    let now = 0;
    expect(codes(many(1), { limits: { maxMilliseconds: 1_000 }, stopwatch: () => (now += 2_000) })).toEqual(['took-too-long']);
  });
  it('in an entry that is longer than any real one', () => {
    expect(codes(crl({ entries: [{ serial: 5n, extensions: [extension('1.2.3.4', Buffer.alloc(20_000))] }] }))).toEqual(['too-large']);
  });
  it('in extensions that are longer than any real ones', () => {
    expect(codes(crl({ extensions: [extension('1.2.3.4', Buffer.alloc(70_000))] }))).toEqual(['too-large']);
  });
  it('in a name that nests too deep', () => {
    let nested = integer(1);
    for (let depth = 0; depth < 20; depth += 1) nested = sequence(nested);
    expect(codes(crl({ issuerName: sequence(tlv(0x31, sequence(oid('2.5.4.3'), nested))) }))).toEqual(['not-der']);
  });
});
