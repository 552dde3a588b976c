/** Keys in files (PKCS #8, PEM, readable by their owner only): the simplest key store. The handle is the name of the file. */
import { createPrivateKey, createPublicKey, generateKeyPair, sign, type KeyObject } from 'node:crypto';
import { promisify } from 'node:util';
import type { Files } from '../storage/files.js';
import type { KeyHandle, KeyStore } from './key-store.js';

const generatePair = promisify(generateKeyPair);

export function fileKeyStore(files: Files): KeyStore {
  const handleOf = (label: string): KeyHandle => `keys/${label}.pem`;
  const pemOf = async (handle: KeyHandle): Promise<string> => {
    const pem = await files.read(handle);
    if (!pem) throw new Error(`${handle}: there is no such key`);
    return pem.toString('utf8');
  };
  const keyOf = async (handle: KeyHandle): Promise<KeyObject> => createPrivateKey(await pemOf(handle));
  return {
    generate: async (label) => {
      const handle = handleOf(label);
      if (!(await files.read(handle))) {
        const { privateKey } = await generatePair('ec', { namedCurve: 'P-256' });
        await files.replace(handle, privateKey.export({ type: 'pkcs8', format: 'pem' }));
      }
      return handle;
    },
    find: async (label) => ((await files.read(handleOf(label))) ? handleOf(label) : undefined),
    publicKey: async (handle) => createPublicKey(await keyOf(handle)).export({ type: 'spki', format: 'der' }),
    sign: async (handle, message) => sign('sha256', message, await keyOf(handle)),
    tlsOptions: async (handle, cert) => ({ key: await pemOf(handle), cert }),
    remove: (handle) => files.remove(handle),
  };
}
