/**
 * The extensions of a CRL (RFC 5280 §5.2). Those that change what the list means decide whether it is refused; the others are only checked to
 * decode, because a CA that writes nonsense in one place is not believed in another.
 */
import type { CrlRefusalCode, Refusals } from './crl-refusal.js';
import { DerCursor, DerError, TAG, contextTag, integerValue } from './der.js';
import { strictExtensions } from './extension.js';
import { readGeneralName, readGeneralNames } from './general-names.js';
import { checkRdn } from './name.js';

const ISSUER_ALT_NAME = '2.5.29.18';
const CRL_NUMBER = '2.5.29.20';
const DELTA_CRL_INDICATOR = '2.5.29.27';
const ISSUING_DISTRIBUTION_POINT = '2.5.29.28';
const AUTHORITY_KEY_IDENTIFIER = '2.5.29.35';
const FRESHEST_CRL = '2.5.29.46';
const AUTHORITY_INFORMATION_ACCESS = '1.3.6.1.5.5.7.1.1';

const MAY_BE_CRITICAL = new Set([ISSUING_DISTRIBUTION_POINT, DELTA_CRL_INDICATOR]);
const MAX_CRL_NUMBER = (1n << 160n) - 1n; // 20 octets, RFC 5280 §5.2.3

export interface ListExtensions {
  crlNumber?: bigint;
  /** keyIdentifier of the AKI. */
  authorityKeyIdentifier?: Uint8Array | undefined;
  issuingDistributionPoint?: IssuingDistributionPoint;
}

export interface IssuingDistributionPoint {
  /** URIs of fullName; empty where the IDP names no place, or names it otherwise. */
  readonly uris: readonly string[];
  /** The IDP names a place, in whatever form. */
  readonly named: boolean;
}

/** Reads the content of crlExtensions, `Extensions ::= SEQUENCE SIZE (1..MAX) OF Extension`. Throws DerError where not even that holds. */
export function readListExtensions(extensions: DerCursor, refusals: Refusals): ListExtensions {
  const found: ListExtensions = {};
  if (extensions.isAtEnd) refusals.add('malformed-extension', 'an empty list of extensions');
  for (const { id, critical, value } of strictExtensions(extensions, refusals)) {
    if (id === DELTA_CRL_INDICATOR) refusals.add('delta-crl');
    const known = decoderOf(id);
    if (critical && known === undefined) refusals.add('unknown-critical-extension', id);
    if (critical && known !== undefined && !MAY_BE_CRITICAL.has(id)) refusals.add('extension-must-not-be-critical', id);
    decode(id, refusals, () => known?.(value, found, refusals));
  }
  return found;
}

type Decoder = (value: Uint8Array, found: ListExtensions, refusals: Refusals) => void;

function decode(id: string, refusals: Refusals, run: () => void): void {
  try {
    run();
  } catch (error) {
    if (!(error instanceof DerError)) throw error;
    refusals.add('malformed-extension', `${id}: ${error.detail}`);
  }
}

function decoderOf(id: string): Decoder | undefined {
  switch (id) {
    case CRL_NUMBER:
      return readCrlNumber;
    case AUTHORITY_KEY_IDENTIFIER:
      return readAuthorityKeyIdentifier;
    case ISSUING_DISTRIBUTION_POINT:
      return (value, found, refusals) => (found.issuingDistributionPoint = readIssuingDistributionPoint(value, refusals));
    case DELTA_CRL_INDICATOR:
      return (value) => void whole(value, (cursor) => cursor.integer());
    case ISSUER_ALT_NAME:
      return (value) => void whole(value, (cursor) => readGeneralNames(cursor.enter(TAG.sequence)));
    case FRESHEST_CRL:
      return (value) => whole(value, (cursor) => each(cursor.enter(TAG.sequence), readDistributionPoint));
    case AUTHORITY_INFORMATION_ACCESS:
      return (value) => whole(value, (cursor) => each(cursor.enter(TAG.sequence), readAccessDescription));
    default:
      return undefined;
  }
}

