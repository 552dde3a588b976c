/**
 * One look at the CRL of one anchor, and a new one where there is a reason:
 *
 *     object ─► last number ─► list read ─► number taken ─► signed, read as a stranger would
 *            ─► put over that very object ─► on record ─► ended entries dropped
 *
 * Two may be at it at once. Each takes a number of its own, and puts its CRL over the object that it had seen before it took the number; so a CRL
 * never comes to lie over one of a higher number. Who comes second looks again, and mostly finds that nothing is left to do.
 */
import { METRICS } from '../../../domain/fleet/metrics.js';
import type { Reason } from '../../../domain/fleet/reasons.js';
import { Certificate } from '../../../domain/pki/certificate.js';
import { readCrlBytes } from '../../../domain/pki/crl-reader.js';
import { crlTbs, type CrlContent } from '../../../domain/pki/crl-writer.js';
import type { TrustAnchor } from '../../../domain/pki/trust-anchor.js';
import { signedCrlKey, type PublishMessage, type SignerSettings } from '../../../domain/protocol/signer.js';
import type { Revocation } from '../../ports/ca-records.js';
import type { Publication } from '../../ports/crl-publications.js';
import { decide, isCovered } from './decide.js';
import { digestOf, listRevoked } from './list.js';
import type { PublishPorts } from './ports.js';

const DAY_MS = 86_400_000;

/** At most two calls run at once (AWS's own minimum of two): who is overtaken once finds quiet the next time. */
const LOOKS = 4;

export type PublishOutcome = 'published' | 'covered' | 'current';

type OwnAnchor = TrustAnchor & { readonly signer: SignerSettings };

export async function run(ports: PublishPorts, message: PublishMessage): Promise<PublishOutcome> {
  try {
    for (let looks = 1; looks <= LOOKS; looks += 1) {
      const outcome = await look(ports, message);
      if (outcome !== 'overtaken') return outcome;
    }
    throw new Error(`CRL of ${message.anchorId}: others published at the same moment, ${LOOKS} times`);
  } catch (error) {
    ports.signals.count(METRICS.crlPublishFailed);
    throw error;
  }
}

async function look(ports: PublishPorts, { anchorId, revokedAtMs }: PublishMessage): Promise<PublishOutcome | 'overtaken'> {
  const { clock, objects, publications, records, signals } = ports;
  const anchor = await ownAnchor(ports, anchorId);
  // The regular look (and a person's word) tells of a key that was disabled before a signature is wanted: days may lie between two CRLs.
  if (revokedAtMs === undefined) await ports.signerOf(anchor.signer.keyArn).check(Certificate.read(anchor.certificatePem).publicKey);
  // The object before the number: that is what keeps two publishers in order.
  const etag = await objects.etag(signedCrlKey(anchorId));
  const { lastNumber, published } = await publications.of(anchorId);
  const isThere = etag !== undefined;
  if (isCovered(published, isThere, revokedAtMs)) return 'covered';
  // Before the list: whoever is revoked from here on finds that this CRL was begun before.
  const begunAtMs = clock.nowMs();
  const revoked = await listRevoked(records, anchorId);
  const decision = decide({ published, isThere, listDigest: digestOf(revoked) }, begunAtMs);
  if (decision.do === 'nothing') {
    reportTimeLeft(ports, published);
    return 'current';
  }
  // Never below what a ledger that was restored from a backup might have forgotten: a CRL with a lower number is refused as a rollback.
  const crlNumber = Math.max(lastNumber + 1, Math.floor(begunAtMs / 1000));
  if (!(await publications.take(anchorId, lastNumber, crlNumber))) return 'overtaken';
  const publication = await publish(ports, anchor, { crlNumber, begunAtMs, revoked, etag, reason: decision.reason });
  if (publication === undefined) return 'overtaken';
  signals.count(METRICS.crlPublished);
  reportTimeLeft(ports, publication);
  return 'published';
}

async function ownAnchor({ anchors }: PublishPorts, anchorId: string): Promise<OwnAnchor> {
  const anchor = (await anchors.all()).find((one) => one.anchorId === anchorId);
  if (anchor?.signer === undefined) throw new Error(`publish: got trust anchor "${anchorId}", expected one with a signer`);
  return { ...anchor, signer: anchor.signer };
}

interface Draft {
  readonly crlNumber: number;
  readonly begunAtMs: number;
  readonly revoked: readonly Revocation[];
  readonly etag: string | undefined;
  readonly reason: Reason;
}

/** `undefined`: another one has come to lie in its place. */
async function publish(
  ports: PublishPorts,
  { anchorId, certificatePem, signer }: OwnAnchor,
  { crlNumber, begunAtMs, revoked, etag, reason }: Draft,
): Promise<Publication | undefined> {
  const { clock, decisions, objects, publications, records, signals, signerOf } = ports;
  const ca = Certificate.read(certificatePem);
  const entry = { subject: `SIGNER#${anchorId}`, act: 'publish', reason, runId: String(crlNumber), by: 'publish' } as const;
  await decisions.append({ ...entry, step: 'intent', atMs: clock.nowMs() });
  const thisUpdateMs = Math.floor(begunAtMs / 1000) * 1000;
  const content: CrlContent = { crlNumber, thisUpdateMs, nextUpdateMs: thisUpdateMs + signer.crlValidityDays * DAY_MS, revoked };
  const der = await signerOf(signer.keyArn).sign(ca.publicKey, (algorithm) => crlTbs(content, ca, algorithm));
  checkAsReader(der, ca, begunAtMs, anchorId);
  if (!(await objects.replace(signedCrlKey(anchorId), etag, der))) return undefined;
  const ended = revoked.filter(({ notAfterMs }) => notAfterMs < thisUpdateMs);
  const rest = revoked.filter(({ notAfterMs }) => notAfterMs >= thisUpdateMs);
  const { nextUpdateMs } = content;
  const publication = { crlNumber, thisUpdateMs, nextUpdateMs, begunAtMs, entries: revoked.length, listDigest: digestOf(rest) };
  await publications.published(anchorId, publication);
  // RFC 5280 §3.3: an entry stays until one CRL has named it after its certificate's end. This one has.
  await records.drop(
    anchorId,
    ended.map(({ serialNumber }) => serialNumber),
  );
  await decisions.append({ ...entry, step: 'outcome', atMs: clock.nowMs(), detail: { entries: revoked.length, dropped: ended.length } });
  signals.info('CRL published', { anchorId, crlNumber, entries: revoked.length, dropped: ended.length, reason });
  return publication;
}

/** What our own strict reader would refuse is not published: an older CRL that counts is better than a newer one that does not. */
function checkAsReader(der: Uint8Array, certificate: Certificate, atMs: number, anchorId: string): void {
  const reading = readCrlBytes(der, { atMs, issuers: [{ certificate }] });
  if (!reading.accepted) throw new Error(`CRL of ${anchorId}: it would be refused: ${reading.refusals.map(({ code }) => code).join(', ')}`);
}

function reportTimeLeft({ clock, signals }: PublishPorts, published: Pick<Publication, 'nextUpdateMs'> | undefined): void {
  if (published !== undefined) signals.count(METRICS.crlSecondsLeft, Math.floor((published.nextUpdateMs - clock.nowMs()) / 1000));
}
