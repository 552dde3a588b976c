import { CRL_REASONS } from './crl-reason.js';
import type { Refusals } from './crl-refusal.js';
import { DerCursor, DerError, TAG, integerValue } from './der.js';
import { strictExtensions } from './extension.js';
import { readGeneralNames } from './general-names.js';
import { MAX_SERIAL_OCTETS } from './serial-words.js';
import { readTime } from './time.js';

const REASON_CODE = '2.5.29.21';
const INVALIDITY_DATE = '2.5.29.24';
const CERTIFICATE_ISSUER = '2.5.29.29';
const REMOVE_FROM_CRL = 8;

export interface StrictEntry {
  readonly serial: bigint;
  /** The serial's octets without sign octet; `undefined` where it is not positive or longer than 20 octets. */
  readonly magnitude: Uint8Array | undefined;
  readonly seconds: number;
  /** CRLReason number; 0 where none is given or it cannot be read (then a refusal says so). */
  readonly reason: number;
}

/**
 * Reads one whole entry of revokedCertificates, strictly (RFC 5280 §5.1.2.6, §5.3). Throws DerError where its structure is wrong; what is wrong
 * with its meaning goes into `refusals`.
 */
export function readEntry(der: Uint8Array, refusals: Refusals): StrictEntry {
  const entry = new DerCursor(der).enter(TAG.sequence);
  const content = entry.integer();
  const seconds = readTime(entry);
  const reason = entry.isAtEnd ? 0 : readEntryExtensions(entry.enter(TAG.sequence), refusals);
  entry.finish();
  const magnitude = content[0] === 0 ? content.subarray(1) : content;
  const inRange = content[0]! < 0x80 && magnitude.length > 0 && magnitude.length <= MAX_SERIAL_OCTETS;
  if (!inRange) refusals.add('serial-out-of-range');
  return { serial: integerValue(content), magnitude: inRange ? magnitude : undefined, seconds, reason };
}

function readEntryExtensions(extensions: DerCursor, refusals: Refusals): number {
  let reason = 0;
  if (extensions.isAtEnd) refusals.add('malformed-entry-extension', 'an empty list of extensions');
  for (const { id, critical, value } of strictExtensions(extensions, refusals)) {
    try {
      if (id === REASON_CODE) reason = readReason(value, refusals);
      else if (id === INVALIDITY_DATE) readInvalidityDate(value);
      else if (id === CERTIFICATE_ISSUER) readCertificateIssuer(value, refusals);
      else if (critical) refusals.add('unknown-critical-entry-extension', id);
    } catch (error) {
      if (!(error instanceof DerError)) throw error;
      refusals.add('malformed-entry-extension', `${id}: ${error.detail}`);
    }
  }
  return reason;
}

function readReason(value: Uint8Array, refusals: Refusals): number {
  const cursor = new DerCursor(value);
  const code = integerValue(cursor.integer(TAG.enumerated));
  cursor.finish();
  if (!(String(code) in CRL_REASONS)) {
    refusals.add('unknown-reason-code', String(code).slice(0, 20));
    return 0;
  }
  if (Number(code) === REMOVE_FROM_CRL) refusals.add('remove-from-crl');
  return Number(code);
}

/** RFC 5280 §5.3.2: GeneralizedTime, whatever the year. */
function readInvalidityDate(value: Uint8Array): void {
  const cursor = new DerCursor(value);
  if (cursor.peekTag() !== TAG.generalizedTime) throw new DerError('an invalidity date that is no GeneralizedTime');
  readTime(cursor);
  cursor.finish();
}

/** RFC 5280 §5.3.3: this entry, and those behind it, belong to another issuer's certificates. */
function readCertificateIssuer(value: Uint8Array, refusals: Refusals): void {
  const cursor = new DerCursor(value);
  readGeneralNames(cursor.enter(TAG.sequence));
  cursor.finish();
  refusals.add('indirect-crl', 'an entry names another certificate issuer');
}
