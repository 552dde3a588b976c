import { decide, isCovered, type Published, type PublishFacts } from '../../lambda/signer/publish/decide.js';

const DAY_MS = 86_400_000;
const NOW = Date.UTC(2026, 10, 22, 10);
const published: Published = { thisUpdateMs: NOW, nextUpdateMs: NOW + 7 * DAY_MS, begunAtMs: NOW, listDigest: 'a' };
const facts: PublishFacts = { published, isThere: true, listDigest: 'a' };

describe('a CRL is published', () => {
  test.each<[string, PublishFacts, number, string]>([
    ['where there has been none yet', { ...facts, published: undefined }, NOW, 'first-crl'],
    ['where somebody has deleted it', { ...facts, isThere: false }, NOW, 'crl-object-missing'],
    ['where more is on record as revoked than it names', { ...facts, listDigest: 'b' }, NOW, 'revocations-waiting'],
    ['when half of its validity is over', facts, NOW + 3.5 * DAY_MS, 'crl-half-over'],
    ['also long after its end', facts, NOW + 70 * DAY_MS, 'crl-half-over'],
  ])('%s', (_, given, nowMs, reason) => {
    expect(decide(given, nowMs)).toEqual({ do: 'publish', reason });
  });
});

describe('a CRL is not published', () => {
  test('while it names everything, and more than half of its validity is left', () => {
    expect(decide(facts, NOW + 3.5 * DAY_MS - 1)).toEqual({ do: 'nothing', reason: 'crl-current' });
  });
});

describe('a message is covered', () => {
  const covered = (revokedAtMs: number | undefined, isThere = true, last: Published | undefined = published): boolean =>
    isCovered(last, isThere, revokedAtMs);
  test('by a CRL that was begun well after the revocation', () => {
    expect(covered(NOW - 60_000)).toBe(true);
  });
  test('but not by one that was begun at about the same time: the clocks of two functions differ', () => {
    expect(covered(NOW - 10_000)).toBe(false);
    expect(covered(NOW)).toBe(false);
    expect(covered(NOW + 60_000)).toBe(false);
  });
  test('nor by one that is not there, nor where none was published', () => {
    expect(covered(NOW - 60_000, false)).toBe(false);
    expect(isCovered(undefined, true, NOW - 60_000)).toBe(false);
  });
  test('nor is the regular look, which tells of no revocation', () => {
    expect(covered(undefined)).toBe(false);
  });
});
