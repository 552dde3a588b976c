/**
 * Builds CRLs of any size, quickly, right or wrong in any one way:
 *
 *     buildCrl({ ca, crlNumber: 7n, entries: [{ serial: 0xb7c2n, reason: 1 }] })
 *     buildCrl({ ca, crlNumber: null })                 // a CRL without a number
 *     buildCrl({ ca, entriesDer: randomEntries(1_000_000, 'seed') })
 */
import { createCipheriv, createHash, type KeyObject } from 'node:crypto';
import {
  bitString,
  boolean,
  context,
  contextPrimitive,
  enumerated,
  extension,
  integer,
  integerContent,
  octetString,
  oid,
  sequence,
  time,
  tlv,
  utf8String,
} from './der.js';
import { algorithmIdentifier, defaultScheme, signatureOver, type SignatureName } from './signature.js';

/** What a CRL builder needs of a CA; `createCa` makes one. */
export interface CrlSigner {
  readonly nameDer: Uint8Array;
  readonly keyIdentifier: Uint8Array;
  readonly privateKey: KeyObject;
}

export interface CrlEntrySpec {
  /** A number, or the raw content octets of the INTEGER. */
  readonly serial: bigint | Uint8Array;
  /** @default 2026-01-01T00:00:00Z; or a whole TLV. */
  readonly date?: Date | Uint8Array;
  /** CRLReason by number. @default none */
  readonly reason?: number;
  /** Further Extension TLVs of the entry. */
  readonly extensions?: readonly Uint8Array[];
}

export interface IdpSpec {
  readonly uris?: readonly string[];
  readonly onlyContainsUserCerts?: boolean;
  readonly onlyContainsCACerts?: boolean;
  readonly onlySomeReasons?: boolean;
  readonly indirectCRL?: boolean;
  readonly onlyContainsAttributeCerts?: boolean;
  readonly relativeName?: boolean;
}

export interface CrlSpec {
  readonly ca: CrlSigner;
  /** @default 1n; `null`: no CRL number. */
  readonly crlNumber?: bigint | null;
  /** @default 2026-11-01T00:00:00Z */
  readonly thisUpdate?: Date | Uint8Array;
  /** @default thisUpdate + 30 days; `null`: none. */
  readonly nextUpdate?: Date | Uint8Array | null;
  readonly entries?: Iterable<CrlEntrySpec>;
  /** Content of revokedCertificates, ready made; instead of `entries`. An empty buffer writes an empty SEQUENCE. */
  readonly entriesDer?: Uint8Array;
  /** @default the CA's key identifier; `null`: no AKI. */
  readonly authorityKeyIdentifier?: Uint8Array | null;
  /** Written critical. A buffer is the ready-made value. */
  readonly idp?: IdpSpec | Uint8Array;
  /** Further Extension TLVs of the list. */
  readonly extensions?: readonly Uint8Array[];
  /** @default 2. Version 1 writes neither version nor extensions. */
  readonly version?: 1 | 2;
  /** @default the one that goes with the key. */
  readonly scheme?: SignatureName;
  /** AlgorithmIdentifier inside the signed part. @default the same as outside */
  readonly innerAlgorithm?: Uint8Array;
  /** AlgorithmIdentifier outside; the signature is still made with `scheme`. */
  readonly outerAlgorithm?: Uint8Array;
  /** Signs in place of the CA: a forgery. */
  readonly signWith?: KeyObject;
  /** @default the CA's name */
  readonly issuerName?: Uint8Array;
}

export const THIS_UPDATE = new Date('2026-11-01T00:00:00Z');
const REVOCATION_DATE = new Date('2026-01-01T00:00:00Z');
const THIRTY_DAYS_MS = 30 * 86_400_000;

/** The DER of the CertificateList. */
export function buildCrl(spec: CrlSpec): Buffer {
  const key = spec.signWith ?? spec.ca.privateKey;
  const scheme = spec.scheme ?? defaultScheme(key);
  const algorithm = spec.outerAlgorithm ?? algorithmIdentifier(scheme);
  const tbs = tbsCertList(spec, spec.innerAlgorithm ?? algorithm);
  return sequence(tbs, algorithm, bitString(signatureOver(tbs, scheme, key)));
}

/** `-----BEGIN X509 CRL-----`, 64 characters a line. */
export function crlPem(der: Uint8Array): string {
  const base64 = Buffer.from(der).toString('base64');
  return `-----BEGIN X509 CRL-----\n${base64.replace(/.{1,64}/g, '$&\n')}-----END X509 CRL-----\n`;
}

export function tbsCertList(spec: CrlSpec, algorithm: Uint8Array): Buffer {
  const thisUpdate = spec.thisUpdate ?? THIS_UPDATE;
  const parts: Uint8Array[] = [];
  if (spec.version !== 1) parts.push(integer(1));
  parts.push(algorithm, spec.issuerName ?? spec.ca.nameDer, timeTlv(thisUpdate));
  if (spec.nextUpdate !== null) {
    parts.push(timeTlv(spec.nextUpdate ?? new Date((thisUpdate instanceof Date ? thisUpdate : THIS_UPDATE).getTime() + THIRTY_DAYS_MS)));
  }
  const entries = spec.entriesDer ?? (spec.entries === undefined ? undefined : Buffer.concat([...spec.entries].map(crlEntry)));
  if (entries !== undefined && (entries.length > 0 || spec.entriesDer !== undefined)) parts.push(sequence(entries));
  if (spec.version !== 1) parts.push(context(0, sequence(...listExtensions(spec))));
  return sequence(...parts);
}

