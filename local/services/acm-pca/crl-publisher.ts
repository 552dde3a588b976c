/**
 * When a CRL is written (FACTS A1):
 *
 *     first certificate ──30 min──► first CRL ──half of its validity──► refresh …
 *     revocation ─────────30 min──► next CRL        a failure ──15 min──► again, with an event
 */
import { AwsError } from '../../models/service.js';
import { putEvent, type Authority, type CrlConfiguration, type IssuedCertificate, type PcaState } from './authority.js';
import { distributionPoint, objectKey, putAsService } from './crl-configuration.js';
import { authorityKeyIdentifier, crlNumber, issuingDistributionPoint } from './extensions.js';
import { writeCrl, type RevokedEntry } from './x509-writer.js';

const AFTER_REVOCATION_MS = 30 * 60 * 1000;
const RETRY_MS = 15 * 60 * 1000;
const DAY_MS = 24 * 60 * 60 * 1000;
/** thisUpdate lies an hour back, nextUpdate counts from now: the sample of the user guide ("Certificate revocation list (CRL) structure"). */
const BACKDATED_MS = 60 * 60 * 1000;

/** RFC 5280 §5.3.1, by the API's names. */
export const REASON_CODES: Readonly<Record<string, number>> = {
  UNSPECIFIED: 0,
  KEY_COMPROMISE: 1,
  CERTIFICATE_AUTHORITY_COMPROMISE: 2,
  AFFILIATION_CHANGED: 3,
  SUPERSEDED: 4,
  CESSATION_OF_OPERATION: 5,
  PRIVILEGE_WITHDRAWN: 9,
  A_A_COMPROMISE: 10,
};

interface Partition {
  lastNumber: bigint;
  /** The one timer of the partition: a revocation pulls it forward, nothing pushes it back. */
  next?: { readonly atMs: number; readonly cancel: () => void };
}

export class CrlPublisher {
  private readonly partitions = new Map<string, Partition>();

  constructor(private readonly state: PcaState) {}

  /** A certificate that points to the CRL was issued, or one of its certificates was revoked. */
  changed(authority: Authority, partition: string): void {
    this.schedule(authority, partition, AFTER_REVOCATION_MS);
  }

  /** The first certificate of a partition brings about the first CRL. */
  issued(authority: Authority, certificate: IssuedCertificate): void {
    if (!this.partitions.has(this.name(authority, certificate.partition))) this.changed(authority, certificate.partition);
  }

  stop(authority: Authority): void {
    for (const [name, partition] of this.partitions) if (name.startsWith(`${authority.arn} `)) partition.next?.cancel();
  }

  private schedule(authority: Authority, name: string, delayMs: number): void {
    const { clock } = this.state.cloud.world;
    const partition = this.partition(authority, name);
    const atMs = clock.nowMs() + delayMs;
    if (partition.next && partition.next.atMs <= atMs) return;
    partition.next?.cancel();
    partition.next = {
      atMs,
      cancel: clock.after(delayMs, async () => {
        delete partition.next;
        await this.publish(authority, name);
      }),
    };
  }

  private async publish(authority: Authority, name: string): Promise<void> {
    const crl = authority.revocationConfiguration.CrlConfiguration;
    // A CA that is switched off or deleted still keeps its CRL alive only while it is ACTIVE or DISABLED.
    if (!crl?.Enabled || !authority.certificate || !['ACTIVE', 'DISABLED'].includes(authority.status)) return;
    const failure = await this.write(authority, crl, name);
    const { journal } = this.state.cloud.world;
    journal.add({
      kind: 'crl',
      what: objectKey(authority, crl, name),
      who: 'acm-pca',
      ok: failure === undefined,
      ...(failure ? { detail: failure } : {}),
    });
    putEvent(this.state, 'ACM Private CA CRL Generation', [authority.arn], failure);
    this.metric(authority, failure);
    this.schedule(authority, name, failure === undefined ? ((crl.ExpirationInDays ?? 1) * DAY_MS) / 2 : RETRY_MS);
  }

  /** The reason of a failure in AWS's words (FACTS A7), or nothing. */
  private async write(authority: Authority, crl: CrlConfiguration, name: string): Promise<string | undefined> {
    const { world } = this.state.cloud;
    const now = world.clock.date();
    const revoked = [...authority.issued.values()].filter(
      ({ revocation, partition }) => revocation && !revocation.listedAfterExpiry && partition === name,
    );
    const partition = this.partition(authority, name);
    // Milliseconds of the epoch, as in the user guide's sample, and always above the last one.
    const number = BigInt(now.getTime()) > partition.lastNumber ? BigInt(now.getTime()) : partition.lastNumber + 1n;
    try {
      const der = await writeCrl(authority.key, authority.configuration.SigningAlgorithm, {
        issuer: authority.certificate?.subject ?? Buffer.alloc(0),
        thisUpdate: new Date(now.getTime() - BACKDATED_MS),
        nextUpdate: new Date(now.getTime() + (crl.ExpirationInDays ?? 1) * DAY_MS),
        entries: revoked.flatMap(entryOf),
        extensions: [
          authorityKeyIdentifier(authority.key.keyIdentifier),
          crlNumber(number),
          ...(name === 'COMPLETE' ? [] : [issuingDistributionPoint(distributionPoint(this.state, authority, crl, name))]),
        ],
      });
      await putAsService(this.state, authority, crl, objectKey(authority, crl, name), der, 'application/pkix-crl');
    } catch (error) {
      if (!(error instanceof AwsError)) throw error;
      return error.status >= 500
        ? 'Failed to write CRL to S3. Internal failure.'
        : 'Failed to write CRL to S3. Check your S3 bucket permissions.';
    }
    partition.lastNumber = number;
    for (const { revocation, notAfter } of revoked) if (revocation && notAfter <= now) revocation.listedAfterExpiry = true;
    return undefined;
  }

  private metric(authority: Authority, failure: string | undefined): void {
    const name = failure === undefined ? 'CRLGenerated' : 'MisconfiguredCRLBucket';
    this.state.cloud.parts.metrics?.([
      { namespace: 'AWS/ACMPrivateCA', name, dimensions: { PrivateCAArn: authority.arn }, value: 1, unit: 'Count' },
    ]);
  }

  private partition(authority: Authority, name: string): Partition {
    const key = this.name(authority, name);
    const known = this.partitions.get(key) ?? { lastNumber: 0n };
    this.partitions.set(key, known);
    return known;
  }

  private name(authority: Authority, partition: string): string {
    return `${authority.arn} ${partition}`;
  }
}

function entryOf({ serialNumber, revocation }: IssuedCertificate): RevokedEntry[] {
  return revocation ? [{ serialNumber, revocationDate: revocation.at, reason: REASON_CODES[revocation.reason] ?? 0 }] : [];
}
