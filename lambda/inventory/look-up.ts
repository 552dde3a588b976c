import type { CertificateId } from '../../domain/fleet/certificate-id.js';
import { METRICS } from '../../domain/fleet/metrics.js';
import type { ThingName } from '../../domain/fleet/thing-name.js';
import type { CertificateRecord, Inventory, InventorySource } from '../ports/inventory.js';
import type { Registry } from '../ports/registry.js';
import { readRecord } from './read-record.js';
import { handOver, type HandOver, type RememberedPorts, type RememberedSettings } from './remembered/run.js';

export interface LookUpPorts extends RememberedPorts {
  readonly inventory: Pick<Inventory, 'record' | 'activeCount'>;
  readonly registry: Pick<Registry, 'describe' | 'thingsOf'>;
}

/** What an event knows beside the registry. */
export type Sighting = Pick<CertificateRecord, 'thingName' | 'clientId' | 'lastSeenAtMs'>;

export type LookUp =
  | { readonly kind: 'recorded'; readonly handOver: HandOver; readonly things: readonly ThingName[] }
  | { readonly kind: 'gone' } // deleted before we came
  | { readonly kind: 'unreadable'; readonly reason: string };

/**
 * Reads one certificate from the registry into the inventory: DescribeCertificate, ListPrincipalThings, record. Then, and only then, a
 * revocation that was remembered for it is handed over (the order of `Inventory.record`).
 */
export async function lookUp(
  ports: LookUpPorts,
  settings: RememberedSettings,
  id: CertificateId,
  source: InventorySource,
  sighting: Sighting = {},
): Promise<LookUp> {
  const registered = await ports.registry.describe(id);
  if (registered === undefined) return { kind: 'gone' };
  const read = readRecord(registered.certificatePem, { certificateId: id, status: registered.status, source });
  if (!read.readable) {
    ports.signals.count(METRICS.inventoryUnreadable);
    ports.signals.warn('the registry’s certificate cannot be read', { certificateId: id, reason: read.reason });
    return { kind: 'unreadable', reason: read.reason };
  }
  const things = sighting.thingName === undefined ? await ports.registry.thingsOf(id) : [sighting.thingName];
  const thing = firstOf(things);
  const { remembered } = await ports.inventory.record({
    ...read.record,
    ...sighting,
    ...(thing === undefined ? {} : { thingName: thing }),
  });
  ports.signals.count(METRICS.inventoryRecorded);
  return {
    kind: 'recorded',
    things,
    handOver:
      remembered === undefined
        ? 'nothing-to-do'
        : await handOver(ports, settings, { certificateId: id, registryStatus: registered.status }, remembered),
  };
}

/** One certificate may be attached to several things (not exclusively): the first by name stands for them, the same one each time. */
function firstOf(things: readonly ThingName[]): ThingName | undefined {
  return [...things].sort()[0];
}
