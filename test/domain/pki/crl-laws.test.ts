/** What holds for every CRL, whatever is in it. */
import fc from 'fast-check';
import { Certificate } from '../../../domain/pki/certificate.js';
import { readCrl, readCrlBytes, type CrlIssuer, type CrlReading } from '../../../domain/pki/crl-reader.js';
import { CRL_REASONS } from '../../../domain/pki/crl-reason.js';
import { createCa, type TestCa } from '../../builders/ca.js';
import { THIS_UPDATE, buildCrl, crlPem, randomEntries, type CrlEntrySpec } from '../../builders/crl.js';

const AT_MS = THIS_UPDATE.getTime() + 3_600_000;

let ca: TestCa;
let issuers: readonly CrlIssuer[];
beforeAll(async () => {
  ca = await createCa();
  issuers = [{ certificate: Certificate.read(ca.certificatePem) }];
});

const read = (bytes: Uint8Array): CrlReading => readCrlBytes(bytes, { atMs: AT_MS, issuers });

const anySerial = fc
  .uint8Array({ minLength: 1, maxLength: 20 })
  .map((octets) => BigInt(`0x${Buffer.from(octets).toString('hex')}`))
  .filter((serial) => serial > 0n);
const anyReason = fc.option(fc.constantFrom(0, 1, 2, 3, 4, 5, 6, 9, 10), { nil: undefined });
const anyDate = fc.integer({ min: -631_152_000, max: 4_102_444_800 }).map((seconds) => new Date(seconds * 1000));
const anyEntries: fc.Arbitrary<CrlEntrySpec[]> = fc.uniqueArray(fc.record({ serial: anySerial, date: anyDate, reason: anyReason }), {
  selector: ({ serial }) => serial,
  maxLength: 60,
});

describe('laws of the CRL reader', () => {
  it('what was written is what is read, ascending by serial', () => {
    fc.assert(
      fc.property(anyEntries, fc.bigInt({ min: 0n, max: (1n << 160n) - 1n }), fc.boolean(), (entries, crlNumber, asPem) => {
        const der = buildCrl({ ca, crlNumber, entries });
        const reading = read(asPem ? Buffer.from(crlPem(der)) : der);
        if (!reading.accepted) throw new Error(JSON.stringify(reading.refusals));
        const expected = entries
          .slice()
          .sort((a, b) => ((a.serial as bigint) < (b.serial as bigint) ? -1 : 1))
          .map(({ serial, date, reason = 0 }) => ({
            serialNumber: (serial as bigint).toString(16),
            revocationDateMs: (date as Date).getTime(),
            reason: CRL_REASONS[reason as keyof typeof CRL_REASONS],
            action: reason === 6 ? 'hold' : 'revoke',
          }));
        expect([...reading.fresh]).toEqual(expected);
        expect(reading.facts).toMatchObject({ crlNumber, entries: entries.length });
      }),
      { numRuns: 150 },
    );
  });

  it('a CRL cut off anywhere is refused', () => {
    const whole = buildCrl({ ca, idp: { uris: ['http://x/1.crl'] }, entries: [{ serial: 5n, reason: 1 }, { serial: 1n << 159n }] });
    for (let length = 0; length < whole.length; length += 1) expect(read(whole.subarray(0, length)).accepted).toBe(false);
    expect(read(whole).accepted).toBe(true);
  });

  it('no bit of a signed CRL can be turned without being noticed', () => {
    const whole = buildCrl({ ca, idp: { uris: ['http://x/1.crl'] }, entries: [{ serial: 5n, reason: 1 }, { serial: 1n << 159n }] });
    for (let bit = 0; bit < whole.length * 8; bit += 1) {
      const turned = Buffer.from(whole);
      turned[bit >> 3]! ^= 0x80 >> (bit & 7);
      expect({ bit, accepted: read(turned).accepted }).toEqual({ bit, accepted: false });
    }
  });

  it('random octets are refused and never throw', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), fc.boolean(), (octets, asSequence) => {
        const bytes = asSequence ? Uint8Array.from([0x30, 0x82, 0x01, 0x80, 0x30, 0x82, 0x01, 0x00, ...octets]) : octets;
        expect(read(bytes).accepted).toBe(false);
      }),
      { numRuns: 500 },
    );
  });

  it('the way in which it is cut into chunks changes nothing', async () => {
    const good = buildCrl({ ca, entriesDer: randomEntries(300, 'chunks') });
    const doubled = buildCrl({ ca, entries: [{ serial: 5n }, { serial: 5n }] });
    const forged = Buffer.from(good).fill(0, good.length - 3);
    for (const der of [good, doubled, forged]) {
      for (const bytes of [der, Buffer.from(crlPem(der))]) {
        const whole = summaryOf(read(bytes));
        await fc.assert(
          fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 700 }), { minLength: 1, maxLength: 40 }), async (sizes) => {
            const reading = await readCrl(cut(bytes, sizes), { atMs: AT_MS, issuers });
            expect(summaryOf(reading)).toEqual(whole);
          }),
          { numRuns: 25 },
        );
        expect(summaryOf(await readCrl(cut(bytes, [1]), { atMs: AT_MS, issuers }))).toEqual(whole);
      }
    }
  });

  it('a list of many segments and windows is read whole, and a serial that stands in it twice is found', async () => {
    const entriesDer = randomEntries(60_000, 'many');
    const reading = await readCrl(cut(buildCrl({ ca, entriesDer }), [65_536]), { atMs: AT_MS, issuers });
    if (!reading.accepted) throw new Error(JSON.stringify(reading.refusals));
    const serials = [...reading.fresh].map(({ serialNumber }) => BigInt(`0x${serialNumber}`));
    expect(serials).toHaveLength(60_000);
    expect(serials.every((serial, i) => i === 0 || serials[i - 1]! < serial)).toBe(true);
    const first = entriesDer.subarray(0, 2 + entriesDer[1]!);
    const twice = read(buildCrl({ ca, entriesDer: Buffer.concat([entriesDer, first]) }));
    expect(twice.refusals.map(({ code }) => code)).toEqual(['duplicate-serial']);
  });
});

function summaryOf(reading: CrlReading): unknown {
  const { accepted, refusals, facts } = reading;
  const listed = reading.accepted ? reading.fresh : reading.listed;
  return { accepted, refusals, facts, serials: listed === undefined ? undefined : [...listed] };
}

/** Cuts `bytes` by `sizes`, over and over, through one buffer that is used again: as a socket would. */
async function* cut(bytes: Uint8Array, sizes: readonly number[]): AsyncGenerator<Uint8Array> {
  const buffer = Buffer.alloc(Math.max(...sizes));
  let at = 0;
  for (let i = 0; at < bytes.length; i += 1) {
    const size = Math.min(sizes[i % sizes.length]!, bytes.length - at);
    buffer.set(bytes.subarray(at, at + size));
    yield buffer.subarray(0, size);
    buffer.fill(0xaa);
    at += size;
  }
}
