import type { VerificationState } from '../../domain/protocol/violation.js';
import type { SourcedViolation } from './violations.js';

/** Who detected it. */
export type ViolationOrigin = 'built-in' | 'device-defender';

export interface JudgedViolation extends SourcedViolation {
  readonly origin: ViolationOrigin;
}

/** What people see of violations, and what they say of them. The judgement stands at the source, where whoever contains reads it. */
export interface JudgedViolations {
  /** Those that are in alarm now, of the whole fleet or of one thing. */
  open(thingName?: string): AsyncIterable<JudgedViolation>;
  /** Open or over. `undefined`: no source knows it. */
  find(violationId: string): Promise<JudgedViolation | undefined>;
  mark(violation: JudgedViolation, state: VerificationState, description: string | undefined): Promise<void>;
}
