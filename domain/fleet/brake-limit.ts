export interface BrakeSettings {
  /** So many are always let through, however small the fleet. */
  readonly floor: number;
  /** Share of the ACTIVE certificates, 0.01 for 1 %. */
  readonly share: number;
}

/**
 * How many certificates may be taken out of the fleet within the window without a person's consent: max(floor, share × ACTIVE), rounded down.
 * An unknown size (`undefined`: the inventory has never been counted) leaves the floor alone: not knowing the fleet is no licence.
 */
export function brakeLimit(activeCount: number | undefined, { floor, share }: BrakeSettings): number {
  // 0.07 × 100 is 7.000000000000001 and 0.29 × 100 is 28.999999999999996 in binary: the sliver makes both exact.
  return Math.max(floor, Math.floor((activeCount ?? 0) * share + 1e-9));
}
