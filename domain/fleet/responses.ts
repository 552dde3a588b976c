/**
 * How far the answer to a violation goes: a ladder. One list for configuration, quarantine, command line and runbook.
 *
 *     observe      on record, nothing else
 *     notify       … and people are told
 *     shut-off     … and the device is asked to stop acting; if it does not answer, it is deactivated
 *     contain      cut off, let back into repair alone, and shut off there
 *     deactivate   cut off, and not let back until it is released
 */
export const RESPONSES = ['observe', 'notify', 'shut-off', 'contain', 'deactivate'] as const;
export type Response = (typeof RESPONSES)[number];

/** Does `one` go further than `other`? */
export const isStronger = (one: Response, other: Response): boolean => RESPONSES.indexOf(one) > RESPONSES.indexOf(other);

/** The responses that change something about a device: counted by the brake, and never given to a thing on the never-list. */
export const DESTRUCTIVE_RESPONSES = ['shut-off', 'contain', 'deactivate'] as const satisfies readonly Response[];

export const isDestructive = (response: Response): boolean => (DESTRUCTIVE_RESPONSES as readonly Response[]).includes(response);
