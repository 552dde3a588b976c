import { decide, isUseToNote } from '../../lambda/inventory/record/decide.js';
import { InventoryMessage } from '../../lambda/inventory/record/event.js';

const ID = 'cba06b5736faf67e54b07b561eae94395e774c517a7d910a54369e1263ccfbd4';
const CA_ARN = 'arn:aws:acm-pca:eu-west-1:111122223333:certificate-authority/4a1f0d2e-6b3c-4d8f-9a57-0c2b1e7f3d64';
const presence = (changes: object = {}) => ({
  kind: 'presence',
  eventType: 'connected',
  clientId: 'pump-0042',
  thingName: 'pump-0042',
  principalIdentifier: ID,
  timestamp: 1795342500757,
  versionNumber: 3,
  ...changes,
});
const registered = {
  kind: 'registered',
  certificateId: ID,
  caCertificateId: ID,
  certificateStatus: 'PENDING_ACTIVATION',
  timestamp: 1795342500123,
};
const issued = (result = 'success') => ({
  version: '0',
  source: 'aws.acm-pca',
  'detail-type': 'ACM Private CA Certificate Issuance',
  resources: [CA_ARN, `${CA_ARN}/certificate/00b7c21f9e4d3a5586f0417c2de981a3`],
  detail: { result },
});

describe('what an event leads to', () => {
  test.each([
    ['a connection with a certificate that is ACTIVE in the inventory is noted as seen', presence(), 'ACTIVE', 'seen', 'known'],
    ['a connection with an unknown certificate asks the registry', presence(), undefined, 'look-up', 'not in the inventory'],
    [
      'a connection with a certificate that the inventory has as issued only asks the registry',
      presence(),
      'NOT_REGISTERED',
      'look-up',
      'connected, but not ACTIVE in the inventory',
    ],
    [
      'a connection with a certificate that should be out asks the registry',
      presence(),
      'REVOKED',
      'look-up',
      'connected, but not ACTIVE in the inventory',
    ],
    [
      'the goodbye of a certificate that was put out is noted, no more',
      presence({ eventType: 'disconnected' }),
      'REVOKED',
      'seen',
      'known',
    ],
    [
      'the goodbye of an unknown certificate asks the registry',
      presence({ eventType: 'disconnected' }),
      undefined,
      'look-up',
      'not in the inventory',
    ],
    [
      'a Cognito identity is rejected',
      presence({ principalIdentifier: 'eu-west-1:0f1e2d3c' }),
      undefined,
      'rejected',
      'the principal is no X.509 certificate',
    ],
    ['a just-in-time registration asks the registry', registered, undefined, 'look-up', 'just registered'],
    ['… also where the certificate was known as issued', registered, 'NOT_REGISTERED', 'look-up', 'just registered'],
    ['an issuance is fetched from its CA', issued(), undefined, 'fetch', 'issued'],
    ['an issuance that failed is rejected', issued('failure'), undefined, 'rejected', 'the issuance failed'],
  ])('%s', (_sentence, message, status, kind, reason) => {
    const known = status === undefined ? undefined : { status };
    expect(decide(InventoryMessage.parse(message), known)).toMatchObject({ kind, reason });
  });
});

describe('what is no event of ours', () => {
  test.each([
    ['a presence event without a clientId', presence({ clientId: undefined })],
    ['a presence event of another type', presence({ eventType: 'connect_failed' })],
    ['a time that is none', presence({ timestamp: '2026-11-22T10:00:00Z' })],
    ['a thing name that AWS IoT does not allow', presence({ thingName: '../etc' })],
    ['a registration whose certificateId is none', { ...registered, certificateId: 'abc' }],
    ['an issuance event of another service', { ...issued(), source: 'evil.acm-pca' }],
    ['an issuance event whose second resource is not a certificate', { ...issued(), resources: [CA_ARN, CA_ARN] }],
    ['a revocation event', { ...issued(), 'detail-type': 'ACM Private CA Certificate Revocation' }],
    ['an empty object', {}],
  ])('%s does not parse', (_sentence, message) => {
    expect(InventoryMessage.safeParse(message).success).toBe(false);
  });

  test('fields that AWS adds tomorrow do not hurt', () => {
    expect(InventoryMessage.safeParse({ ...presence(), ipAddress: '192.0.2.10', newField: {} }).success).toBe(true);
  });
});

describe('the use of a client id', () => {
  const WEEK = 7 * 86_400_000;
  const known = { clientId: 'dev-2', thingName: 'dev-1', lastSeenAtMs: 100 * WEEK + 5 };
  const use = (more: object = {}) => ({ clientId: 'dev-2', lastSeenAtMs: 100 * WEEK + 6, ...more });
  test.each<[string, Parameters<typeof isUseToNote>, boolean]>([
    ['that is the name of its own thing is no news', [{ thingName: 'dev-1' }, use({ clientId: 'dev-1' })], false],
    ['that is the name of the thing which the event names is no news', [undefined, use({ thingName: 'dev-2' })], false],
    [
      'that is the name of a thing which it has left is noted',
      [{ ...known, thingName: 'dev-2', clientId: 'dev-2' }, use({ thingName: 'dev-1', lastSeenAtMs: 101 * WEEK })],
      true,
    ],
    ['by a certificate that nobody knew is noted', [undefined, use()], true],
    ['by a certificate that was never seen is noted', [{ thingName: 'dev-1', clientId: 'dev-2' }, use()], true],
    ['other than the last one is noted', [{ ...known, clientId: 'dev-3' }, use()], true],
    ['that goes on is not noted within the week', [known, use()], false],
    ['that goes on is noted in the next week', [known, use({ lastSeenAtMs: 101 * WEEK })], true],
  ])('%s', (_, [before, now], expected) => {
    expect(isUseToNote(before, now)).toBe(expected);
  });
});
