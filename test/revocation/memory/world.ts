/** The neighbours of the revocation capability in memory, one CA, and a fleet. */
import { candidateCertificateId, type CertificateId } from '../../../domain/fleet/certificate-id.js';
import { thingName } from '../../../domain/fleet/thing-name.js';
import { Certificate } from '../../../domain/pki/certificate.js';
import type { TrustAnchor } from '../../../domain/pki/trust-anchor.js';
import { RevokeMessage, SyncMessage } from '../../../domain/protocol/revocation.js';
import type { RevokeQueue, SyncQueue } from '../../../lambda/ports/queues.js';
import type { Signals } from '../../../lambda/ports/signals.js';
import { run as fast, type FastPorts } from '../../../lambda/revocation/fast/run.js';
import { CertificateArns } from '../../../lambda/revocation/revoke/certificate-arn.js';
import { run as revoke, type RevokePorts, type RevokeSettings } from '../../../lambda/revocation/revoke/run.js';
import type { SyncPorts, SyncSettings } from '../../../lambda/revocation/sync/ports.js';
import { run as sync } from '../../../lambda/revocation/sync/run.js';
import type { IssuedCertificate, TestCa } from '../../builders/ca.js';
import { buildCrl, type CrlEntrySpec, type CrlSpec } from '../../builders/crl.js';
import { MemoryCrlStore, MemoryStates } from './buckets.js';
import { TestClock } from './clock.js';
import { MemoryInventory, MemoryPrivateCa, MemoryRegistry } from './fleet.js';
import { MemoryBrake, MemoryDecisions, MemoryDue, MemoryHolds, MemoryMarks, MemoryPace, MemoryStop } from './ledger.js';

export const BUCKET = 'crls';
export const CA_ARN = 'arn:aws:acm-pca:eu-west-1:000000000000:certificate-authority/4a1f0d2e-6b3c-4d8f-9a57-0c2b1e7f3d64';
export const CRL_KEY = 'crl/4a1f0d2e-6b3c-4d8f-9a57-0c2b1e7f3d64.crl';
export const DEFAULTS = { floor: 5, share: 0.01, windowMinutes: 60 };

export class MemoryRevokeQueue implements RevokeQueue {
  messages: RevokeMessage[] = [];
  readonly deferred: RevokeMessage[] = [];

  async sendAll(messages: Iterable<RevokeMessage> | AsyncIterable<RevokeMessage>) {
    let sent = 0;
    for await (const message of messages) {
      this.messages.push(RevokeMessage.parse(message));
      sent += 1;
    }
    return sent;
  }
  async defer(message: RevokeMessage) {
    this.deferred.push(message);
  }
}

export class MemorySyncQueue implements SyncQueue {
  messages: SyncMessage[] = [];
  async send(message: SyncMessage) {
    this.messages.push(SyncMessage.parse(message));
  }
}

export class MemorySignals implements Signals {
  readonly metrics = new Map<string, number>();
  readonly lines: { readonly level: string; readonly message: string; readonly ids: Readonly<Record<string, unknown>> }[] = [];
  count(metric: string, value = 1) {
    this.metrics.set(metric, (this.metrics.get(metric) ?? 0) + value);
  }
  info: Signals['info'] = (message, ids = {}) => void this.lines.push({ level: 'info', message, ids });
  warn: Signals['warn'] = (message, ids = {}) => void this.lines.push({ level: 'warn', message, ids });
}

interface EnrolOptions {
  readonly inInventory?: boolean;
  readonly registered?: boolean;
}

export interface Device {
  readonly id: CertificateId;
  readonly serial: bigint;
  readonly serialNumber: string;
  readonly pem: string;
  readonly arn: string;
}

const byText = (one: readonly unknown[], other: readonly unknown[]): number => (String(one) < String(other) ? -1 : 1);

export class World {
  readonly clock = new TestClock();
  readonly crls = new MemoryCrlStore(BUCKET);
  readonly states = new MemoryStates();
  readonly marks = new MemoryMarks();
  readonly holds = new MemoryHolds();
  readonly decisions = new MemoryDecisions();
  readonly brake = new MemoryBrake(DEFAULTS.windowMinutes);
  readonly pace = new MemoryPace();
  readonly stop = new MemoryStop();
  readonly due = new MemoryDue();
  readonly inventory = new MemoryInventory();
  readonly registry = new MemoryRegistry(() => this.clock.nowMs());
  readonly privateCa = new MemoryPrivateCa();
  readonly revokeQueue = new MemoryRevokeQueue();
  readonly syncQueue = new MemorySyncQueue();
  readonly signals = new MemorySignals();
  readonly anchors: { list: TrustAnchor[]; all(): Promise<TrustAnchor[]> };

  mode: SyncSettings['mode'] = 'enforce';
  floor = DEFAULTS.floor;
  secondStageDelayMs = 0;
  perSecond = 10;
  private enrolled = 0;

  constructor(readonly ca: TestCa) {
    const list: TrustAnchor[] = [
      {
        anchorId: 'fleet-ca',
        type: 'acm-pca',
        certificateAuthorityArn: CA_ARN,
        certificatePem: ca.certificatePem,
        crl: { type: 'COMPLETE', prefix: 'crl/', distributionPoints: ['http://crls.example/{key}'] },
      },
    ];
    this.anchors = { list, all: async () => list };
  }

