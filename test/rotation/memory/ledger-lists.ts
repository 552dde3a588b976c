import type { SerialNumber } from '../../../domain/pki/serial-number.js';
import type { RevocationByHand, RevocationsByHand } from '../../../lambda/ports/by-hand.js';
import type { IssuedCertificate, IssuedCertificates } from '../../../lambda/ports/issued-certificates.js';

export class MemoryIssuedCertificates implements IssuedCertificates {
  readonly rows = new Map<string, IssuedCertificate>();
  private keyOf({ toldAtMs, newCertificateId }: IssuedCertificate): string {
    return `${new Date(toldAtMs).toISOString()}#${newCertificateId}`;
  }
  async remember(issued: IssuedCertificate) {
    this.rows.set(this.keyOf(issued), issued);
  }
  async *toldBefore(atMs: number) {
    for (const [, issued] of [...this.rows].sort(([one], [other]) => (one < other ? -1 : 1))) if (issued.toldAtMs < atMs) yield issued;
  }
  async forget(issued: IssuedCertificate) {
    this.rows.delete(this.keyOf(issued));
  }
}

export class MemoryRevocationsByHand implements RevocationsByHand {
  readonly rows = new Map<string, RevocationByHand>();
  async remember(revocation: RevocationByHand) {
    const key = `${revocation.anchorId}#${revocation.serialNumber}`;
    if (this.rows.has(key)) return false;
    this.rows.set(key, revocation);
    return true;
  }
  async *all() {
    for (const [, revocation] of [...this.rows].sort(([one], [other]) => (one < other ? -1 : 1))) yield revocation;
  }
  async done(anchorId: string, serialNumber: SerialNumber) {
    return this.rows.delete(`${anchorId}#${serialNumber}`);
  }
}
