/** How many certificates may be put out of the fleet within one window without a person's consent. */
export interface BrakeSettings {
  /** So many are always let through: a fleet of three must work. */
  readonly floor: number;
  /** Share of the ACTIVE certificates, 0.01 for 1 %. */
  readonly share: number;
}

/** max(floor, share × ACTIVE), rounded down: towards braking. Where the fleet was never counted, the floor alone. */
export function brakeLimit(activeCount: number | undefined, { floor, share }: BrakeSettings): number {
  return Math.max(floor, Math.floor((activeCount ?? 0) * share));
}
