/**
 * A list of containments that waits for a person, in the one form in which it is hashed, stored and approved: JSON, one containment a line, by thing name.
 *
 *     {"version":1,"kind":"contain","entries":[
 *     {"containmentId":"…","thingName":"pump-1","response":"contain","trigger":{…}},
 *     …
 *     ]}
 *
 * The hash is SHA-256 over these very octets: an approval holds for this list and for no other.
 */
import { z } from 'zod';
import { WorkflowInput } from '../protocol/containment-workflow.js';
import { heldListHash } from './held-list.js';

const HeldContainments = z.object({ version: z.literal(1), kind: z.literal('contain'), entries: z.array(WorkflowInput) });

export interface HeldContainmentList {
  /** Lower-case hex SHA-256 of the octets. */
  readonly hash: string;
  readonly count: number;
  readonly octets: Uint8Array;
}

/** One entry for each thing: of two, the first. */
export function writeHeldContainments(entries: Iterable<WorkflowInput>): HeldContainmentList {
  const byThing = new Map<string, WorkflowInput>();
  for (const entry of entries) if (!byThing.has(entry.thingName)) byThing.set(entry.thingName, WorkflowInput.parse(entry));
  const sorted = [...byThing.values()].sort((one, other) => (one.thingName < other.thingName ? -1 : 1));
  const octets = Buffer.from(
    `{"version":1,"kind":"contain","entries":[\n${sorted.map((entry) => JSON.stringify(entry)).join(',\n')}\n]}\n`,
  );
  return { hash: heldListHash(octets), count: sorted.length, octets };
}

/** Reads a list whose hash has been checked. Throws on anything that is none. */
export function readHeldContainments(octets: Uint8Array): readonly WorkflowInput[] {
  return HeldContainments.parse(JSON.parse(Buffer.from(octets).toString('utf8'))).entries;
}
