/** What every function of this capability is told, in fragments; the exact list of each function is in its own `env.ts`. */
import { decimalNumber, mode, queueUrl, resourceName, wholeNumber } from '../../domain/fleet/environment.js';

export const common = {
  /** Name of this installation (the prefix of its stacks): the dimension of its metrics, so that two installations in one account stay apart. */
  APPLICATION: resourceName,
  INVENTORY_TABLE: resourceName,
  LEDGER_TABLE: resourceName,
  /**
   * Registry reads a second that the inventory may use, both functions together. DescribeCertificate, ListCertificates and
   * ListPrincipalThings have quotas of 10 a second each (FACTS B12), adjustable, and the revoke worker needs DescribeCertificate too.
   */
  INVENTORY_PER_SECOND: decimalNumber(0.1, 1000),
} as const;

/** For handing over a revocation that was remembered for a certificate which has turned up now. */
export const revoking = {
  REVOKE_QUEUE_URL: queueUrl,
  REVOCATION_MODE: mode,
  BRAKE_FLOOR: wholeNumber(0, 1_000_000),
  /** Share of the ACTIVE certificates, 0.01 for 1 %. */
  BRAKE_SHARE: decimalNumber(0, 1),
  BRAKE_WINDOW_MINUTES: wholeNumber(1, 10_080),
} as const;
