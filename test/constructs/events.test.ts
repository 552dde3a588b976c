import { readFileSync } from 'node:fs';
import path from 'node:path';
import { patternOf } from '../../local/services/events/rules.js';
import { createCa } from '../builders/ca.js';
import { type Resource, type Synthesised, ofType, statementsOf, synthesise, text } from './support.js';

const CA_ARN = 'arn:aws:acm-pca:eu-west-1:444455556666:certificate-authority/0f1e2d3c-4b5a-4678-8a9b-0c1d2e3f4a5b';

interface Event {
  readonly resources: readonly string[];
  readonly detail: { readonly object?: Readonly<Record<string, unknown>> };
}
const fixture = (name: string): Event =>
  JSON.parse(readFileSync(path.join(__dirname, '..', 'fixtures', 'events', `${name}.json`), 'utf8')) as Event;
const put = (key: string): Event => {
  const event = fixture('crl-put');
  return { ...event, detail: { ...event.detail, object: { ...event.detail.object, key } } };
};

describe('the rules', () => {
  let synthesised: Synthesised;
  let rules: Record<string, Resource>;
  beforeAll(async () => {
    const { certificatePem } = await createCa();
    synthesised = synthesise({ trustAnchors: [{ id: 'plant', type: 'acm-pca', arn: CA_ARN, certificatePem, crl: { type: 'COMPLETE' } }] });
    rules = ofType(synthesised.appTemplate, 'AWS::Events::Rule');
  });
  const rule = (name: string): Resource => {
    const found = Object.values(rules).find(({ Properties }) => Properties['Name'] === `fleetwarden-${name}`);
    if (!found) throw new Error(`no rule ${name}`);
    return found;
  };
  /** By the desk's own pattern matcher; the name of the bucket is known at deployment. */
  const takes = (name: string, event: Event): boolean => {
    const pattern = JSON.stringify(rule(name).Properties['EventPattern'], (_, value: unknown) =>
      typeof value === 'object' && value !== null && 'Fn::ImportValue' in value ? 'crl-bucket' : value,
    );
    return patternOf(pattern)(event as never);
  };

  it('take the put of a CRL: of a Private CA, of an external one as DER or PEM', () => {
    for (const key of ['crl/0f1e2d3c-4b5a-4678-8a9b-0c1d2e3f4a5b.crl', 'external/factory/latest.crl', 'external/factory/latest.pem']) {
      expect([key, takes('crl-put', put(key))]).toEqual([key, true]);
    }
  });

  it('drop the permission test of AWS Private CA, audit reports and everything else beside the queue', () => {
    expect(takes('crl-put', fixture('permission-test-put'))).toBe(false);
    for (const key of [
      'acm-pca-permission-test-key-private',
      'audit-report/x/y.json',
      'crl/readme.txt',
      'latest.crl',
      'other/latest.crl',
      'crl/x.pem',
    ]) {
      expect([key, takes('crl-put', put(key))]).toEqual([key, false]);
    }
  });

  it('drop the put into a bucket that is not ours', () => {
    const event = fixture('crl-put');
    expect(takes('crl-put', { ...event, detail: { ...event.detail, bucket: { name: 'other' } } } as Event)).toBe(false);
  });

  it('take the revocation and the issuance of our CA, each one its own, and of no other CA', () => {
    expect(takes('revoked-at-ca', fixture('certificate-revoked'))).toBe(true);
    expect(takes('revoked-at-ca', fixture('certificate-issued'))).toBe(false);
    expect(takes('issued', fixture('certificate-issued'))).toBe(true);
    expect(takes('issued', fixture('certificate-revoked'))).toBe(false);
    const foreign = (name: string): Event => ({
      ...fixture(name),
      resources: fixture(name).resources.map((arn) => arn.replace('0f1e2d3c', 'ffffffff')),
    });
    expect(takes('revoked-at-ca', foreign('certificate-revoked'))).toBe(false);
    expect(takes('issued', foreign('certificate-issued'))).toBe(false);
  });

  it('page when a CRL could not be written, and not when it could', () => {
    expect(takes('crl-not-written', fixture('crl-not-written'))).toBe(true);
    expect(takes('crl-not-written', fixture('crl-written'))).toBe(false);
  });

  it('sweep every quarter of an hour and reconcile every day', () => {
    expect(rule('sweep').Properties).toMatchObject({ ScheduleExpression: 'rate(15 minutes)', Targets: [{ Input: '{"kind":"sweep"}' }] });
    expect(rule('reconcile').Properties).toMatchObject({ ScheduleExpression: 'rate(1 day)', Targets: [{ Input: '{"kind":"start"}' }] });
  });

  it('are let in by their targets one by one, for SendMessage or Publish alone', () => {
    const { appTemplate } = synthesised;
    const policies = [
      ...Object.values(ofType(appTemplate, 'AWS::SQS::QueuePolicy')),
      ...Object.values(ofType(appTemplate, 'AWS::SNS::TopicPolicy')),
    ];
    const admissions = policies.flatMap(statementsOf).filter(({ Principal }) => Principal?.['Service'] === 'events.amazonaws.com');
    expect(admissions).toHaveLength(Object.keys(rules).length);
    for (const { Action, Condition } of admissions) {
      expect(['sqs:SendMessage', 'sns:Publish']).toContain(Action);
      expect(text(Condition?.['StringEquals']?.['aws:SourceAccount'])).toBe('<AWS::AccountId>');
      expect(Object.keys(rules).map((id) => `<${id}.Arn>`)).toContain(text(Condition?.['ArnEquals']?.['aws:SourceArn']));
    }
  });

  it('leave the fast path out where it is switched off: the CRL decides alone', () => {
    const slow = synthesise({ revocation: { fastPath: false } });
    const names = Object.values(ofType(slow.appTemplate, 'AWS::Events::Rule')).map(({ Properties }) => Properties['Name']);
    expect(names).not.toContain('fleetwarden-revoked-at-ca');
    expect(names).toContain('fleetwarden-crl-put');
  });
});

