import { PutObjectCommand } from '@aws-sdk/client-s3';
import { ANCHORS } from '../desk-configuration.js';
import type { RevokedEntry } from './external-ca.js';
import type { Stage } from './stage.js';

/** What the factory CA has revoked so far, and the last CRL that it published: the attack replays that one. */
export class RevokedBook {
  published: Buffer | undefined;
  #number = 0;
  readonly #entries: RevokedEntry[] = [];

  revoke(serialNumber: string, reason: RevokedEntry['reason']): void {
    this.#entries.push({ serialNumber, reason });
  }
  entries(): readonly RevokedEntry[] {
    return this.#entries;
  }
  nextNumber(): number {
    this.#number += 1;
    return this.#number;
  }
}

export async function putExternalCrl(stage: Stage, crl: Uint8Array): Promise<void> {
  await stage.clients.s3.send(
    new PutObjectCommand({
      Bucket: stage.crlBucket,
      Key: `external/${ANCHORS.external}/factory.crl`,
      Body: crl,
      ContentType: 'application/pkix-crl',
    }),
  );
}
