/** What is under way between the parts of a fleet, and what may become of it. */
export type FunctionName = 'start' | 'issue' | 'prove' | 'retire' | 'record';

export interface Message {
  readonly to: FunctionName;
  readonly body: unknown;
  readonly availableAtMs: number;
  receives: number;
}

/** An issuance, as the CA tells it; or a presence event. */
export type Recorded =
  { readonly kind: 'issued'; readonly pem: string; readonly arn: string } | { readonly kind: 'presence'; readonly event: unknown };

export const MAX_RECEIVES = 5;

/** How hostile the world is. */
export interface Trouble {
  /** Answers, events and messages of devices that never arrive. */
  readonly lost: number;
  readonly repeated: number;
  /** Deliveries that die at some call. */
  readonly killed: number;
  /** Calls that take effect and whose answers never come. */
  readonly unanswered: number;
}
export const NO_TROUBLE: Trouble = { lost: 0, repeated: 0, killed: 0, unanswered: 0 };
