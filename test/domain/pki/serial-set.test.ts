/** The exact set of applied serials, against a plain Map as oracle; and its stored form, which must never lose or forget. */
import fc from 'fast-check';
import { Certificate } from '../../../domain/pki/certificate.js';
import { readCrlBytes, type AcceptedCrl, type CrlIssuer } from '../../../domain/pki/crl-reader.js';
import type { SerialNumber } from '../../../domain/pki/serial-number.js';
import { SerialSet } from '../../../domain/pki/serial-set.js';
import { SerialStateError, readSerialSet, serialStateDigest } from '../../../domain/pki/serial-state.js';
import { createCa, type TestCa } from '../../builders/ca.js';
import { THIS_UPDATE, buildCrl, randomEntries } from '../../builders/crl.js';

const AT_MS = THIS_UPDATE.getTime() + 3_600_000;
const HOLD = 6;

let ca: TestCa;
let issuers: readonly CrlIssuer[];
beforeAll(async () => {
  ca = await createCa();
  issuers = [{ certificate: Certificate.read(ca.certificatePem) }];
});

type Listed = ReadonlyMap<bigint, 'revoke' | 'hold'>;

function apply(listed: Listed, known: SerialSet | undefined): AcceptedCrl {
  const entries = [...listed].map(([serial, action]) => (action === 'hold' ? { serial, reason: HOLD } : { serial }));
  const reading = readCrlBytes(buildCrl({ ca, entries }), { atMs: AT_MS, issuers, known });
  if (!reading.accepted) throw new Error(JSON.stringify(reading.refusals));
  return reading;
}

async function stateOf(reading: AcceptedCrl): Promise<SerialSet> {
  return readSerialSet(reading.nextState());
}

const hex = (serial: bigint): SerialNumber => serial.toString(16) as SerialNumber;
const ascending = (serials: Iterable<bigint>): SerialNumber[] => [...serials].sort((a, b) => (a < b ? -1 : 1)).map(hex);
const contents = (set: SerialSet): unknown => ({ revoked: [...set.serials('revoked')], hold: [...set.serials('hold')] });

/** Serials that share beginnings and ends, of all lengths: where bucket tables go wrong. */
const anySerial = fc.oneof(
  fc.bigInt({ min: 1n, max: 300n }),
  fc.bigInt({ min: 1n, max: 40n }).map((n) => (0xabcdef01n << 128n) + n),
  fc.bigInt({ min: 1n, max: 40n }).map((n) => (n << 96n) + 7n),
  fc.bigInt({ min: 1n, max: (1n << 160n) - 1n }),
);
const anyList: fc.Arbitrary<Listed> = fc
  .array(fc.tuple(anySerial, fc.constantFrom('revoke' as const, 'revoke' as const, 'hold' as const)), { maxLength: 120 })
  .map((pairs) => new Map(pairs));

