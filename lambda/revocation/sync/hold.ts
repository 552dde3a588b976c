import { writeHeldList, type HeldEntry } from '../../../domain/fleet/held-list.js';
import { METRICS } from '../../../domain/fleet/metrics.js';
import type { Reason } from '../../../domain/fleet/reasons.js';
import type { Hold } from '../../ports/holds.js';
import type { Accepted } from './mark.js';
import { BY, type SyncPorts } from './ports.js';

/** Keeps a list for a person: first the octets, then the row that points at them. Resolves to its hash; the same list is kept once. */
export async function hold(
  ports: SyncPorts,
  { crl, issuer, partition }: Accepted,
  kind: Hold['kind'],
  limit: number,
  reason: Reason,
  entries: Iterable<HeldEntry>,
): Promise<string> {
  const { clock, signals } = ports;
  const { anchorId } = issuer.settings;
  const { issuerKeyId } = issuer.certificate;
  const crlNumber = crl.facts.crlNumber.toString();
  const list = await writeHeldList({ version: 1, kind, anchorId, issuerKeyId, partition, crlNumber, digest: crl.facts.digest }, entries);
  const { hash, count } = list;
  const listKey = `holds/${hash}.json`;
  await ports.states.save(listKey, list.parts);
  const row: Hold = {
    hash,
    kind,
    state: 'HELD',
    anchorId,
    issuerKeyId,
    partition,
    crlNumber,
    count,
    limit,
    reason,
    listKey,
    createdAtMs: clock.nowMs(),
  };
  if (await ports.holds.put(row)) {
    await ports.decisions.append({
      subject: `HOLD#${hash}`,
      step: 'outcome',
      act: 'hold-list',
      reason,
      runId: crl.facts.digest,
      by: BY,
      atMs: clock.nowMs(),
      detail: { kind, count, limit, crlNumber, anchorId },
    });
  }
  if (kind === 'revoke') signals.count(METRICS.revocationsHeld, count);
  signals.warn('list held until a person decides', { hash, kind, count, limit, anchorId, crlNumber, reason });
  return hash;
}
