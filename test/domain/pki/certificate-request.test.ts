import 'reflect-metadata';
import { execFileSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import * as x509 from '@peculiar/x509';
import fc from 'fast-check';
import { CertificateRequest } from '../../../domain/pki/certificate-request.js';
import { DerError } from '../../../domain/pki/der.js';
import { pemToDer } from '../../../domain/pki/pem.js';
import { isAcceptedKey, readPublicKey } from '../../../domain/pki/public-key.js';
import { compressedSpki, createRequest, requestOver, rsaPair, spkiWithoutNull } from '../../builders/csr.js';
import { bitString, context, integer, name, oid, sequence, set, utf8String } from '../../builders/der.js';

const SAN = '2.5.29.17';
const BASIC_CONSTRAINTS = '2.5.29.19';

describe('a certificate request', () => {
  test('says its subject, its key, what it asks for, and that its signature verifies', async () => {
    const { der } = await createRequest({ subject: 'CN=dev-1', dnsNames: ['dev-1.example'], ca: true });
    const request = CertificateRequest.read(der);
    expect(request.subject).toBe('CN=dev-1');
    expect(request.key).toEqual({ kind: 'ec', curve: 'P-256' });
    expect(new Set(request.requestedExtensions)).toEqual(new Set([SAN, BASIC_CONSTRAINTS]));
    expect(request.verifySignature()).toBe('verified');
  });

  test.each(['P-256', 'P-384', 'RSA-2048', 'RSA-3072'] as const)('with a key of %s is one that a device may have', async (key) => {
    const request = CertificateRequest.read((await createRequest({ key })).der);
    expect([isAcceptedKey(request.key), request.verifySignature(), request.subject, request.requestedExtensions]).toEqual([
      true,
      'verified',
      '',
      [],
    ]);
  });

  test.each(['P-521', 'RSA-1024'] as const)('with a key of %s is not', async (key) => {
    expect(isAcceptedKey(CertificateRequest.read((await createRequest({ key })).der).key)).toBe(false);
  });

  test('is the same for OpenSSL', async () => {
    const { der, publicKey } = await createRequest({ subject: 'CN=dev-1', dnsNames: ['dev-1.example'] });
    const text = execFileSync('openssl', ['req', '-inform', 'DER', '-verify', '-noout', '-text', '-subject', '-pubkey'], {
      input: der,
      stdio: ['pipe', 'pipe', 'pipe'],
    }).toString();
    const request = CertificateRequest.read(der);
    expect(text).toContain('X509v3 Subject Alternative Name');
    expect(text.replaceAll(' ', '')).toContain(request.subject);
    expect(text).toContain(publicKey.export({ type: 'spki', format: 'pem' }).toString().trim());
    expect(request.publicKey.equals(publicKey)).toBe(true);
  });

  test('changed anywhere is unreadable or not verified', async () => {
    const { der } = await createRequest({ subject: 'CN=dev-1' });
    fc.assert(
      fc.property(fc.nat(der.length - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
        const changed = Buffer.from(der);
        changed[at] = changed[at]! ^ flip;
        expect(verdict(changed)).not.toBe('verified');
      }),
      { numRuns: 1500 },
    );
  });

  test('cut short, or with anything behind it, is unreadable', async () => {
    const { der } = await createRequest();
    for (let length = 0; length < der.length; length += 1) expect(() => CertificateRequest.read(der.subarray(0, length))).toThrow(DerError);
    expect(() => CertificateRequest.read(Buffer.concat([der, Buffer.from([0])]))).toThrow(DerError);
  });

  test('never makes the reader fail in another way than by DerError, whatever the octets', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (octets) => {
        expect(() => CertificateRequest.read(octets)).toThrow(expect.objectContaining({ name: 'DerError' }) as Error);
      }),
      { numRuns: 2000 },
    );
  });
});

describe('one key, one form of writing', () => {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });

  test('a compressed point is the same key with another identifier: not accepted', () => {
    const request = CertificateRequest.read(requestOver(compressedSpki(publicKey), privateKey));
    expect(request.publicKey.equals(publicKey)).toBe(true);
    expect(isAcceptedKey(request.key)).toBe(false);
  });

  test('an RSA key without its NULL is not accepted', () => {
    const rsa = rsaPair(2048);
    expect(isAcceptedKey(readPublicKey(rsa.publicKey.export({ type: 'spki', format: 'der' })))).toBe(true);
    expect(isAcceptedKey(readPublicKey(spkiWithoutNull(rsa.publicKey)))).toBe(false);
  });

  test('a point that is not on the curve is not accepted', () => {
    const spki = publicKey.export({ type: 'spki', format: 'der' });
    spki[spki.length - 1]! ^= 1;
    expect(isAcceptedKey(readPublicKey(spki))).toBe(false);
  });

  test.each([3, 17])('an RSA exponent of %i is not accepted', (exponent) => {
    expect(isAcceptedKey(readPublicKey(rsaPair(2048, exponent).publicKey.export({ type: 'spki', format: 'der' })))).toBe(false);
  });
});

