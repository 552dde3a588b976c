import {
  AddThingToThingGroupCommand,
  AttachSecurityProfileCommand,
  type Behavior,
  type BehaviorCriteria,
  CreateCustomMetricCommand,
  CreateDimensionCommand,
  CreateSecurityProfileCommand,
  CreateThingGroupCommand,
  DeleteSecurityProfileCommand,
  ListActiveViolationsCommand,
  ListViolationEventsCommand,
  UpdateSecurityProfileCommand,
} from '@aws-sdk/client-iot';
import type { MqttClient } from 'mqtt';
import type { ClientTraffic } from '../../local/cloud.js';
import { ARN, closed, type GatewayDesk, nextMessage, startGatewayDesk } from './gateway-desk.js';

const MINUTE = 60_000;
const WINDOW = 5 * MINUTE;
const DAY = 86_400_000;

let desk: GatewayDesk;
beforeEach(async () => {
  desk = await startGatewayDesk({ startAt: new Date('2026-11-22T10:00:30Z') });
});
afterEach(() => desk.stop());

const atMost = (name: string, metric: string, count: number, more: BehaviorCriteria = { durationSeconds: 300 }): Behavior => ({
  name,
  metric,
  criteria: { comparisonOperator: 'less-than-equals', value: { count }, ...more },
});
async function watch(behaviors: Behavior[], target = 'all/things'): Promise<void> {
  await desk.iot.send(new CreateSecurityProfileCommand({ securityProfileName: 'p', behaviors }));
  await desk.iot.send(new AttachSecurityProfileCommand({ securityProfileName: 'p', securityProfileTargetArn: ARN(target) }));
}
/** Lists `behaviour thing value`. */
async function inAlarm(): Promise<string[]> {
  const { activeViolations } = await desk.iot.send(new ListActiveViolationsCommand({}));
  return activeViolations!
    .map(({ behavior, thingName, lastViolationValue }) => `${behavior!.name} ${thingName} ${JSON.stringify(lastViolationValue)}`)
    .toSorted();
}
async function story(): Promise<string[]> {
  const range = { startTime: new Date('2026-11-01T00:00:00Z'), endTime: desk.cloud.world.clock.date() };
  const { violationEvents } = await desk.iot.send(new ListViolationEventsCommand(range));
  return violationEvents!.map(({ violationEventType, thingName }) => `${thingName} ${violationEventType}`).toReversed();
}
const pass = (ms: number) => desk.cloud.world.clock.advance(ms);
/** What the gateway tells Detect, without a device: for fleets and for times that no real client has. */
const traffic = (clientId: string, what: string, more: Partial<ClientTraffic> = {}, times = 1): void => {
  for (let i = 0; i < times; i++) desk.cloud.parts.traffic!({ what, clientId, sourceIp: '127.0.0.1', ...more });
};
const sent = (clientId: string, times: number, topic = 'fleet/x/telemetry') =>
  traffic(clientId, 'PublishIn.Success', { topic, bytes: 10 }, times);

