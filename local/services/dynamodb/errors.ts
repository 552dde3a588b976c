import { AwsError } from '../../models/service.js';

/** What DynamoDB answers to nearly every mistake in a request. Messages are AWS's own, because people search for them. */
export const validation = (message: string): AwsError => new AwsError('ValidationException', message);

export const invalidParameter = (message: string): AwsError => validation(`One or more parameter values were invalid: ${message}`);

/** An option of the API that the desk refuses rather than ignores. */
export const notServed = (what: string): AwsError =>
  new AwsError('NotImplemented', `The desk does not serve ${what} of DynamoDB`, 501);
