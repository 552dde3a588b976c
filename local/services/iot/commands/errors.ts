/** Errors of the operations on commands, which have other names than those of the older operations of AWS IoT (API_CreateCommand and its neighbours). */
import { AwsError } from '../../../models/service.js';
import { page, type Page } from '../paging.js';

export const invalid = (message: string): AwsError => new AwsError('ValidationException', message, 400);
export const overQuota = (message: string): AwsError => new AwsError('ServiceQuotaExceededException', message, 402);

const MAX_PAGE = 100;

/** A page of a listing of commands or executions: at most 100, 25 by default (API_ListCommands). */
export function commandPage<T>(items: readonly T[], key: (item: T) => string, token: unknown, size: unknown): Page<T> {
  if (typeof size === 'number' && size > MAX_PAGE) throw invalid(`maxResults: got ${size}, expected 1 to ${MAX_PAGE}`);
  try {
    return page(items, key, token, size);
  } catch (error) {
    throw error instanceof AwsError ? invalid(error.message) : error;
  }
}
