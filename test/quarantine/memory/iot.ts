/** AWS IoT in memory, as far as quarantine sees it: things, certificates, what is attached to what, static and dynamic groups, and jobs. */
import { certificateId, type CertificateId } from '../../../domain/fleet/certificate-id.js';
import { derToPem } from '../../../domain/pki/pem.js';
import { bitString, integer, name, oid, sequence, time } from '../../builders/der.js';
import { thingName, type ThingName } from '../../../domain/fleet/thing-name.js';
import type { ShutOffJob } from '../../../domain/protocol/shut-off.js';
import type { DeviceJobs, Rights } from '../../../lambda/ports/containment-rights.js';
import type { CertificateStatus } from '../../../domain/fleet/certificate-status.js';
import type { NamedRepairPolicy, RepairPolicies } from '../../../lambda/ports/repair-policies.js';
import type { Registry } from '../../../lambda/ports/registry.js';

/** AWS IoT's own limits (FACTS B6). */
const MAX_POLICIES = 10;
const MAX_GROUPS = 10;
const MAX_DOCUMENT = 2048;

export interface MemoryCertificate {
  status: CertificateStatus;
  readonly policies: Set<string>;
}

export interface MemoryThing {
  typeName?: string;
  readonly attributes: Record<string, string>;
  readonly certificates: Set<CertificateId>;
  readonly groups: Set<string>;
}

export const certificateNumber = (index: number): CertificateId => certificateId(index.toString(16).padStart(64, '0'));

/** In the name of an issuer of this fleet, its serial number that of its id: octets to be read, signed by nobody. */
export function pemOf(id: CertificateId): string {
  const algorithm = sequence(oid('1.2.840.10045.4.3.2'));
  const validity = sequence(time(new Date(Date.UTC(2026, 0, 1))), time(new Date(Date.UTC(2027, 0, 1))));
  const spki = sequence(sequence(oid('1.2.840.10045.2.1')), bitString(Buffer.alloc(65)));
  const issuer = name([['CN', 'Fleet CA']]);
  const tbs = sequence(integer(BigInt(`0x${id.slice(-38)}`)), algorithm, issuer, validity, name([['CN', id]]), spki);
  return derToPem(sequence(tbs, algorithm, bitString(Buffer.alloc(8))), 'CERTIFICATE');
}

export class MemoryIot implements Rights, Pick<Registry, 'describe' | 'setStatus' | 'thingsOf' | 'deleteConnection'> {
  readonly things = new Map<string, MemoryThing>();
  readonly certificates = new Map<CertificateId, MemoryCertificate>();
  readonly groups = new Map<string, { readonly isDynamic: boolean; readonly policies: Set<string> }>();
  readonly policies = new Set<string>();
  readonly dropped: string[] = [];
  /** Everything that was changed, in order. */
  readonly changes: string[] = [];
  /** Called after each change: the neighbour who acts at that very moment. */
  meanwhile: (change: string) => void = () => undefined;

  private changed(change: string): void {
    this.changes.push(change);
    this.meanwhile(change);
  }

  addThing(name: string, certificates: readonly CertificateId[] = [], groups: readonly string[] = []): MemoryThing {
    const thing: MemoryThing = { attributes: {}, certificates: new Set(certificates), groups: new Set(groups) };
    this.things.set(name, thing);
    return thing;
  }
  addCertificate(id: CertificateId, status: CertificateStatus, policies: readonly string[]): void {
    this.certificates.set(id, { status, policies: new Set(policies) });
    for (const policy of policies) this.policies.add(policy);
  }
  addGroup(name: string, policies: readonly string[] = [], isDynamic = false): void {
    this.groups.set(name, { isDynamic, policies: new Set(policies) });
  }

