/** What every function of this capability is told, in fragments; the exact list of each function is in its own `env.ts`. */
import { decimalNumber, mode, resourceName } from '../../domain/fleet/environment.js';

export const common = {
  /** Name of this installation (the prefix of its stacks): the dimension of its metrics, so that two installations in one account stay apart. */
  APPLICATION: resourceName,
  INVENTORY_TABLE: resourceName,
  LEDGER_TABLE: resourceName,
  ROTATION_MODE: mode,
} as const;

/** For those that talk to the registry and to devices. */
export const device = {
  /** First level of the devices’ topics: the answer goes to `<prefix>/<thing>/rotation/response`. */
  TOPIC_PREFIX: resourceName,
  /**
   * Rotations a second, from request to retirement, all functions and workers together. Each calls DescribeCertificate eight times (pace.ts), of
   * which the account has 10 a second (FACTS B12). A pace of its own: devices that ask in a loop must not slow down a revocation.
   */
  ROTATION_PER_SECOND: decimalNumber(0.1, 1000),
} as const;
