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
  /** clientId → certificateId → the last connection that threw another one out or was thrown out. */
  readonly conflicts = new Map<string, Map<string, Use>>();
  /** Client ids whose connection was thrown out just now: whoever connects under one next has done it. */
  private readonly takenOver = new Set<string>();

  connected(certificateId: string, clientId: string, nowMs: number): void {
    const uses = this.open.get(certificateId) ?? new Map<string, Use>();
    this.open.set(certificateId, uses.set(clientId, { connectedAtMs: nowMs }));
    if (this.takenOver.has(clientId)) this.tookPart(clientId, certificateId, uses.get(clientId)!);
    this.takenOver.delete(clientId);
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
    if (reason === 'DUPLICATE_CLIENTID') this.tookPart(clientId, certificateId, use ?? { connectedAtMs: nowMs, disconnectedAtMs: nowMs });
  }

  private tookPart(clientId: string, certificateId: string, use: Use): void {
    const sides = this.conflicts.get(clientId) ?? new Map<string, Use>();
    sides.delete(certificateId); // the most recent comes last
    this.conflicts.set(clientId, sides.set(certificateId, use));
    this.takenOver.add(clientId);
  }

  forgetOlderThan(atMs: number): void {
    for (const [certificateId, uses] of this.shared) {
      for (const [clientId, { disconnectedAtMs }] of uses)
        if (disconnectedAtMs !== undefined && disconnectedAtMs < atMs) uses.delete(clientId);
      if (uses.size < 2) this.shared.delete(certificateId);
    }
    for (const [clientId, sides] of this.conflicts)
      if ([...sides.values()].every(({ disconnectedAtMs }) => disconnectedAtMs !== undefined && disconnectedAtMs < atMs))
        this.conflicts.delete(clientId);
  }
}
