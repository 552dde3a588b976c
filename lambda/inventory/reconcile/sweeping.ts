import type { CertificateId } from '../../../domain/fleet/certificate-id.js';
import type { CertificateRecord } from '../../ports/inventory.js';
import type { StatusPage } from '../../ports/inventory-pages.js';
import type { ReconcileCheckpoint, ReconcilePhase } from '../../ports/reconciliation.js';
import type { CertificateStatus } from '../../../domain/fleet/certificate-status.js';
import { paced } from '../paced.js';
import { issuerIdsOf } from '../read-record.js';
import { add, addExamples, type ReconcilePorts, type ReconcileSettings, type Step } from './steps.js';

type Sweeping = Extract<ReconcilePhase, { name: 'sweeping' }>;

/** What a certificate in the registry can be, in the order of the sweep. REVOKED is left out: it stays REVOKED also when it is deleted. */
const SWEPT: readonly CertificateStatus[] = ['ACTIVE', 'INACTIVE', 'PENDING_ACTIVATION', 'PENDING_TRANSFER', 'REGISTER_INACTIVE'];

const QUERIES_AT_ONCE = 16;

/**
 * One page of the inventory: what the registry did not list in this run is asked for by name, and is DELETED only if the registry says that
 * it does not exist. The rest of the ACTIVE ones is checked for orphans.
 */
export async function sweepPage(
  ports: ReconcilePorts,
  settings: ReconcileSettings,
  at: ReconcileCheckpoint,
  phase: Sweeping,
): Promise<Step> {
  const page = await ports.pages.statusPage(phase.status, phase.cursor);
  const marked = await ports.pages.marked(
    page.certificates.map(({ certificateId }) => certificateId),
    at.runId,
  );
  const gone = new Set<CertificateId>();
  const missed = page.certificates.filter(({ certificateId }) => !marked.has(certificateId));
  const left = await paced(ports, settings.perSecond, missed, settings.deadlineMs, async ({ certificateId }) => {
    // Registered after the last page was read: there, and listed next time.
    if ((await ports.registry.describe(certificateId)) !== undefined) return;
    await ports.inventory.setStatus(certificateId, 'DELETED', 'gone from the registry', 'reconciliation');
    gone.add(certificateId);
  });
  if (left.length > 0) return { next: { ...at, tally: add(at.tally, { deleted: gone.size }) }, finished: false };

  const active = page.certificates.filter(({ certificateId, status }) => status === 'ACTIVE' && !gone.has(certificateId));
  const orphans = await orphansAmong(ports, active);
  return {
    finished: true,
    next: {
      ...at,
      phase: phaseAfter(phase, page),
      tally: add(at.tally, {
        deleted: gone.size,
        withoutThing: orphans.withoutThing.length,
        sharedThing: orphans.sharedThing.length,
        unknownIssuer: orphans.unknownIssuer.length,
      }),
      examples: addExamples(at.examples, orphans),
    },
  };
}

function phaseAfter(phase: Sweeping, page: StatusPage): ReconcilePhase {
  if (page.next !== undefined) return { ...phase, cursor: page.next };
  const status = SWEPT[SWEPT.indexOf(phase.status) + 1];
  return status === undefined ? { name: 'done' } : { name: 'sweeping', status, cursor: { shard: '0' } };
}

interface Orphans {
  readonly withoutThing: readonly string[];
  readonly sharedThing: readonly string[];
  readonly unknownIssuer: readonly string[];
}

async function orphansAmong(ports: ReconcilePorts, active: readonly CertificateRecord[]): Promise<Orphans> {
  if (active.length === 0) return { withoutThing: [], sharedThing: [], unknownIssuer: [] };
  const trusted = issuerIdsOf(await ports.anchors.all());
  const sharedThing: string[] = [];
  for (let start = 0; start < active.length; start += QUERIES_AT_ONCE) {
    const chunk = active.slice(start, start + QUERIES_AT_ONCE);
    const shared = await Promise.all(chunk.map((record) => sharesItsThing(ports, record)));
    sharedThing.push(...chunk.filter((_, index) => shared[index]).map(({ certificateId }) => certificateId));
  }
  return {
    withoutThing: active.filter(({ thingName }) => thingName === undefined).map(({ certificateId }) => certificateId),
    sharedThing,
    unknownIssuer: active.filter(({ issuerId }) => !trusted.has(issuerId)).map(({ certificateId }) => certificateId),
  };
}

/** Does its thing have another ACTIVE certificate? During a rotation it may; for longer, somebody forgot to retire the old one. */
async function sharesItsThing(ports: ReconcilePorts, record: CertificateRecord): Promise<boolean> {
  if (record.thingName === undefined) return false;
  for await (const other of ports.inventory.byThing(record.thingName)) {
    if (other.status === 'ACTIVE' && other.certificateId !== record.certificateId) return true;
  }
  return false;
}
