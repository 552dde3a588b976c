import { certificateId, type CertificateId } from '../../../domain/fleet/certificate-id.js';
import { OPEN_ROTATION_STATES, type RotationState } from '../../../domain/protocol/rotation.js';
import type { Campaign, Campaigns, Rotation, Rotations } from '../../../lambda/ports/rotations.js';

const isOpen = ({ state }: Rotation): boolean => (OPEN_ROTATION_STATES as readonly RotationState[]).includes(state);
const stands = (rotation: Rotation): boolean =>
  rotation.state !== 'withdrawn' || (rotation.newCertificateArn !== undefined && rotation.settledAtMs === undefined);

export class MemoryRotations implements Rotations {
  readonly rows = new Map<CertificateId, Rotation>();
  /** Key → whose it is. */
  readonly keys = new Map<string, string>();
  /** Keys that a rotation claimed, and not a certificate from before. */
  private readonly claims = new Set<string>();

  private sorted(by: (rotation: Rotation) => number | undefined): Rotation[] {
    return [...this.rows.values()].sort((one, other) => (by(one) ?? 0) - (by(other) ?? 0));
  }

  async byOld(old: CertificateId) {
    return this.rows.get(old);
  }
  async byNew(fresh: CertificateId) {
    return [...this.rows.values()].find(({ newCertificateId }) => newCertificateId === fresh);
  }
  async *ofCampaign(campaignId: string) {
    const members = [...this.rows.values()].filter((rotation) => rotation.campaignId === campaignId);
    yield* members.sort((one, other) => (one.oldCertificateId < other.oldCertificateId ? -1 : 1));
  }
  async open(rotation: Rotation) {
    const before = this.rows.get(rotation.oldCertificateId);
    if (before !== undefined && stands(before)) return false;
    this.rows.set(rotation.oldCertificateId, rotation);
    return true;
  }
  async reserve(old: CertificateId, request: { readonly csrSha256: string; readonly newKeyId: string; readonly atMs: number }) {
    const before = this.rows.get(old);
    if (before === undefined || !isOpen(before)) return 'not-open';
    if (before.csrSha256 !== undefined) return 'taken';
    if (this.keys.has(request.newKeyId)) return 'key-known';
    this.keys.set(request.newKeyId, old);
    this.claims.add(request.newKeyId);
    const { csrSha256, newKeyId, atMs } = request;
    this.rows.set(old, { ...before, state: 'requested', csrSha256, newKeyId, updatedAtMs: atMs });
    return 'reserved';
  }
  async move(
    old: CertificateId,
    from: readonly RotationState[],
    next: Partial<Omit<Rotation, 'oldCertificateId'>> & { readonly state: RotationState },
  ) {
    const before = this.rows.get(old);
    if (before === undefined || !from.includes(before.state)) return undefined;
    const after = { ...before, ...next };
    this.rows.set(old, after);
    return after;
  }
  async *toRetire(nowMs: number) {
    for (const rotation of this.sorted(({ retireAtMs }) => retireAtMs))
      if (rotation.state === 'proved' && rotation.retireAtMs !== undefined && rotation.retireAtMs <= nowMs) yield rotation;
  }
  async *dueBefore(atMs: number) {
    for (const rotation of this.sorted(({ deadlineMs }) => deadlineMs)) if (isOpen(rotation) && rotation.deadlineMs < atMs) yield rotation;
  }
  async keyIsKnown(keyId: string) {
    return this.keys.has(keyId);
  }
  async claimantOf(keyId: string) {
    const whose = this.keys.get(keyId);
    return whose === undefined || !this.claims.has(keyId) ? undefined : certificateId(whose);
  }
  async rememberKey(keyId: string, id: CertificateId) {
    if (!this.keys.has(keyId)) this.keys.set(keyId, id);
  }
}

export class MemoryCampaigns implements Campaigns {
  readonly rows = new Map<string, Campaign>();

  async get(campaignId: string) {
    return this.rows.get(campaignId);
  }
  async byJob(jobId: string) {
    return [...this.rows.values()].find((campaign) => campaign.jobId === jobId);
  }
  async *all() {
    yield* [...this.rows.values()].sort((one, other) => (one.campaignId < other.campaignId ? -1 : 1));
  }
  async put(campaign: Campaign) {
    if (this.rows.has(campaign.campaignId)) return false;
    this.rows.set(campaign.campaignId, campaign);
    return true;
  }
  async move(campaignId: string, from: readonly Campaign['state'][], to: Campaign['state'], atMs: number, size?: number) {
    const before = this.rows.get(campaignId);
    if (before === undefined || !from.includes(before.state)) return false;
    this.rows.set(campaignId, { ...before, state: to, updatedAtMs: atMs, ...(size !== undefined && { size }) });
    return true;
  }
  async takeTurn(campaignId: string, atMs: number) {
    const before = this.rows.get(campaignId);
    if (before === undefined) throw new Error(`ConditionalCheckFailedException: ${campaignId}`);
    const turnAtMs = before.turnAtMs ?? atMs;
    this.rows.set(campaignId, { ...before, turnAtMs });
    return turnAtMs;
  }
  async tidied(campaignId: string, atMs: number) {
    const before = this.rows.get(campaignId);
    if (before === undefined) throw new Error(`ConditionalCheckFailedException: ${campaignId}`);
    this.rows.set(campaignId, { ...before, tidiedAtMs: atMs });
  }
}
