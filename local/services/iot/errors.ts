import { AwsError } from '../../models/service.js';

export const invalidRequest = (message: string): AwsError => new AwsError('InvalidRequestException', message, 400);
export const notFound = (message: string): AwsError => new AwsError('ResourceNotFoundException', message, 404);
export const versionConflict = (message: string): AwsError => new AwsError('VersionConflictException', message, 409);
export const deleteConflict = (message: string): AwsError => new AwsError('DeleteConflictException', message, 409);
/** Carries the id and the ARN of what exists, as the shape says (API_ResourceAlreadyExistsException). */
export const alreadyExists = (message: string, resourceId: string, resourceArn: string): AwsError =>
  new AwsError('ResourceAlreadyExistsException', message, 409, { resourceId, resourceArn });
