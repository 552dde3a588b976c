import fc from 'fast-check';
import { certificateId } from '../../domain/fleet/certificate-id.js';
import { thingName } from '../../domain/fleet/thing-name.js';
import { serialNumberFromHex } from '../../domain/pki/serial-number.js';
import { mergeRecord, withStatus } from '../../lambda/aws/inventory-merge.js';
import type { CertificateRecord, InventorySource, InventoryStatus } from '../../lambda/ports/inventory.js';

const SOURCES: readonly InventorySource[] = ['issuance', 'registration', 'presence', 'reconciliation', 'revocation'];
const REGISTRY: readonly InventoryStatus[] = ['ACTIVE', 'INACTIVE', 'REVOKED', 'PENDING_ACTIVATION', 'DELETED'];
const BASE: CertificateRecord = {
  certificateId: certificateId('ab'.repeat(32)),
  issuerId: 'cd'.repeat(32),
  serialNumber: serialNumberFromHex('b7c2'),
  notBeforeMs: Date.UTC(2026, 0, 1),
  notAfterMs: Date.UTC(2027, 0, 1),
  status: 'ACTIVE',
  source: 'registration',
};

const optional = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined });
const record: fc.Arbitrary<CertificateRecord> = fc
  .record({
    status: fc.constantFrom<InventoryStatus>(...REGISTRY, 'NOT_REGISTERED'),
    source: fc.constantFrom(...SOURCES),
    thingName: optional(fc.constantFrom('pump-1', 'pump-2').map(thingName)),
    clientId: optional(fc.constantFrom('pump-1', 'pump-2')),
    statusReason: optional(fc.constantFrom('as-asked', 'first-stage')),
    certificateArn: optional(fc.constant('arn:aws:acm-pca:eu-west-1:111122223333:certificate-authority/x/certificate/b7c2')),
    lastSeenAtMs: optional(fc.integer({ min: 1, max: 9 })),
  })
  .map((changes) => ({ ...BASE, ...changes }));

describe('what a record is after another teller spoke', () => {
  test('law: REVOKED is never left, whoever says so', () => {
    fc.assert(
      fc.property(fc.array(record, { minLength: 1 }), record, (after, first) => {
        const revoked: CertificateRecord = { ...first, status: 'REVOKED' };
        expect(after.reduce((stored, next) => mergeRecord(stored, next), revoked).status).toBe('REVOKED');
      }),
    );
  });

  test('law: the same twice is the same once, and writes nothing', () => {
    fc.assert(
      fc.property(record, record, (stored, incoming) => {
        const once = mergeRecord(stored, incoming);
        expect(mergeRecord(once, incoming)).toBe(once);
      }),
    );
  });

  test('law: lastSeen never goes back, in any order of events', () => {
    fc.assert(
      fc.property(fc.array(record, { minLength: 1, maxLength: 6 }), (events) => {
        const [first, ...rest] = events;
        const merged = rest.reduce((stored, next) => mergeRecord(stored, next), first!);
        const seen = events.flatMap(({ lastSeenAtMs }) => lastSeenAtMs ?? []);
        expect(merged.lastSeenAtMs).toBe(seen.length === 0 ? undefined : Math.max(...seen));
      }),
    );
  });

  test.each<[string, InventoryStatus, InventoryStatus, InventoryStatus]>([
    ['an issuance event that comes late does not undo a registration', 'ACTIVE', 'NOT_REGISTERED', 'ACTIVE'],
    ['… nor bring back what was deleted', 'DELETED', 'NOT_REGISTERED', 'DELETED'],
    ['a registration replaces an issuance', 'NOT_REGISTERED', 'PENDING_ACTIVATION', 'PENDING_ACTIVATION'],
    ['what was deleted can be registered again', 'DELETED', 'ACTIVE', 'ACTIVE'],
    ['what was revoked and deleted stays revoked when it is registered again', 'REVOKED', 'ACTIVE', 'REVOKED'],
    ['a hold is seen', 'ACTIVE', 'INACTIVE', 'INACTIVE'],
  ])('%s', (_sentence, stored, incoming, expected) => {
    expect(mergeRecord({ ...BASE, status: stored }, { ...BASE, status: incoming }).status).toBe(expected);
    if (incoming !== 'NOT_REGISTERED') expect(withStatus({ ...BASE, status: stored }, incoming, 'why', 'revocation').status).toBe(expected);
  });

  test('what a teller does not know stays as it was', () => {
    const stored: CertificateRecord = {
      ...BASE,
      thingName: thingName('pump-1'),
      clientId: 'pump-1',
      lastSeenAtMs: 5,
      statusReason: 'as-asked',
    };
    expect(mergeRecord(stored, BASE)).toBe(stored);
  });

  test('an older sighting does not change the client id', () => {
    const stored: CertificateRecord = { ...BASE, clientId: 'pump-new', lastSeenAtMs: 5 };
    expect(mergeRecord(stored, { ...BASE, clientId: 'pump-old', lastSeenAtMs: 4 }).clientId).toBe('pump-new');
  });

  test.each(['issuerId', 'serialNumber', 'notBeforeMs', 'notAfterMs'] as const)(
    'another %s under the same certificateId is an error',
    (field) => {
      const other = field === 'issuerId' ? 'ef'.repeat(32) : field === 'serialNumber' ? serialNumberFromHex('b7c3') : 1;
      expect(() => mergeRecord(BASE, { ...BASE, [field]: other })).toThrow(/the inventory holds/);
    },
  );
});
