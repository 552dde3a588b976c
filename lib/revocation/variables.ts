/** Environment variables that several functions have: the fragments of `lambda/revocation/env.ts`, as values. */
import type { AppContext } from '../shared/app-context.js';

export function revocationVariables({ installation: { configuration }, state }: AppContext) {
  return {
    APPLICATION: configuration.prefix,
    INVENTORY_TABLE: state.inventory.tableName,
    LEDGER_TABLE: state.ledger.tableName,
    TRUST_PARAMETER_PATH: state.trust.parameterPath,
    REVOCATION_MODE: configuration.revocation.mode,
  };
}

export function brakeVariables({ installation: { configuration } }: AppContext) {
  const { floor, share, windowMinutes } = configuration.revocation.brake;
  return { BRAKE_FLOOR: String(floor), BRAKE_SHARE: decimal(share), BRAKE_WINDOW_MINUTES: String(windowMinutes) };
}

/** `String(1e-7)` is not a decimal number. */
export function decimal(value: number): string {
  return value.toFixed(15).replace(/\.?0+$/, '');
}
