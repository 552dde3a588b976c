import type { TrustAnchors } from '../../ports/trust-anchors.js';
import type { Inventory } from '../../ports/inventory.js';
import type { InventoryPages } from '../../ports/inventory-pages.js';
import type { OrphanExamples, ReconcileCheckpoint, ReconcileQueue, ReconcileTally, Reconciliation } from '../../ports/reconciliation.js';
import type { Registry } from '../../ports/registry.js';
import type { LookUpPorts } from '../look-up.js';
import type { Paced } from '../paced.js';
import type { RememberedSettings } from '../remembered/run.js';

export interface ReconcilePorts extends LookUpPorts, Paced {
  readonly inventory: Pick<Inventory, 'record' | 'activeCount' | 'setStatus' | 'byThing'>;
  readonly pages: InventoryPages;
  readonly registry: Pick<Registry, 'describe' | 'thingsOf' | 'page'>;
  readonly reconciliation: Reconciliation;
  readonly queue: ReconcileQueue;
  readonly anchors: TrustAnchors;
}

export interface ReconcileSettings extends RememberedSettings {
  readonly perSecond: number;
  /** Nothing is begun after this: the function must have time to say where it stands. */
  readonly deadlineMs: number;
}

/** One step of a run: the next state, and whether the page was finished or time ran out in the middle of it. */
export interface Step {
  readonly next: ReconcileCheckpoint;
  readonly finished: boolean;
}

export const NOTHING_YET: ReconcileTally = {
  listed: 0,
  active: 0,
  recorded: 0,
  unreadable: 0,
  handedOver: 0,
  heldBack: 0,
  deleted: 0,
  withoutThing: 0,
  sharedThing: 0,
  unknownIssuer: 0,
};

export function add(tally: ReconcileTally, found: Partial<ReconcileTally>): ReconcileTally {
  const sum = { ...tally };
  for (const [name, value] of Object.entries(found) as [keyof ReconcileTally, number][]) sum[name] += value;
  return sum;
}

const MAX_EXAMPLES = 20;

export function addExamples(examples: OrphanExamples, found: Partial<OrphanExamples>): OrphanExamples {
  const merge = (kind: keyof OrphanExamples): readonly string[] => [...examples[kind], ...(found[kind] ?? [])].slice(0, MAX_EXAMPLES);
  return {
    withoutThing: merge('withoutThing'),
    sharedThing: merge('sharedThing'),
    unknownIssuer: merge('unknownIssuer'),
    unreadable: merge('unreadable'),
  };
}
