/** AWS IoT in memory, as far as a rotation sees it: the registry, what is attached to what, jobs, and what was sent to devices. */
import { candidateCertificateId, type CertificateId } from '../../../domain/fleet/certificate-id.js';
import type { ThingName } from '../../../domain/fleet/thing-name.js';
import { Certificate } from '../../../domain/pki/certificate.js';
import { RotationResponse } from '../../../domain/protocol/rotation.js';
import type { Containments } from '../../../lambda/ports/containments.js';
import type { Enrolling } from '../../../lambda/ports/enrolling.js';
import type { CertificateRecord, Inventory, InventoryStatus, RevocationRecord } from '../../../lambda/ports/inventory.js';
import type { JobExecutionStatus, Jobs } from '../../../lambda/ports/jobs.js';
import type { CertificateStatus } from '../../../domain/fleet/certificate-status.js';
import type { Registry } from '../../../lambda/ports/registry.js';

interface Registered {
  status: CertificateStatus;
  readonly pem: string;
  readonly policies: Set<string>;
  readonly things: Set<ThingName>;
}

export class MemoryIot implements Enrolling, Pick<Registry, 'describe' | 'thingsOf' | 'setStatus'> {
  readonly certificates = new Map<CertificateId, Registered>();
  readonly answers: { readonly topic: string; readonly response: RotationResponse }[] = [];
  /** All that was ever set, in order: a certificate must never be ACTIVE when it must not, not even for a while. */
  readonly history: { readonly id: CertificateId; readonly status: CertificateStatus }[] = [];
  /** Called after each change of a status, as the neighbour who acts at that very moment. */
  meanwhile: (id: CertificateId, status: CertificateStatus) => void = () => undefined;

  private of(id: CertificateId): Registered {
    const found = this.certificates.get(id);
    if (found === undefined) throw new Error(`ResourceNotFoundException: ${id}`);
    return found;
  }

  async describe(id: CertificateId) {
    const found = this.certificates.get(id);
    return found && { certificateId: id, status: found.status, certificatePem: found.pem };
  }
  async thingsOf(id: CertificateId) {
    return [...(this.certificates.get(id)?.things ?? [])];
  }
  async setStatus(id: CertificateId, status: 'ACTIVE' | 'INACTIVE' | 'REVOKED') {
    const found = this.certificates.get(id);
    if (found === undefined) return false;
    if (found.status === 'REVOKED' && status !== 'REVOKED') throw new Error('CertificateStateException: REVOKED is for ever');
    found.status = status;
    this.history.push({ id, status });
    this.meanwhile(id, status);
    return true;
  }

  async register(certificatePem: string, _caCertificatePem: string, status: 'ACTIVE' | 'INACTIVE') {
    const id = candidateCertificateId(Certificate.read(certificatePem).der);
    if (!this.certificates.has(id)) {
      this.certificates.set(id, { status, pem: certificatePem, policies: new Set(), things: new Set() });
      this.history.push({ id, status });
    }
    return id;
  }
  async policiesOf(id: CertificateId) {
    return [...this.of(id).policies];
  }
  async attachPolicy(id: CertificateId, policyName: string) {
    this.of(id).policies.add(policyName);
  }
  async detachPolicy(id: CertificateId, policyName: string) {
    this.certificates.get(id)?.policies.delete(policyName);
  }
  async attachThing(id: CertificateId, thing: ThingName) {
    const { things } = this.of(id);
    if (things.size > 0 && !things.has(thing)) throw new Error('InvalidRequestException: attached to another thing');
    things.add(thing);
  }
  async detachThing(id: CertificateId, thing: ThingName) {
    this.certificates.get(id)?.things.delete(thing);
  }
  async certificatesOf(thing: ThingName) {
    return [...this.certificates].filter(([, { things }]) => things.has(thing)).map(([id]) => id);
  }
  async publish(topic: string, payload: string) {
    this.answers.push({ topic, response: RotationResponse.parse(JSON.parse(payload)) });
  }
}

export class MemoryInventory implements Pick<Inventory, 'byId' | 'record' | 'setStatus'> {
  readonly records = new Map<CertificateId, CertificateRecord>();
  readonly revocations = new Map<string, RevocationRecord>();

  async byId(id: CertificateId) {
    return this.records.get(id);
  }
  async record(record: CertificateRecord) {
    const before = this.records.get(record.certificateId);
    this.records.set(record.certificateId, { ...before, ...record });
    const remembered = this.revocations.get(`${record.issuerId}#${record.serialNumber}`);
    return { created: before === undefined, ...(remembered && { remembered }) };
  }
  async setStatus(id: CertificateId, status: InventoryStatus, statusReason: string) {
    const before = this.records.get(id);
    if (before !== undefined) this.records.set(id, { ...before, status, statusReason });
  }
}

export class MemoryExecutions implements Pick<Jobs, 'execution'> {
  readonly statuses = new Map<string, JobExecutionStatus>();
  set(jobId: string, thing: string, status: JobExecutionStatus): void {
    this.statuses.set(`${jobId}/${thing}`, status);
  }
  async execution(jobId: string, thing: ThingName) {
    const status = this.statuses.get(`${jobId}/${thing}`);
    return status && { status };
  }
}

export class MemoryContainments implements Containments {
  readonly things = new Set<string>();
  /** Contained things that are given a new key before their release. */
  readonly rekeying = new Set<string>();
  async isContained(thing: ThingName) {
    return this.things.has(thing);
  }
  async mayRekey(thing: ThingName) {
    return this.things.has(thing) && this.rekeying.has(thing);
  }
}
