import { spawnSync } from 'node:child_process';
import { createPublicKey } from 'node:crypto';
import { createCertificateRequest } from '../../agent/keys/certificate-request.js';
import { fileKeyStore } from '../../agent/keys/file-key-store.js';
import { isForKey } from '../../agent/rotation/received-certificate.js';
import { memoryFiles } from '../../agent/storage/memory-files.js';
import { CertificateRequest } from '../../domain/pki/certificate-request.js';
import { MAX_CSR_CHARACTERS, RotationRequest } from '../../domain/protocol/rotation.js';
import { createCa } from '../builders/ca.js';

const keys = fileKeyStore(memoryFiles());
const openssl = (args: readonly string[], input: Uint8Array): string => {
  const { stdout, stderr, status } = spawnSync('openssl', args, { input });
  return `${status}\n${stdout.toString()}${stderr.toString()}`;
};

test('OpenSSL verifies it: version 1, CN = thing name, P-256, no attribute', async () => {
  const der = await createCertificateRequest(keys, await keys.generate('job-1'), 'pump-0001');
  const text = openssl(['req', '-inform', 'DER', '-noout', '-verify', '-text'], der);
  expect(text).toMatch(/verify OK/);
  expect(text).toMatch(/Version: 1 \(0x0\)/);
  expect(text).toMatch(/Subject: CN\s?=\s?pump-0001\n/);
  expect(text).toMatch(/ASN1 OID: prime256v1/);
  expect(text).toMatch(/ecdsa-with-SHA256/);
  expect(text).toMatch(/Attributes:\s+\(none\)/);
  expect(text).not.toMatch(/X509v3/);
});

test('the cloud’s own strict reader accepts it, and it fits into the message many times over', async () => {
  const der = await createCertificateRequest(keys, await keys.generate('job-2'), 'a'.repeat(64));
  const request = CertificateRequest.read(der);
  expect(request.requestedExtensions).toEqual([]);
  const csr = der.toString('base64');
  expect(csr.length).toBeLessThan(MAX_CSR_CHARACTERS / 8);
  expect(RotationRequest.parse({ version: 1, jobId: 'job-2', csr }).csr).toBe(csr);
});

test('a thing name that is too long for a common name gives an empty subject', async () => {
  const der = await createCertificateRequest(keys, await keys.generate('job-3'), 'a'.repeat(65));
  expect(Buffer.from(CertificateRequest.read(der).subjectDer).toString('hex')).toBe('3000');
  expect(openssl(['req', '-inform', 'DER', '-noout', '-verify'], der)).toMatch(/verify OK/);
});

test('the same label gives the same key, another label another one; a removed key is gone', async () => {
  const one = await keys.generate('job-4');
  const publicKey = await keys.publicKey(one);
  expect(await keys.publicKey(await keys.generate('job-4'))).toEqual(publicKey);
  expect(await keys.publicKey(await keys.generate('job-5'))).not.toEqual(publicKey);
  expect(await keys.find('job-4')).toBe(one);
  await keys.remove(one);
  expect(await keys.find('job-4')).toBeUndefined();
  await expect(keys.publicKey(one)).rejects.toThrow('no such key');
});

test('a certificate is taken for one key only, and never that of a CA', async () => {
  const ca = await createCa();
  const device = await ca.issue({ subject: 'CN=pump-1' });
  const spki = createPublicKey(device.privateKey).export({ type: 'spki', format: 'der' });
  expect(isForKey(device.certificatePem, spki)).toBe(true);
  expect(isForKey((await ca.issue({ subject: 'CN=pump-1' })).certificatePem, spki)).toBe(false);
  expect(isForKey('x'.repeat(20_000), spki)).toBe(false);
  const subordinate = await ca.issue({ subject: 'CN=pump-1', ca: true });
  const caSpki = createPublicKey(subordinate.privateKey).export({ type: 'spki', format: 'der' });
  expect(isForKey(subordinate.certificatePem, caSpki)).toBe(false);
});