function listExtensions(spec: CrlSpec): Uint8Array[] {
  const found: Uint8Array[] = [];
  const aki = spec.authorityKeyIdentifier === undefined ? spec.ca.keyIdentifier : spec.authorityKeyIdentifier;
  if (aki !== null) found.push(extension('2.5.29.35', sequence(contextPrimitive(0, aki))));
  if (spec.crlNumber !== null) found.push(extension('2.5.29.20', integer(spec.crlNumber ?? 1n)));
  if (spec.idp !== undefined) found.push(extension('2.5.29.28', spec.idp instanceof Uint8Array ? spec.idp : idpValue(spec.idp), true));
  return [...found, ...(spec.extensions ?? [])];
}

function idpValue(idp: IdpSpec): Buffer {
  const parts: Buffer[] = [];
  if (idp.uris) parts.push(context(0, context(0, ...idp.uris.map((uri) => contextPrimitive(6, Buffer.from(uri, 'latin1'))))));
  // nameRelativeToCRLIssuer is an IMPLICIT RelativeDistinguishedName: one attribute
  if (idp.relativeName) parts.push(context(0, context(1, sequence(oid('2.5.4.3'), utf8String('partition 1')))));
  const flag = (n: number): Buffer => contextPrimitive(n, boolean(true).subarray(2));
  if (idp.onlyContainsUserCerts) parts.push(flag(1));
  if (idp.onlyContainsCACerts) parts.push(flag(2));
  if (idp.onlySomeReasons) parts.push(contextPrimitive(3, Buffer.from([5, 0x60])));
  if (idp.indirectCRL) parts.push(flag(4));
  if (idp.onlyContainsAttributeCerts) parts.push(flag(5));
  return sequence(...parts);
}

function timeTlv(value: Date | Uint8Array): Uint8Array {
  return value instanceof Date ? time(value) : value;
}

export function crlEntry(entry: CrlEntrySpec): Buffer {
  const serial = typeof entry.serial === 'bigint' ? integerContent(entry.serial) : entry.serial;
  const extensions = [
    ...(entry.reason === undefined ? [] : [extension('2.5.29.21', enumerated(entry.reason))]),
    ...(entry.extensions ?? []),
  ];
  const parts: Uint8Array[] = [tlv(0x02, serial), timeTlv(entry.date ?? REVOCATION_DATE)];
  if (extensions.length > 0) parts.push(sequence(...extensions));
  return sequence(...parts);
}

/** Reproducible random octets. */
export function randomOctets(length: number, seed: string): Buffer {
  const key = createHash('sha256').update(seed).digest();
  return createCipheriv('aes-128-ctr', key.subarray(0, 16), key.subarray(16)).update(Buffer.alloc(length));
}

const REASONS = [1, 3, 4, 5, 9];

/**
 * Content of revokedCertificates: `count` entries with 16-byte random serials (those with the top bit set carry a 17th, zero, octet),
 * dates within the year before THIS_UPDATE, four of five with a reason. Pass it as `entriesDer`.
 */
export function randomEntries(count: number, seed: string): Buffer {
  const random = randomOctets(count * 20, seed);
  const out = Buffer.alloc(count * 52);
  let end = 0;
  for (let i = 0; i < count; i += 1) {
    const at = i * 20;
    if (random[at] === 0) random[at] = 1;
    const padded = random[at]! >= 0x80 ? 1 : 0;
    const withReason = random[at + 16]! % 5 !== 0;
    out[end] = 0x30;
    out[end + 1] = 2 + 16 + padded + 15 + (withReason ? 14 : 0);
    out[end + 2] = 0x02;
    out[end + 3] = 16 + padded;
    end += 4 + padded;
    random.copy(out, end, at, at + 16);
    end += 16;
    const date = new Date(THIS_UPDATE.getTime() - (random.readUInt32BE(at + 16) % 31_536_000) * 1000);
    end += out.write('\x17\x0d', end, 'latin1');
    end += writeUtcDigits(out, end, date);
    if (withReason) end += REASON_PREFIX.copy(out, end);
    if (withReason) out[end++] = REASONS[random[at + 19]! % REASONS.length]!;
  }
  return out.subarray(0, end);
}

/** Extensions { reasonCode { octets { ENUMERATED …, up to the value. */
const REASON_PREFIX = Buffer.from('300c300a0603551d1504030a01', 'hex');

function writeUtcDigits(out: Buffer, at: number, date: Date): number {
  const two = (value: number, offset: number): void => {
    out[at + offset] = 0x30 + Math.floor(value / 10);
    out[at + offset + 1] = 0x30 + (value % 10);
  };
  two(date.getUTCFullYear() % 100, 0);
  two(date.getUTCMonth() + 1, 2);
  two(date.getUTCDate(), 4);
  two(date.getUTCHours(), 6);
  two(date.getUTCMinutes(), 8);
  two(date.getUTCSeconds(), 10);
  out[at + 12] = 0x5a;
  return 13;
}

/** Wraps any content of an unknown extension. */
export const unknownExtension = (critical: boolean): Buffer => extension('1.2.3.4', octetString(Buffer.from('x')), critical);
