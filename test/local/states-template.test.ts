import { CreateLogGroupCommand, CloudWatchLogsClient } from '@aws-sdk/client-cloudwatch-logs';
import { DescribeStateMachineCommand, ListTagsForResourceCommand } from '@aws-sdk/client-sfn';
import type { Created } from '../../local/deploy/provider.js';
import { physicalName } from '../../local/deploy/physical-name.js';
import { PROVIDERS } from '../../local/deploy/providers/index.js';
import { type StatesDesk, statesDesk } from './states-desk.js';

let desk: StatesDesk;
beforeAll(async () => {
  desk = await statesDesk();
});
afterAll(() => desk.stop());

const apply = async (properties: Record<string, unknown>, logicalId = 'Machine'): Promise<Created> =>
  PROVIDERS['AWS::StepFunctions::StateMachine']!(properties, {
    cloud: desk.cloud,
    stackName: 'stack',
    logicalId,
    physicalName: (maxLength, options) => physicalName('stack', logicalId, maxLength, options),
    assetDirectory: () => '',
  });
const described = (stateMachineArn: string) => desk.sfn.send(new DescribeStateMachineCommand({ stateMachineArn }));

test('AWS::StepFunctions::StateMachine: text with substitutions, role, log, tracing, tags', async () => {
  const logs = new CloudWatchLogsClient(desk.client);
  await logs.send(new CreateLogGroupCommand({ logGroupName: 'machine' }));
  logs.destroy();
  const RoleArn = desk.role('machine');
  const { ref, attributes } = await apply({
    StateMachineName: 'named',
    RoleArn,
    DefinitionString: '{"StartAt":"A","States":{"A":{"Type":"Pass","Result":["${who} at ${Other.Place}",${many}],"End":true}}}',
    DefinitionSubstitutions: { who: 'pump', many: 3 },
    LoggingConfiguration: {
      Level: 'ERROR',
      IncludeExecutionData: 'true',
      Destinations: [{ CloudWatchLogsLogGroup: { LogGroupArn: 'arn:aws:logs:eu-west-1:000000000000:log-group:machine:*' } }],
    },
    TracingConfiguration: { Enabled: true },
    Tags: [{ Key: 'a', Value: 'b' }],
  });
  expect(ref).toBe('arn:aws:states:eu-west-1:000000000000:stateMachine:named');
  expect(attributes).toEqual({ Arn: ref, Name: 'named' });
  expect(await described(ref)).toMatchObject({
    roleArn: RoleArn,
    loggingConfiguration: { level: 'ERROR', includeExecutionData: true },
    tracingConfiguration: { enabled: true },
  });
  expect((await desk.sfn.send(new ListTagsForResourceCommand({ resourceArn: ref }))).tags).toEqual([{ key: 'a', value: 'b' }]);
  expect((await desk.ended(await desk.begin(ref))).value).toEqual(['pump at ${Other.Place}', 3]);
});

test('a definition as an object, and a name made of stack and logical id', async () => {
  const Definition = { StartAt: 'A', States: { A: { Type: 'Succeed' } } };
  const { ref } = await apply({ RoleArn: desk.role('unnamed'), Definition }, 'Unnamed');
  expect(ref).toMatch(/:stateMachine:stack-Unnamed-[0-9A-F]{12}$/);
  expect(JSON.parse((await described(ref)).definition!)).toEqual(Definition);
});

test.each([
  ['a property that the desk does not serve', { DefinitionS3Location: {} }, 'DefinitionS3Location'],
  ['no definition', {}, 'expected one of DefinitionString and Definition'],
  ['a definition that is wrong', { DefinitionString: '{}' }, 'These fields are required: [States, StartAt]'],
])('%s stops the deployment', async (_, properties, message) => {
  await expect(apply({ RoleArn: 'arn:aws:iam::000000000000:role/x', ...properties })).rejects.toThrow(message);
});
