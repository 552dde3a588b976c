/** The history of an execution: numbered events, each with the one before it in its own branch (HistoryEvent API reference). */
import type { DeskClock } from '../../world/clock.js';
import { IntrinsicFault, RuntimeFault, StateFailure } from './failure.js';

export interface HistoryEvent {
  readonly id: number;
  readonly previousEventId: number;
  readonly timestamp: Date;
  readonly type: string;
  /** The one member with details, `taskScheduledEventDetails` …; most types have one. */
  readonly details?: { readonly name: string; readonly value: Readonly<Record<string, unknown>> };
}

/** A branch's place in the history: the event that its next one follows. */
export interface Chain {
  lastEventId: number;
}

/** Step Functions service quotas; the last one is for the end of the execution. */
export const LONGEST_HISTORY = 25_000;

export class History {
  readonly events: HistoryEvent[] = [];

  constructor(
    private readonly clock: DeskClock,
    private readonly listener: (event: HistoryEvent) => void,
    private readonly longest = LONGEST_HISTORY,
  ) {}

  /** Adds an event of a branch. Throws StateFailure when the history is full. */
  add(chain: Chain, type: string, detailsName?: string, value?: Readonly<Record<string, unknown>>): number {
    if (this.events.length >= this.longest - 1)
      throw new StateFailure('States.Runtime', `The execution reached the maximum number of history events (${this.longest}).`);
    const id = this.append(chain.lastEventId, type, detailsName, value);
    chain.lastEventId = id;
    return id;
  }

  /** Adds an event without moving a branch on, and without a limit: begin and end of the execution, what becomes of stopped branches. */
  append(previousEventId: number, type: string, detailsName?: string, value?: Readonly<Record<string, unknown>>): number {
    const event: HistoryEvent = {
      id: this.events.length + 1,
      previousEventId,
      timestamp: this.clock.date(),
      type,
      ...(detailsName === undefined ? {} : { details: { name: detailsName, value: withoutAbsent(value ?? {}) } }),
    };
    this.events.push(event);
    this.listener(event);
    return event.id;
  }
}

const withoutAbsent = (value: Readonly<Record<string, unknown>>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined));

/** What a state's own evaluation throws, with the state and its event as AWS words it. */
export function inState(error: unknown, name: string, enteredEventId: number): unknown {
  if (error instanceof IntrinsicFault) return new StateFailure('States.IntrinsicFailure', causeIn(name, enteredEventId, error.message));
  if (!(error instanceof RuntimeFault)) return error;
  return new StateFailure('States.Runtime', causeIn(name, enteredEventId, error.message));
}

export const causeIn = (name: string, enteredEventId: number, message: string): string =>
  `An error occurred while executing the state '${name}' (entered at the event id #${enteredEventId}). ${message}`;
