/**
 * Reads and judges one CRL: our own reader, because libraries fail at the size of a real list (docs/adr/0002-own-crl-reader.md). Fails closed:
 * whatever is not understood is a refusal, and a refused CRL changes nothing.
 */
import { CrlUnreadable, Refusals, type CrlRefusal } from './crl-refusal.js';
import { CrlParser, type ParsedCrl } from './crl-parser.js';
import { DEFAULT_LIMITS, type CrlFacts, type CrlReadOptions, type CrlReading } from './crl-reading.js';
import { DerError } from './der.js';
import { PemDecoder } from './pem.js';
import { SerialSet } from './serial-set.js';
import { nextSerialState } from './next-serial-state.js';
import { judge } from './crl-verdict.js';

export type { AcceptedCrl, CrlFacts, CrlIssuer, CrlLimits, CrlReadOptions, CrlReading, RefusedCrl } from './crl-reading.js';
export { CRL_REFUSALS, type CrlRefusal, type CrlRefusalCode } from './crl-refusal.js';

const SLICE = 65_536;
const SEQUENCE_TAG = 0x30;

/**
 * Reads a CRL, DER or PEM, from chunks of any size; a chunk may be reused by its owner once the next one is asked for. Rejects only where the
 * source does: everything that is wrong with the CRL is in the reading.
 */
export async function readCrl(source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>, options: CrlReadOptions): Promise<CrlReading> {
  const reader = new CrlReader(options);
  for await (const chunk of source) if (!reader.push(chunk)) break;
  return reader.finish();
}

/** Reads a CRL that lies in memory. */
export function readCrlBytes(bytes: Uint8Array, options: CrlReadOptions): CrlReading {
  const reader = new CrlReader(options);
  reader.push(bytes);
  return reader.finish();
}

class CrlReader {
  private readonly refusals = new Refusals();
  private readonly limits;
  private readonly stopwatch: () => number;
  private readonly startedMs: number;
  private readonly parser: CrlParser;
  private pem: PemDecoder | undefined;
  private isEmpty = true;
  private unreadable: CrlRefusal | undefined;

  constructor(private readonly options: CrlReadOptions) {
    this.limits = { ...DEFAULT_LIMITS, ...options.limits };
    this.stopwatch = options.stopwatch ?? (() => Number(process.hrtime.bigint() / 1_000_000n));
    this.startedMs = this.stopwatch();
    options.known?.forgetMarks();
    this.parser = new CrlParser(this.refusals, this.limits, options.known, options.issuers !== undefined);
  }

  /** `false`: it cannot be read, and more of it would not help. */
  push(chunk: Uint8Array): boolean {
    this.attempt(() => {
      for (let at = 0; at < chunk.length; at += SLICE) this.pushSlice(chunk.subarray(at, at + SLICE));
    });
    return this.unreadable === undefined;
  }

  private pushSlice(slice: Uint8Array): void {
    if (this.isEmpty) {
      this.isEmpty = false;
      if (slice[0] !== SEQUENCE_TAG) this.pem = new PemDecoder('X509 CRL');
    }
    if (this.stopwatch() - this.startedMs > this.limits.maxMilliseconds) throw new CrlUnreadable('took-too-long');
    this.parser.push(this.pem === undefined ? slice : this.decodePem(this.pem, slice));
  }

  private decodePem(pem: PemDecoder, slice: Uint8Array): Uint8Array {
    try {
      return pem.decode(slice);
    } catch (error) {
      throw error instanceof DerError ? new CrlUnreadable('not-one-pem-crl', error.detail) : error;
    }
  }

  finish(): CrlReading {
    const parsed = this.attempt(() => {
      this.finishPem();
      return this.parser.finish();
    });
    if (parsed === undefined) return { accepted: false, refusals: [this.unreadable!] };
    return this.conclude(parsed);
  }

  private finishPem(): void {
    try {
      this.pem?.finish();
    } catch (error) {
      throw error instanceof DerError ? new CrlUnreadable('not-one-pem-crl', error.detail) : error;
    }
  }

  private conclude(parsed: ParsedCrl): CrlReading {
    const { known } = this.options;
    const fresh = parsed.entries.fresh;
    if (fresh.hasDuplicates()) this.refusals.add('duplicate-serial');
    const { issuerIndex, distributionPoint } = judge(parsed, this.options, this.refusals);
    const facts = factsOf(parsed, distributionPoint);
    const refusals = this.refusals.all();
    const { crlNumber, nextUpdateMs, authorityKeyIdentifier } = facts;
    if (refusals.length > 0 || crlNumber === undefined || nextUpdateMs === undefined || authorityKeyIdentifier === undefined) {
      return { accepted: false, refusals, facts, ...(known === undefined ? { listed: fresh, oddSerials: parsed.entries.oddSerials } : {}) };
    }
    known?.settle();
    const before = known ?? SerialSet.of();
    return {
      accepted: true,
      refusals: [],
      facts: { ...facts, crlNumber, nextUpdateMs, authorityKeyIdentifier },
      expired: nextUpdateMs < this.options.atMs,
      issuerIndex,
      fresh,
      vanishedHolds: () => before.vanishedHolds(),
      nextState: () => nextSerialState(before, fresh),
    };
  }

  /** Runs a step of the reading; what it throws about the CRL becomes the one refusal, anything else is a fault of ours and goes on. */
  private attempt<T>(step: () => T): T | undefined {
    if (this.unreadable !== undefined) return undefined;
    try {
      return step();
    } catch (error) {
      if (error instanceof CrlUnreadable)
        this.unreadable = { code: error.code, ...(error.detail === undefined ? {} : { detail: error.detail }) };
      else if (error instanceof DerError) this.unreadable = { code: 'not-der', detail: error.detail };
      else throw error;
      return undefined;
    }
  }
}

function factsOf(parsed: ParsedCrl, distributionPoint: string | undefined): CrlFacts {
  return {
    issuer: parsed.issuer,
    issuerDer: parsed.issuerDer,
    crlNumber: parsed.extensions.crlNumber,
    thisUpdateMs: parsed.thisUpdate * 1000,
    nextUpdateMs: parsed.nextUpdate === undefined ? undefined : parsed.nextUpdate * 1000,
    authorityKeyIdentifier: parsed.extensions.authorityKeyIdentifier,
    distributionPoint,
    entries: parsed.entries.count,
    digest: parsed.digest,
  };
}
