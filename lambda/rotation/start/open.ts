import { METRICS } from '../../../domain/fleet/metrics.js';
import { printRotationWindow } from '../../../domain/fleet/rotation-window.js';
import { Certificate } from '../../../domain/pki/certificate.js';
import type { RotationReason, RotationState } from '../../../domain/protocol/rotation.js';
import { campaignResourceName } from '../../../domain/protocol/rotation-work.js';
import { isBarred } from '../../ports/containments.js';
import type { CertificateRecord } from '../../ports/inventory.js';
import type { Rotation } from '../../ports/rotations.js';
import type { TrustAnchors } from '../../ports/trust-anchors.js';
import { decide, type StartDecision } from './decide.js';
import { BY, type StartPorts, type StartSettings } from './ports.js';

/** On what grounds, and by whom, a certificate is looked at. */
export interface Occasion {
  readonly reason: RotationReason;
  /** What found it: the expiry query and its window, a taskId, an operator’s ARN. */
  readonly foundBy: string;
  /** ARN of the person, or `start`. */
  readonly by: string;
}

export interface Judged {
  readonly record: CertificateRecord;
  readonly decision: StartDecision;
  /** The rotation that is open for it already. */
  readonly open?: Rotation;
}

const ENDED: readonly RotationState[] = ['retired', 'withdrawn'];

export const expiryQuery = ({ window }: StartSettings): Occasion => ({
  reason: 'expires-soon',
  foundBy: `expiry query, window ${printRotationWindow(window)}`,
  by: BY,
});

/** The names in which our trust anchors issue. Read once a message: parsing certificates is the dearest thing here. */
export async function issuerIds(anchors: TrustAnchors): Promise<ReadonlySet<string>> {
  return new Set((await anchors.all()).map(({ certificatePem }) => Certificate.read(certificatePem).subjectId));
}

/** What is to be done with one certificate. Reads only. */
export async function judge(
  { containments, rotations, clock }: Pick<StartPorts, 'containments' | 'rotations' | 'clock'>,
  { window }: Pick<StartSettings, 'window'>,
  { reason }: Occasion,
  record: CertificateRecord,
  ours: ReadonlySet<string>,
): Promise<Judged> {
  const facts = { reason, certificate: { ...record, ours: ours.has(record.issuerId) } };
  // Most of a fleet is not due: the ledger is asked only about what would otherwise be opened.
  const unlessOpen = decide({ ...facts, open: false, contained: false }, window, clock.nowMs());
  if (unlessOpen.do === 'leave') return { record, decision: unlessOpen };
  const contained = record.thingName !== undefined && (await isBarred(containments, record.thingName));
  if (contained) return { record, decision: decide({ ...facts, open: false, contained }, window, clock.nowMs()) };
  const before = await rotations.byOld(record.certificateId);
  if (before === undefined || ENDED.includes(before.state)) return { record, decision: unlessOpen };
  return { record, decision: decide({ ...facts, open: true, contained }, window, clock.nowMs()), open: before };
}

/** Notes a certificate that is left out although somebody should know. */
export function noteLeft({ signals }: Pick<StartPorts, 'signals'>, { record, decision }: Judged): void {
  if (decision.do !== 'leave' || decision.reason === 'not-due-yet' || decision.reason === 'rotation-open') return;
  const { certificateId, thingName } = record;
  if (decision.reason === 'expired') signals.count(METRICS.expiredUnrotated);
  signals.info('certificate not rotated', { certificateId, thingName, reason: decision.reason });
}

/** The row of a campaign, before its first member. There already: left as it is. */
export async function makeCampaign(
  { campaigns, clock }: Pick<StartPorts, 'campaigns' | 'clock'>,
  { application }: Pick<StartSettings, 'application'>,
  campaignId: string,
  { reason, foundBy }: Occasion,
  deadlineMs: number,
): Promise<void> {
  const name = campaignResourceName(application, campaignId);
  const atMs = clock.nowMs();
  const made = { createdAtMs: atMs, updatedAtMs: atMs, state: 'planned', size: 0 } as const;
  await campaigns.put({ ...made, campaignId, jobId: name, thingGroupName: name, reason, foundBy, deadlineMs });
}

/**
 * Opens the rotation. The row that says why comes first: a rotation without a reason on record must not exist. `false`: somebody else has
 * opened one meanwhile.
 */
export async function open(
  ports: Pick<StartPorts, 'rotations' | 'decisions' | 'clock' | 'signals'>,
  { application }: Pick<StartSettings, 'application'>,
  campaignId: string,
  { reason, foundBy, by }: Occasion,
  { record, decision }: Judged,
): Promise<boolean> {
  const { thingName, certificateId } = record;
  if (decision.do !== 'open' || thingName === undefined) return false;
  const { deadlineMs } = decision;
  const atMs = ports.clock.nowMs();
  const dates = { notAfter: new Date(record.notAfterMs).toISOString(), deadline: new Date(deadlineMs).toISOString() };
  await ports.decisions.append({
    subject: `CERT#${certificateId}`,
    step: 'intent',
    act: 'rotate',
    reason,
    runId: campaignId,
    by,
    atMs,
    detail: { thingName, foundBy, ...dates },
  });
  const opened = await ports.rotations.open({
    oldCertificateId: certificateId,
    thingName,
    campaignId,
    jobId: campaignResourceName(application, campaignId),
    state: 'planned',
    reason,
    foundBy,
    deadlineMs,
    createdAtMs: atMs,
    updatedAtMs: atMs,
  });
  if (opened) ports.signals.count(METRICS.rotationsOpened);
  return opened;
}
