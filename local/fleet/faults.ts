/**
 * Devices as they are in the field: a firmware that makes keys as they must not be, a flash chip that gives back something else than it was given. The
 * reference agent runs unchanged; its two ports are at fault.
 */
import { createPublicKey, createPrivateKey, generateKeyPairSync, sign } from 'node:crypto';
import { fileKeyStore } from '../../agent/keys/file-key-store.js';
import type { KeyStore } from '../../agent/keys/key-store.js';
import type { Files } from '../../agent/storage/files.js';

/** `weak-keys`: P-192, that no CA takes any more. `flipped-bit`: one bit of each certificate that was stored is another when it is read. */
export const DEVICE_FAULTS = ['weak-keys', 'flipped-bit'] as const;
export type DeviceFault = (typeof DEVICE_FAULTS)[number];

export function weakKeys(files: Files): KeyStore {
  const honest = fileKeyStore(files);
  const keyOf = async (handle: string) => createPrivateKey((await files.read(handle))!.toString('utf8'));
  return {
    ...honest,
    generate: async (label) => {
      const handle = `keys/${label}.pem`;
      const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime192v1' });
      await files.replace(handle, privateKey.export({ type: 'pkcs8', format: 'pem' }));
      return handle;
    },
    publicKey: async (handle) => createPublicKey(await keyOf(handle)).export({ type: 'spki', format: 'der' }),
    sign: async (handle, message) => sign('sha256', message, await keyOf(handle)),
  };
}

/** The bit lies in the signature, at the end: the certificate still parses, and TLS shows it; AWS IoT has never seen it. */
export function flippingFiles(files: Files): Files {
  return {
    ...files,
    read: async (name) => {
      const content = await files.read(name);
      return content && name.startsWith('certificates/') ? flipped(content.toString('utf8')) : content;
    },
  };
}

const BEGIN = '-----BEGIN CERTIFICATE-----';
const END = '-----END CERTIFICATE-----';

function flipped(pem: string): Buffer {
  const der = Buffer.from(pem.slice(pem.indexOf(BEGIN) + BEGIN.length, pem.indexOf(END)), 'base64');
  der[der.length - 1]! ^= 1;
  return Buffer.from(`${BEGIN}\n${der.toString('base64').replace(/.{64}/g, '$&\n').trim()}\n${END}\n`);
}
