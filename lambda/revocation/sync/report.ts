/** What the sync says: one function for each way in which a CRL object can end. */
import { METRICS } from '../../../domain/fleet/metrics.js';
import type { Reason } from '../../../domain/fleet/reasons.js';
import type { CrlObjectRef } from '../../ports/crl-store.js';
import type { HighWater } from '../../ports/high-water.js';
import type { SyncDecision } from './decide.js';
import type { HandOver } from './hand-over.js';
import type { Look } from './look.js';
import { subjectOf, type Accepted, type Draft } from './mark.js';
import { BY, type SyncPorts } from './ports.js';

/** Below so many entries a share says nothing. */
const SHRINKING_MIN_ENTRIES = 20;
const SHRINKING_SHARE = 0.5;

const ALARM_METRICS = {
  refused: METRICS.crlRefused,
  'no-anchor': METRICS.crlRefused,
  rollback: METRICS.crlRollback,
  equivocation: METRICS.crlEquivocation,
} as const;

export async function reportAlarm(
  ports: SyncPorts,
  ref: CrlObjectRef,
  looked: Look,
  { outcome, reason }: Extract<SyncDecision, { do: 'alarm' }>,
): Promise<void> {
  const refusals = looked.found === 'refused' ? looked.refusals.map(({ code }) => code) : [];
  const accepted = looked.found === 'accepted' ? looked : undefined;
  const ids = {
    bucket: ref.bucket,
    key: ref.key,
    versionId: 'object' in looked ? looked.object.versionId : ref.versionId,
    crlNumber: accepted?.crl.facts.crlNumber.toString(),
    highest: accepted?.mark?.crlNumber,
  };
  ports.signals.count(ALARM_METRICS[outcome]);
  ports.signals.warn('CRL not applied', { ...ids, outcome, reason, refusals });
  await ports.decisions.append({
    subject:
      accepted === undefined
        ? `OBJECT#${ref.bucket}/${ref.key}`
        : subjectOf({ issuerKeyId: accepted.issuer.certificate.issuerKeyId, partition: accepted.partition }),
    step: 'outcome',
    act: 'sync',
    reason,
    runId: accepted?.crl.facts.digest ?? ids.versionId ?? 'current',
    by: BY,
    atMs: ports.clock.nowMs(),
    detail: { outcome, ...Object.fromEntries(Object.entries(ids).filter(([, id]) => id !== undefined)), refusals: refusals.join(' ') },
  });
}

export function reportAbsent({ signals }: SyncPorts, { bucket, key }: CrlObjectRef, mark: HighWater | undefined): void {
  if (mark === undefined) return signals.info('no such CRL object, and none was ever applied from it', { bucket, key, outcome: 'absent' });
  signals.count(METRICS.crlAbsent);
  signals.warn('a known CRL object is gone: nothing is un-revoked', {
    bucket,
    key,
    crlNumber: mark.crlNumber,
    outcome: 'absent',
    reason: 'object-gone',
  });
}

export function reportUnchanged({ signals }: SyncPorts, { bucket, key, crlNumber }: HighWater): void {
  signals.count(METRICS.crlUnchanged);
  signals.info('CRL left alone', { bucket, key, crlNumber, outcome: 'unchanged', reason: 'same-crl' });
}

/** Said at every look, also of an unchanged CRL: a CA that has stopped talking changes nothing, and that is how it is noticed. */
export function noteAge({ signals, clock }: SyncPorts, { thisUpdate, nextUpdate, bucket, key, crlNumber }: Draft): void {
  signals.count(METRICS.crlAgeSeconds, Math.max(0, clock.nowMs() - Date.parse(thisUpdate)) / 1000);
  if (Date.parse(nextUpdate) >= clock.nowMs()) return;
  signals.count(METRICS.crlExpired);
  signals.warn('the CRL has expired: its revocations stand, its CA is silent', { bucket, key, crlNumber, nextUpdate });
}

/** Entries leave a CRL when their certificates expire (RFC 5280 §3.3): legal, and nothing is un-revoked. Most of a list at once is worth a look. */
export function noteShrinking({ signals }: SyncPorts, { handedOver, crl }: Accepted, { bucket, key, crlNumber, entries }: Draft): void {
  const gone = handedOver - (entries - crl.fresh.size);
  if (handedOver < SHRINKING_MIN_ENTRIES || gone / handedOver <= SHRINKING_SHARE) return;
  signals.count(METRICS.crlShrunk);
  signals.warn('most entries have left the CRL: they stay revoked', { bucket, key, crlNumber, gone, before: handedOver });
}

export function reportPlan(
  { signals }: SyncPorts,
  { bucket, key, crlNumber }: Draft,
  plan: HandOver,
  { outcome, reason }: Extract<SyncDecision, { do: 'report' }>,
): void {
  if (outcome === 'stopped') signals.count(METRICS.stopped);
  signals.info('CRL not applied now: this is what would be done', {
    bucket,
    key,
    crlNumber,
    outcome,
    reason,
    wouldSend: plan.sent,
    wouldHold: plan.heldEntries,
    leftHold: plan.leftHold,
    limit: plan.limit,
  });
}

export async function reportOutcome(ports: SyncPorts, mark: Draft, handed: HandOver, reason: Reason): Promise<void> {
  const { bucket, key, crlNumber, digest, entries } = mark;
  const isHeld = handed.held.length > 0;
  const outcome = isHeld ? 'held' : handed.sent > 0 ? 'applied' : 'unchanged';
  ports.signals.count(METRICS.crlApplied);
  ports.signals.count(METRICS.revocationsQueued, handed.sent);
  ports.signals.info('CRL applied', {
    bucket,
    key,
    crlNumber,
    entries,
    outcome,
    reason,
    sent: handed.sent,
    held: handed.held,
    limit: handed.limit,
  });
  await ports.decisions.append({
    subject: subjectOf(mark),
    step: 'outcome',
    act: 'sync',
    reason: handed.heldEntries > 0 ? 'over-the-brake' : reason,
    runId: digest,
    by: BY,
    atMs: ports.clock.nowMs(),
    detail: {
      outcome,
      crlNumber,
      entries,
      sent: handed.sent,
      heldEntries: handed.heldEntries,
      leftHold: handed.leftHold,
      caCertificates: handed.caCertificates,
    },
  });
}
