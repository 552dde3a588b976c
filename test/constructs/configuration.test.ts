import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseConfiguration, readConfiguration } from '../../lib/config/read-configuration.js';
import { configurationReference } from '../../lib/config/reference.js';
import { createCa } from '../builders/ca.js';
import { CONTEXT, CREATED, IMPORTED_ARN } from './support.js';

const ca = createCa({ name: 'CN=Factory CA' });
const external = async () => ({ id: 'factory', type: 'external', certificatePem: (await ca).certificatePem, crl: {} });

/** The refusal of one document, without the place it came from. */
function refusal(document: unknown): string {
  try {
    parseConfiguration(document, 'test');
  } catch (error) {
    return (error as Error).message.replace(/^test: /, '');
  }
  throw new Error('accepted');
}

describe('the configuration', () => {
  it('of cdk.json is accepted, creates one CA named fleet, and changes nothing at AWS IoT', () => {
    const { trustAnchors, revocation } = readConfiguration(CONTEXT['fleetwarden'], undefined);
    expect(trustAnchors).toMatchObject([{ id: 'fleet', type: 'acm-pca', create: { keyAlgorithm: 'EC_prime256v1' } }]);
    expect(revocation.mode).toBe('observe');
  });

  it('needs nothing but a trust anchor: everything else has a default', () => {
    expect(parseConfiguration({ trustAnchors: [CREATED] }, 'test')).toMatchObject({
      prefix: 'fleetwarden',
      revocation: {
        mode: 'observe',
        ratePerSecond: 10,
        fastPath: true,
        sweepMinutes: 15,
        brake: { floor: 5, share: 0.01, windowMinutes: 60 },
      },
      inventory: { reconcileHours: 24 },
      devices: { autoRegistration: false, topicPrefix: 'fleet' },
    });
  });

  it('of the file named by FLEETWARDEN_CONFIG takes the place of the context', () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'configuration-'));
    const file = path.join(folder, 'fleetwarden.json');
    try {
      writeFileSync(file, JSON.stringify({ prefix: 'other', trustAnchors: [CREATED] }));
      expect(readConfiguration(CONTEXT['fleetwarden'], file).prefix).toBe('other');
      writeFileSync(file, '{');
      expect(() => readConfiguration(undefined, file)).toThrow(/got a file that is not JSON .+, expected a JSON file/);
      expect(() => readConfiguration(undefined, `${file}.missing`)).toThrow(/got a file that cannot be read .+, expected a JSON file/);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('takes a created, an imported and an external CA together', async () => {
    const imported = {
      id: 'plant',
      type: 'acm-pca',
      arn: IMPORTED_ARN,
      certificatePem: (await ca).certificatePem,
      crl: { type: 'PARTITIONED' },
    };
    const { trustAnchors } = parseConfiguration({ trustAnchors: [CREATED, imported, await external()] }, 'test');
    expect(trustAnchors).toMatchObject([
      { id: 'fleet' },
      { id: 'plant', crl: { prefix: 'crl/' } },
      { id: 'factory', crl: { type: 'COMPLETE', distributionPoints: [] } },
    ]);
  });

  const refused: [what: string, document: unknown, sentence: string][] = [
    ['nothing', undefined, 'document: got nothing, expected object'],
    ['no trust anchor', { trustAnchors: [] }, 'trustAnchors: got [], expected at least one trust anchor'],
    ['an unknown key', { trustAnchors: [CREATED], retention: 1 }, 'document: got "retention", expected only known keys'],
    [
      'an unknown mode',
      { trustAnchors: [CREATED], revocation: { mode: 'on' } },
      'revocation.mode: got "on", expected one of "off", "observe", "enforce"',
    ],
    [
      'a rate above the quota',
      { trustAnchors: [CREATED], revocation: { ratePerSecond: 20 } },
      'revocation.ratePerSecond: got 20, expected at most revocation.quotaPerSecond, 10',
    ],
    [
      'a brake that holds everything',
      { trustAnchors: [CREATED], revocation: { brake: { floor: 0, share: 0 } } },
      'revocation.brake: got {"floor":0,"share":0,"windowMinutes":60}, expected floor or share above 0: with both 0 every revocation is held',
    ],
    [
      'a share in per cent',
      { trustAnchors: [CREATED], revocation: { brake: { share: 5 } } },
      'revocation.brake.share: got 5, expected a share from 0 to 1',
    ],
    [
      'half a sweep',
      { trustAnchors: [CREATED], revocation: { sweepMinutes: 7.5 } },
      'revocation.sweepMinutes: got 7.5, expected a whole number from 5 to 720',
    ],
    [
      'a CRL that may be younger than its CA makes it',
      { trustAnchors: [{ ...CREATED, create: { commonName: 'CA', crl: { expirationDays: 30 } } }] },
      'revocation.crlMaxAgeDays: got 14, expected at least the longest expirationDays of a created CA and crlValidityDays of a signer, 30',
    ],
    [
      'two anchors of one name',
      { trustAnchors: [CREATED, CREATED] },
      'trustAnchors[1].id: got "fleet", expected an id that no other trust anchor has',
    ],
    [
      'an anchor that is neither made nor named',
      { trustAnchors: [{ id: 'fleet', type: 'acm-pca' }] },
      `trustAnchors[0]: got {"id":"fleet","type":"acm-pca"}, expected type 'acm-pca' with one of create and arn, or type 'external'`,
    ],
    [
      'an algorithm of another key family',
      { trustAnchors: [{ ...CREATED, create: { commonName: 'CA', signingAlgorithm: 'SHA256WITHRSA' } }] },
      'trustAnchors[0].create.signingAlgorithm: got "SHA256WITHRSA", expected an algorithm of the family of EC_prime256v1: SHA256WITHECDSA, SHA384WITHECDSA, SHA512WITHECDSA',
    ],
    [
      'a key that AWS IoT does not take',
      { trustAnchors: [{ ...CREATED, create: { commonName: 'CA', keyAlgorithm: 'ML_DSA_44' } }] },
      'trustAnchors[0].create.keyAlgorithm: got "ML_DSA_44", expected one of "RSA_2048", "RSA_3072", "RSA_4096", "EC_prime256v1", "EC_secp384r1", "EC_secp521r1"',
    ],
    [
      'a certificate that is not one',
      { trustAnchors: [{ id: 'factory', type: 'external', certificatePem: 'PEM', crl: {} }] },
      'trustAnchors[0].certificatePem: got "PEM…", expected exactly one PEM certificate',
    ],
    [
      'an e-mail address that is not one',
      { trustAnchors: [CREATED], notifications: { emails: ['me'] } },
      'notifications.emails[0]: got "me", expected an e-mail address',
    ],
    [
      'a topic prefix with a wildcard',
      { trustAnchors: [CREATED], devices: { topicPrefix: '+/fleet' } },
      'devices.topicPrefix: got "+/fleet", expected up to four levels of A-Z a-z 0-9 _ -, without a slash at either end',
    ],
    [
      'a prefix that cannot name a stack',
      { trustAnchors: [CREATED], prefix: 'Fleet_1' },
      'prefix: got "Fleet_1", expected 2 to 20 of a-z 0-9 -, beginning with a letter, and not with aws or ssm (SSM keeps those names)',
    ],
    [
      'a prefix that SSM takes in no parameter name',
      { trustAnchors: [CREATED], prefix: 'aws-fleet' },
      'prefix: got "aws-fleet", expected 2 to 20 of a-z 0-9 -, beginning with a letter, and not with aws or ssm (SSM keeps those names)',
    ],
  ];
  it.each(refused)('with %s is refused, and says what it got and what it expected', (_, document, sentence) => {
    expect(refusal(document)).toBe(sentence);
  });

  it('with an ARN of something else is refused', async () => {
    const anchor = {
      id: 'plant',
      type: 'acm-pca',
      arn: IMPORTED_ARN.replace('acm-pca', 'acm'),
      certificatePem: (await ca).certificatePem,
      crl: { type: 'COMPLETE' },
    };
    expect(refusal({ trustAnchors: [anchor] })).toBe(
      `trustAnchors[0].arn: got "${anchor.arn}", expected arn:<partition>:acm-pca:<region>:<account>:certificate-authority/<uuid>`,
    );
  });

  it('that pins a device certificate in place of a CA is refused: no CRL could ever be verified', async () => {
    const { certificatePem } = await (await ca).issue({ subject: 'CN=device-1' });
    expect(refusal({ trustAnchors: [{ ...(await external()), certificatePem }] })).toMatch(
      /^trustAnchors\[0\]\.certificatePem: got "-----BEGIN.+, expected the certificate of a CA \(basicConstraints CA:TRUE\)$/,
    );
  });

  it('names every wrong value at once', () => {
    expect(refusal({ trustAnchors: [], revocation: { mode: 1, sweepMinutes: 'x' } }).split('\n')).toHaveLength(4);
  });

  it('is described, field by field, in docs/configuration.md', () => {
    // To write it anew: npx tsx -e "process.stdout.write(require('./lib/config/reference.ts').configurationReference())" > docs/configuration.md
    // A formatter may align tables: the words count.
    const words = (markdown: string): string =>
      markdown
        .replaceAll(/-{3,}/g, '---')
        .replaceAll(/[ \n]+/g, ' ')
        .replaceAll('| --- ', '|---');
    expect(words(readFileSync(path.join(__dirname, '..', '..', 'docs', 'configuration.md'), 'utf8'))).toBe(words(configurationReference()));
  });
});
