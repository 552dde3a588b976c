import { CloudWatchClient, GetMetricStatisticsCommand } from '@aws-sdk/client-cloudwatch';
import { IoTDataPlaneClient, PublishCommand } from '@aws-sdk/client-iot-data-plane';
import { startDesk, type Desk } from '../../local/desk.js';

let desk: Desk;
beforeAll(async () => {
  desk = await startDesk();
});
afterAll(() => desk.stop());

test('what AWS IoT counts is in CloudWatch a minute later, in a namespace that callers may not write to', async () => {
  const options = { endpoint: desk.endpoint, region: 'eu-west-1', credentials: desk.adminCredentials };
  await new IoTDataPlaneClient(options).send(
    new PublishCommand({ topic: '$aws/rules/no_such_rule/x', qos: 1, payload: Buffer.from('{}') }),
  );
  await desk.world.clock.advance(120_000);
  const { Datapoints } = await new CloudWatchClient(options).send(
    new GetMetricStatisticsCommand({
      Namespace: 'AWS/IoT',
      MetricName: 'RuleNotFound',
      Dimensions: [{ Name: 'RuleName', Value: 'no_such_rule' }],
      StartTime: new Date(desk.world.clock.nowMs() - 600_000),
      EndTime: desk.world.clock.date(),
      Period: 600,
      Statistics: ['Sum'],
    }),
  );
  expect(Datapoints).toMatchObject([{ Sum: 1 }]);
});
