/** AWS Private CA. `undefined` only ever means "this CA never issued that". */
export interface PrivateCa {
  /** GetCertificate (75 a second): PEM of an issued, expired or revoked certificate. Throws while it is being issued (RequestInProgressException). */
  getCertificate(certificateAuthorityArn: string, certificateArn: string): Promise<string | undefined>;
}
