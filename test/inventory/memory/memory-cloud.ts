/**
 * Everything that `record` and `reconcile` talk to, in memory: the ports, kept as simply as they can be. Time stands still but for waiting,
 * which takes no time at all.
 */
import type { CertificateId } from '../../../domain/fleet/certificate-id.js';
import type { ThingName } from '../../../domain/fleet/thing-name.js';
import type { TrustAnchor } from '../../../domain/pki/trust-anchor.js';
import type { ReconcileMessage } from '../../../domain/protocol/inventory-events.js';
import type { RevokeMessage } from '../../../domain/protocol/revocation.js';
import { mergeRecord, withStatus } from '../../../lambda/aws/inventory-merge.js';
import type { ReconcilePorts } from '../../../lambda/inventory/reconcile/steps.js';
import type { RecordPorts } from '../../../lambda/inventory/record/run.js';
import type { Decision } from '../../../lambda/ports/decision-log.js';
import type { CertificateRecord, RevocationRecord } from '../../../lambda/ports/inventory.js';
import type { ReconcileCheckpoint } from '../../../lambda/ports/reconciliation.js';
import type { CertificateStatus } from '../../../domain/fleet/certificate-status.js';

export interface Registered {
  status: CertificateStatus;
  certificatePem: string;
  things: ThingName[];
}

export const START_MS = Date.UTC(2026, 10, 22, 4);

export class MemoryCloud {
  nowMs = START_MS;
  /** In the order of registration. */
  readonly registry = new Map<CertificateId, Registered>();
  /** ARN → PEM at the Private CA. */
  readonly issued = new Map<string, string>();
  readonly records = new Map<CertificateId, CertificateRecord>();
  readonly revocations = new Map<string, RevocationRecord>();
  readonly marks = new Map<CertificateId, string>();
  readonly granted = new Set<string>();
  readonly decisions: Decision[] = [];
  readonly sent: RevokeMessage[] = [];
  readonly queue: ReconcileMessage[] = [];
  readonly reports = new Map<string, ReconcileCheckpoint>();
  readonly metrics: Record<string, number> = {};
  readonly notes: { readonly message: string; readonly ids: Readonly<Record<string, unknown>> }[] = [];
  anchors: TrustAnchor[] = [];
  checkpoint: ReconcileCheckpoint | undefined;
  counted: number | undefined;
  pageSize = 3;
  readonly contained = new Set<string>();
  /** Things that the watch was asked to look at. */
  readonly looks: string[] = [];
  readonly uses: (readonly [clientId: string, id: CertificateId, atMs: number])[] = [];
  /** Calls of the registry so far, by name. */
  readonly calls: Record<string, number> = {};

