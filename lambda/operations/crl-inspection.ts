import { createHash } from 'node:crypto';
import { closeSync, openSync, readFileSync, readSync } from 'node:fs';
import { Certificate } from '../../domain/pki/certificate.js';
import { readCrl, type CrlReading, type CrlRefusalCode } from '../../domain/pki/crl-reader.js';
import { DerError } from '../../domain/pki/der.js';
import { wallClock } from '../runtime/clock.js';

/** One CRL to look at, all as the caller wrote it. */
export interface InspectRequest {
  readonly file: string;
  /** File of the issuer's certificate, PEM or DER. */
  readonly issuer?: string;
  /** RFC 3339. */
  readonly at?: string;
}

/** What stood in the way of looking at all. */
export type InspectFailure = 'unreadable-file' | 'unreadable-issuer' | 'unreadable-time' | 'unreadable-line';

/** What the command prints as JSON: a contract with scripts. Times are RFC 3339; `null` where the CRL does not say, or cannot be read. */
export interface InspectReport {
  readonly accepted: boolean;
  readonly reasons: readonly (CrlRefusalCode | InspectFailure)[];
  /** RFC 4514. */
  readonly issuer: string | null;
  /** Decimal. */
  readonly crlNumber: string | null;
  readonly thisUpdate: string | null;
  readonly nextUpdate: string | null;
  readonly entries: number | null;
  /** SHA-256 of the serials in lower-case hex without leading zeros, sorted as integers, joined by line feeds. */
  readonly serialsSha256: string | null;
}

export interface Inspection {
  readonly report: InspectReport;
  readonly reading: CrlReading;
}

export class InspectError extends Error {
  constructor(
    readonly failure: InspectFailure,
    message: string,
  ) {
    super(message);
    this.name = 'InspectError';
  }
}

/** Throws InspectError where there is nothing to inspect: that is not a verdict on a CRL. */
export async function inspect(request: InspectRequest): Promise<Inspection> {
  const atMs = request.at === undefined ? wallClock.nowMs() : parseTime(request.at);
  const issuers = request.issuer === undefined ? undefined : [{ certificate: readIssuer(request.issuer) }];
  const reading = await readCrl(chunksOf(request.file), { atMs, issuers });
  return { report: reportOf(reading), reading };
}

/** Answers one line of `--stdin-list`; whatever is wrong with it is in the answer, so that the next lines are answered too. */
export async function answerLine(line: string): Promise<InspectReport & { readonly file: string | null; readonly error?: string }> {
  let file: string | null = null;
  try {
    const request = parseLine(line);
    file = request.file;
    return { file, ...(await inspect(request)).report };
  } catch (error) {
    if (!(error instanceof InspectError)) throw error;
    return { file, error: error.message, ...NOTHING_READ, reasons: [error.failure] };
  }
}

const NOTHING_READ: InspectReport = {
  accepted: false,
  reasons: [],
  issuer: null,
  crlNumber: null,
  thisUpdate: null,
  nextUpdate: null,
  entries: null,
  serialsSha256: null,
};

function reportOf(reading: CrlReading): InspectReport {
  const { accepted, refusals, facts } = reading;
  const reasons = refusals.map(({ code }) => code);
  if (facts === undefined) return { ...NOTHING_READ, reasons };
  return {
    accepted,
    reasons,
    issuer: facts.issuer,
    crlNumber: facts.crlNumber?.toString() ?? null,
    thisUpdate: rfc3339(facts.thisUpdateMs),
    nextUpdate: facts.nextUpdateMs === undefined ? null : rfc3339(facts.nextUpdateMs),
    entries: facts.entries,
    serialsSha256: serialsSha256(reading),
  };
}

/** Serials that are none (zero, negative, too long) count too: the digest is of what the CRL says, not of what we would make of it. */
function serialsSha256(reading: CrlReading): string | null {
  const listed = reading.accepted ? reading.fresh : reading.listed;
  if (listed === undefined) return null;
  const odd = reading.accepted ? [] : (reading.oddSerials ?? []).slice().sort((a, b) => (a < b ? -1 : 1));
  const below = odd.filter((serial) => serial <= 0n);
  const above = odd.filter((serial) => serial > 0n);
  const hash = createHash('sha256');
  let separator = '';
  const add = (hex: string): void => {
    hash.update(separator + hex);
    separator = '\n';
  };
  for (const serial of below) add(serial.toString(16));
  for (const { serialNumber } of listed) add(serialNumber);
  for (const serial of above) add(serial.toString(16));
  return hash.digest('hex');
}

export function rfc3339(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d{3}Z$/, 'Z');
}

const RFC3339 = /^(\d{4})-(\d\d)-(\d\d)(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d))?$/i;

function parseTime(text: string): number {
  const [, year, month, day] = RFC3339.exec(text) ?? [];
  const ms = day === undefined ? Number.NaN : Date.parse(text);
  // Date.parse makes the 2nd of March out of February 30
  const isInCalendar = new Date(Date.UTC(Number(year), Number(month) - 1, Number(day))).getUTCDate() === Number(day);
  if (Number.isNaN(ms) || !isInCalendar)
    throw new InspectError('unreadable-time', `--at: got "${text.slice(0, 60)}", expected a time such as 2026-11-22T04:00:00Z`);
  return ms;
}

function readIssuer(path: string): Certificate {
  try {
    const certificate = Certificate.read(readFileSync(path));
    if (certificate.publicKey.type !== 'public') throw new DerError('no public key');
    return certificate;
  } catch (error) {
    const why = error instanceof DerError ? `got ${error.detail}, expected one X.509 certificate` : messageOf(error);
    throw new InspectError('unreadable-issuer', `--issuer ${path}: ${why}`);
  }
}

/** One buffer for all: the reader has taken what it needs before the next is asked for. */
function* chunksOf(path: string): Generator<Uint8Array> {
  let file: number;
  try {
    file = openSync(path, 'r');
  } catch (error) {
    throw new InspectError('unreadable-file', `${path}: ${messageOf(error)}`);
  }
  try {
    const buffer = Buffer.alloc(65_536);
    for (let length = readPart(file, buffer, path); length > 0; length = readPart(file, buffer, path)) yield buffer.subarray(0, length);
  } finally {
    closeSync(file);
  }
}

function readPart(file: number, buffer: Buffer, path: string): number {
  try {
    return readSync(file, buffer, 0, buffer.length, null);
  } catch (error) {
    throw new InspectError('unreadable-file', `${path}: ${messageOf(error)}`);
  }
}

function parseLine(line: string): InspectRequest {
  const wrong = new InspectError(
    'unreadable-line',
    'got a line that is not an object with "file", expected {"file": …, "issuer": …, "at": …}',
  );
  let parsed: unknown;
  try {
    parsed = JSON.parse(line);
  } catch {
    throw wrong;
  }
  if (typeof parsed !== 'object' || parsed === null) throw wrong;
  const { file, issuer, at } = parsed as Readonly<Record<string, unknown>>;
  if (typeof file !== 'string' || !isOptionalText(issuer) || !isOptionalText(at)) throw wrong;
  return { file, issuer: issuer ?? undefined, at: at ?? undefined };
}

const isOptionalText = (value: unknown): value is string | null | undefined =>
  value === undefined || value === null || typeof value === 'string';

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
