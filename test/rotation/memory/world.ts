/** The neighbours of `issue` and `prove` in memory, one CA, and devices with rotations that wait for them. */
import { candidateCertificateId, type CertificateId } from '../../../domain/fleet/certificate-id.js';
import { thingName, type ThingName } from '../../../domain/fleet/thing-name.js';
import { Certificate } from '../../../domain/pki/certificate.js';
import type { TrustAnchor } from '../../../domain/pki/trust-anchor.js';
import { RotationProofEvent, RotationRequestEvent, type ProveMessage } from '../../../domain/protocol/rotation-events.js';
import type { RotationResponse } from '../../../domain/protocol/rotation.js';
import type { Rotation } from '../../../lambda/ports/rotations.js';
import type { IssuePorts, IssueSettings } from '../../../lambda/rotation/issue/ports.js';
import { run as issue } from '../../../lambda/rotation/issue/run.js';
import type { ProvePorts, ProveSettings } from '../../../lambda/rotation/prove/ports.js';
import { run as prove } from '../../../lambda/rotation/prove/run.js';
import type { IssuedCertificate, TestCa } from '../../builders/ca.js';
import { TestClock } from '../../revocation/memory/clock.js';
import { MemoryDecisions, MemoryPace, MemoryStop } from '../../revocation/memory/ledger.js';
import { MemorySignals } from '../../revocation/memory/world.js';
import { MemoryContainments, MemoryExecutions, MemoryInventory, MemoryIot } from './iot.js';
import { CA_ARN, MemoryIssuingCa } from './issuing-ca.js';
import { MemoryRotations } from './rotations.js';

export const JOB = 'rotation-2026-11-22';
export const POLICY = 'fleet-device';
export const GRACE_MS = 7 * 86_400_000;
const DAY_MS = 86_400_000;

export interface Device {
  readonly thing: ThingName;
  readonly old: CertificateId;
}

export class World {
  readonly clock = new TestClock();
  readonly signals = new MemorySignals();
  readonly decisions = new MemoryDecisions();
  readonly pace = new MemoryPace();
  readonly stop = new MemoryStop();
  readonly containments = new MemoryContainments();
  readonly rotations = new MemoryRotations();
  readonly jobs = new MemoryExecutions();
  readonly inventory = new MemoryInventory();
  readonly iot = new MemoryIot();
  /** One object under the names that the ports have for it. */
  readonly registry = this.iot;
  readonly enrolling = this.iot;
  readonly ca: MemoryIssuingCa;
  readonly anchors: { all(): Promise<TrustAnchor[]> };
  mode: IssueSettings['mode'] = 'enforce';

  constructor(readonly testCa: TestCa) {
    this.ca = new MemoryIssuingCa(testCa, () => this.clock.nowMs());
    const anchor: TrustAnchor = {
      anchorId: 'fleet-ca',
      type: 'acm-pca',
      certificateAuthorityArn: CA_ARN,
      certificatePem: testCa.certificatePem,
      crl: { type: 'COMPLETE', prefix: 'crl/', distributionPoints: [] },
    };
    this.anchors = { all: async () => [anchor] };
  }

  get issuePorts(): IssuePorts {
    return this;
  }
  get provePorts(): ProvePorts {
    return this;
  }
  get issueSettings(): IssueSettings {
    return { mode: this.mode, topicPrefix: 'fleet', perSecond: 10, issuingAnchorId: 'fleet-ca', validityDays: 365 };
  }
  get proveSettings(): ProveSettings {
    return { mode: this.mode, topicPrefix: 'fleet', perSecond: 10, graceMs: GRACE_MS };
  }

  /** Registers the certificate ACTIVE for a thing; with `due`, opens a rotation whose job execution is IN_PROGRESS. */
  async enrol({ certificatePem }: IssuedCertificate, name: string, due = true): Promise<Device> {
    const thing = thingName(name);
    const old = await this.iot.register(certificatePem, this.testCa.certificatePem, 'ACTIVE');
    await this.iot.attachPolicy(old, POLICY);
    await this.iot.attachThing(old, thing);
    const { issuerId, serialNumber, notBeforeMs, notAfterMs, der } = Certificate.read(certificatePem);
    const certificateId = candidateCertificateId(der);
    await this.inventory.record({
      certificateId,
      issuerId,
      serialNumber,
      notBeforeMs,
      notAfterMs,
      thingName: thing,
      status: 'ACTIVE',
      source: 'registration',
    });
    if (due) {
      await this.rotations.open(this.rotationOf({ thing, old }));
      this.jobs.set(JOB, thing, 'IN_PROGRESS');
    }
    return { thing, old };
  }

  rotationOf({ thing, old }: Device): Rotation {
    const atMs = this.clock.nowMs();
    return {
      oldCertificateId: old,
      thingName: thing,
      campaignId: 'c-2026-11-22',
      jobId: JOB,
      state: 'offered',
      reason: 'expires-soon',
      foundBy: 'expiry query, 30 days before notAfter',
      deadlineMs: atMs + 30 * DAY_MS,
      createdAtMs: atMs,
      updatedAtMs: atMs,
    };
  }

  requestOf({ thing, old }: Device, csr: string, more: Readonly<Record<string, unknown>> = {}): RotationRequestEvent {
    const said = { version: 1, jobId: JOB, csr, principal: old, clientId: thing, thingName: thing, receivedAtMs: this.clock.nowMs() };
    return RotationRequestEvent.parse({ kind: 'request', ...said, ...more });
  }
  proofOf(thing: ThingName, principal: string, more: Readonly<Record<string, unknown>> = {}): RotationProofEvent {
    const said = { version: 1, jobId: JOB, principal, clientId: thing, thingName: thing, receivedAtMs: this.clock.nowMs() };
    return RotationProofEvent.parse({ kind: 'proof', ...said, ...more });
  }

  issue(event: RotationRequestEvent) {
    return issue(this.issuePorts, this.issueSettings, event);
  }
  prove(event: ProveMessage) {
    return prove(this.provePorts, this.proveSettings, event);
  }

  get lastAnswer(): RotationResponse | undefined {
    return this.iot.answers.at(-1)?.response;
  }
  activeOf(thing: ThingName): CertificateId[] {
    return [...this.iot.certificates].filter(([, one]) => one.things.has(thing) && one.status === 'ACTIVE').map(([id]) => id);
  }
  metric(name: string): number {
    return this.signals.metrics.get(name) ?? 0;
  }

  /** Everything that must be the same after a crash and a redelivery as without one, certificates by their roles: times, serials and the audit trail are not. */
  endState(): unknown {
    const role = new Map<string, string>();
    for (const [old, { newCertificateId }] of this.rotations.rows) {
      role.set(old, 'old');
      if (newCertificateId !== undefined) role.set(newCertificateId, 'new');
    }
    return {
      registry: [...this.iot.certificates].map(([id, { status, policies, things }]) => [role.get(id), status, [...policies], [...things]]),
      inventory: [...this.inventory.records.values()].map(({ certificateId, status, thingName: thing }) => [
        role.get(certificateId),
        status,
        thing,
      ]),
      rotations: [...this.rotations.rows.values()].map(({ state, csrSha256, newKeyId }) => [state, csrSha256, newKeyId]),
      answered: this.lastAnswer && {
        status: this.lastAnswer.status,
        certificate: 'certificateId' in this.lastAnswer && role.get(this.lastAnswer.certificateId),
      },
      issuedByCa: this.ca.issued.size,
    };
  }
}
