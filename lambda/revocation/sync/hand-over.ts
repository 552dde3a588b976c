/**
 * What is new in a CRL: counted against the brake, and then either sent to the revoke queue or held for a person. The count leaves out what
 * is done already: the fast path has often been there first, and that must not use up the brake a second time.
 */
import { brakeLimit } from '../../../domain/fleet/brake-limit.js';
import { METRICS } from '../../../domain/fleet/metrics.js';
import type { CrlEntry } from '../../../domain/pki/entry-list.js';
import type { RevokeMessage } from '../../../domain/protocol/revocation.js';
import { serialsOfCas, type PinnedCa } from './anchor-of.js';
import { hold } from './hold.js';
import type { Accepted } from './mark.js';
import { subjectOf } from './mark.js';
import { BY, type SyncPorts, type SyncSettings } from './ports.js';

export interface HandOver {
  /** Sent to the queue, or (plan) what would be. */
  readonly sent: number;
  /** Hashes of lists that wait for a person. */
  readonly held: readonly string[];
  /** Entries kept for a person, or (plan) that would be. */
  readonly heldEntries: number;
  readonly leftHold: number;
  readonly caCertificates: number;
  readonly limit: number;
}

const ASK_AT_ONCE = 1000;

export async function handOver(
  ports: SyncPorts,
  settings: SyncSettings,
  looked: Accepted,
  cas: readonly PinnedCa[],
  purpose: 'plan' | 'act',
): Promise<HandOver> {
  const { crl, issuer, partition } = looked;
  const { digest, crlNumber } = crl.facts;
  const ofCas = serialsOfCas(issuer, cas);
  const caCertificates = reportCaCertificates(ports, crl.fresh, ofCas, issuer);
  const leftHold = [...crl.vanishedHolds()];
  const limit = brakeLimit(await ports.inventory.activeCount(), settings.brake);
  const open = await stillOpen(ports, issuer.certificate.subjectId, without(crl.fresh, ofCas), limit);
  if (purpose === 'plan') {
    const over = open.length > limit;
    return {
      sent: over ? 0 : open.length,
      held: [],
      heldEntries: over ? crl.fresh.size - caCertificates : 0,
      leftHold: leftHold.length,
      caCertificates,
      limit,
    };
  }

  const held: string[] = [];
  const { granted } = await ports.brake.reserve(digest, open.length, limit, ports.clock.nowMs());
  // Granted beyond the limit means: granted before, to a run of this very CRL that died. Then all of it may go.
  const going = open.length > limit ? without(crl.fresh, ofCas) : open;
  if (granted && open.length > 0) {
    await ports.decisions.append({
      subject: subjectOf({ issuerKeyId: issuer.certificate.issuerKeyId, partition }),
      step: 'intent',
      act: 'sync',
      reason: 'new-revocations',
      runId: digest,
      by: BY,
      atMs: ports.clock.nowMs(),
      detail: { crlNumber: crlNumber.toString(), fresh: crl.fresh.size, limit },
    });
  }
  const sent = granted ? await ports.revokeQueue.sendAll(messagesOf(going, looked)) : 0;
  // The whole list, with what is done already: it must be the same list, octet by octet, when this run is repeated.
  if (!granted) held.push(await hold(ports, looked, 'revoke', limit, 'over-the-brake', heldRevocations(without(crl.fresh, ofCas))));
  if (leftHold.length > 0) {
    const at = new Date(crl.facts.thisUpdateMs).toISOString();
    const entries = leftHold.map((serialNumber) => ({ serialNumber, reason: 'certificateHold', revocationDate: at }) as const);
    held.push(await hold(ports, looked, 'reactivate', limit, 'left-hold', entries));
    ports.signals.count(METRICS.holdRemoved, leftHold.length);
  }
  return { sent, held, heldEntries: granted ? 0 : crl.fresh.size - caCertificates, leftHold: leftHold.length, caCertificates, limit };
}

function* without(entries: Iterable<CrlEntry>, ofCas: ReadonlySet<string>): Iterable<CrlEntry> {
  for (const entry of entries) if (!ofCas.has(entry.serialNumber)) yield entry;
}

/** Entries whose revocation is not done yet. Stops counting one beyond the limit: more is over the brake in any case, and a list may be long. */
async function stillOpen(
  { inventory }: SyncPorts,
  issuerId: string,
  entries: Iterable<CrlEntry>,
  limit: number,
): Promise<readonly CrlEntry[]> {
  const open: CrlEntry[] = [];
  let asking: CrlEntry[] = [];
  const ask = async (): Promise<void> => {
    const done = await inventory.alreadyDone(
      issuerId,
      asking.map(({ serialNumber }) => serialNumber),
    );
    open.push(...asking.filter(({ serialNumber }) => !done.has(serialNumber)));
    asking = [];
  };
  for (const entry of entries) {
    asking.push(entry);
    if (asking.length === ASK_AT_ONCE) await ask();
    if (open.length > limit) return open;
  }
  if (asking.length > 0) await ask();
  return open;
}

/** RFC 5280 lets a CRL name CA certificates too. To revoke a CA is a person's decision: it takes every device below it. */
function reportCaCertificates(
  { signals }: SyncPorts,
  entries: Iterable<CrlEntry>,
  ofCas: ReadonlySet<string>,
  { settings }: PinnedCa,
): number {
  let count = 0;
  for (const { serialNumber, reason } of ofCas.size === 0 ? [] : entries) {
    if (!ofCas.has(serialNumber)) continue;
    count += 1;
    signals.count(METRICS.caCertificateListed);
    signals.warn('the CRL names the certificate of a CA', {
      anchorId: settings.anchorId,
      serialNumber,
      crlReason: reason,
      reason: 'ca-certificate-listed',
    });
  }
  return count;
}

function* messagesOf(entries: Iterable<CrlEntry>, { crl, issuer }: Accepted): Iterable<RevokeMessage> {
  for (const { serialNumber, reason, action, revocationDateMs } of entries) {
    yield {
      version: 1,
      action,
      anchorId: issuer.settings.anchorId,
      serialNumber,
      reason,
      revocationDate: new Date(revocationDateMs).toISOString(),
      source: 'crl',
      crlNumber: crl.facts.crlNumber.toString(),
      runId: crl.facts.digest,
    };
  }
}

function* heldRevocations(entries: Iterable<CrlEntry>) {
  for (const { serialNumber, reason, revocationDateMs } of entries)
    yield { serialNumber, reason, revocationDate: new Date(revocationDateMs).toISOString() };
}
