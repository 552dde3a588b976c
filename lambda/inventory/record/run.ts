import { certificateId } from '../../../domain/fleet/certificate-id.js';
import { METRICS } from '../../../domain/fleet/metrics.js';
import { thingName } from '../../../domain/fleet/thing-name.js';
import type { Inventory } from '../../ports/inventory.js';
import type { PrivateCa } from '../../ports/private-ca.js';
import { lookUp, type LookUpPorts, type Sighting } from '../look-up.js';
import { nextSlot, type Paced } from '../paced.js';
import { readRecord } from '../read-record.js';
import type { RememberedSettings } from '../remembered/run.js';
import { certificateIdOf, decide } from './decide.js';
import type { InventoryMessage } from './event.js';
import { noteUse, suspects, tellOfContained, type QuarantineNeighbours } from './for-quarantine.js';
import { rememberIssued, tellOfConnection, type RotationNeighbours } from './for-rotation.js';

export interface RecordPorts extends LookUpPorts, Paced {
  readonly inventory: Pick<Inventory, 'record' | 'activeCount' | 'byId' | 'seen'>;
  readonly privateCa: PrivateCa;
  /** `undefined`: rotation is off. */
  readonly rotation?: RotationNeighbours;
  /** `undefined`: quarantine is off. */
  readonly quarantine?: QuarantineNeighbours;
}

export interface RecordSettings extends RememberedSettings {
  readonly perSecond: number;
}

/**
 * One event into the inventory. Resolves when there is nothing more to do, also for what is rejected; throws what is worth another
 * delivery. Repeating it, or taking events in another order, ends in the same record.
 */
export async function run(ports: RecordPorts, settings: RecordSettings, message: InventoryMessage): Promise<void> {
  const id = certificateIdOf(message);
  const known = id === undefined ? undefined : await ports.inventory.byId(certificateId(id));
  if (ports.rotation !== undefined) await tellOfConnection(ports.rotation, message, known, ports.clock.nowMs());
  const sighting = sightingOf(message);
  if (ports.quarantine !== undefined && id !== undefined) await noteUse(ports.quarantine, certificateId(id), known, sighting);
  const decision = decide(message, known);
  switch (decision.kind) {
    case 'rejected':
      return ports.signals.info('not for the inventory', { reason: decision.reason });
    case 'seen': {
      const { clientId, thingName: thing, lastSeenAtMs } = sighting;
      if (ports.quarantine !== undefined) await tellOfContained(ports.quarantine, suspects(known, sighting), ports.clock.nowMs());
      await ports.inventory.seen(certificateId(decision.certificateId), clientId ?? '', thing, lastSeenAtMs ?? ports.clock.nowMs());
      return;
    }
    case 'look-up': {
      await nextSlot(ports, settings.perSecond);
      const source = decision.reason === 'just registered' ? 'registration' : 'presence';
      const found = await lookUp(ports, settings, certificateId(decision.certificateId), source, sighting);
      if (ports.quarantine !== undefined && found.kind === 'recorded')
        await tellOfContained(ports.quarantine, found.things, ports.clock.nowMs());
      return ports.signals.info('looked up', { certificateId: decision.certificateId, reason: decision.reason, outcome: found.kind });
    }
    case 'fetch':
      return recordIssued(ports, decision.certificateAuthorityArn, decision.certificateArn);
  }
}

/** What a presence event says beside the certificate. */
function sightingOf(message: InventoryMessage): Sighting {
  if (!('kind' in message) || message.kind !== 'presence') return {};
  return {
    clientId: message.clientId,
    lastSeenAtMs: message.timestamp,
    ...(message.thingName === undefined ? {} : { thingName: thingName(message.thingName) }),
  };
}

/**
 * Issued by our Private CA, and not (yet) in the registry. Its id there is not known, so it is recorded under the id that AWS IoT is
 * expected to give it (FACTS B1); whoever acts on it asks the registry first. Throws while the CA is still at it (RequestInProgressException).
 */
async function recordIssued(ports: RecordPorts, certificateAuthorityArn: string, certificateArn: string): Promise<void> {
  const rejected = (reason: string): void => ports.signals.warn('not for the inventory', { certificateArn, reason });
  const pem = await ports.privateCa.getCertificate(certificateAuthorityArn, certificateArn);
  if (pem === undefined) return rejected('this CA never issued that');
  const read = readRecord(pem, { status: 'NOT_REGISTERED', source: 'issuance', certificateArn });
  if (!read.readable) {
    ports.signals.count(METRICS.inventoryUnreadable);
    return rejected(read.reason);
  }
  if (read.isCa) return rejected('a CA certificate');
  const { certificateId: id } = read.record;
  if (ports.rotation !== undefined) await rememberIssued(ports.rotation, ports.clock, pem, id, certificateArn);
  const { created } = await ports.inventory.record(read.record);
  ports.signals.count(METRICS.inventoryRecorded);
  ports.signals.info('recorded an issued certificate', { certificateId: read.record.certificateId, certificateArn, created });
}
