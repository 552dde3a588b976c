/**
 * A device as docs/protocol.md says that it behaves, in as few states as that takes: what it was told, what it has keys for, and with which certificate
 * it connects. It keeps its promises over power cuts, because everything but what it has heard and not yet read is on its disk.
 *
 *     idle ─► accepted (new key) ─► asks until answered ─► candidate ─► connects with it, proves until answered ─► switched, SUCCEEDED
 *                     └───────────────────┴─ refused for good, job over ─► failing: back on the old pair, which must hold ─► FAILED
 */
import type { CertificateId } from '../../../domain/fleet/certificate-id.js';
import type { ThingName } from '../../../domain/fleet/thing-name.js';
import { Certificate } from '../../../domain/pki/certificate.js';
import type { RotationResponse } from '../../../domain/protocol/rotation.js';
import type { BuiltRequest } from '../../builders/csr.js';

/** The cloud, as a device reaches it. */
export interface DeviceCloud {
  nowMs(): number;
  /** TLS: does AWS IoT take this certificate at this moment? */
  connects(thing: ThingName, id: CertificateId): boolean;
  /** Does a connection with it still stand? */
  holds(id: CertificateId): boolean;
  /** The connection ends. */
  disconnects(thing: ThingName, id: CertificateId): void;
  /** The next execution that is QUEUED or IN_PROGRESS for this thing. */
  nextJob(thing: ThingName): string | undefined;
  /** Status of one execution. */
  execution(jobId: string, thing: ThingName): string | undefined;
  update(jobId: string, thing: ThingName, status: 'IN_PROGRESS' | 'SUCCEEDED' | 'FAILED' | 'REJECTED'): void;
  request(thing: ThingName, principal: CertificateId, jobId: string, csr: string): void;
  proof(thing: ThingName, principal: CertificateId, jobId: string): void;
  /** A key that nobody has had before. */
  newKey(): BuiltRequest;
}

interface Rotating {
  readonly jobId: string;
  readonly request: BuiltRequest;
  candidate?: CertificateId;
  proofSent: boolean;
  failing: boolean;
  /** Since when the old pair has held, while it is given up after a proof. */
  heldSinceMs?: number;
}

/** After a proof the old pair must hold for so long before the new one may be thrown away (`settleMs` of the reference agent). */
const SETTLE_MS = 10 * 60_000;

export class ModelDevice {
  inbox: RotationResponse[] = [];
  /** Certificates for which it has the key. */
  readonly pairs = new Set<CertificateId>();
  rotating?: Rotating;
  /** Bad firmware: it fails what it begins. */
  broken = false;
  private connectedWith?: CertificateId;

  constructor(
    readonly thing: ThingName,
    public identity: CertificateId,
  ) {
    this.pairs.add(identity);
  }

  powerCut(cloud: DeviceCloud): void {
    this.inbox = [];
    this.leave(cloud);
  }

  /** Reads what it has heard, then takes one step. */
  act(cloud: DeviceCloud): void {
    for (const response of this.inbox.splice(0)) this.hear(response, cloud);
    const { rotating, thing } = this;
    if (rotating === undefined) return this.idle(cloud);
    if (rotating.failing) return this.giveUp(rotating, cloud);
    const { candidate, jobId, request } = rotating;
    if (candidate === undefined) {
      if (!this.connect(this.identity, cloud)) return;
      if (this.broken || cloud.execution(jobId, thing) !== 'IN_PROGRESS') rotating.failing = true;
      else cloud.request(thing, this.identity, jobId, request.base64);
      return;
    }
    if (this.connect(candidate, cloud)) {
      rotating.proofSent = true;
      return cloud.proof(thing, candidate, jobId);
    }
    // Refused: the old pair has its turn. Let in while the job is over, the cloud has withdrawn the new certificate.
    if (this.connect(this.identity, cloud) && cloud.execution(jobId, thing) !== 'IN_PROGRESS') rotating.failing = true;
  }

  private idle(cloud: DeviceCloud): void {
    const jobId = this.connect(this.identity, cloud) ? cloud.nextJob(this.thing) : undefined;
    if (jobId === undefined) return;
    cloud.update(jobId, this.thing, 'IN_PROGRESS');
    this.rotating = { jobId, request: cloud.newKey(), proofSent: false, failing: false };
  }

  private giveUp(rotating: Rotating, cloud: DeviceCloud): void {
    const { jobId, candidate, proofSent } = rotating;
    if (!this.connect(this.identity, cloud)) {
      rotating.heldSinceMs = undefined;
      // The other pair: if it is let in, the cloud took the proof.
      if (candidate !== undefined && this.connect(candidate, cloud)) rotating.failing = false;
      return;
    }
    rotating.heldSinceMs ??= cloud.nowMs();
    if (proofSent && cloud.nowMs() - rotating.heldSinceMs < SETTLE_MS) return;
    if (candidate !== undefined) this.pairs.delete(candidate);
    cloud.update(jobId, this.thing, 'FAILED');
    this.rotating = undefined;
  }

  private hear(response: RotationResponse, cloud: DeviceCloud): void {
    const { rotating } = this;
    if (rotating === undefined || response.jobId !== rotating.jobId) return;
    switch (response.status) {
      case 'issued':
        // Only over the key that it made for this job: an answer to an earlier attempt is none.
        if (rotating.candidate !== undefined || rotating.failing) return;
        if (!Buffer.from(Certificate.read(response.certificatePem).spkiDer).equals(spkiOf(rotating.request))) return;
        rotating.candidate = response.certificateId as CertificateId;
        this.pairs.add(rotating.candidate);
        return;
      case 'proved':
        if (response.certificateId !== rotating.candidate) return;
        this.pairs.delete(this.identity);
        this.identity = rotating.candidate;
        cloud.update(rotating.jobId, this.thing, 'SUCCEEDED');
        this.rotating = undefined;
        return;
      case 'refused':
        if (response.final) rotating.failing = true;
    }
  }

  private connect(id: CertificateId, cloud: DeviceCloud): boolean {
    if (this.connectedWith === id && cloud.holds(id)) return true;
    this.leave(cloud);
    this.connectedWith = cloud.connects(this.thing, id) ? id : undefined;
    return this.connectedWith !== undefined;
  }
  private leave(cloud: DeviceCloud): void {
    if (this.connectedWith !== undefined) cloud.disconnects(this.thing, this.connectedWith);
    this.connectedWith = undefined;
  }
}

const spkiOf = ({ publicKey }: BuiltRequest): Buffer => publicKey.export({ type: 'spki', format: 'der' });