describe('what the gateway sees of a device', () => {
  test('is in alarm at the end of the window, for each cloud-side metric, and only of who did it', async () => {
    await watch([
      atMost('size', 'aws:message-byte-size', 100, {}),
      atMost('sent', 'aws:num-messages-sent', 4),
      atMost('received', 'aws:num-messages-received', 4),
      atMost('failures', 'aws:num-authorization-failures', 1),
      atMost('attempts', 'aws:num-connection-attempts', 1),
      atMost('disconnects', 'aws:num-disconnects', 1),
      {
        name: 'address',
        metric: 'aws:source-ip-address',
        criteria: { comparisonOperator: 'in-cidr-set', value: { cidrs: ['127.0.0.1/32'] } },
      },
    ]);
    const [bad, good] = [await desk.enrol('bad'), await desk.enrol('good')];
    const talk = async (client: MqttClient, thing: string, times: number): Promise<void> => {
      await client.subscribeAsync(`fleet/${thing}/echo`, { qos: 1 });
      for (let i = 0; i < times; i++) await client.publishAsync(`fleet/${thing}/echo`, '{}', { qos: 1 });
    };
    for (const topic of ['admin/a', 'admin/b']) {
      const client = await desk.connect(bad, 'bad');
      client.publish(topic, 'x', { qos: 1 });
      await closed(client);
    }
    const client = await desk.connect(bad, 'bad', { localAddress: '127.0.0.2' } as object);
    await talk(client, 'bad', 5);
    await client.publishAsync('fleet/bad/echo', 'x'.repeat(101), { qos: 1 });
    await talk(await desk.connect(good, 'good'), 'good', 4);
    expect(await inAlarm()).toEqual([]);
    await pass(WINDOW);
    expect(await inAlarm()).toEqual([
      'address bad {"cidrs":["127.0.0.1","127.0.0.2"]}',
      'attempts bad {"count":3}',
      'disconnects bad {"count":2}',
      'failures bad {"count":2}',
      'received bad {"count":6}',
      'sent bad {"count":6}',
      'size bad {"count":101}',
    ]);
  });

  test('takes so many windows in a row to alarm and to clear; of a window in which nothing came nothing is said', async () => {
    await watch([
      atMost('sent', 'aws:num-messages-sent', 2, {
        durationSeconds: 300,
        consecutiveDatapointsToAlarm: 2,
        consecutiveDatapointsToClear: 2,
      }),
    ]);
    const seen: string[] = [];
    for (const count of [3, 1, 3, 0, 3, 1, 0, 1]) {
      sent('pump', count);
      await pass(WINDOW);
      seen.push(`${count}: ${(await story()).length}`);
    }
    expect(seen).toEqual(['3: 0', '1: 0', '3: 0', '0: 0', '3: 1', '1: 1', '0: 1', '1: 2']);
    expect(await story()).toEqual(['pump in-alarm', 'pump alarm-cleared']);
  });

  test('is counted over the duration of the behaviour', async () => {
    await watch([atMost('quarter', 'aws:num-messages-sent', 5, { durationSeconds: 900 }), atMost('five', 'aws:num-messages-sent', 5)]);
    for (let window = 0; window < 3; window++) {
      sent('pump', 3);
      await pass(WINDOW);
    }
    expect(await inAlarm()).toEqual(['quarter pump {"count":9}']);
  });

  test('counts as zero what a device did not do while it did something else', async () => {
    await watch([
      {
        name: 'alive',
        metric: 'aws:num-messages-sent',
        criteria: { comparisonOperator: 'greater-than', value: { count: 0 }, durationSeconds: 300 },
      },
    ]);
    traffic('mute', 'Connect.Success');
    sent('talks', 1);
    await pass(WINDOW);
    expect(await inAlarm()).toEqual(['alive mute {"count":0}']);
  });

  test('can be narrowed to topics, or to all others', async () => {
    const stringValues = ['fleet/${iot:ClientId}/#'];
    await desk.iot.send(new CreateDimensionCommand({ name: 'own', type: 'TOPIC_FILTER', stringValues, clientRequestToken: 'a' }));
    const narrowed = (name: string, operator: 'IN' | 'NOT_IN'): Behavior => ({
      ...atMost(name, 'aws:num-messages-sent', 0),
      metricDimension: { dimensionName: 'own', operator },
    });
    await watch([narrowed('own', 'IN'), narrowed('others', 'NOT_IN')]);
    sent('pump-1', 2, 'fleet/pump-1/telemetry');
    sent('pump-2', 3, 'fleet/pump-1/telemetry');
    await pass(WINDOW);
    expect(await inAlarm()).toEqual(['others pump-2 {"count":3}', 'own pump-1 {"count":2}']);
  });

  test('is compared with what the fleet did in the window before, where a statistic is asked for', async () => {
    const behaviour = atMost('loud', 'aws:num-messages-sent', 0);
    await watch([
      {
        ...behaviour,
        criteria: { comparisonOperator: 'less-than-equals', statisticalThreshold: { statistic: 'p90' }, durationSeconds: 300 },
      },
    ]);
    const fleet = (last: number): void => [1, 2, 3, 4, 5, 6, 7, 8, 9, last].forEach((count, i) => sent(`pump-${i}`, count));
    fleet(50);
    await pass(WINDOW);
    expect(await inAlarm()).toEqual([]);
    fleet(10);
    await pass(WINDOW);
    expect(await inAlarm()).toEqual(['loud pump-9 {"count":10}']);
  });

  test.each([
    ['all/registered-things', ['sent known {"count":2}']],
    ['all/unregistered-things', ['sent unknown {"count":2}']],
    ['thinggroup/pumps', ['sent known {"count":2}']],
    ['thinggroup/valves', []],
  ])('is looked at for the devices of the target %s alone', async (target, expected) => {
    await desk.enrol('known');
    for (const thingGroupName of ['pumps', 'valves']) await desk.iot.send(new CreateThingGroupCommand({ thingGroupName }));
    await desk.iot.send(new CreateThingGroupCommand({ thingGroupName: 'small', parentGroupName: 'pumps' }));
    await desk.iot.send(new AddThingToThingGroupCommand({ thingGroupName: 'small', thingName: 'known' }));
    await watch([atMost('sent', 'aws:num-messages-sent', 1)], target);
    for (const device of ['known', 'unknown']) sent(device, 2);
    await pass(WINDOW);
    expect(await inAlarm()).toEqual(expected);
  });

  test('is not looked at before a profile has a target, for what is learned, or for a profile that is gone', async () => {
    const behaviors = [atMost('sent', 'aws:num-messages-sent', 1)];
    await desk.iot.send(new CreateSecurityProfileCommand({ securityProfileName: 'unattached', behaviors }));
    sent('pump', 9);
    await watch([{ ...behaviors[0]!, criteria: { mlDetectionConfig: { confidenceLevel: 'LOW' } } }]);
    sent('pump', 9);
    await pass(WINDOW);
    await desk.iot.send(new UpdateSecurityProfileCommand({ securityProfileName: 'p', behaviors }));
    sent('pump', 9);
    await desk.iot.send(new DeleteSecurityProfileCommand({ securityProfileName: 'p' }));
    await pass(WINDOW);
    expect(await story()).toEqual([]);
  });
});

