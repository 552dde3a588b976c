import type { CertificateId } from '../../domain/fleet/certificate-id.js';
import type { ThingName } from '../../domain/fleet/thing-name.js';
import type { RotationReason, RotationState } from '../../domain/protocol/rotation.js';

/** One rotation: the replacement of one certificate. Its natural key is the old certificate: at most one is open for it. */
export interface Rotation {
  readonly oldCertificateId: CertificateId;
  readonly thingName: ThingName;
  readonly campaignId: string;
  readonly jobId: string;
  readonly state: RotationState;
  readonly reason: RotationReason;
  /** What found it, and on what grounds: `expiry query, 30 days before notAfter`, a taskId, an operator’s ARN. */
  readonly foundBy: string;
  readonly deadlineMs: number;
  readonly createdAtMs: number;
  readonly updatedAtMs: number;
  /** Hex SHA-256 of the DER of the request that was granted: another request for the same rotation is refused. */
  readonly csrSha256?: string;
  /** Hex SHA-256 of the SubjectPublicKeyInfo of the new key. */
  readonly newKeyId?: string;
  /** ARN at the CA, written before anybody waits for the certificate. */
  readonly newCertificateArn?: string;
  /** Written before the certificate is registered: nothing is in the registry that is not on record. */
  readonly newCertificateId?: CertificateId;
  /** When the new certificate was made ACTIVE. That is done once: who deactivates it later must not be undone by a repeated request. */
  readonly activatedAtMs?: number;
  readonly provedAtMs?: number;
  readonly retireAtMs?: number;
  readonly stateReason?: string;
  /** The last mark before the deadline at which people were told, in days; 0: the deadline itself. */
  readonly escalatedDays?: number;
  /** Of a rotation that was withdrawn: nothing of it is left to take back. Until then the rounds of `retire` come back to it. */
  readonly settledAtMs?: number;
}

/** Rotations in the ledger. Reads by key are strongly consistent. */
export interface Rotations {
  byOld(oldCertificateId: CertificateId): Promise<Rotation | undefined>;
  byNew(newCertificateId: CertificateId): Promise<Rotation | undefined>;
  /** In the order of the old certificateId. */
  ofCampaign(campaignId: string): AsyncIterable<Rotation>;
  /**
   * Opens one where none is open for this certificate. `false`: one is open or has come to its end, or a withdrawn one that had an
   * issued certificate is not settled yet.
   */
  open(rotation: Rotation): Promise<boolean>;
  /**
   * Grants the rotation to one request and claims its key, both in one conditional write: to `requested`, if it is open and nothing has been
   * granted yet. `taken`: granted before, perhaps to this very request. `key-known`: some certificate or other rotation has this key.
   */
  reserve(
    oldCertificateId: CertificateId,
    request: { readonly csrSha256: string; readonly newKeyId: string; readonly atMs: number },
  ): Promise<'reserved' | 'taken' | 'key-known' | 'not-open'>;
  /** From one of `from` to what `next` says, in one conditional write. `undefined`: it was not in any of those states. */
  move(
    oldCertificateId: CertificateId,
    from: readonly RotationState[],
    next: Partial<Omit<Rotation, 'oldCertificateId'>> & { readonly state: RotationState },
  ): Promise<Rotation | undefined>;
  /** Proved rotations whose grace is over. */
  toRetire(nowMs: number): AsyncIterable<Rotation>;
  /** Open rotations whose deadline is before `atMs`. */
  dueBefore(atMs: number): AsyncIterable<Rotation>;
  /** Is any certificate known by this key (old ones and new ones)? `keyId` is the hex SHA-256 of the SubjectPublicKeyInfo. */
  keyIsKnown(keyId: string): Promise<boolean>;
  /** The rotation (by its old certificate) that claimed this key; `undefined`: none did. */
  claimantOf(keyId: string): Promise<CertificateId | undefined>;
  /** A key stays with whoever was remembered first. */
  rememberKey(keyId: string, certificateId: CertificateId): Promise<void>;
}

/** One batch of rotations: one thing group, one IoT Job. */
export interface Campaign {
  readonly campaignId: string;
  readonly jobId: string;
  readonly thingGroupName: string;
  readonly reason: RotationReason;
  readonly state: 'planned' | 'running' | 'paused' | 'completed' | 'aborted' | 'cancelled';
  readonly size: number;
  readonly deadlineMs: number;
  readonly createdAtMs: number;
  readonly updatedAtMs: number;
  readonly foundBy: string;
  /** When it may tell its devices, among all campaigns; absent: it has not come to its launch, or need not wait. */
  readonly turnAtMs?: number;
  /** When its thing group and its job were deleted, long after its end. The campaign and its rotations stay on record. */
  readonly tidiedAtMs?: number;
}

export interface Campaigns {
  get(campaignId: string): Promise<Campaign | undefined>;
  byJob(jobId: string): Promise<Campaign | undefined>;
  all(): AsyncIterable<Campaign>;
  /** `false`: it was there. */
  put(campaign: Campaign): Promise<boolean>;
  move(campaignId: string, from: readonly Campaign['state'][], to: Campaign['state'], atMs: number, size?: number): Promise<boolean>;
  /** Notes its turn, once: resolves to the one that stands. */
  takeTurn(campaignId: string, atMs: number): Promise<number>;
  /** Notes that group and job of an ended campaign are gone. */
  tidied(campaignId: string, atMs: number): Promise<void>;
}
