/** The fleet simulator with the reference agent: many devices in one process, all of them rotating. */
import { CreateJobCommand, CreateThingGroupCommand, AddThingToThingGroupCommand, DescribeJobCommand } from '@aws-sdk/client-iot';
import { startFleet } from '../../local/fleet/fleet.js';
import { ARN, startGatewayDesk, type GatewayDesk } from '../local/gateway-desk.js';
import { ScriptedCloud } from './scripted-cloud.js';

const SIZE = 30;
let desk: GatewayDesk;
let cloud: ScriptedCloud;

beforeAll(async () => {
  desk = await startGatewayDesk();
  cloud = new ScriptedCloud(desk);
});
afterAll(() => desk.stop());

test(`a campaign of ${SIZE} devices by one job of a thing group: all are connected with new certificates, and the job is complete`, async () => {
  const devices = await Promise.all(Array.from({ length: SIZE }, (_, index) => desk.enrol(`pump-${index}`)));
  const fleet = await startFleet({
    ...desk.gateway,
    devices: devices.map(({ thingName, certificatePem, privateKeyPem }) => ({ thingName, certificatePem, privateKeyPem })),
    agent: { connectIntervalMs: 100 },
    backoff: { firstMs: 100, longestMs: 400 },
  });
  try {
    await fleet.waitFor((states) => [...states.values()].every(({ state }) => state === 'connected'));
    const seen: string[] = [];
    const off = fleet.onRotation(({ thingName, step }) => thingName === 'pump-0' && seen.push(step));
    await desk.iot.send(new CreateThingGroupCommand({ thingGroupName: 'campaign' }));
    for (const { thingName } of devices) await desk.iot.send(new AddThingToThingGroupCommand({ thingGroupName: 'campaign', thingName }));
    const document = {
      operation: 'rotate-certificate',
      version: 1,
      campaignId: 'test',
      reason: 'expires-soon',
      deadline: '2027-01-01T00:00:00Z',
    };
    await desk.iot.send(
      new CreateJobCommand({ jobId: 'campaign-1', targets: [ARN('thinggroup/campaign')], document: JSON.stringify(document) }),
    );
    const until = Date.now() + 40_000;
    while ([...fleet.rotations().values()].filter(({ step }) => step === 'finished').length < SIZE && Date.now() < until)
      await new Promise((resolve) => setTimeout(resolve, 100));
    expect([...fleet.rotations().values()].map(({ step }) => step)).toEqual(Array.from({ length: SIZE }, () => 'finished'));
    expect(seen).toHaveLength(10);
    off();
    await fleet.waitFor((states) => [...states.values()].every(({ state }) => state === 'connected'));
    const { job } = await desk.iot.send(new DescribeJobCommand({ jobId: 'campaign-1' }));
    expect(job?.jobProcessDetails?.numberOfSucceededThings).toBe(SIZE);
    const old = new Set(devices.map(({ certificateId }) => certificateId));
    expect(desk.gateway.connections().filter(({ certificateId }) => old.has(certificateId))).toEqual([]);
    expect(desk.gateway.connections()).toHaveLength(SIZE);
    expect(cloud.errors).toEqual([]);
    expect(fleet.published()).toBeGreaterThan(0);
  } finally {
    await fleet.stop();
  }
}, 90_000);
