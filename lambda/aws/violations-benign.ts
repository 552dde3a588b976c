import { isBenign } from '../../domain/protocol/violation.js';
import type { SourcedViolation } from '../ports/violations.js';

/** Without those that a person says were nothing: they neither contain a thing nor keep it contained. */
export async function* notBenign(violations: AsyncIterable<SourcedViolation>): AsyncGenerator<SourcedViolation> {
  for await (const violation of violations) if (!isBenign(violation.verificationState)) yield violation;
}