  async describeThing(name: ThingName) {
    const thing = this.things.get(name);
    return (
      thing && { thingName: name, attributes: thing.attributes, ...(thing.typeName === undefined ? {} : { typeName: thing.typeName }) }
    );
  }
  async certificatesOf(name: ThingName) {
    return [...(this.things.get(name)?.certificates ?? [])];
  }
  async describe(id: CertificateId) {
    const found = this.certificates.get(id);
    return found && { certificateId: id, status: found.status, certificatePem: pemOf(id) };
  }
  async setStatus(id: CertificateId, status: 'ACTIVE' | 'INACTIVE' | 'REVOKED') {
    const found = this.certificates.get(id);
    if (found === undefined) return false;
    if (found.status === 'REVOKED' && status !== 'REVOKED') throw new Error('CertificateStateException: REVOKED is for ever');
    found.status = status;
    this.changed(`${id} ${status}`);
    return true;
  }
  async thingsOf(id: CertificateId) {
    return [...this.things].filter(([, { certificates }]) => certificates.has(id)).map(([name]) => thingName(name));
  }
  async deleteConnection(clientId: string) {
    this.dropped.push(clientId);
    this.changed(`drop ${clientId}`);
    return true;
  }
  async policiesOf(id: CertificateId) {
    const found = this.certificates.get(id);
    return found && [...found.policies];
  }
  async attachPolicy(id: CertificateId, policyName: string) {
    const found = this.certificates.get(id);
    if (found === undefined || !this.policies.has(policyName)) return 'gone';
    if (!found.policies.has(policyName) && found.policies.size >= MAX_POLICIES) return 'full';
    found.policies.add(policyName);
    this.changed(`${id} +${policyName}`);
    return 'attached';
  }
  async detachPolicy(id: CertificateId, policyName: string) {
    if (this.certificates.get(id)?.policies.delete(policyName)) this.changed(`${id} -${policyName}`);
  }
  async groupsOf(name: ThingName) {
    return [...(this.things.get(name)?.groups ?? [])];
  }
  async describeGroup(name: string) {
    const found = this.groups.get(name);
    return found && { isDynamic: found.isDynamic, policies: [...found.policies] };
  }
  async joinGroup(name: string, thing: ThingName) {
    const [group, member] = [this.groups.get(name), this.things.get(thing)];
    if (group === undefined || member === undefined) return 'gone';
    if (!member.groups.has(name) && member.groups.size >= MAX_GROUPS) return 'refused';
    member.groups.add(name);
    this.changed(`${thing} in ${name}`);
    return 'joined';
  }
  async leaveGroup(name: string, thing: ThingName) {
    if (this.things.get(thing)?.groups.delete(name)) this.changed(`${thing} out of ${name}`);
  }
  async countThings(groupName: string, upTo: number) {
    return Math.min(upTo, [...this.things.values()].filter(({ groups }) => groups.has(groupName)).length);
  }

  /** Everything that a release must give back. Orders of sets do not count. */
  picture(): unknown {
    const sorted = (set: ReadonlySet<string>): string[] => [...set].sort();
    return {
      things: [...this.things].map(([name, { groups }]) => [name, sorted(groups)]),
      certificates: [...this.certificates].map(([id, { status, policies }]) => [id, status, sorted(policies)]),
    };
  }
}

export class MemoryRepairPolicies implements RepairPolicies {
  readonly listed = new Map<string, NamedRepairPolicy>();
  readonly documents = new Map<string, string>();

  constructor(private readonly iot: MemoryIot) {}

  async make(policy: NamedRepairPolicy, document: string) {
    const { policyName } = policy;
    this.listed.set(policyName, policy);
    if (document.length > MAX_DOCUMENT) return 'refused';
    if (this.iot.policies.has(policyName)) return this.documents.get(policyName) === document ? 'made' : 'refused';
    this.iot.policies.add(policyName);
    this.documents.set(policyName, document);
    return 'made';
  }
  async *all() {
    yield* this.listed.values();
  }
  async remove(policyName: string) {
    if ([...this.iot.certificates.values()].some(({ policies }) => policies.has(policyName))) return 'in-use';
    this.iot.policies.delete(policyName);
    this.documents.delete(policyName);
    this.listed.delete(policyName);
    return 'removed';
  }
}

export class MemoryDeviceJobs implements DeviceJobs {
  readonly jobs = new Map<string, { readonly thing: string; readonly document: ShutOffJob; status: string }>();

  constructor(
    private readonly iot: MemoryIot,
    /** What a device makes of a job: the status that it ends with at once. */
    public answer: (document: ShutOffJob) => string = () => 'SUCCEEDED',
  ) {}

  async create(jobId: string, thing: ThingName, document: ShutOffJob) {
    if (!this.iot.things.has(thing)) return 'gone';
    if (!this.jobs.has(jobId)) this.jobs.set(jobId, { thing, document, status: this.answer(document) });
    return 'created';
  }
  async execution(jobId: string) {
    const job = this.jobs.get(jobId);
    const said: Record<string, string> = job?.status === 'SUCCEEDED' ? { stopped: 'actuation,telemetry' } : {};
    return job && { status: job.status, said };
  }
  async cancel(jobId: string) {
    const job = this.jobs.get(jobId);
    if (job !== undefined && (job.status === 'QUEUED' || job.status === 'IN_PROGRESS')) job.status = 'CANCELED';
  }
}
