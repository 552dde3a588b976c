/**
 * Carries out a list that a person approved. The approval is bound to the hash: what counts is the list with that hash, and not what the row
 * beside it says. APPROVED → APPLIED comes after the last message was taken, so that a run which dies is repeated; the worker does not mind
 * getting a message twice, and once APPLIED, the approval is used up.
 */
import { heldListHash, readHeldList, type HeldEntry, type HeldListHeader } from '../../../domain/fleet/held-list.js';
import { METRICS } from '../../../domain/fleet/metrics.js';
import type { Reason } from '../../../domain/fleet/reasons.js';
import { actionOf } from '../../../domain/pki/crl-reason.js';
import { readSerialSet } from '../../../domain/pki/serial-state.js';
import type { RevokeMessage } from '../../../domain/protocol/revocation.js';
import { BY, mayAct, type SyncPorts, type SyncSettings } from './ports.js';

export async function approve(ports: SyncPorts, settings: SyncSettings, hash: string): Promise<void> {
  const { clock, holds, signals } = ports;
  const hold = await holds.get(hash);
  const leave = (reason: Reason): void => signals.warn('approval not carried out', { hash, state: hold?.state, reason });
  if (hold === undefined) return leave('hold-unknown');
  if (hold.state !== 'APPROVED') return leave('not-approved');
  // It stays APPROVED: the sweep brings it up again when things may be changed.
  if (!(await mayAct(ports, settings))) return leave(settings.mode === 'enforce' ? 'emergency-stop' : 'mode-observe');

  const octets = await whole(ports.states.load(hold.listKey));
  if (heldListHash(octets) !== hash) {
    signals.count(METRICS.heldListAltered);
    return leave('list-altered');
  }
  const { header, entries } = readHeldList(octets);
  const append = (step: 'intent' | 'outcome', sent: number) =>
    ports.decisions.append({
      subject: `HOLD#${hash}`,
      step,
      act: 'apply-list',
      reason: 'approved',
      runId: hash,
      by: BY,
      atMs: clock.nowMs(),
      detail: { kind: header.kind, sent, approvedBy: hold.decidedBy ?? 'unknown' },
    });

  await append('intent', 0);
  const standing = header.kind === 'reactivate' ? await stillGone(ports, header, entries) : entries;
  const sent = await ports.revokeQueue.sendAll(messagesOf(header, standing, hash));
  await holds.move(hash, 'APPROVED', 'APPLIED', BY, clock.nowMs());
  await append('outcome', sent);
  signals.count(METRICS.revocationsQueued, sent);
  signals.info('approved list handed over', {
    hash,
    kind: header.kind,
    sent,
    anchorId: header.anchorId,
    approvedBy: hold.decidedBy,
    reason: 'approved',
  });
}

/** A serial number that has come back to the CRL since the list was made, on hold or revoked, is not reactivated whatever was approved. */
async function stillGone(
  { marks, states }: SyncPorts,
  { issuerKeyId, partition }: HeldListHeader,
  entries: Iterable<HeldEntry>,
): Promise<readonly HeldEntry[]> {
  const mark = await marks.get(issuerKeyId, partition);
  if (mark === undefined) throw new Error(`no high-water mark of ${issuerKeyId} ${partition}, from which a list was held`);
  const now = await readSerialSet(states.load(mark.stateKey));
  return [...entries].filter(({ serialNumber }) => !now.has(serialNumber, 'revoked') && !now.has(serialNumber, 'hold'));
}

function* messagesOf({ kind, anchorId, crlNumber }: HeldListHeader, entries: Iterable<HeldEntry>, hash: string): Iterable<RevokeMessage> {
  for (const { serialNumber, reason, revocationDate } of entries) {
    const action = kind === 'reactivate' ? 'reactivate' : actionOf(reason);
    yield { version: 1, action, anchorId, serialNumber, reason, revocationDate, source: 'operator', crlNumber, runId: hash };
  }
}

async function whole(parts: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const part of parts) chunks.push(part);
  return Buffer.concat(chunks);
}
