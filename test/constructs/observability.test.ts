import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { Template } from 'aws-cdk-lib/assertions';
import { METRICS, METRIC_NAMESPACE } from '../../domain/fleet/metrics.js';
import { APPLICATION_PARAMETER_NAMES, OPTIONAL_PARAMETERS } from '../../domain/protocol/application-parameters.js';
import { AUDIT_ALARMS, AUDIT_BY_RULE, AUDIT_INFORMATION } from '../../lib/audit/watch.js';
import { BEHAVIOUR_ALARMS, BEHAVIOUR_BY_RULE, BEHAVIOUR_INFORMATION, LOG_SOURCE_ALARMS } from '../../lib/behaviour/watch.js';
import { ARTICLES } from '../../lib/observability/articles.js';
import { CAPABILITY_ROWS, type Graph, type ShownCapability } from '../../lib/observability/dashboard-rows.js';
import { BY_RULE, INFORMATION, ONE_IS_TOO_MANY } from '../../lib/observability/watch.js';
import { QUARANTINE_ALARMS, QUARANTINE_INFORMATION } from '../../lib/quarantine/watch.js';
import { ROTATION_ALARMS, ROTATION_BY_RULE, ROTATION_INFORMATION } from '../../lib/rotation/watch.js';
import { SIGNER_BY_RULE, SIGNER_INFORMATION } from '../../lib/signer/watch.js';
import { signerAnchor } from '../builders/own-ca.js';
import { CREATED, type Resource, ofType, statementsOf, synthesise, text } from './support.js';

const { appTemplate } = synthesise({
  notifications: { emails: ['ops@example.com', 'sec@example.com'] },
  rotation: { mode: 'enforce' },
  behaviour: { detect: 'both', sources: { logs: true } },
  audit: { mode: 'on' },
  quarantine: { mode: 'enforce' },
  trustAnchors: [CREATED, signerAnchor()],
});
const alarms = Object.values(ofType(appTemplate, 'AWS::CloudWatch::Alarm')).map(({ Properties }) => Properties);
const own = alarms.filter((alarm) => alarm['Namespace'] === METRIC_NAMESPACE);
const runbook = readFileSync(path.join(__dirname, '..', '..', 'docs', 'runbook.md'), 'utf8');
const articleOf = (alarm: Record<string, unknown>): string | undefined =>
  /Runbook: docs\/runbook\.md#(\S+)$/.exec(text(alarm['AlarmDescription']))?.[1];

describe('the metrics of the functions', () => {
  it('are each either watched by an alarm or named as information: none is forgotten', () => {
    const rotation = [...Object.keys(ROTATION_ALARMS), ...ROTATION_BY_RULE, ...ROTATION_INFORMATION];
    const audit = [...Object.keys(AUDIT_ALARMS), ...AUDIT_BY_RULE, ...AUDIT_INFORMATION];
    const quarantine = [...Object.keys(QUARANTINE_ALARMS), ...QUARANTINE_INFORMATION];
    const signer = [...SIGNER_BY_RULE, ...SIGNER_INFORMATION];
    const behaviour = [...Object.keys(BEHAVIOUR_ALARMS), ...Object.keys(LOG_SOURCE_ALARMS), ...BEHAVIOUR_BY_RULE, ...BEHAVIOUR_INFORMATION];
    expect(
      [
        ...Object.keys(ONE_IS_TOO_MANY),
        ...BY_RULE,
        ...INFORMATION,
        ...quarantine,
        ...behaviour,
        ...rotation,
        ...audit,
        ...signer,
      ].toSorted(),
    ).toEqual(Object.keys(METRICS).toSorted());
  });

  it('that are watched have exactly one alarm each', () => {
    const watched = [
      ...Object.keys(ONE_IS_TOO_MANY),
      ...BY_RULE,
      ...Object.keys(QUARANTINE_ALARMS),
      ...Object.keys(BEHAVIOUR_ALARMS),
      ...Object.keys(LOG_SOURCE_ALARMS),
      ...BEHAVIOUR_BY_RULE,
      ...Object.keys(ROTATION_ALARMS),
      ...ROTATION_BY_RULE,
      ...Object.keys(AUDIT_ALARMS),
      ...AUDIT_BY_RULE,
      ...SIGNER_BY_RULE,
    ].map((name) => METRICS[name as keyof typeof METRICS]);
    expect(own.map((alarm) => text(alarm['MetricName'])).toSorted()).toEqual([...watched].toSorted());
  });

  it('are watched at once, and as long as the next sweep says the same again', () => {
    const held = own.find((alarm) => alarm['MetricName'] === METRICS.revocationsHeld);
    expect(held).toMatchObject({ Period: 300, EvaluationPeriods: 4, DatapointsToAlarm: 1, Threshold: 1, TreatMissingData: 'notBreaching' });
  });
});

