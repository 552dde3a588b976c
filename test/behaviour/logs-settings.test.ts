/**
 * The account has one logging of AWS IoT. Where this installation may, it is switched on and never more than that; where it does not write what the monitor
 * reads, people are told.
 */
import type { LoggingOptions } from '../../domain/fleet/iot-logging.js';
import { METRICS } from '../../domain/fleet/metrics.js';
import { decideLogging as whyNotLogged } from '../../lambda/behaviour/offline/decide.js';
import { decideLogging } from '../../lambda/settings/merge/decide-logging.js';
import { run, type MergePorts } from '../../lambda/settings/merge/run.js';
import type { AccountSettings, CustomResourceAnswer } from '../../lambda/ports/account-settings.js';
import { type Resource, ofType, statementsOf, synthesise, text } from '../constructs/support.js';
import { TestClock } from '../revocation/memory/clock.js';
import { crashing, Death } from '../revocation/memory/crashing.js';
import { MemoryDecisions } from '../revocation/memory/ledger.js';
import { MemorySignals } from '../revocation/memory/world.js';
import { MemoryLogging } from './memory/logging.js';
import { World, behaviour } from './memory/world.js';

const OURS = 'arn:aws:iam::111122223333:role/ours';
const THEIRS = 'arn:aws:iam::111122223333:role/theirs';
const on: LoggingOptions = { roleArn: THEIRS, defaultLogLevel: 'ERROR', disableAllLogs: false, events: [] };
const authN = { eventType: 'Connection.AuthNError', logLevel: 'ERROR' } as const;

describe('the account’s logging, where this installation may switch it on,', () => {
  const decide = (options: LoggingOptions | undefined, ours: readonly string[] = []) =>
    decideLogging({ ...(options && { options }), ours: new Set(ours) }, OURS);

  it.each(['ERROR', 'WARN', 'INFO', 'DEBUG'])('stays as it is at %s', (defaultLogLevel) =>
    expect(decide({ ...on, defaultLogLevel })).toEqual({ do: 'nothing' }),
  );
  it.each<[string, LoggingOptions | undefined]>([
    ['was never set', undefined],
    ['is DISABLED', { disableAllLogs: false, defaultLogLevel: 'DISABLED', events: [] }],
    ['has no level', { disableAllLogs: false, events: [] }],
    ['was at DEBUG before all logs were disabled', { disableAllLogs: true, defaultLogLevel: 'DEBUG', events: [] }],
  ])('that %s is switched on at ERROR, under our role', (_, options) =>
    expect(decide(options)).toEqual({ do: 'set', options: { roleArn: OURS, defaultLogLevel: 'ERROR', disableAllLogs: false, events: [] } }),
  );
  it('keeps another’s role, and what single events are logged at', () =>
    expect(decide({ ...on, defaultLogLevel: 'DISABLED', events: [authN] })).toEqual({ do: 'set', options: { ...on, events: [authN] } }));
  it('gets our present role in place of a former one of ours, and keeps its level', () =>
    expect(decide({ ...on, roleArn: 'arn:former', defaultLogLevel: 'INFO' }, ['arn:former'])).toEqual({
      do: 'set',
      options: { ...on, roleArn: OURS, defaultLogLevel: 'INFO' },
    }));
});

class Installation implements MergePorts {
  readonly account: AccountSettings = {
    auditConfiguration: async () => ({ checks: {} }),
    patchAuditConfiguration: async () => undefined,
    enabledEvents: async () => new Set(),
    enableEvents: async () => undefined,
  };
  readonly clock = new TestClock();
  readonly decisions = new MemoryDecisions();
  readonly logging = new MemoryLogging();
  readonly signals = new MemorySignals();
  readonly remembered = new Set<string>();
  readonly answers: CustomResourceAnswer[] = [];
  readonly record = {
    ours: async () => this.remembered,
    remember: async (_setting: string, arns: readonly string[]) => arns.forEach((arn) => this.remembered.add(arn)),
  };
  readonly cloudFormation = { answer: async (_url: string, answer: CustomResourceAnswer) => void this.answers.push(answer) };
  constructor() {
    this.logging.current = undefined;
  }
}
const request = (RequestType: 'Create' | 'Update' | 'Delete') => ({
  RequestType,
  ResponseURL: 'https://cloudformation-custom-resource-response.s3.amazonaws.com/x?Signature=secret',
  StackId: 'stack',
  RequestId: 'request',
  LogicalResourceId: 'SettingsLogging',
  ResourceProperties: { ServiceToken: 'arn', Setting: 'logging-options', RoleArn: OURS, LogGroupName: 'AWSIotLogsV2', RetentionDays: '30' },
});

