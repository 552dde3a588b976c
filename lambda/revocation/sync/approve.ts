/**
 * Carries out a list that a person approved. The approval is bound to the hash: what counts is the list with that hash, and not what the row
 * beside it says. APPROVED → APPLIED comes after the last message was taken, so that a run which dies is repeated; the worker does not mind
 * getting a message twice, and once APPLIED, the approval is used up.
 *
 * A long list is handed over slice by slice, and how far it has come is on the row: a run that dies, or that stops because its time is nearly
 * up, is taken up where it was. Without that, a list too long for one run would begin anew each time and never reach its end.
 */
import { heldListHash, readHeldList, type HeldEntry, type HeldListHeader } from '../../../domain/fleet/held-list.js';
import { wholeOf } from '../../../domain/fleet/octets.js';
import { METRICS } from '../../../domain/fleet/metrics.js';
import type { Reason } from '../../../domain/fleet/reasons.js';
import { actionOf } from '../../../domain/pki/crl-reason.js';
import { readSerialSet } from '../../../domain/pki/serial-state.js';
import type { RevokeMessage } from '../../../domain/protocol/revocation.js';
import { BY, mayAct, type SyncPorts, type SyncSettings } from './ports.js';

/** 1,000 calls of SendMessageBatch. */
const SLICE = 10_000;
/** The function has five minutes: time for one more slice, however slow, must be left. */
const STOP_AFTER_MS = 150_000;

export async function approve(ports: SyncPorts, settings: SyncSettings, hash: string): Promise<void> {
  const { clock, holds, signals } = ports;
  const hold = await holds.get(hash);
  const leave = (reason: Reason): void => signals.warn('approval not carried out', { hash, state: hold?.state, reason });
  if (hold === undefined) return leave('hold-unknown');
  if (hold.state !== 'APPROVED') return leave('not-approved');
  // It stays APPROVED: the sweep brings it up again when things may be changed.
  if (!(await mayAct(ports, settings))) return leave(settings.mode === 'enforce' ? 'emergency-stop' : 'mode-observe');

  const octets = await wholeOf(ports.states.load(hold.listKey));
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
  const stands = header.kind === 'reactivate' ? await stillGone(ports, header) : () => true;
  const startedAtMs = clock.nowMs();
  let sent = 0;
  for (const { slice, end } of slicesOf(entries, hold.handedOver ?? 0)) {
    sent += await ports.revokeQueue.sendAll(messagesOf(header, slice.filter(stands), hash));
    if (slice.length < SLICE) break; // the last one: APPLIED says that it is done
    await holds.advance(hash, end);
    if (clock.nowMs() - startedAtMs < STOP_AFTER_MS) continue;
    await ports.syncQueue.send({ kind: 'approved', hash });
    await append('outcome', sent);
    signals.count(METRICS.revocationsQueued, sent);
    return signals.info('approved list handed over in part', { hash, sent, handedOver: end, of: hold.count, reason: 'approved' });
  }
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
async function stillGone({ marks, states }: SyncPorts, { issuerKeyId, partition }: HeldListHeader): Promise<(entry: HeldEntry) => boolean> {
  const mark = await marks.get(issuerKeyId, partition);
  if (mark === undefined) throw new Error(`no high-water mark of ${issuerKeyId} ${partition}, from which a list was held`);
  const now = await readSerialSet(states.load(mark.stateKey), mark.stateDigest);
  return ({ serialNumber }) => !now.has(serialNumber, 'revoked') && !now.has(serialNumber, 'hold');
}

/** The entries behind the first `handedOver`, in slices; `end`: how many entries of the list come before the next slice. */
function* slicesOf(
  entries: Iterable<HeldEntry>,
  handedOver: number,
): Iterable<{ readonly slice: readonly HeldEntry[]; readonly end: number }> {
  let slice: HeldEntry[] = [];
  let end = 0;
  for (const entry of entries) {
    end += 1;
    if (end <= handedOver) continue;
    slice.push(entry);
    if (slice.length < SLICE) continue;
    yield { slice, end };
    slice = [];
  }
  if (slice.length > 0) yield { slice, end };
}

function* messagesOf({ kind, anchorId, crlNumber }: HeldListHeader, entries: Iterable<HeldEntry>, hash: string): Iterable<RevokeMessage> {
  for (const { serialNumber, reason, revocationDate } of entries) {
    const action = kind === 'reactivate' ? 'reactivate' : actionOf(reason);
    yield { version: 1, action, anchorId, serialNumber, reason, revocationDate, source: 'operator', crlNumber, runId: hash };
  }
}