describe('the diff against what was handed over', () => {
  it('agrees with a plain Map over any sequence of CRLs', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(anyList, { minLength: 1, maxLength: 5 }), async (lists) => {
        let known: SerialSet | undefined;
        let before: Listed = new Map();
        for (const listed of lists) {
          const reading = apply(listed, known);
          const isKnown = (serial: bigint): boolean => before.get(serial) === 'revoke' || before.get(serial) === listed.get(serial);
          expect([...reading.fresh].map(({ serialNumber }) => serialNumber)).toEqual(
            ascending([...listed.keys()].filter((serial) => !isKnown(serial))),
          );
          expect([...reading.vanishedHolds()]).toEqual(
            ascending([...before].flatMap(([serial, action]) => (action === 'hold' && !listed.has(serial) ? [serial] : []))),
          );
          // what is revoked stays revoked, although a later CRL says hold
          const after = new Map(
            [...listed].map(([serial, action]) => [serial, before.get(serial) === 'revoke' ? 'revoke' : action] as const),
          );
          known = await stateOf(reading);
          expect(contents(known)).toEqual({
            revoked: ascending([...after].flatMap(([serial, action]) => (action === 'revoke' ? [serial] : []))),
            hold: ascending([...after].flatMap(([serial, action]) => (action === 'hold' ? [serial] : []))),
          });
          before = after;
        }
      }),
      { numRuns: 120 },
    );
  });

  it('finds nothing fresh in an unchanged CRL', async () => {
    const crl = buildCrl({ ca, entriesDer: randomEntries(5_000, 'same') });
    const first = readCrlBytes(crl, { atMs: AT_MS, issuers });
    if (!first.accepted) throw new Error('refused');
    const known = await stateOf(first);
    expect(known.size).toBe(5_000);
    const second = readCrlBytes(crl, { atMs: AT_MS, issuers, known });
    expect(second).toMatchObject({ accepted: true, fresh: { size: 0 }, facts: { entries: 5_000 } });
  });

  it('finds every one of the fresh among many known (a lossy filter lost one in ten thousand)', async () => {
    const [old, fresh] = [randomEntries(20_000, 'old'), randomEntries(10_000, 'new')];
    const first = readCrlBytes(buildCrl({ ca, entriesDer: old }), { atMs: AT_MS, issuers });
    if (!first.accepted) throw new Error('refused');
    const second = readCrlBytes(buildCrl({ ca, entriesDer: Buffer.concat([old, fresh]) }), {
      atMs: AT_MS,
      issuers,
      known: await stateOf(first),
    });
    expect(second).toMatchObject({ accepted: true, fresh: { size: 10_000 } });
  });

  it('a hold that becomes a revocation is fresh, and no vanished hold', async () => {
    const known = await stateOf(apply(new Map([[5n, 'hold']]), undefined));
    const reading = apply(new Map([[5n, 'revoke']]), known);
    expect([...reading.fresh]).toMatchObject([{ serialNumber: '5', action: 'revoke' }]);
    expect([...reading.vanishedHolds()]).toEqual([]);
    expect(contents(await stateOf(reading))).toEqual({ revoked: ['5'], hold: [] });
  });

  it.each(['revoke', 'hold'] as const)('a known serial (%s) that is listed twice is a duplicate', (action) => {
    const known = action === 'hold' ? SerialSet.of([], [hex(5n)]) : SerialSet.of([hex(5n)]);
    for (const reasons of [
      [undefined, undefined],
      [HOLD, undefined],
      [undefined, HOLD],
      [HOLD, HOLD],
    ]) {
      const crl = buildCrl({ ca, entries: reasons.map((reason) => ({ serial: 5n, reason })) });
      expect(readCrlBytes(crl, { atMs: AT_MS, issuers, known }).refusals).toEqual([{ code: 'duplicate-serial' }]);
    }
  });

  it('marks of one reading do not leak into the next', async () => {
    const known = SerialSet.of([hex(5n), hex(6n)]);
    readCrlBytes(buildCrl({ ca, entries: [{ serial: 5n }], crlNumber: null }), { atMs: AT_MS, issuers, known }); // refused half way
    expect(contents(await stateOf(apply(new Map([[6n, 'revoke']]), known)))).toEqual({ revoked: ['6'], hold: [] });
  });
});

describe('the stored state', () => {
  const parts = async (): Promise<Buffer> =>
    Buffer.concat([
      ...apply(
        new Map([
          [5n, 'revoke'],
          [1n << 127n, 'revoke'],
          [(1n << 127n) + 1n, 'revoke'],
          [9n, 'hold'],
        ]),
        undefined,
      ).nextState(),
    ]);

  it('takes at most 17 octets an entry', () => {
    const reading = readCrlBytes(buildCrl({ ca, entriesDer: randomEntries(10_000, 'size') }), { atMs: AT_MS, issuers });
    if (!reading.accepted) throw new Error('refused');
    expect(Buffer.concat([...reading.nextState()]).length / 10_000).toBeLessThan(17);
  });

  it('comes back from chunks of any size', async () => {
    const whole = await parts();
    const expected = contents(await readSerialSet([whole]));
    for (const size of [1, 7, 64, 1000]) {
      const chunks = Array.from({ length: Math.ceil(whole.length / size) }, (_, i) => whole.subarray(i * size, (i + 1) * size));
      expect(contents(await readSerialSet(chunks))).toEqual(expected);
    }
  });

  it('throws when it ends anywhere before its end, at once at nothing', async () => {
    const whole = await parts();
    for (let length = 0; length < whole.length; length += 1)
      await expect(readSerialSet([whole.subarray(0, length)])).rejects.toThrow(SerialStateError);
  });

  it('throws when any bit of it is turned', async () => {
    const whole = await parts();
    for (let bit = 0; bit < whole.length * 8; bit += 1) {
      const turned = Buffer.from(whole);
      turned[bit >> 3]! ^= 0x80 >> (bit & 7);
      await expect(readSerialSet([turned])).rejects.toThrow(SerialStateError);
    }
  });

  it('has a digest that tells it from every other, however it is cut into parts', async () => {
    const whole = await parts();
    const digest = serialStateDigest([whole]);
    expect(serialStateDigest([whole.subarray(0, -40), whole.subarray(-40)])).toBe(digest);
    expect(serialStateDigest([whole.subarray(0, -32), whole.subarray(-32)])).toBe(digest);
    expect(contents(await readSerialSet([whole], digest))).toEqual(contents(await readSerialSet([whole])));
    await expect(readSerialSet([whole], '0'.repeat(64))).rejects.toThrow(SerialStateError);
  });

  it('throws at octets behind its end', async () => {
    await expect(readSerialSet([await parts(), Buffer.from([0])])).rejects.toThrow(SerialStateError);
  });
});