  readonly ports: ReconcilePorts & RecordPorts = {
    clock: {
      nowMs: () => this.nowMs,
      sleepUntil: async (atMs) => {
        this.nowMs = Math.max(this.nowMs, atMs);
      },
    },
    pace: { reserve: async (_name, _count, _perSecond, nowMs) => nowMs },
    signals: {
      count: (metric, value = 1) => void (this.metrics[metric] = (this.metrics[metric] ?? 0) + value),
      info: (message, ids = {}) => void this.notes.push({ message, ids }),
      warn: (message, ids = {}) => void this.notes.push({ message, ids }),
    },
    brake: {
      reserve: async (runId, count, limit) => {
        if (!this.granted.has(runId) && this.granted.size + count > limit) return { granted: false, usedInWindow: this.granted.size };
        this.granted.add(runId);
        return { granted: true, usedInWindow: this.granted.size };
      },
    },
    revokeQueue: {
      sendAll: async (messages) => {
        let count = 0;
        for await (const message of messages) count = this.sent.push(message);
        return count;
      },
    },
    decisions: { append: async (decision) => void this.decisions.push(decision) },
    privateCa: { getCertificate: async (_authority, arn) => this.issued.get(arn) },
    anchors: { all: async () => this.anchors },
    queue: { send: async (message) => void this.queue.push(message) },
    registry: {
      describe: async (id) => {
        this.called('describe');
        const found = this.registry.get(id);
        return found && { certificateId: id, status: found.status, certificatePem: found.certificatePem };
      },
      thingsOf: async (id) => {
        this.called('thingsOf');
        return this.registry.get(id)?.things ?? [];
      },
      page: async (marker) => {
        this.called('page');
        const all = [...this.registry];
        const start = Number(marker ?? 0);
        const end = start + this.pageSize;
        return {
          certificates: all.slice(start, end).map(([certificateId, { status }]) => ({ certificateId, status })),
          ...(end < all.length ? { nextMarker: String(end) } : {}),
        };
      },
    },
    inventory: {
      byId: async (id) => this.records.get(id),
      record: async (certificate) => {
        const before = this.records.get(certificate.certificateId);
        this.records.set(certificate.certificateId, mergeRecord(before, certificate));
        const remembered = this.revocations.get(`${certificate.issuerId}#${certificate.serialNumber}`);
        return { created: before === undefined, ...(remembered === undefined ? {} : { remembered }) };
      },
      seen: async (id, clientId, thing, atMs) => {
        const before = this.records.get(id);
        if (before === undefined) return false;
        if (atMs > (before.lastSeenAtMs ?? 0)) {
          this.records.set(id, { ...before, clientId, thingName: thing ?? before.thingName, lastSeenAtMs: atMs });
        }
        return true;
      },
      setStatus: async (id, status, reason, source) => {
        const before = this.records.get(id);
        if (before !== undefined) this.records.set(id, withStatus(before, status, reason, source));
      },
      byThing: (name) => ofArray([...this.records.values()].filter(({ thingName }) => thingName === name)),
      activeCount: async () => this.counted,
    },
    pages: {
      byIds: async (ids) => new Map(ids.flatMap((id) => (this.records.has(id) ? [[id, this.records.get(id)!] as const] : []))),
      revocationsOf: async (certificates) =>
        [...new Set(certificates.map(({ issuerId, serialNumber }) => `${issuerId}#${serialNumber}`))].flatMap(
          (key) => this.revocations.get(key) ?? [],
        ),
      statusPage: async (status, { shard, after }) => {
        const inShard = [...this.records.values()]
          .filter((record) => record.status === status && record.certificateId.startsWith(shard) && record.certificateId > (after ?? ''))
          .sort((one, other) => one.certificateId.localeCompare(other.certificateId));
        const certificates = inShard.slice(0, this.pageSize);
        const last = certificates.at(-1);
        if (inShard.length > certificates.length && last !== undefined) return { certificates, next: { shard, after: last.certificateId } };
        const nextShard = '0123456789abcdef'[parseInt(shard, 16) + 1];
        return nextShard === undefined ? { certificates } : { certificates, next: { shard: nextShard } };
      },
      countChanges: async () => 0,
      settleActiveCount: async (listed) => void (this.counted = listed),
      mark: async (ids, runId) => {
        for (const id of ids) this.marks.set(id, runId);
      },
      marked: async (ids, runId) => new Set(ids.filter((id) => this.marks.get(id) === runId)),
    },
    reconciliation: {
      checkpoint: async () => this.checkpoint,
      save: async (checkpoint, previous) => {
        if (this.checkpoint?.runId !== previous?.runId || this.checkpoint?.sequence !== previous?.sequence) return false;
        this.checkpoint = checkpoint;
        return true;
      },
      report: async (checkpoint) => void this.reports.set(checkpoint.runId, checkpoint),
      lastReport: async () => [...this.reports.values()].at(-1),
    },
  };

  /** What `record` tells where quarantine is on. */
  readonly quarantine: NonNullable<RecordPorts['quarantine']> = {
    containments: { isContained: async (thing) => this.contained.has(thing) },
    inventory: { noteUse: async (clientId, id, atMs) => void this.uses.push([clientId, id, atMs]) },
    watch: { ask: async (thing) => void this.looks.push(thing) },
  };

  private called(name: string): void {
    this.calls[name] = (this.calls[name] ?? 0) + 1;
  }
}

async function* ofArray<T>(all: readonly T[]): AsyncGenerator<T> {
  yield* all;
}
