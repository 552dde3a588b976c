/**
 * The durable workflow of one containment: the words that the state machine and the functions behind it share.
 *
 *     Record ─► Cut ─► Lock ─► Settle ─► Reopen ─► ShutOff ─► AwaitAnswer ⇄ CheckAnswer ─► Watch ─► AwaitWord ─► …
 *       ▲         every step asks the ledger what is next (`Next`)           │ no answer              │ a word, or its time
 *       │                                                                    ▼                        ▼
 *       └──── Paused, Stuck: wait, then look again ◄──                  Deactivate              ReKey ⇄ CheckReKey ─► Restore ─► Released
 *
 * What is true stands in the ledger, not in the workflow: a step that is repeated, or that comes late, finds there what is done.
 */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { RESPONSES } from '../fleet/responses.js';
import { CONTAINMENT_ID } from './containment.js';

/** States that call a function with an operation. `Settle` and `AwaitWord` wait until somebody speaks, or their time is over. */
export const CONTAIN_STEPS = [
  'Record',
  'Cut',
  'Lock',
  'Settle',
  'Reopen',
  'ShutOff',
  'CheckAnswer',
  'Deactivate',
  'Watch',
  'AwaitWord',
] as const;
export type ContainStep = (typeof CONTAIN_STEPS)[number];
/** The steps that give back: a function of its own, with permissions of its own. */
export const RELEASE_STEPS = ['ReKey', 'CheckReKey', 'Restore'] as const;
export type ReleaseStep = (typeof RELEASE_STEPS)[number];
/** States without a function: they wait, or end. */
export const RESTING_STATES = ['AwaitAnswer', 'AwaitKey', 'Paused', 'Released'] as const;
export type NextState = ContainStep | ReleaseStep | (typeof RESTING_STATES)[number];

/** What a step answers: where the workflow goes, and for so long where it waits there. */
export interface StepAnswer {
  readonly next: NextState;
  readonly seconds: number;
}

/** A day: the longest wait of the workflow. It looks at the ledger again then, also if nobody has spoken. */
export const LONGEST_WAIT_SECONDS = 86_400;

export const TRIGGER_KINDS = ['violation', 'audit-finding', 'custom', 'operator'] as const;

/** What set a containment off: evidence, for people. Nothing in it is acted upon. */
export const Trigger = z.object({
  kind: z.enum(TRIGGER_KINDS),
  /** violationId, findingId, source and violationId of another detector, requestId. */
  id: z.string().min(1).max(400),
  by: z.string().min(1).max(2048),
  behavior: z.string().max(128).optional(),
  reason: z.string().max(256),
  atMs: z.number().int().nonnegative(),
  evidence: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
});
export type Trigger = z.infer<typeof Trigger>;

/** The same trigger for the same thing is one containment, however often and however it is told. */
export function containmentIdOf({ kind, id }: Pick<Trigger, 'kind' | 'id'>, thingName: string): string {
  return `${kind}-${createHash('sha256').update(`${kind}\n${id}\n${thingName}`).digest('hex').slice(0, 24)}`;
}

/** Name of the execution that carries a containment on after so many have died: the name of one that has ended cannot be used again for 90 days. */
export const executionOf = (containmentId: string, restarts = 0): string =>
  restarts === 0 ? containmentId : `${containmentId}-again-${restarts}`;

/** Input of one execution, whose name is `executionOf`. */
export const WorkflowInput = z.object({
  containmentId: z.string().regex(CONTAINMENT_ID),
  thingName: z.string().regex(/^[a-zA-Z0-9:_-]{1,128}$/),
  response: z.enum(RESPONSES),
  trigger: Trigger,
});
export type WorkflowInput = z.infer<typeof WorkflowInput>;

const call = { input: WorkflowInput } as const;
/** What the functions are called with. `taskToken`: of a step that waits for a word. */
export const ContainCall = z.object({ ...call, step: z.enum(CONTAIN_STEPS), taskToken: z.string().max(2048).optional() });
export type ContainCall = z.infer<typeof ContainCall>;
export const ReleaseCall = z.object({ ...call, step: z.enum(RELEASE_STEPS) });
export type ReleaseCall = z.infer<typeof ReleaseCall>;

/** One message on the watch queue: every open containment is looked at, or that of one thing. */
export const WatchMessage = z.object({
  kind: z.literal('look'),
  /** Something new was heard of this thing while it is contained. */
  thingName: z
    .string()
    .regex(/^[a-zA-Z0-9:_-]{1,128}$/)
    .optional(),
});
export type WatchMessage = z.infer<typeof WatchMessage>;

/** Names of what belongs to quarantine at AWS IoT. Thing names have 128 characters and more kinds of them than job ids take: jobs are named by the containment. */
export const quarantineNames = (prefix: string) =>
  ({
    policy: `${prefix}-repair`,
    group: `${prefix}-quarantine`,
    job: (operation: 'shut-off' | 'resume', containmentId: string) => `${prefix}-${operation}-${containmentId}`.slice(0, 64),
  }) as const;
