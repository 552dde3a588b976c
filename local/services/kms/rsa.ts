/** RSA signatures over a digest that is given (RFC 8017 §8): Node's crypto hashes what it signs, so the padding is made here, and OpenSSL does the power. */
import { constants, createHash, privateEncrypt, publicDecrypt, randomBytes, type KeyObject } from 'node:crypto';

export type HashName = 'sha256' | 'sha384' | 'sha512';

/** DigestInfo up to the digest itself (RFC 8017 §9.2, note 1). */
const DIGEST_INFO: Readonly<Record<HashName, string>> = {
  sha256: '3031300d060960864801650304020105000420',
  sha384: '3041300d060960864801650304020205000430',
  sha512: '3051300d060960864801650304020305000440',
};

const digestInfo = (hash: HashName, digest: Uint8Array): Buffer => Buffer.concat([Buffer.from(DIGEST_INFO[hash], 'hex'), digest]);

export function signPkcs1(key: KeyObject, hash: HashName, digest: Uint8Array): Buffer {
  return privateEncrypt({ key, padding: constants.RSA_PKCS1_PADDING }, digestInfo(hash, digest));
}

export function verifyPkcs1(key: KeyObject, hash: HashName, digest: Uint8Array, signature: Uint8Array): boolean {
  return unlessBroken(() => publicDecrypt({ key, padding: constants.RSA_PKCS1_PADDING }, signature).equals(digestInfo(hash, digest)));
}

/** EMSA-PSS (RFC 8017 §9.1.1) with a salt as long as the digest, which is what KMS uses. */
export function signPss(key: KeyObject, hash: HashName, digest: Uint8Array): Buffer {
  const salt = randomBytes(digest.length);
  const bits = (key.asymmetricKeyDetails?.modulusLength ?? 0) - 1;
  const length = Math.ceil(bits / 8);
  const seed = seedOf(hash, digest, salt);
  const block = Buffer.concat([Buffer.alloc(length - salt.length - seed.length - 2), Buffer.of(1), salt]);
  const masked = mask(hash, seed, block);
  masked[0] = masked[0]! & (0xff >> (8 * length - bits));
  return privateEncrypt({ key, padding: constants.RSA_NO_PADDING }, Buffer.concat([masked, seed, Buffer.of(0xbc)]));
}

export function verifyPss(key: KeyObject, hash: HashName, digest: Uint8Array, signature: Uint8Array): boolean {
  return unlessBroken(() => {
    const bits = (key.asymmetricKeyDetails?.modulusLength ?? 0) - 1;
    const length = Math.ceil(bits / 8);
    const encoded = publicDecrypt({ key, padding: constants.RSA_NO_PADDING }, signature);
    const seed = encoded.subarray(length - digest.length - 1, length - 1);
    const block = mask(hash, seed, encoded.subarray(0, length - digest.length - 1));
    block[0] = block[0]! & (0xff >> (8 * length - bits));
    const saltAt = block.length - digest.length;
    const isPadded = block[saltAt - 1] === 1 && block.subarray(0, saltAt - 1).every((octet) => octet === 0);
    return encoded[length - 1] === 0xbc && isPadded && seedOf(hash, digest, block.subarray(saltAt)).equals(seed);
  });
}

const seedOf = (hash: HashName, digest: Uint8Array, salt: Uint8Array): Buffer =>
  createHash(hash).update(Buffer.alloc(8)).update(digest).update(salt).digest();

/** MGF1 (RFC 8017 appendix B.2.1), applied. */
function mask(hash: HashName, seed: Uint8Array, block: Uint8Array): Buffer {
  const masked = Buffer.from(block);
  for (let at = 0, counter = 0; at < masked.length; counter += 1) {
    const octets = Buffer.alloc(4);
    octets.writeUInt32BE(counter);
    for (const octet of createHash(hash).update(seed).update(octets).digest()) {
      if (at < masked.length) masked[at] = masked[at]! ^ octet;
      at += 1;
    }
  }
  return masked;
}

/** OpenSSL throws for a signature that is longer than the key, or whose padding is wrong: neither verifies. */
function unlessBroken(verify: () => boolean): boolean {
  try {
    return verify();
  } catch {
    return false;
  }
}
