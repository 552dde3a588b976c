/**
 * A CA that can issue device certificates: ACM PCA, or for an external trust anchor whatever signs for it. Three methods, so that a new kind is a
 * small file. Subject, SAN and extensions are set here and never taken from the request.
 */
/** The CA has read the request and will never issue it, however often it is asked. Whatever else fails is worth another delivery. */
export class RequestRefusedByCa extends Error {
  override readonly name = 'RequestRefusedByCa';

  /** `saying`: the CA's own name for it, an error code of a fixed list and no text of the request. */
  constructor(readonly saying: string) {
    super(`the CA does not take the request: ${saying}`);
  }
}

export interface IssuingCa {
  /**
   * Starts one issuance and resolves to a reference (for ACM PCA the certificate ARN) at once: write it down before waiting. The same token
   * within the CA's memory (five minutes for ACM PCA) gives the same reference. Throws `RequestRefusedByCa`.
   */
  issue(request: {
    readonly csrDer: Uint8Array;
    readonly commonName: string;
    readonly validityDays: number;
    readonly idempotencyToken: string;
  }): Promise<string>;
  /** PEM, or `undefined` while it is being issued. */
  fetch(reference: string): Promise<string | undefined>;
  /** Revokes as superseded. Revoked already: success. */
  supersede(serialNumber: string): Promise<void>;
}