describe('the custom resource of the logging', () => {
  it('makes the log group and switches logging on, with a record before and after; twice changes something once', async () => {
    const world = new Installation();
    await run(world, request('Create'));
    await run(world, request('Update'));
    expect([world.logging.sets, [...world.logging.groups]]).toEqual([1, [['AWSIotLogsV2', 30]]]);
    expect(world.decisions.rows.map(({ subject, step }) => [subject, step])).toEqual([
      ['SETTING#logging-options', 'intent'],
      ['SETTING#logging-options', 'outcome'],
    ]);
    expect(world.answers.map(({ Data, PhysicalResourceId }) => [PhysicalResourceId, Data?.['changed']])).toEqual([
      ['logging-options', 'true'],
      ['logging-options', 'false'],
    ]);
  });

  it('makes the log group also where logging is on and may have written nothing yet', async () => {
    const world = new Installation();
    world.logging.current = on;
    await run(world, request('Create'));
    expect([world.logging.sets, world.logging.groups.has('AWSIotLogsV2')]).toEqual([0, true]);
  });

  it('that is deleted leaves the logging on', async () => {
    const world = new Installation();
    await run(world, request('Create'));
    await run(world, request('Delete'));
    expect(world.logging.current?.disableAllLogs).toBe(false);
  });

  it.each(['before', 'after'] as const)('whose function dies %s any call, and is called again, ends the same', async (moment) => {
    for (let n = 1; ; n += 1) {
      const world = new Installation();
      const died = await run(crashing(world, n, moment), request('Create')).then(
        () => false,
        (error: unknown) => error instanceof Death,
      );
      if (died) await run(world, request('Create'));
      expect([n, world.logging.current]).toEqual([n, { roleArn: OURS, defaultLogLevel: 'ERROR', disableAllLogs: false, events: [] }]);
      expect(world.answers.at(-1)).toMatchObject({ Status: 'SUCCESS' });
      if (!died) break;
    }
  });
});

describe('refusals that are not logged', () => {
  it.each<[string, LoggingOptions | undefined, object | undefined]>([
    ['where the account logs at ERROR: they are', on, undefined],
    ['where it logs more: they are', { ...on, defaultLogLevel: 'DEBUG' }, undefined],
    [
      'where events that no policy refuses are silenced: they are',
      { ...on, events: [{ eventType: 'RuleExecution', logLevel: 'DISABLED' }] },
      undefined,
    ],
    [
      'where the account is silent and every event that matters is not: they are',
      {
        ...on,
        defaultLogLevel: 'DISABLED',
        events: ['Connect', 'Publish-In', 'Publish-Out', 'Subscribe'].map((eventType) => ({ eventType, logLevel: 'ERROR' })),
      },
      undefined,
    ],
    ['where logging was never set', undefined, { why: 'never-set' }],
    ['where all logs are disabled', { ...on, disableAllLogs: true }, { why: 'all-disabled' }],
    ['where AWS IoT has no role to write under', { defaultLogLevel: 'ERROR', disableAllLogs: false, events: [] }, { why: 'no-role' }],
    ['where the account’s level is DISABLED', { ...on, defaultLogLevel: 'DISABLED' }, { why: 'level-too-low', eventType: 'Connect' }],
    [
      'where one event is silenced',
      { ...on, events: [{ eventType: 'Subscribe', logLevel: 'DISABLED' }] },
      { why: 'level-too-low', eventType: 'Subscribe' },
    ],
    [
      'where one event goes to another log group',
      { ...on, events: [{ eventType: 'Publish-In', logLevel: 'INFO', logDestination: 'messages' }] },
      { why: 'other-log-group', eventType: 'Publish-In' },
    ],
  ])('%s', (_, options, said) => expect(whyNotLogged(options)).toEqual(said));

  const world = (sources: readonly ('logs' | 'presence')[]) =>
    new World({ behaviours: [behaviour({ name: 'refused', metric: 'aws:num-authorization-failures' })], sources: new Set(sources) });

  it('are said by the round, each time, with the reason', async () => {
    const deaf = world(['presence', 'logs']);
    deaf.logging.current = { ...on, disableAllLogs: true };
    await deaf.round();
    expect(deaf.signals.metrics.get(METRICS.refusalsNotLogged)).toBe(1);
    await deaf.round();
    expect(deaf.signals.metrics.get(METRICS.refusalsNotLogged)).toBe(2);
  });

  it('are nobody’s concern where the log is no source, or where they are logged', async () => {
    const without = world(['presence']);
    without.logging.current = undefined;
    await without.round();
    const well = world(['presence', 'logs']);
    await well.round();
    expect([without, well].map(({ signals }) => signals.metrics.has(METRICS.refusalsNotLogged))).toEqual([false, false]);
  });
});

