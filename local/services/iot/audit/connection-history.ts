/** Which clients connected with which certificate: what the checks of shared certificates and conflicting client ids look at. */

export interface Use {
  readonly connectedAtMs: number;
  disconnectedAtMs?: number;
}

/** Kept while the account audits at all; a certificate alone with its client, which is the rule, leaves nothing behind. */
export class ConnectionHistory {
  /** certificateId → clientId → the connection that is open now. */
  private readonly open = new Map<string, Map<string, Use>>();
  /** certificateId → clientId → the last connection that overlapped with another client's. */
  readonly shared = new Map<string, Map<string, Use>>();
  /** clientId → when a second connection last threw the first one out. */
  readonly conflicts = new Map<string, number>();

  connected(certificateId: string, clientId: string, nowMs: number): void {
    const uses = this.open.get(certificateId) ?? new Map<string, Use>();
    this.open.set(certificateId, uses.set(clientId, { connectedAtMs: nowMs }));
    if (uses.size < 2) return;
    const overlaps = this.shared.get(certificateId) ?? new Map<string, Use>();
    this.shared.set(certificateId, overlaps);
    for (const [client, use] of uses) overlaps.set(client, use);
  }

  disconnected(certificateId: string, clientId: string, reason: string, nowMs: number): void {
    const uses = this.open.get(certificateId);
    const use = uses?.get(clientId);
    if (use) use.disconnectedAtMs = nowMs;
    uses?.delete(clientId);
    if (uses?.size === 0) this.open.delete(certificateId);
    if (reason === 'DUPLICATE_CLIENTID') this.conflicts.set(clientId, nowMs);
  }

  forgetOlderThan(atMs: number): void {
    for (const [certificateId, uses] of this.shared) {
      for (const [clientId, { disconnectedAtMs }] of uses)
        if (disconnectedAtMs !== undefined && disconnectedAtMs < atMs) uses.delete(clientId);
      if (uses.size < 2) this.shared.delete(certificateId);
    }
    for (const [clientId, seenAtMs] of this.conflicts) if (seenAtMs < atMs) this.conflicts.delete(clientId);
  }
}
