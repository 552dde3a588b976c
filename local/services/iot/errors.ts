import { AwsError } from '../../models/service.js';

export const invalidRequest = (message: string): AwsError => new AwsError('InvalidRequestException', message, 400);
export const notFound = (message: string): AwsError => new AwsError('ResourceNotFoundException', message, 404);
export const versionConflict = (message: string): AwsError => new AwsError('VersionConflictException', message, 409);
export const deleteConflict = (message: string): AwsError => new AwsError('DeleteConflictException', message, 409);
/** Carries the id and the ARN of what exists, as the shape says (API_ResourceAlreadyExistsException). */
export const alreadyExists = (message: string, resourceId: string, resourceArn: string): AwsError =>
  new AwsError('ResourceAlreadyExistsException', message, 409, { resourceId, resourceArn });
export const limitExceeded = (message: string): AwsError => new AwsError('LimitExceededException', message, 410);
export const invalidStateTransition = (message: string): AwsError => new AwsError('InvalidStateTransitionException', message, 409);
/** What the desk would otherwise have to ignore. */
export const notServed = (what: string): AwsError => new AwsError('NotImplemented', `The desk does not serve ${what}`, 501);
export const conflict = (message: string, resourceId: string): AwsError => new AwsError('ConflictException', message, 409, { resourceId });
/** An enumerated member, if it is there: a filter with a word that AWS does not know would find nothing, and a setting would mean the other thing. */
export function checkWord(member: string, value: string | undefined, words: readonly string[], refusal = invalidRequest): void {
  if (value !== undefined && !words.includes(value)) throw refusal(`Invalid ${member}: ${value}, expected one of ${words.join(', ')}`);
}