function whole<T>(value: Uint8Array, read: (cursor: DerCursor) => T): T {
  const cursor = new DerCursor(value);
  const result = read(cursor);
  cursor.finish();
  return result;
}

function each(list: DerCursor, read: (item: DerCursor) => void): void {
  do {
    const item = list.enter(TAG.sequence);
    read(item);
    item.finish();
  } while (!list.isAtEnd);
}

function readCrlNumber(value: Uint8Array, found: ListExtensions, refusals: Refusals): void {
  const crlNumber = whole(value, (cursor) => integerValue(cursor.integer()));
  if (crlNumber < 0n || crlNumber > MAX_CRL_NUMBER) refusals.add('crl-number-out-of-range');
  found.crlNumber = crlNumber;
}

/** RFC 5280 §5.2.1: the CRL names its key by keyIdentifier; authorityCertIssuer and serial are not looked at, only decoded. */
function readAuthorityKeyIdentifier(value: Uint8Array, found: ListExtensions): void {
  whole(value, (cursor) => {
    const aki = cursor.enter(TAG.sequence);
    const key = aki.peekTag() === contextTag(0, false) ? Uint8Array.from(aki.content(contextTag(0, false))) : undefined;
    if (aki.peekTag() === contextTag(1, true)) {
      readGeneralNames(aki.enter(contextTag(1, true)));
      aki.integer(contextTag(2, false)); // RFC 5280 appendix A.2: both or neither
    }
    aki.finish();
    found.authorityKeyIdentifier = key;
  });
}

/** RFC 5280 §5.2.5: at most one of the three `onlyContains…` is TRUE, and the extension is never empty. */
function readIssuingDistributionPoint(value: Uint8Array, refusals: Refusals): IssuingDistributionPoint {
  return whole(value, (cursor) => {
    const idp = cursor.enter(TAG.sequence);
    if (idp.isAtEnd) throw new DerError('an empty issuingDistributionPoint');
    const named = idp.peekTag() === contextTag(0, true);
    const uris = named ? readDistributionPointName(idp, refusals) : [];
    const scopes = [idp.defaultFalse(contextTag(1, false)), idp.defaultFalse(contextTag(2, false))];
    const someReasons = idp.peekTag() === contextTag(3, false);
    if (someReasons) idp.namedBits(contextTag(3, false));
    const indirect = idp.defaultFalse(contextTag(4, false));
    scopes.push(idp.defaultFalse(contextTag(5, false)));
    idp.finish();
    if (scopes.filter(Boolean).length > 1) throw new DerError('more than one onlyContains… in issuingDistributionPoint');
    const refused: readonly (readonly [boolean | undefined, CrlRefusalCode])[] = [
      [scopes[1], 'scope-ca-certificates'],
      [scopes[2], 'scope-attribute-certificates'],
      [someReasons, 'scope-some-reasons'],
      [indirect, 'indirect-crl'],
    ];
    for (const [applies, code] of refused) if (applies) refusals.add(code);
    return { uris, named };
  });
}

function readDistributionPointName(holder: DerCursor, refusals?: Refusals): readonly string[] {
  const choice = holder.enter(contextTag(0, true));
  let uris: readonly string[] = [];
  if (choice.peekTag() === contextTag(1, true)) {
    refusals?.add('relative-distribution-point');
    checkRdn(choice.enter(contextTag(1, true)));
  } else uris = readGeneralNames(choice.enter(contextTag(0, true)));
  choice.finish();
  return uris;
}

function readDistributionPoint(point: DerCursor): void {
  if (point.peekTag() === contextTag(0, true)) readDistributionPointName(point);
  if (point.peekTag() === contextTag(1, false)) point.namedBits(contextTag(1, false));
  if (point.peekTag() === contextTag(2, true)) readGeneralNames(point.enter(contextTag(2, true)));
}

function readAccessDescription(description: DerCursor): void {
  description.oid();
  readGeneralName(description);
}