describe('what could be read in two ways is not read', () => {
  const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const spki = publicKey.export({ type: 'spki', format: 'der' });
  const request = (info: Uint8Array) => sequence(info, sequence(oid('1.2.840.10045.4.3.2')), bitString(Buffer.alloc(70, 1)));
  const extensions = (...ids: string[]) => sequence(...ids.map((id) => sequence(oid(id), Buffer.from([4, 2, 5, 0]))));
  const attribute = (...values: Uint8Array[]) => sequence(oid('1.2.840.113549.1.9.14'), set(...values));
  const readable = (...parts: Uint8Array[]) => CertificateRequest.read(request(sequence(...parts)));

  test('what is as it should be is read, with attributes or with the empty set left out', () => {
    expect(readable(integer(0), name([]), spki, context(0)).requestedExtensions).toEqual([]);
    expect(readable(integer(0), name([]), spki).requestedExtensions).toEqual([]);
    expect(readable(integer(0), name([]), spki, context(0, attribute(extensions(SAN)))).requestedExtensions).toEqual([SAN]);
    const password = sequence(oid('1.2.840.113549.1.9.7'), set(utf8String('secret')));
    expect(readable(integer(0), name([]), spki, context(0, password)).requestedExtensions).toEqual([]);
  });
  test.each<[string, Uint8Array[]]>([
    ['version 3', [integer(2), name([]), spki, context(0)]],
    ['two requests for extensions', [integer(0), name([]), spki, context(0, attribute(extensions(SAN)), attribute(extensions(SAN)))]],
    ['two lists in one request', [integer(0), name([]), spki, context(0, attribute(extensions(SAN), extensions(BASIC_CONSTRAINTS)))]],
    ['one extension twice', [integer(0), name([]), spki, context(0, attribute(extensions(SAN, SAN)))]],
    ['an attribute without a value', [integer(0), name([]), spki, context(0, sequence(oid('1.2.3'), set()))]],
    ['something behind the attributes', [integer(0), name([]), spki, context(0), integer(1)]],
  ])('%s', (_sentence, parts) => {
    expect(() => readable(...parts)).toThrow(DerError);
  });

  test('extensions asked for under Microsoft’s name are asked for all the same', () => {
    const parts = [integer(0), name([]), spki, context(0, sequence(oid('1.3.6.1.4.1.311.2.1.14'), set(extensions(SAN))))];
    expect(readable(...parts).requestedExtensions).toEqual([SAN]);
  });
});

function verdict(der: Uint8Array): string {
  try {
    return CertificateRequest.read(der).verifySignature();
  } catch {
    return 'unreadable';
  }
}

/** Requests collected from other projects, each with what OpenSSL and pyca/cryptography say of it. Not part of the repository. */
const CORPUS = process.env['CSR_CORPUS'] ?? path.join(__dirname, '..', '..', '..', '..', 'shared', 'corpus', 'csr');
interface Oracle {
  readonly parses: boolean;
  readonly subject?: string;
  readonly verify?: string;
  readonly signatureValid?: boolean;
  readonly sigAlg?: string;
  readonly key?: string;
  readonly extensions?: readonly { readonly oid: string }[];
  readonly deepErrors?: readonly string[];
}
interface Entry {
  readonly file: string;
  readonly encoding: 'pem' | 'der';
  readonly tags: readonly string[];
  readonly oracles: { readonly openssl: Oracle; readonly cryptography: Oracle };
}
const manifest = path.join(CORPUS, 'MANIFEST.json');
const entries = existsSync(manifest) ? (JSON.parse(readFileSync(manifest, 'utf8')) as { readonly files: readonly Entry[] }).files : [];
const derOf = ({ file, encoding }: Entry): Uint8Array => {
  const octets = readFileSync(path.join(CORPUS, '..', file));
  return encoding === 'der'
    ? octets
    : pemToDer(octets.toString('latin1').replaceAll('NEW CERTIFICATE REQUEST', 'CERTIFICATE REQUEST'), 'CERTIFICATE REQUEST');
};
const WEAK = /sha1|md5|rsassaPss/i;

if (entries.length === 0) console.warn(`corpus of requests: skipped, there is no ${manifest} (set CSR_CORPUS)`);
else
  describe('the corpus of requests', () => {
    test('is all there', () => expect(entries.length).toBeGreaterThan(30));

    test.each(entries.map((entry) => [entry.file, entry] as const))('%s: as the oracles say, or stricter', (_file, entry) => {
      const { openssl, cryptography } = entry.oracles;
      const der = derOf(entry);
      if (!cryptography.parses || (cryptography.deepErrors ?? []).length > 0) {
        expect(verdict(der)).toBe('unreadable');
        return;
      }
      const request = CertificateRequest.read(der);
      expect([...request.requestedExtensions].toSorted()).toEqual((cryptography.extensions ?? []).map((one) => one.oid).toSorted());
      expect(request.publicKey.export({ type: 'spki', format: 'der' })).toEqual(
        Buffer.from(new x509.Pkcs10CertificateRequest(Buffer.from(der)).publicKey.rawData),
      );
      const isGood = cryptography.signatureValid === true && openssl.verify === 'OK';
      const said = request.verifySignature();
      if (said === 'verified') expect(isGood).toBe(true);
      else if (isGood) expect([entry.file, said === 'unsupported' || WEAK.test(cryptography.sigAlg ?? '')]).toEqual([entry.file, true]);
      const isOfOurKinds = /^(EC-secp(256|384)r1|RSA-(2048|3072|4096) e=65537)$/.test(cryptography.key ?? '');
      expect(isAcceptedKey(request.key)).toBe(isOfOurKinds);
      if (isGood && isOfOurKinds && !WEAK.test(cryptography.sigAlg ?? '')) expect(said).toBe('verified');
    });
  });