describe('the topic rules', () => {
  const { appTemplate } = synthesise();
  const rules = Object.values(ofType(appTemplate, 'AWS::IoT::TopicRule'));

  it('have names that AWS IoT takes, put named fields on the inventory queue, and what fails on its dead-letter queue', () => {
    expect(rules.map(({ Properties }) => Properties['RuleName'])).toEqual([
      'fleetwarden_connected',
      'fleetwarden_disconnected',
      'fleetwarden_registered',
    ]);
    for (const { Properties } of rules) {
      const { Sql, Actions, ErrorAction } = Properties['TopicRulePayload'] as {
        Sql: string;
        Actions: { Sqs: { QueueUrl: unknown } }[];
        ErrorAction: { Sqs: { QueueUrl: unknown } };
      };
      expect(Sql).not.toContain('*');
      expect(Actions).toHaveLength(1);
      expect(text(Actions[0]?.Sqs.QueueUrl)).toMatch(/^<InventoryRecordSourceQueue/);
      expect(text(ErrorAction.Sqs.QueueUrl)).toMatch(/^<InventoryRecordSourceDeadLetterQueue/);
    }
  });

  it('each have a role that AWS IoT may take for this very rule only', () => {
    const trusts = Object.values(ofType(appTemplate, 'AWS::IAM::Role'))
      .map(
        ({ Properties }) =>
          (
            Properties['AssumeRolePolicyDocument'] as {
              Statement: { Principal: { Service: string }; Condition?: Record<string, Record<string, unknown>> }[];
            }
          ).Statement[0],
      )
      .filter((statement) => statement?.Principal.Service === 'iot.amazonaws.com');
    expect(trusts.map((trust) => text(trust?.Condition?.['ArnEquals']?.['aws:SourceArn']).split('/')[1])).toEqual([
      'fleetwarden_connected',
      'fleetwarden_disconnected',
      'fleetwarden_registered',
    ]);
    for (const trust of trusts) expect(text(trust?.Condition?.['StringEquals']?.['aws:SourceAccount'])).toBe('<AWS::AccountId>');
  });
});
