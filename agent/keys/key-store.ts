/**
 * Where private keys are made and kept, as a port. It is shaped like PKCS #11, so that a secure element or TPM fits behind it: keys are made inside,
 * used inside and named by a handle; no operation hands out a private key.
 *
 *     generate     C_GenerateKeyPair with CKA_LABEL, unless C_FindObjects knows the label
 *     find         C_FindObjects
 *     publicKey    C_GetAttributeValue CKA_EC_POINT
 *     sign         C_Sign with CKM_ECDSA_SHA256
 *     tlsOptions   privateKeyEngine and privateKeyIdentifier for node:tls, or what the TLS library at hand wants
 *     remove       C_DestroyObject
 */
import type { SecureContextOptions } from 'node:tls';

/** Opaque, printable, lasting: it is written into the pointer and the record of the rotation. */
export type KeyHandle = string;

/** What a TLS library needs to use a key and to show its certificate. */
export type TlsIdentity = Pick<SecureContextOptions, 'key' | 'privateKeyEngine' | 'privateKeyIdentifier'> & { readonly cert: string };

export interface KeyStore {
  /**
   * Makes a P-256 key pair under a label. The same label again gives the same key: a power cut right after the first call costs nothing, and leaves no
   * key behind that nobody knows. Throws StorageError.
   */
  generate(label: string): Promise<KeyHandle>;
  /** The handle of what `generate` made under this label. */
  find(label: string): Promise<KeyHandle | undefined>;
  /** DER of the SubjectPublicKeyInfo. */
  publicKey(handle: KeyHandle): Promise<Uint8Array>;
  /** ECDSA with SHA-256 over `message`, as the DER of RFC 3279 §2.2.3. */
  sign(handle: KeyHandle, message: Uint8Array): Promise<Uint8Array>;
  tlsOptions(handle: KeyHandle, certificatePem: string): Promise<TlsIdentity>;
  /** Gone already: success. */
  remove(handle: KeyHandle): Promise<void>;
}
