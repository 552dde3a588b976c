/**
 * How many things may be contained by machine without a person's consent. Fails towards braking: a fleet or a group whose size is not known leaves the
 * floor alone.
 */
import { brakeLimit } from '../../../domain/fleet/brake-limit.js';
import type { Booking } from '../../ports/containment-work.js';

export interface ContainmentBrake {
  /** So many are always let through: lets a fleet of three work. */
  readonly floor: number;
  readonly perHour: number;
  /** Share of the ACTIVE certificates that may be contained at the same time, 0.01 for 1 %. */
  readonly fleetShare: number;
  /** … and of the things of any one group. */
  readonly groupShare: number;
}

const HOUR_MS = 3_600_000;

export type BrakeVerdict = 'admitted' | 'per-hour' | 'fleet-share' | 'group-share';

/** By numbers alone. What is open counts until it is released: a containment that is stuck frees nothing. */
export function countsAdmit(
  booked: readonly Booking[],
  wanted: number,
  activeCount: number | undefined,
  brake: ContainmentBrake,
  nowMs: number,
): BrakeVerdict {
  const open = booked.filter(({ freedAtMs }) => freedAtMs === undefined).length;
  const lately = booked.filter(({ sinceMs }) => sinceMs > nowMs - HOUR_MS).length;
  if (lately + wanted > Math.max(brake.floor, brake.perHour)) return 'per-hour';
  if (open + wanted > brakeLimit(activeCount, { floor: brake.floor, share: brake.fleetShare })) return 'fleet-share';
  return 'admitted';
}

/** The same for each group of what is wanted. `sizeOf` is asked only where the floor is passed, and counts no further than it must. */
export async function groupsAdmit(
  booked: readonly Booking[],
  wanted: readonly Booking[],
  { floor, groupShare }: ContainmentBrake,
  sizeOf: (group: string, upTo: number) => Promise<number>,
): Promise<BrakeVerdict> {
  const open = booked.filter(({ freedAtMs }) => freedAtMs === undefined);
  const inGroup = (list: readonly Booking[], group: string): number => list.filter(({ groups }) => groups.includes(group)).length;
  for (const group of new Set(wanted.flatMap(({ groups }) => groups))) {
    const needed = inGroup(open, group) + inGroup(wanted, group);
    if (needed <= floor) continue;
    if (groupShare === 0) return 'group-share';
    const size = await sizeOf(group, Math.ceil(needed / groupShare));
    if (needed > brakeLimit(size, { floor, share: groupShare })) return 'group-share';
  }
  return 'admitted';
}
