import { X509Certificate } from 'node:crypto';
import { Certificate } from '../../../domain/pki/certificate.js';
import { DerError } from '../../../domain/pki/der.js';
import { issuerId, nameText } from '../../../domain/pki/name.js';
import { createCa, type KeyName } from '../../builders/ca.js';
import { oid, sequence, set, tlv, utf8String } from '../../builders/der.js';

describe('a certificate', () => {
  it.each<KeyName>(['P-256', 'P-384', 'RSA-2048'])('of a CA with a key %s is read as node:crypto reads it', async (key) => {
    const ca = await createCa({ key, name: 'C=DE,O=Example,CN=Fleet CA' });
    const device = await ca.issue({ subject: 'CN=dev-1', serialNumber: '00f3b7' });
    const [issuer, ours, theirs] = [
      Certificate.read(ca.certificatePem),
      Certificate.read(device.certificatePem),
      new X509Certificate(device.certificatePem),
    ];
    expect(ours.serialNumber).toBe('f3b7');
    expect(BigInt(`0x${ours.serialNumber}`)).toBe(BigInt(`0x${theirs.serialNumber}`));
    expect([ours.subject, ours.issuer]).toEqual(['CN=dev-1', 'CN=Fleet CA,O=Example,C=DE']);
    expect([ours.notBeforeMs, ours.notAfterMs]).toEqual([Date.parse(theirs.validFrom), Date.parse(theirs.validTo)]);
    expect([ours.isCa, issuer.isCa]).toEqual([false, true]);
    expect(Buffer.from(issuer.subjectKeyIdentifier!)).toEqual(ca.keyIdentifier);
    expect(Buffer.from(ours.authorityKeyIdentifier!)).toEqual(ca.keyIdentifier);
    expect(ours.issuerId).toBe(issuerId(ca.nameDer));
    expect(issuer.subjectId).toBe(ours.issuerId);
    expect(ours.publicKey.equals(theirs.publicKey)).toBe(true);
    expect([ours.wasSignedBy(issuer), issuer.wasSignedBy(issuer), issuer.wasSignedBy(ours)]).toEqual([true, true, false]);
  });

  it('is read also where its CA writes FALSE out: whom a CRL names must be found', async () => {
    const { certificateDer } = await createCa();
    const sloppy = certificateDer
      .toString('hex')
      .replace('0603551d130101ff', '0603551d13010100') // basicConstraints, critical FALSE
      .replace('30030101ff', '3003010100'); // cA FALSE
    expect(sloppy).not.toBe(certificateDer.toString('hex'));
    const certificate = Certificate.read(Buffer.from(sloppy, 'hex'));
    expect([certificate.serialNumber, certificate.isCa]).toEqual([Certificate.read(certificateDer).serialNumber, false]);
  });

  it('was not signed by a CA of the same name and another key', async () => {
    const [ca, impostor] = [await createCa({ name: 'CN=One' }), await createCa({ name: 'CN=One' })];
    const device = Certificate.read((await impostor.issue({ subject: 'CN=dev-1' })).certificatePem);
    expect(device.wasSignedBy(Certificate.read(ca.certificatePem))).toBe(false);
    expect(Certificate.read(ca.certificatePem).issuerKeyId).not.toBe(Certificate.read(impostor.certificatePem).issuerKeyId);
  });

  it('was not signed by a CA of the same key and another name', async () => {
    const ca = await createCa({ name: 'CN=One' });
    const device = (await ca.issue({ subject: 'CN=dev-1' })).certificateDer;
    const renamed = Buffer.from(ca.certificateDer.toString('latin1').replaceAll('One', 'Two'), 'latin1');
    expect(Certificate.read(device).wasSignedBy(Certificate.read(renamed))).toBe(false);
  });

  it('is read from DER, from PEM with text around it, and not from two', async () => {
    const { certificatePem, certificateDer } = await createCa();
    const digest = Certificate.read(certificateDer).issuerKeyId;
    expect(Certificate.read(certificatePem).issuerKeyId).toBe(digest);
    expect(Certificate.read(`Certificate:\n    Data: …\n${certificatePem}\n`).issuerKeyId).toBe(digest);
    expect(Certificate.read(Buffer.from(certificatePem)).issuerKeyId).toBe(digest);
    expect(() => Certificate.read(certificatePem + certificatePem)).toThrow(DerError);
    expect(() => Certificate.read('')).toThrow(DerError);
    expect(() => Certificate.read(Buffer.concat([certificateDer, Buffer.from([0])]))).toThrow(DerError);
    expect(() => Certificate.read(certificateDer.subarray(0, 100))).toThrow(DerError);
  });
});

describe('the text of a name', () => {
  const rdn = (type: string, value: Buffer): Buffer => set(sequence(oid(type), value));
  it.each<[string, string, Buffer]>([
    ['last RDN first', 'CN=a,O=b', sequence(rdn('2.5.4.10', utf8String('b')), rdn('2.5.4.3', utf8String('a')))],
    ['empty', '', sequence()],
    ['types without a short name by their OID', '2.5.4.5=345', sequence(rdn('2.5.4.5', tlv(0x13, Buffer.from('345'))))],
    ['what RFC 4514 escapes', 'CN=\\ a\\,b\\+c\\"d\\;e\\<f\\>g\\\\h\\ ', sequence(rdn('2.5.4.3', utf8String(' a,b+c"d;e<f>g\\h ')))],
    ['a BMPString', 'CN=ЛУ', sequence(rdn('2.5.4.3', tlv(0x1e, Buffer.from('041b0423', 'hex'))))],
    ['what is no string as hexadecimal', 'CN=#020105', sequence(rdn('2.5.4.3', tlv(0x02, Buffer.from([5]))))],
  ])('%s', (_, text, der) => expect(nameText(der)).toBe(text));

  it('keeps the order of a multi-valued RDN, which must be sorted', () => {
    const [a, b] = [sequence(oid('2.5.4.3'), utf8String('a')), sequence(oid('2.5.4.10'), utf8String('b'))];
    expect(nameText(sequence(set(a, b)))).toBe('CN=a+O=b');
    expect(() => nameText(sequence(set(b, a)))).toThrow(DerError);
  });
});
