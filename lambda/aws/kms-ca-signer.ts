/**
 * A CA's key in AWS KMS. The key never leaves it: we send a digest, KMS sends a signature (API_Sign, MessageType DIGEST; a CRL is longer than the 4096
 * octets that it would hash by itself). Which key and which algorithm is also said in the policy of the function, so that neither can be talked into
 * another.
 */
import { createHash, createPublicKey, type KeyObject } from 'node:crypto';
import { GetPublicKeyCommand, KMSClient, SignCommand } from '@aws-sdk/client-kms';
import { caSignatureOf, isSignedBy, signedDer } from '../../domain/pki/ca-signature.js';
import type { CaSigner } from '../ports/ca-signer.js';

/** As patient as the other clients: a message goes back to its queue when KMS is away for longer. */
export const kmsClient = (): KMSClient =>
  new KMSClient({ maxAttempts: 5, retryMode: 'standard', requestHandler: { connectionTimeout: 3_000, requestTimeout: 15_000 } });

/** Throws where it is no key that signs. */
export async function kmsPublicKey(client: KMSClient, keyArn: string): Promise<KeyObject> {
  const { PublicKey, KeyUsage } = await client.send(new GetPublicKeyCommand({ KeyId: keyArn }));
  if (PublicKey === undefined || KeyUsage !== 'SIGN_VERIFY') throw new Error(`${keyArn}: got a key for ${KeyUsage}, expected SIGN_VERIFY`);
  return createPublicKey({ key: Buffer.from(PublicKey), format: 'der', type: 'spki' });
}

export function kmsCaSigner(client: KMSClient, keyArn: string): CaSigner {
  /** Compared once by each execution environment: a key of KMS does not change. */
  let own: KeyObject | undefined;

  async function check(publicKey: KeyObject): Promise<void> {
    const signing = await kmsPublicKey(client, keyArn);
    if (!signing.equals(publicKey)) throw new Error(`${keyArn}: its public key is not that of the pinned certificate`);
    own = signing;
  }

  return {
    check,

    async sign(publicKey, tbs) {
      const algorithm = caSignatureOf(publicKey);
      if (algorithm === undefined) throw new Error(`${keyArn}: expected a key on P-256 or P-384, or RSA of 2048 bits or more`);
      if (own === undefined || !own.equals(publicKey)) await check(publicKey);
      const toBeSigned = tbs(algorithm);
      const { Signature } = await client.send(
        new SignCommand({
          KeyId: keyArn,
          Message: createHash(algorithm.hash).update(toBeSigned).digest(),
          MessageType: 'DIGEST',
          SigningAlgorithm: algorithm.kmsAlgorithm,
        }),
      );
      // What is kept is handed out for ever: a signature that was damaged on its way must not be kept.
      if (Signature === undefined || !isSignedBy(publicKey, algorithm, toBeSigned, Signature))
        throw new Error(`${keyArn}: got a signature that its own public key does not verify`);
      return signedDer(toBeSigned, algorithm, Signature);
    },
  };
}