describe('a device that is away', () => {
  test('is in alarm when it has been away for too long, and clears when it is back', async () => {
    await watch([atMost('away', 'aws:disconnect-duration', 30, {})]);
    const pump = await desk.enrol('pump');
    const client = await desk.connect(pump, 'pump');
    await client.endAsync();
    await desk.connect(await desk.enrol('here'), 'here');
    await pass(30 * MINUTE);
    expect(await inAlarm()).toEqual([]);
    await pass(10 * MINUTE);
    expect(await inAlarm()).toEqual([expect.stringMatching(/^away pump \{"count":3[1-9]\}$/)]);
    await pass(3 * DAY);
    expect(await story()).toEqual(['pump in-alarm']);
    await desk.connect(pump, 'pump');
    await pass(WINDOW);
    expect(await story()).toEqual(['pump in-alarm', 'pump alarm-cleared']);
  });

  test('is looked at by a behaviour that comes while it is away, as soon as anybody connects', async () => {
    await watch([atMost('away', 'aws:disconnect-duration', 10_000, {})]);
    traffic('pump', 'Disconnect');
    await pass(2 * DAY);
    const behaviors = [atMost('away', 'aws:disconnect-duration', 30, {})];
    await desk.iot.send(new UpdateSecurityProfileCommand({ securityProfileName: 'p', behaviors }));
    traffic('other', 'Connect.Success');
    await pass(2 * WINDOW);
    expect(await story()).toEqual(['pump in-alarm']);
  });

  test('among thousands that go and come back costs no more than itself', async () => {
    await watch([atMost('away', 'aws:disconnect-duration', 30, {})]);
    const fleet = Array.from({ length: 6000 }, (_, n) => `pump-${n}`);
    const begunAtMs = performance.now();
    for (const pump of fleet) traffic(pump, 'Disconnect');
    for (const pump of fleet.slice(1)) traffic(pump, 'Connect.Success');
    // Going through all of them each time took twenty seconds.
    expect(performance.now() - begunAtMs).toBeLessThan(3000);
    await pass(40 * MINUTE);
    expect(await story()).toEqual(['pump-0 in-alarm']);
  });
});