  get syncSettings(): SyncSettings {
    return { mode: this.mode, brake: { floor: this.floor, share: DEFAULTS.share }, clockSkewMs: 300_000, crlBucket: BUCKET };
  }
  get revokeSettings(): RevokeSettings {
    return { mode: this.mode, perSecond: this.perSecond, secondStageDelayMs: this.secondStageDelayMs };
  }
  get syncPorts(): SyncPorts {
    return this;
  }
  get fastPorts(): FastPorts {
    return this;
  }
  /** Times at which a reconciliation was asked for. */
  readonly asked: number[] = [];
  readonly reconcile = {
    ask: async (nowMs: number) => {
      this.asked.push(nowMs);
    },
  };
  readonly arns = new CertificateArns();
  get revokePorts(): RevokePorts {
    return this;
  }

  /** Issues certificates and registers them ACTIVE, connected under the thing's name, known to the inventory. */
  async enrol(count: number, options: EnrolOptions = {}): Promise<readonly Device[]> {
    const issued: IssuedCertificate[] = [];
    for (let i = 1; i <= count; i++) issued.push(await this.ca.issue({ subject: `CN=dev-${this.enrolled + i}` }));
    return this.enrolAll(issued, options);
  }

  enrolAll(issued: readonly IssuedCertificate[], options: EnrolOptions = {}): readonly Device[] {
    return issued.map(({ certificatePem }) => this.enrolOne(certificatePem, `dev-${++this.enrolled}`, options));
  }

  private enrolOne(pem: string, name: string, { inInventory = true, registered = true }: EnrolOptions): Device {
    const { der, issuerId, serialNumber, notBeforeMs, notAfterMs } = Certificate.read(pem);
    const id = candidateCertificateId(der);
    const arn = `${CA_ARN}/certificate/${serialNumber.padStart(32, '0')}`;
    this.privateCa.issued.set(arn, pem);
    if (registered) {
      this.registry.certificates.set(id, { status: 'ACTIVE', pem, things: [name] });
      this.registry.connected.add(name);
    }
    if (inInventory) {
      this.inventory.certificates.set(id, {
        certificateId: id,
        issuerId,
        serialNumber,
        thingName: thingName(name),
        clientId: name,
        notBeforeMs,
        notAfterMs,
        status: 'ACTIVE',
        source: 'registration',
      });
    }
    return { id, serial: BigInt(`0x${serialNumber}`), serialNumber, pem, arn };
  }

  crl(crlNumber: bigint, entries: readonly CrlEntrySpec[], spec: Partial<CrlSpec> = {}): Buffer {
    const thisUpdate = new Date(this.clock.nowMs() - 60_000);
    return buildCrl({ ca: this.ca, crlNumber, thisUpdate, nextUpdate: new Date(this.clock.nowMs() + 7 * 86_400_000), entries, ...spec });
  }

  /** Puts a CRL and lets the sync have its event. */
  async publish(crl: Uint8Array, key = CRL_KEY): Promise<void> {
    await this.sync({ kind: 'object', ...this.crls.put(key, crl) });
  }

  sync(message: SyncMessage): Promise<void> {
    return sync(this.syncPorts, this.syncSettings, message);
  }
  fast(event: Parameters<typeof fast>[2]) {
    return fast(this.fastPorts, { mode: this.mode, brake: { floor: this.floor, share: DEFAULTS.share } }, event);
  }

  /** Delivers what is on the revoke queue, ten at a time, until it is empty. Failed messages stay for the next call. */
  async drain(): Promise<void> {
    const failed: RevokeMessage[] = [];
    while (this.revokeQueue.messages.length > 0) {
      const batch = this.revokeQueue.messages.splice(0, 10);
      const results = await revoke(this.revokePorts, this.revokeSettings, batch);
      failed.push(...batch.filter((_, i) => results[i]?.status === 'rejected'));
    }
    this.revokeQueue.messages.push(...failed);
  }

  /** One message on the sync queue after the other, those that come along among them. */
  async drainSync(): Promise<void> {
    for (let message = this.syncQueue.messages.shift(); message !== undefined; message = this.syncQueue.messages.shift())
      await this.sync(message);
  }

  statusOf({ id }: Device): string | undefined {
    return this.registry.certificates.get(id)?.status;
  }
  get outcomes(): readonly unknown[] {
    return this.decisions.rows.filter(({ step }) => step === 'outcome').map(({ detail }) => detail?.['outcome']);
  }
  metric(name: string): number {
    return this.signals.metrics.get(name) ?? 0;
  }

  /** Everything that must be the same after a crash and a redelivery as without one; times and the audit trail are not. */
  endState(): unknown {
    return {
      registry: [...this.registry.certificates].map(([id, { status }]) => [id, status]),
      connected: [...this.registry.connected],
      inventory: [...this.inventory.certificates.values()].map(({ certificateId, status, statusReason }) => [
        certificateId,
        status,
        statusReason,
      ]),
      revocations: [...this.inventory.revocations]
        .map(([name, { state, outcome, message }]) => [name, state, outcome, message.action])
        .sort(byText),
      marks: [...this.marks.marks.values()].map(({ appliedAtMs: _at, ...mark }) => mark),
      states: [...this.states.objects].map(([key, octets]) => [key, octets.toString('base64')]).sort(byText),
      holds: [...this.holds.holds.values()].map(({ createdAtMs: _created, decidedAtMs: _decided, ...hold }) => hold),
      brake: [...this.brake.runs].map(([runId, { count }]) => [runId, count]),
      due: [...this.due.rows.keys()].sort(),
      revokeQueue: this.revokeQueue.messages,
    };
  }
}
