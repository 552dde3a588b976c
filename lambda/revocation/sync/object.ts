/**
 * One CRL object, from the bucket to the revoke queue:
 *
 *     look ─► decide ─► brake ─► intent ─► queue (or hold) ─► state object ─► raise the mark ─► outcome
 *
 * The mark is raised last and on the condition that it is still the one that was read. Die before, and the next delivery does it all again:
 * the brake knows the run by the CRL's digest, the hold is known by its hash, the worker knows what is done. Lose the race for the
 * mark, and this run starts again from the mark that won.
 */
import { METRICS } from '../../../domain/fleet/metrics.js';
import type { Reason } from '../../../domain/fleet/reasons.js';
import { serialStateDigest } from '../../../domain/pki/serial-state.js';
import type { SyncOutcome } from '../../../domain/protocol/revocation.js';
import type { CrlObjectRef } from '../../ports/crl-store.js';
import { pinned } from './anchor-of.js';
import { decide } from './decide.js';
import { handOver } from './hand-over.js';
import { look, type Look } from './look.js';
import { mark, withObject, type Accepted, type Draft } from './mark.js';
import type { SyncPorts, SyncSettings } from './ports.js';
import { noteAge, noteShrinking, reportAbsent, reportAlarm, reportOutcome, reportPlan, reportUnchanged } from './report.js';

const MAX_RACES = 3;

export async function syncObject(ports: SyncPorts, settings: SyncSettings, ref: CrlObjectRef): Promise<void> {
  const cas = pinned(await ports.anchors.all());
  for (let race = 1; race <= MAX_RACES; race++) {
    const looked = await look(ports, ref, cas, ports.clock.nowMs(), settings.clockSkewMs);
    if (looked.found === 'no') return reportAbsent(ports, ref, looked.mark);
    if (looked.found === 'unchanged') {
      noteAge(ports, looked.mark);
      return reportUnchanged(ports, looked.mark);
    }
    const { stopped } = await ports.stop.state();
    const decision = decide({ ...(await factsOf(ports, ref, looked)), mode: settings.mode, stopped });
    if (decision.do === 'alarm') return reportAlarm(ports, ref, looked, decision);
    if (looked.found !== 'accepted') throw new Error(`decided "${decision.do}" about a CRL that was not accepted`);

    const next = mark(ref, looked, ports.clock.nowMs());
    if (decision.do === 'leave') return leave(ports, settings, looked, next, decision.outcome, decision.reason, stopped);
    noteAge(ports, next);
    const handed = await handOver(ports, settings, looked, cas, decision.do === 'report' ? 'plan' : 'act');
    if (decision.do === 'report') return reportPlan(ports, next, handed, decision);

    const state = [...looked.crl.nextState()];
    await ports.states.save(next.stateKey, state);
    if (await ports.marks.raise({ ...next, stateDigest: serialStateDigest(state) }, looked.mark)) {
      noteShrinking(ports, looked, next);
      return reportOutcome(ports, next, handed, decision.reason);
    }
    ports.signals.info('another run raised the mark: starting again', { key: ref.key, crlNumber: next.crlNumber });
  }
  throw new Error(`s3://${ref.bucket}/${ref.key}: lost the high-water mark ${MAX_RACES} times to other runs`);
}

async function factsOf({ crls }: SyncPorts, ref: CrlObjectRef, looked: Extract<Look, { found: 'foreign' | 'refused' | 'accepted' }>) {
  if (looked.found === 'foreign') return { crl: { accepted: false, foreign: true }, displaces: false } as const;
  if (looked.found === 'refused') {
    return { crl: { accepted: false, foreign: looked.refusals.some(({ code }) => code === 'foreign-issuer') }, displaces: false } as const;
  }
  const { crl, mark: highest, object } = looked;
  const { crlNumber, digest } = crl.facts;
  const isLower = highest !== undefined && crlNumber < BigInt(highest.crlNumber);
  const justPut = ref.versionId !== undefined;
  const sameObject = highest !== undefined && highest.bucket === ref.bucket && highest.key === ref.key;
  const displaces = isLower && (justPut || sameObject) && (await crls.currentVersion(ref)) === object.versionId;
  return { crl: { accepted: true, crlNumber, digest, fresh: crl.fresh.size }, mark: highest, displaces } as const;
}

/** The same CRL as another object version: from now on the sweep recognises this one by its ETag, without reading it. */
async function leave(
  ports: SyncPorts,
  settings: SyncSettings,
  looked: Accepted,
  next: Draft,
  outcome: SyncOutcome,
  reason: Reason,
  stopped: boolean,
): Promise<void> {
  const { mark: highest } = looked;
  const sameObject = highest?.bucket === next.bucket && highest.key === next.key;
  if (
    outcome === 'unchanged' &&
    highest !== undefined &&
    sameObject &&
    highest.etag !== next.etag &&
    settings.mode === 'enforce' &&
    !stopped
  ) {
    await ports.marks.raise(withObject(highest, next), highest);
  }
  if (outcome === 'unchanged') {
    noteAge(ports, next);
    ports.signals.count(METRICS.crlUnchanged);
  }
  ports.signals.info('CRL left alone', {
    bucket: next.bucket,
    key: next.key,
    crlNumber: next.crlNumber,
    highest: highest?.crlNumber,
    outcome,
    reason,
  });
}