describe('every alarm', () => {
  it('notifies the topic, and points to an article', () => {
    for (const alarm of alarms) {
      expect([alarm['AlarmName'], Object.keys(ARTICLES).includes(articleOf(alarm) ?? '')]).toEqual([alarm['AlarmName'], true]);
      expect(alarm['AlarmActions']).toHaveLength(1);
    }
  });

  it('is one of the articles, and each article has an alarm or a rule', () => {
    const rules = Object.values(ofType(appTemplate, 'AWS::Events::Rule')).map(({ Properties }) =>
      articleOf({ AlarmDescription: Properties['Description'] }),
    );
    expect(new Set([...alarms.map(articleOf), ...rules].filter((article) => article !== undefined))).toEqual(
      new Set(Object.keys(ARTICLES)),
    );
  });

  it('looks back over a day at most, as CloudWatch demands, however rarely the sweep runs', () => {
    const rare = synthesise({ revocation: { sweepMinutes: 720 } });
    for (const { Properties } of Object.values(ofType(rare.appTemplate, 'AWS::CloudWatch::Alarm'))) {
      expect(Number(Properties['Period']) * Number(Properties['EvaluationPeriods'])).toBeLessThanOrEqual(86_400);
    }
  });

  it('says that the sweep is silent when the sync has not run for two sweeps', () => {
    expect(alarms.find((alarm) => alarm['AlarmName'] === 'fleetwarden-sweep-silent')).toMatchObject({
      MetricName: 'Invocations',
      Period: 1800,
      Threshold: 1,
      ComparisonOperator: 'LessThanThreshold',
      TreatMissingData: 'breaching',
    });
  });
});

