import type { ThingName } from '../../domain/fleet/thing-name.js';

/** A repair policy of one containment (domain/protocol/repair-policy.ts). */
export interface NamedRepairPolicy {
  readonly policyName: string;
  readonly thingName: ThingName;
  readonly containmentId: string;
  /** When it was last made: nobody who began to make it before is at it much longer. */
  readonly atMs: number;
}

/** Policies of single containments at AWS IoT, and a list of them, so that none is forgotten there. */
export interface RepairPolicies {
  /** On the list first. There already, with the same text: success. `refused`: AWS IoT does not take it, or another text is there under its name. */
  make(policy: NamedRepairPolicy, document: string): Promise<'made' | 'refused'>;
  all(): AsyncIterable<NamedRepairPolicy>;
  /** From the list last. Gone before: success. `in-use`: something has it, or has had it minutes ago (API_DeletePolicy). */
  remove(policyName: string): Promise<'removed' | 'in-use'>;
}
