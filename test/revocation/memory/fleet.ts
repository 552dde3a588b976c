import type { CertificateId } from '../../../domain/fleet/certificate-id.js';
import { thingName, type ThingName } from '../../../domain/fleet/thing-name.js';
import type { SerialNumber } from '../../../domain/pki/serial-number.js';
import type { CertificateRecord, Inventory, InventoryStatus, RevocationRecord } from '../../../lambda/ports/inventory.js';
import type { PrivateCa } from '../../../lambda/ports/private-ca.js';
import type { CertificateStatus } from '../../../domain/fleet/certificate-status.js';
import type { Registry } from '../../../lambda/ports/registry.js';

type InventoryPart = Pick<Inventory, 'bySerial' | 'alreadyDone' | 'activeCount' | 'rememberRevocation' | 'setStatus'>;

export class MemoryInventory implements InventoryPart {
  readonly certificates = new Map<CertificateId, CertificateRecord>();
  readonly revocations = new Map<string, RevocationRecord>();
  /** `undefined`: never counted. */
  active: number | undefined;

  async bySerial(issuerId: string, serialNumber: SerialNumber) {
    const certificate = [...this.certificates.values()].find((one) => one.issuerId === issuerId && one.serialNumber === serialNumber);
    const revocation = this.revocations.get(`${issuerId}#${serialNumber}`);
    return { ...(certificate && { certificate }), ...(revocation && { revocation }) };
  }
  async alreadyDone(issuerId: string, serials: readonly SerialNumber[]) {
    const isDone = (serial: SerialNumber): boolean => {
      const record = this.revocations.get(`${issuerId}#${serial}`);
      return record?.state === 'done' && (record.message.action === 'revoke' || record.message.action === 'complete');
    };
    return new Set(serials.filter(isDone));
  }
  async activeCount() {
    return this.active;
  }
  async rememberRevocation(record: RevocationRecord) {
    this.revocations.set(`${record.issuerId}#${record.serialNumber}`, record);
  }
  async setStatus(id: CertificateId, status: InventoryStatus, statusReason: string) {
    const record = this.certificates.get(id);
    if (record !== undefined) this.certificates.set(id, { ...record, status, statusReason });
  }
}

export interface RegistryCall {
  readonly call: 'describe' | 'setStatus' | 'thingsOf' | 'deleteConnection';
  readonly of: string;
  readonly atMs: number;
}

export class MemoryRegistry implements Pick<Registry, 'describe' | 'setStatus' | 'thingsOf' | 'deleteConnection'> {
  readonly certificates = new Map<CertificateId, { status: CertificateStatus; readonly pem: string; readonly things: readonly string[] }>();
  readonly connected = new Set<string>();
  readonly calls: RegistryCall[] = [];
  /** Throws what it returns, before the call does anything. */
  trouble: (call: RegistryCall) => Error | undefined = () => undefined;

  constructor(private readonly nowMs: () => number) {}

  private note(call: RegistryCall['call'], of: string): void {
    const noted = { call, of, atMs: this.nowMs() };
    this.calls.push(noted);
    const error = this.trouble(noted);
    if (error !== undefined) throw error;
  }
  async describe(id: CertificateId) {
    this.note('describe', id);
    const found = this.certificates.get(id);
    return found && { certificateId: id, status: found.status, certificatePem: found.pem };
  }
  async setStatus(id: CertificateId, status: 'ACTIVE' | 'INACTIVE' | 'REVOKED') {
    this.note('setStatus', id);
    const found = this.certificates.get(id);
    if (found === undefined) return false;
    if (found.status === 'REVOKED' && status !== 'REVOKED') throw new Error('CertificateStateException: REVOKED is for ever');
    found.status = status;
    return true;
  }
  async thingsOf(id: CertificateId): Promise<readonly ThingName[]> {
    this.note('thingsOf', id);
    return (this.certificates.get(id)?.things ?? []).map(thingName);
  }
  async deleteConnection(clientId: string) {
    this.note('deleteConnection', clientId);
    return this.connected.delete(clientId);
  }
}

export class MemoryPrivateCa implements PrivateCa {
  readonly issued = new Map<string, string>();
  readonly asked: string[] = [];

  async getCertificate(_certificateAuthorityArn: string, certificateArn: string) {
    this.asked.push(certificateArn);
    return this.issued.get(certificateArn);
  }
}