describe('the runbook', () => {
  const articles = [...runbook.matchAll(/^## (\S+)$/gm)].map(([, id]) => text(id));

  it('has exactly the articles that alarms point to', () => {
    expect(articles.toSorted()).toEqual(Object.keys(ARTICLES).toSorted());
  });

  it('says in each what it means, what to look at, what to do and what never to do', () => {
    for (const article of runbook.split(/^## /m).slice(1)) {
      for (const part of ['**Means.**', '**Look.**', '**Do.**', '**Never.**'])
        expect([article.split('\n')[0], part, article.includes(part)]).toEqual([article.split('\n')[0], part, true]);
    }
  });
});

describe('the alarm topic', () => {
  it('takes messages from alarms of this installation and from its own rule, over TLS', () => {
    const statements = statementsOf(Object.values(ofType(appTemplate, 'AWS::SNS::TopicPolicy'))[0] as Resource);
    expect(statements.map(({ Effect, Principal }) => `${Effect} ${text(Principal?.['Service'] ?? Principal?.['AWS'])}`)).toEqual([
      'Allow cloudwatch.amazonaws.com',
      'Deny *',
      'Allow events.amazonaws.com',
    ]);
    expect(text(statements[0]?.Condition?.['ArnLike']?.['aws:SourceArn'])).toBe(
      'arn:<AWS::Partition>:cloudwatch:<AWS::Region>:<AWS::AccountId>:alarm:fleetwarden-*',
    );
  });

  it('tells the people named in the configuration', () => {
    const endpoints = Object.values(ofType(appTemplate, 'AWS::SNS::Subscription')).flatMap(({ Properties }) =>
      Properties['Protocol'] === 'email' ? [Properties['Endpoint']] : [],
    );
    expect(endpoints).toEqual(['ops@example.com', 'sec@example.com']);
  });
});

describe('the dashboard', () => {
  type Widget = {
    readonly properties: { readonly title?: string; readonly metrics?: readonly unknown[]; readonly alarms?: readonly string[] };
  };
  const widgetsOf = (template: Template): readonly Widget[] => {
    const [dashboard] = Object.values(ofType(template, 'AWS::CloudWatch::Dashboard'));
    return (JSON.parse(text(dashboard?.Properties['DashboardBody'])) as { widgets: Widget[] }).widgets;
  };
  const titlesOf = (template: Template): string[] => widgetsOf(template).flatMap(({ properties }) => properties.title ?? []);
  const titlesOfRows = (...capabilities: ShownCapability[]): string[] =>
    capabilities.flatMap((name) => CAPABILITY_ROWS[name].map(({ title }) => title as string));
  const rowsOf = (template: Template): string[] => {
    const rows = titlesOfRows(...(Object.keys(CAPABILITY_ROWS) as ShownCapability[]));
    return titlesOf(template).filter((title) => rows.includes(title));
  };

  it('is JSON, and shows every metric of ours that people need', () => {
    const shown = JSON.stringify(widgetsOf(appTemplate));
    for (const metric of ['Revoked', 'RevocationsHeld', 'CrlAgeSeconds', 'SecondsToRevoke', 'Connect.AuthError'])
      expect(shown).toContain(`"${metric}"`);
    for (const { metrics } of Object.values(CAPABILITY_ROWS).flatMap((row): readonly Graph[] => row))
      for (const metric of metrics) expect(shown).toContain(`["${METRIC_NAMESPACE}","${metric}","Application","fleetwarden"`);
  });

  it('shows every alarm once, never more in one widget than CloudWatch takes', () => {
    const lists = widgetsOf(appTemplate).flatMap(({ properties }) => (properties.alarms === undefined ? [] : [properties.alarms]));
    expect(lists.flat()).toHaveLength(alarms.length);
    expect(new Set(lists.flat()).size).toBe(alarms.length);
    expect(alarms.length).toBeGreaterThan(100); // everything is on: one widget would be refused
    for (const list of lists) expect(list.length).toBeLessThanOrEqual(100);
  });

  it('has the rows of a capability only where it is on', () => {
    expect(rowsOf(appTemplate)).toEqual(titlesOfRows('rotation', 'signer', 'audit', 'monitor', 'quarantine'));
    expect(rowsOf(synthesise().appTemplate)).toEqual([]);
    expect(rowsOf(synthesise({ quarantine: { mode: 'observe' } }).appTemplate)).toEqual(titlesOfRows('quarantine'));
    expect(rowsOf(synthesise({ audit: { mode: 'on' } }).appTemplate)).toEqual(titlesOfRows('audit'));
  });

  it('shows what Detect counts where there are security profiles, and what the monitor counts where it runs', () => {
    const detect = 'Violations seen by Device Defender Detect';
    expect(titlesOf(appTemplate)).toContain(detect);
    expect(JSON.stringify(widgetsOf(appTemplate))).toContain('SecurityProfileName=\\\"fleetwarden-rules');
    const alone = synthesise({ behaviour: { detect: 'device-defender' } }).appTemplate;
    expect(titlesOf(alone)).toContain(detect);
    expect(rowsOf(alone)).toEqual([]);
    const builtIn = synthesise({ behaviour: { detect: 'built-in' } }).appTemplate;
    expect(titlesOf(builtIn)).not.toContain(detect);
    expect(rowsOf(builtIn)).toEqual(titlesOfRows('monitor'));
  });
});

describe('the parameters for the command line', () => {
  it('are exactly those that it asks for', () => {
    const names = Object.values(ofType(appTemplate, 'AWS::SSM::Parameter')).map(({ Properties }) => text(Properties['Name']));
    const asked = [...APPLICATION_PARAMETER_NAMES, ...Object.keys(OPTIONAL_PARAMETERS)];
    expect(names.toSorted()).toEqual(asked.map((name) => `/fleetwarden/application/${name}`).toSorted());
  });
});
