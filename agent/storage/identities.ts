/**
 * The pairs of certificate and key, and the one pointer that says which of them is the device's identity: `active.json`. Switching identity is
 * replacing that file, in one atomic step; nothing else about a pair ever changes.
 */
import { z } from 'zod';
import type { KeyHandle, KeyStore } from '../keys/key-store.js';
import type { Files } from './files.js';

export const POINTER = 'active.json';

/** A certificate by the name of its file, and its private key by its handle in the key store. */
export const Pair = z.object({ certificate: z.string().min(1), key: z.string().min(1) });
export type Pair = z.infer<typeof Pair>;

export class Identities {
  constructor(
    private readonly files: Files,
    private readonly keys: KeyStore,
  ) {}

  /** Throws where there is no pointer, or one that cannot be read: such a device has no identity, and a person must give it one. */
  async active(): Promise<Pair> {
    const text = await this.files.read(POINTER);
    if (!text) throw new Error(`${POINTER}: there is none: this device has not been given an identity`);
    return Pair.parse(JSON.parse(text.toString('utf8')));
  }

  async certificatePem(pair: Pair): Promise<string> {
    const pem = await this.files.read(pair.certificate);
    if (!pem) throw new Error(`${pair.certificate}: there is no such certificate`);
    return pem.toString('utf8');
  }

  /** Stores a new certificate under a name of its own. The same again: nothing changes. */
  async storeCertificate(label: string, pem: string): Promise<string> {
    const name = `certificates/${label}.pem`;
    await this.files.replace(name, pem);
    return name;
  }

  async switchTo(pair: Pair): Promise<void> {
    await this.files.replace(POINTER, `${JSON.stringify(pair)}\n`);
  }

  /** Deletes a pair for ever, or what there is of it. What the pointer names is never deleted, whatever the caller believes. */
  async discard({ certificate, key }: { readonly certificate?: string | undefined; readonly key?: KeyHandle | undefined }): Promise<void> {
    const active = await this.active();
    if (certificate === active.certificate || key === active.key) throw new Error(`${active.certificate}: a pair in use is never deleted`);
    if (key !== undefined) await this.keys.remove(key);
    if (certificate !== undefined) await this.files.remove(certificate);
  }
}
