/**
 * The regular round that makes every lost event cost minutes and no more: each known CRL object is looked at (one message for each, so that one
 * that fails does not stop the others), second stages that have fallen due are sent, and approvals whose message was lost are brought up again.
 */
import { METRICS } from '../../../domain/fleet/metrics.js';
import type { DueRevocations } from '../../ports/due.js';
import { mayAct, type SyncPorts, type SyncSettings } from './ports.js';

/** ACM PCA tests its permission with objects beside its CRLs (FACTS A1): they are none. */
const CRL_OBJECT = /\.(crl|pem)$/;
const DUE_AT_ONCE = 50;
type Due = ReturnType<DueRevocations['dueBy']> extends AsyncIterable<infer One> ? One : never;

export async function sweep(ports: SyncPorts, settings: SyncSettings): Promise<void> {
  const objects = await knownObjects(ports, settings);
  for (const { bucket, key } of objects) await ports.syncQueue.send({ kind: 'object', bucket, key });
  const acting = await mayAct(ports, settings);
  const due = acting ? await sendDue(ports) : 0;
  const waiting = await lookAtHolds(ports, acting);
  ports.signals.info('swept', { objects: objects.length, due, listsHeld: waiting, acting });
}

/** What lies below the prefix of any anchor now, and what a high-water mark was ever raised from: an object that has disappeared is among the latter. */
async function knownObjects(
  { anchors, crls, marks }: SyncPorts,
  { crlBucket }: SyncSettings,
): Promise<readonly { readonly bucket: string; readonly key: string }[]> {
  const known = new Map<string, { readonly bucket: string; readonly key: string }>();
  const add = (bucket: string, key: string) => known.set(`${bucket}/${key}`, { bucket, key });
  for (const prefix of new Set((await anchors.all()).map(({ crl }) => crl.prefix))) {
    for await (const key of crls.list(crlBucket, prefix)) if (CRL_OBJECT.test(key)) add(crlBucket, key);
  }
  for await (const { bucket, key } of marks.all()) add(bucket, key);
  return [...known.values()];
}

/** Sent first and crossed out afterwards: a round that dies in between sends some twice. */
async function sendDue({ due, revokeQueue, clock }: SyncPorts): Promise<number> {
  let sent = 0;
  let some: Due[] = [];
  const send = async (): Promise<void> => {
    await revokeQueue.sendAll(some.map(({ message }) => message));
    await Promise.all(some.map(({ key }) => due.done(key)));
    sent += some.length;
    some = [];
  };
  for await (const one of due.dueBy(clock.nowMs())) {
    some.push(one);
    if (some.length === DUE_AT_ONCE) await send();
  }
  if (some.length > 0) await send();
  return sent;
}

/** Resolves to the number of lists that wait for a person. Their count is said in each round, so that the alarm stays until somebody has decided. */
async function lookAtHolds({ holds, syncQueue, signals }: SyncPorts, acting: boolean): Promise<number> {
  let waiting = 0;
  for await (const { hash, state, kind, count } of holds.all()) {
    if (state === 'APPROVED' && acting) await syncQueue.send({ kind: 'approved', hash });
    if (state !== 'HELD') continue;
    waiting += 1;
    if (kind === 'revoke') signals.count(METRICS.revocationsHeld, count);
  }
  return waiting;
}
