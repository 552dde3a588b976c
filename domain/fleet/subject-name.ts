import { createHash } from 'node:crypto';
import type { ThingName } from './thing-name.js';

/** Upper bound of a commonName (RFC 5280 appendix A.1, ub-common-name), half of what a thing name may have. */
const MAX_COMMON_NAME = 64;

/**
 * The commonName of a thing's certificate: its name, or where that is too long the hex SHA-256 of its name, which fills the field exactly.
 * Never a part of the name: two things could share it.
 */
export function commonNameOf(thing: ThingName): string {
  return thing.length <= MAX_COMMON_NAME ? thing : createHash('sha256').update(thing).digest('hex');
}