describe('what a device reports', () => {
  let reports = 0;
  async function report(client: MqttClient, thing: string, said: object): Promise<void> {
    const topic = `$aws/things/${thing}/defender/metrics/json`;
    const answer = nextMessage(client, (on) => on.startsWith(topic));
    await client.publishAsync(topic, JSON.stringify({ hed: { rid: ++reports, v: '1.0' }, ...said }), { qos: 1 });
    expect((await answer).topic).toBe(`${topic}/accepted`);
  }
  async function device(thing: string): Promise<(said: object) => Promise<void>> {
    const client = await desk.connect(await desk.enrol(thing), thing);
    await client.subscribeAsync(`$aws/things/${thing}/defender/metrics/json/+`, { qos: 1 });
    return (said) => report(client, thing, said);
  }
  const set = (name: string, metric: string, comparisonOperator: BehaviorCriteria['comparisonOperator'], value: object): Behavior => ({
    name,
    metric,
    criteria: { comparisonOperator, value } as BehaviorCriteria,
  });

  test('is judged as it comes, operator by operator, in the kind of the metric; what it does not say is no datapoint', async () => {
    for (const [metricName, metricType] of [
      ['battery', 'number'],
      ['codes', 'number-list'],
      ['procs', 'string-list'],
      ['peers', 'ip-address-list'],
    ] as const)
      await desk.iot.send(new CreateCustomMetricCommand({ metricName, metricType, clientRequestToken: metricName }));
    await watch([
      set('telnet', 'aws:listening-tcp-ports', 'not-in-port-set', { ports: [23] }),
      set('udp', 'aws:listening-udp-ports', 'in-port-set', { ports: [53] }),
      set('tcp-count', 'aws:num-listening-tcp-ports', 'less-than', { count: 2 }),
      set('talks-to', 'aws:destination-ip-addresses', 'not-in-cidr-set', { cidrs: ['203.0.113.0/24', '2001:db8::/32'] }),
      set('connections', 'aws:num-established-tcp-connections', 'less-than-equals', { count: 1 }),
      set('battery', 'battery', 'greater-than-equals', { number: 5 }),
      set('codes', 'codes', 'in-set', { numbers: [1, 2] }),
      set('procs', 'procs', 'not-in-set', { strings: ['miner'] }),
      set('peers', 'peers', 'in-cidr-set', { cidrs: ['10.0.0.0/8'] }),
    ]);
    const [bad, good] = [await device('bad'), await device('good')];
    await good({
      met: { tp: { pts: [{ pt: 443 }] }, up: { pts: [] }, tc: { ec: { cs: [{ rad: '10.0.0.1:8883' }] } } },
      cmet: {
        battery: [{ number: 5 }],
        codes: [{ number_list: [1] }],
        procs: [{ string_list: ['agent'] }],
        peers: [{ ip_list: ['10.1.2.3'] }],
      },
    });
    expect(await inAlarm()).toEqual([]);
    await bad({
      met: {
        tp: { pts: [{ pt: 22 }, { pt: 23 }] },
        up: { pts: [{ pt: 19 }] },
        tc: { ec: { cs: [{ rad: '203.0.113.9:443' }, { rad: '[2001:db8::1]:443' }] } },
      },
      cmet: {
        battery: [{ number: 4.5 }],
        codes: [{ number_list: [1, 3] }],
        procs: [{ string_list: ['miner'] }],
        peers: [{ ip_list: ['11.0.0.1'] }],
      },
    });
    expect(await inAlarm()).toEqual([
      'battery bad {"number":4.5}',
      'codes bad {"numbers":[1,3]}',
      'connections bad {"count":2}',
      'peers bad {"cidrs":["11.0.0.1"]}',
      'procs bad {"strings":["miner"]}',
      'talks-to bad {"cidrs":["203.0.113.9","2001:db8::1"]}',
      'tcp-count bad {"count":2}',
      'telnet bad {"ports":[22,23]}',
      'udp bad {"ports":[19]}',
    ]);
    await bad({ met: { tp: { pts: [] } } });
    expect((await inAlarm()).map((line) => line.split(' ')[0])).toEqual([
      'battery',
      'codes',
      'connections',
      'peers',
      'procs',
      'talks-to',
      'udp',
    ]);
  });

  test('is looked at for the devices of the target alone', async () => {
    await watch([set('telnet', 'aws:listening-tcp-ports', 'not-in-port-set', { ports: [23] })], 'all/unregistered-things');
    await (
      await device('known')
    )({ met: { tp: { pts: [{ pt: 23 }] } } });
    expect(await inAlarm()).toEqual([]);
  });

  test('is added up over the duration where the metric is traffic', async () => {
    await watch([atMost('out', 'aws:all-bytes-out', 100, { durationSeconds: 600 })]);
    const says = await device('pump');
    for (let window = 0; window < 2; window++) {
      await says({ met: { ns: { bo: 60 } } });
      await pass(WINDOW);
    }
    expect(await inAlarm()).toEqual(['out pump {"count":120}']);
  });
});

describe('a violation', () => {
  test('of a device of which nothing has come for two days is invalidated; of one that is heard in between it is not', async () => {
    await watch([atMost('sent', 'aws:num-messages-sent', 1, { durationSeconds: 300, consecutiveDatapointsToClear: 10 })]);
    for (const device of ['silent', 'heard']) sent(device, 2);
    await pass(WINDOW);
    await pass(DAY);
    sent('heard', 1);
    await pass(DAY + WINDOW);
    expect(await story()).toEqual(['silent in-alarm', 'heard in-alarm', 'silent alarm-invalidated']);
  });

  test('that somebody raised at the desk is neither cleared by what is measured nor invalidated by silence', async () => {
    await watch([atMost('sent', 'aws:num-messages-sent', 1)]);
    await desk.cloud.parts.detect!.raise({ securityProfileName: 'p', behaviorName: 'sent', thingName: 'pump' });
    sent('pump', 1);
    await pass(WINDOW);
    await pass(3 * DAY);
    expect(await story()).toEqual(['pump in-alarm']);
  });

  test('begins to be counted anew when its profile is changed', async () => {
    const twice = atMost('sent', 'aws:num-messages-sent', 1, { durationSeconds: 300, consecutiveDatapointsToAlarm: 2 });
    await watch([twice]);
    sent('pump', 2);
    await pass(WINDOW);
    await desk.iot.send(new UpdateSecurityProfileCommand({ securityProfileName: 'p', behaviors: [{ ...twice, suppressAlerts: true }] }));
    sent('pump', 2);
    await pass(WINDOW);
    expect(await story()).toEqual([]);
    sent('pump', 2);
    await pass(WINDOW);
    expect(await story()).toEqual(['pump in-alarm']);
  });
});
