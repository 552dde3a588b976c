/** One line of the append-only audit trail. Never a key, a CSR, a token or a whole event. */
export interface Decision {
  /** What it is about: `CERT#<certificateId>`, `SERIAL#<issuerId>#<serialNumber>`, `CRL#<issuerKeyId>#<partition>`, `HOLD#<hash>`, `OBJECT#<bucket>/<key>` (a CRL that was refused), `CONTROL`. */
  readonly subject: string;
  /** `intent` before the first call of an act, `outcome` after it. */
  readonly step: 'intent' | 'outcome';
  /** Verb: `revoke`, `hold`, `sync`, `approve` … */
  readonly act: string;
  readonly reason: string;
  readonly runId: string;
  readonly by: string;
  readonly atMs: number;
  readonly detail?: Readonly<Record<string, string | number | boolean>>;
}

export interface DecisionLog {
  append(decision: Decision): Promise<void>;
  /** Oldest first. */
  of(subject: string): AsyncIterable<Decision>;
}