describe('the template', () => {
  const managed = synthesise({ behaviour: { detect: 'built-in', sources: { logs: true }, manage: { logging: true } } }).appTemplate;
  const [settingId, setting] = Object.entries(ofType(managed, 'Custom::IotLoggingOptions'))[0]!;
  const [roleId, role] = Object.entries(ofType(managed, 'AWS::IAM::Role')).find(([id]) => id.includes('IotLoggingRole'))!;

  it('has the log group made, and logging on, before the log group is subscribed to', () => {
    expect(setting.Properties).toMatchObject({ Setting: 'logging-options', LogGroupName: 'AWSIotLogsV2', RetentionDays: '30' });
    const [filter] = Object.values(ofType(managed, 'AWS::Logs::SubscriptionFilter'));
    expect((filter as Resource & { DependsOn: readonly string[] }).DependsOn).toContain(settingId);
  });

  it('retains the role under which AWS IoT writes, which may write its log and nothing else', () => {
    expect(role.DeletionPolicy).toBe('Retain');
    const [policy] = role.Properties['Policies'] as { PolicyDocument: { Statement: { Action: readonly string[]; Resource: unknown }[] } }[];
    expect(policy!.PolicyDocument.Statement.flatMap(({ Action }) => Action).every((action) => action.startsWith('logs:'))).toBe(true);
    expect(text(policy!.PolicyDocument.Statement[0]?.Resource)).toMatch(/:log-group:AWSIotLogsV2:\*$/);
    expect(JSON.stringify(setting.Properties['RoleArn'])).toContain(roleId);
  });

  it('lets the function that merges pass that role and no other', () => {
    const merge = Object.entries(ofType(managed, 'AWS::IAM::Policy')).find(([id]) => id.startsWith('SettingsMerge'))![1];
    const passes = statementsOf(merge).filter(({ Action }) => [Action].flat().includes('iam:PassRole'));
    expect(passes.map(({ Resource: resource }) => JSON.stringify(resource))).toEqual([expect.stringContaining(roleId)]);
  });

  it.each<[string, object]>([
    ['nobody asks for it', { detect: 'built-in', sources: { logs: true } }],
    ['the log is no source', { detect: 'built-in', manage: { logging: true } }],
    ['the monitor is off', { detect: 'device-defender', sources: { logs: true }, manage: { logging: true } }],
  ])('leaves the account’s logging alone where %s', (_, document) => {
    const { appTemplate } = synthesise({ behaviour: document });
    expect(ofType(appTemplate, 'Custom::IotLoggingOptions')).toEqual({});
    expect(JSON.stringify(appTemplate.toJSON())).not.toContain('SetV2LoggingOptions');
  });
});
