/** What every function of this capability is told, in fragments; the exact list of each function is in its own `env.ts`. */
import { decimalNumber, mode, resourceName, wholeNumber } from '../../domain/fleet/environment.js';

export const common = {
  /** Name of this installation (the prefix of its stacks): the dimension of its metrics, so that two installations in one account stay apart. */
  APPLICATION: resourceName,
  INVENTORY_TABLE: resourceName,
  LEDGER_TABLE: resourceName,
  /** SSM path below which the anchors lie: `<prefix>/trust`. Without a slash at its end. */
  TRUST_PARAMETER_PATH: resourceName,
  REVOCATION_MODE: mode,
} as const;

export const brake = {
  /** So many new revocations are always let through: lets a fleet of three work. */
  BRAKE_FLOOR: wholeNumber(0, 1_000_000),
  /** Share of the ACTIVE certificates that may be revoked within the window, 0.01 for 1 %. */
  BRAKE_SHARE: decimalNumber(0, 1),
  BRAKE_WINDOW_MINUTES: wholeNumber(1, 10_080),
} as const;
