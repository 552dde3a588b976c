import type { CertificateId } from '../../../domain/fleet/certificate-id.js';
import type { CertificateRecord } from '../../ports/inventory.js';
import type { ReconcileCheckpoint } from '../../ports/reconciliation.js';
import type { RegistryPage } from '../../ports/registry.js';
import { lookUp } from '../look-up.js';
import { nextSlot, paced } from '../paced.js';
import { handOver, type HandOver } from '../remembered/run.js';
import { decideListed } from './decide.js';
import { add, addExamples, type ReconcilePorts, type ReconcileSettings, type Step } from './steps.js';

type Listed = RegistryPage['certificates'][number];

/**
 * One page of the registry, into the inventory. Cut off in the middle, it is done again: what was recorded is then known and costs
 * nothing. Counts are of the pass that finished the page, so a certificate is counted once.
 */
export async function listPage(
  ports: ReconcilePorts,
  settings: ReconcileSettings,
  at: ReconcileCheckpoint,
  marker: string | undefined,
): Promise<Step> {
  await nextSlot(ports, settings.perSecond);
  const page = await ports.registry.page(marker);
  const ids = page.certificates.map(({ certificateId }) => certificateId);
  const known = await ports.pages.byIds(ids);
  const decided = page.certificates.map((listed) => ({ listed, decision: decideListed(listed, known.get(listed.certificateId)) }));

  let recorded = 0;
  const unreadable: CertificateId[] = [];
  const handed: HandOver[] = [];
  const wanted = decided.filter(({ decision }) => decision.kind === 'look-up');
  const left = await paced(ports, settings.perSecond, wanted, settings.deadlineMs, async ({ listed, decision }) => {
    const found = await lookUp(ports, settings, listed.certificateId, 'reconciliation');
    if (found.kind === 'unreadable') unreadable.push(listed.certificateId);
    if (found.kind !== 'recorded') return;
    handed.push(found.handOver);
    if (decision.reason !== 'no thing known') recorded += 1;
  });
  if (left.length > 0) return { next: { ...at, tally: add(at.tally, { recorded }) }, finished: false };

  const same = decided.filter(({ decision }) => decision.kind === 'same').map(({ listed }) => listed);
  handed.push(...(await rememberedOf(ports, settings, same, known)));
  await ports.pages.mark(ids, at.runId, ports.clock.nowMs());
  return {
    finished: true,
    next: {
      ...at,
      phase:
        page.nextMarker === undefined
          ? { name: 'sweeping', status: 'ACTIVE', cursor: { shard: '0' } }
          : { name: 'listing', marker: page.nextMarker },
      tally: add(at.tally, {
        listed: ids.length,
        active: page.certificates.filter(({ status }) => status === 'ACTIVE').length,
        recorded,
        unreadable: unreadable.length,
        handedOver: handed.filter((outcome) => outcome === 'handed-over').length,
        heldBack: handed.filter((outcome) => outcome === 'held-back').length,
      }),
      examples: addExamples(at.examples, { unreadable }),
    },
  };
}

/**
 * Level before edge: also a certificate that has been in the inventory for years is asked about, so that a revocation which the brake kept
 * back, or whose message was lost, is found again. A certificate that is REVOKED has nothing to be found.
 */
async function rememberedOf(
  ports: ReconcilePorts,
  settings: ReconcileSettings,
  listed: readonly Listed[],
  known: ReadonlyMap<CertificateId, CertificateRecord>,
): Promise<readonly HandOver[]> {
  const living = listed.flatMap(({ certificateId, status }) => {
    const record = known.get(certificateId);
    return status === 'REVOKED' || record === undefined ? [] : [record];
  });
  const outcomes: HandOver[] = [];
  for (const remembered of await ports.pages.revocationsOf(living)) {
    const named = living.filter(
      ({ issuerId, serialNumber }) => issuerId === remembered.issuerId && serialNumber === remembered.serialNumber,
    );
    for (const { certificateId, status } of named) {
      outcomes.push(await handOver(ports, settings, { certificateId, registryStatus: status }, remembered));
    }
  }
  return outcomes;
}
