/**
 * The whole of it on the desk: the synthesised templates with quarantine on, the state machine as it is, the bundled functions under their roles, and devices
 * that run the reference agent over mutual TLS. IAM and IoT policies are enforced throughout.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startDesk, type Desk } from '../../local/desk.js';
import { enrol, type EnrolledDevice } from '../../local/fleet/enrol.js';
import { startFleet, type Fleet } from '../../local/fleet/fleet.js';
import { clientsFor } from '../../local/scenes/stage.js';
import { synthesise } from '../../local/synth.js';
import { fleetwarden as commandLine } from '../operations/installation.js';

const MINUTE = 60_000;
const THINGS = Array.from({ length: 10 }, (_, index) => `pump-${index + 1}`);
const directory = mkdtempSync(path.join(tmpdir(), 'quarantine-on-desk-'));
let desk: Desk;
let fleet: Fleet;
let devices: EnrolledDevice[];
let ledgerTable: string;
const denied: string[] = [];

const fleetwarden = (...given: string[]) => commandLine({ ...desk.env }, ...given);
const call = <T = Record<string, never>>(service: string, operation: string, input: Record<string, unknown> = {}): Promise<T> =>
  desk.cloud.call<T>(service, operation, input);
const queueUrl = (name: string) => `${desk.endpoint}/${desk.world.accountId}/fleetwarden-${name}`;
const send = (queue: string, message: object) =>
  call('sqs', 'SendMessage', { QueueUrl: queueUrl(queue), MessageBody: JSON.stringify(message) });
const deviceOf = (thing: string): EnrolledDevice => devices.find(({ thingName }) => thingName === thing)!;
const statusOf = async (certificateId: string): Promise<string> =>
  (await call<{ certificateDescription: { status: string } }>('iot', 'DescribeCertificate', { certificateId })).certificateDescription
    .status;
const policiesOf = async (certificateId: string): Promise<string[]> => {
  const { certificateDescription } = await call<{ certificateDescription: { certificateArn: string } }>('iot', 'DescribeCertificate', {
    certificateId,
  });
  const { policies } = await call<{ policies: { policyName: string }[] }>('iot', 'ListAttachedPolicies', {
    target: certificateDescription.certificateArn,
  });
  return policies.map(({ policyName }) => policyName).sort();
};
const groupsOf = async (thingName: string): Promise<string[]> => {
  const { thingGroups } = await call<{ thingGroups: { groupName: string }[] }>('iot', 'ListThingGroupsForThing', { thingName });
  return thingGroups.map(({ groupName }) => groupName).sort();
};
interface Shown {
  readonly thingName: string;
  readonly state: string;
  readonly shutOff?: { readonly outcome?: string };
}
const contained = async (): Promise<Shown[]> => (await fleetwarden('contained', '--json')).json<{ contained: Shown[] }>().contained;
const stateOf = async (thing: string): Promise<string | undefined> =>
  (await contained()).find(({ thingName }) => thingName === thing)?.state;
interface Told {
  readonly act: string;
  readonly step: string;
  readonly reason: string;
  readonly detail?: Readonly<Record<string, unknown>>;
}
const storyOf = async (thing: string): Promise<Told[]> => {
  const { found } = (await fleetwarden('why', thing, '--json')).json<{ found: { timeline: (Told & { subject: string })[] }[] }>();
  return found.flatMap(({ timeline }) => timeline).filter(({ subject }) => subject === `THING#${thing}`);
};
const outcomes = async (thing: string): Promise<string[]> =>
  (await storyOf(thing)).filter(({ step }) => step === 'outcome').map(({ act, reason }) => `${act}: ${reason}`);

/** What went wrong in the workflows, for whoever reads why a wait was in vain. */
async function failures(): Promise<string> {
  const stateMachineArn = `arn:aws:states:${desk.env.AWS_REGION}:${desk.world.accountId}:stateMachine:fleetwarden-quarantine`;
  const { executions } = await call<{ executions: { executionArn: string }[] }>('states', 'ListExecutions', { stateMachineArn });
  const lines: string[] = [];
  for (const { executionArn } of executions) {
    const { events } = await call<{ events: { type: string }[] }>('states', 'GetExecutionHistory', { executionArn, maxResults: 1000 });
    for (const event of events)
      if (/Failed|TimedOut/.test(event.type)) lines.push(`${executionArn}: ${JSON.stringify(event).slice(0, 600)}`);
    lines.push(`${executionArn}: ${JSON.stringify(events.at(-1)).slice(0, 300)}`);
  }
  return lines.join('\n');
}

async function until(what: string, holds: () => Promise<boolean> | boolean, { advanceMs = 0, patienceMs = 60_000 } = {}): Promise<void> {
  const end = performance.now() + patienceMs;
  while (!(await holds())) {
    if (performance.now() > end) throw new Error(`not within ${patienceMs} ms: ${what}\n${await failures()}`);
    if (advanceMs > 0) await desk.world.clock.advance(advanceMs);
    await sleep(150);
  }
}

/** A violation as the built-in monitor leaves it in the ledger, and its notification. */
async function violate(thingName: string, violationId: string, { inLedger = true, open = true } = {}): Promise<void> {
  const atMs = desk.world.clock.nowMs();
  const S = (text: string) => ({ S: text });
  if (inLedger) {
    const behavior = { M: { name: S('source-address') } };
    const times = { startedAtMs: { N: String(atMs) }, updatedAtMs: { N: String(atMs) } };
    const said = { violationId: S(violationId), thingName: S(thingName), behavior, securityProfileName: S('fleetwarden-built-in') };
    const Item = {
      pk: S(`VIOLATION#${violationId}`),
      sk: S('VIOLATION'),
      ...said,
      ...times,
      isOpen: { BOOL: open },
      lastEventType: S('in-alarm'),
    };
    await call('dynamodb', 'PutItem', { TableName: ledgerTable, Item });
    if (open) await call('dynamodb', 'PutItem', { TableName: ledgerTable, Item: { pk: S(`VIOLATIONS#${thingName}`), sk: S(violationId) } });
  }
  const notification = {
    violationEventTime: atMs,
    thingName,
    behavior: {
      name: 'source-address',
      metric: 'aws:source-ip-address',
      criteria: { comparisonOperator: 'not-in-cidr-set', value: { cidrs: ['203.0.113.0/24'] } },
    },
    violationEventType: 'in-alarm',
    metricValue: { cidrs: ['203.0.113.7/32'] },
    violationId,
    securityProfileName: 'fleetwarden-built-in',
  };
  await publish(notification);
}
async function publish(message: object): Promise<void> {
  const TopicArn = `arn:aws:sns:${desk.env.AWS_REGION}:${desk.world.accountId}:fleetwarden-violations`;
  await call('sns', 'Publish', { TopicArn, Message: JSON.stringify(message) });
}
const clear = async (thingName: string, violationId: string): Promise<void> => {
  const key = { pk: { S: `VIOLATION#${violationId}` }, sk: { S: 'VIOLATION' } };
  await call('dynamodb', 'UpdateItem', {
    TableName: ledgerTable,
    Key: key,
    UpdateExpression: 'SET isOpen = :no, lastEventType = :cleared',
    ExpressionAttributeValues: { ':no': { BOOL: false }, ':cleared': { S: 'alarm-cleared' } },
  });
  await call('dynamodb', 'DeleteItem', { TableName: ledgerTable, Key: { pk: { S: `VIOLATIONS#${thingName}` }, sk: { S: violationId } } });
};

beforeAll(async () => {
  const assembly = await synthesise(
    {
      trustAnchors: [{ id: 'fleet', type: 'acm-pca', create: { commonName: 'Fleet Root CA' } }],
      revocation: { mode: 'enforce', ratePerSecond: 100, quotaPerSecond: 100 },
      inventory: { ratePerSecond: 100 },
      rotation: { mode: 'enforce', windowDays: 30, validityDays: 90, graceDays: 1, ratePerSecond: 100 },
      behaviour: { detect: 'built-in' },
      quarantine: {
        mode: 'enforce',
        policySettleMinutes: 10,
        shutOffTimeoutMinutes: 5,
        ratePerSecond: 100,
        brake: { floor: 3, perHour: 3, fleetShare: 0.1, groupShare: 1 },
        neverContain: { attributes: ['role=gateway'] },
        customSources: [{ source: 'com.example.ids', response: 'deactivate' }],
      },
    },
    directory,
  );
  desk = await startDesk({ assembly, seed: 7 });
  desk.world.journal.on(({ kind, who, what, detail }) => void (kind === 'denied' && denied.push(`${who} ${what} ${detail}`)));
  const { iot, pca } = clientsFor(desk);
  const parameter = async (name: string): Promise<string> =>
    (await call<{ Parameter: { Value: string } }>('ssm', 'GetParameter', { Name: `/fleetwarden/${name}` })).Parameter.Value;
  ledgerTable = await parameter('application/ledgerTable');
  const { certificateAuthorityArn } = JSON.parse(await parameter('trust/fleet/settings')) as { certificateAuthorityArn: string };
  devices = await enrol({
    thingNames: THINGS,
    iot,
    issuer: { kind: 'acm-pca', client: pca, certificateAuthorityArn, validityDays: 60 },
    policyName: 'fleetwarden-device',
  });
  fleet = await startFleet({
    host: desk.env.DESK_MQTT_HOST,
    port: Number(desk.env.DESK_MQTT_PORT),
    serverCaPem: desk.serverCaPem,
    devices,
    agent: true,
    telemetryEveryMs: 500,
    backoff: { firstMs: 100, longestMs: 500 },
  });
  await fleet.waitFor((states) => [...states.values()].filter(({ state }) => state === 'connected').length === devices.length);
  await send('inventory-reconcile', { kind: 'start' });
  await until('the inventory knows every device', async () => {
    const { json } = await fleetwarden('status', '--json');
    return json<{ inventory: { active?: number } }>().inventory.active === devices.length;
  });
}, 240_000);

afterAll(async () => {
  await fleet?.stop();
  await desk?.stop();
  rmSync(directory, { recursive: true, force: true });
});

describe('quarantine on the desk', () => {
  test('an operator contains a thing: out at once, back for repair after the policies have settled, shut off, and released as it was', async () => {
    const { certificateId } = deviceOf('pump-1');
    const before = { policies: await policiesOf(certificateId), groups: await groupsOf('pump-1') };
    expect((await fleetwarden('contain', 'pump-1', '--reason', 'smells of smoke', '--json')).json()).toMatchObject({ asked: 'contain' });
    await until('pump-1 is out', async () => (await statusOf(certificateId)) === 'INACTIVE');
    await until('pump-1 cannot connect', () => fleet.states().get('pump-1')?.state !== 'connected');
    await until('it is locked', async () => (await stateOf('pump-1')) === 'locked');
    expect(await policiesOf(certificateId)).toEqual(['fleetwarden-repair']);
    expect(await groupsOf('pump-1')).toContain('fleetwarden-quarantine');
    await until('it is back for repair', async () => (await stateOf('pump-1')) === 'reopened', { advanceMs: MINUTE });
    await until('it has shut off', async () => (await outcomes('pump-1')).includes('shut-off: shut-off-done'), { advanceMs: 15_000 });
    expect(fleet.orders().get('pump-1')).toMatchObject({ operation: 'shut-off' });

    expect((await fleetwarden('release', 'pump-1', '--reason', 'a new fan', '--json')).json()).toMatchObject({ asked: 'release' });
    await until('it is released', async () => (await stateOf('pump-1')) === undefined, { advanceMs: 1000 });
    expect({ policies: await policiesOf(certificateId), groups: await groupsOf('pump-1') }).toEqual(before);
    expect(await statusOf(certificateId)).toBe('ACTIVE');
    await until('it goes on', () => fleet.orders().get('pump-1')?.operation === 'resume', { advanceMs: MINUTE });
    expect(await outcomes('pump-1')).toEqual([
      'contain: recorded',
      'cut: cut-off',
      'lock: rights-swapped',
      'reopen: in-repair',
      'shut-off: shut-off-done',
      'release: released',
    ]);
  }, 180_000);

  test('a violation contains, a forged one, a cleared one and a replayed one do nothing, and say why', async () => {
    // Who may publish to the topic of violations is no operator: this never reaches the queue.
    const order = { kind: 'operator', thingName: 'pump-2', response: 'deactivate', by: 'somebody', reason: 'x', requestId: 'a1b2c3d4e5f6' };
    await publish(order);
    await publish({ ...order, violationId: 'aaaa0000' });
    await violate('pump-2', 'aaaa1111', { inLedger: false });
    await until('the forged one is on record', async () => (await outcomes('pump-2')).includes('consider: forged'), { advanceMs: 1000 });
    await violate('pump-2', 'aaaa2222', { open: false });
    await until('the cleared one is on record', async () => (await outcomes('pump-2')).includes('consider: alarm-over'), {
      advanceMs: 1000,
    });
    expect(await stateOf('pump-2')).toBeUndefined();
    expect((await storyOf('pump-2')).filter(({ act }) => act === 'contain')).toEqual([]);

    await violate('pump-2', 'aaaa3333');
    await until('pump-2 is out', async () => (await statusOf(deviceOf('pump-2').certificateId)) === 'INACTIVE', { advanceMs: 1000 });
    const recorded = (await storyOf('pump-2')).find(({ act, step }) => act === 'contain' && step === 'intent');
    expect(recorded?.detail).toMatchObject({ trigger: 'aaaa3333', metric: 'aws:source-ip-address', normal: '203.0.113.0/24' });
    expect((await fleetwarden('release', 'pump-2', '--reason', 'too early')).code).toBe(0);
    await until('its violation speaks against it', async () => (await storyOf('pump-2')).some(({ reason }) => reason === 'violation-open'));
    await clear('pump-2', 'aaaa3333');
    await fleetwarden('release', 'pump-2', '--reason', 'it is over');
    await until('it is released', async () => (await stateOf('pump-2')) === undefined, { advanceMs: 1000 });
    await violate('pump-2', 'aaaa3333');
    await until('the replayed one is on record', async () => (await outcomes('pump-2')).includes('consider: contained-before'), {
      advanceMs: 1000,
    });
    expect(await statusOf(deviceOf('pump-2').certificateId)).toBe('ACTIVE');
    await clear('pump-2', 'aaaa3333');
  }, 180_000);

  test('a thing on the never-list pages a person, and nothing is done to it', async () => {
    await call('iot', 'UpdateThing', { thingName: 'pump-3', attributePayload: { attributes: { role: 'gateway' }, merge: true } });
    await violate('pump-3', 'bbbb1111');
    await until('a person is told', async () => (await outcomes('pump-3')).includes('consider: never-listed'), { advanceMs: 1000 });
    expect(await statusOf(deviceOf('pump-3').certificateId)).toBe('ACTIVE');
    expect(await stateOf('pump-3')).toBeUndefined();
  }, 60_000);

  test('a storm is held under one list, and nothing of it is contained until a person approves', async () => {
    await desk.world.clock.advance(61 * MINUTE);
    const storm = THINGS.slice(4, 9);
    for (const thing of storm) await violate(thing, `cccc${thing.replace('-', '')}`);
    const holds = async () =>
      (await fleetwarden('holds', '--json')).json<{ containments: { hash: string; state: string; count: number }[] }>().containments;
    await until('one list is held', async () => (await holds()).some(({ state, count }) => state === 'HELD' && count === storm.length), {
      advanceMs: 1000,
    });
    expect(await contained()).toEqual([]);
    for (const thing of storm) expect(await statusOf(deviceOf(thing).certificateId)).toBe('ACTIVE');
    // All but two are over by the time that somebody looks.
    for (const thing of storm.slice(2)) await clear(thing, `cccc${thing.replace('-', '')}`);
    const [held] = (await holds()).filter(({ state }) => state === 'HELD');
    expect((await fleetwarden('approve', held!.hash.slice(0, 16), '--yes', '--json')).json()).toMatchObject({ state: 'APPROVED' });
    await until('those that are still in alarm are contained', async () => (await contained()).length === 2, { advanceMs: 1000 });
    expect((await contained()).map(({ thingName }) => thingName).sort()).toEqual(storm.slice(0, 2));
    expect((await holds())[0]?.state).toBe('APPLIED');
  }, 120_000);

  test('another detector contains by an event; a source that is not configured does nothing', async () => {
    const event = (source: string, thingName: string) => ({
      Source: source,
      DetailType: 'Fleetwarden Violation',
      Detail: JSON.stringify({
        thingName,
        violationId: 'ids-1',
        behavior: 'port-scan',
        violationEventType: 'in-alarm',
        evidence: { ports: 400 },
      }),
    });
    await desk.world.clock.advance(61 * MINUTE);
    await call('events', 'PutEvents', { Entries: [event('com.example.other', 'pump-4'), event('com.example.ids', 'pump-10')] });
    await until('pump-10 is deactivated', async () => (await stateOf('pump-10')) === 'deactivated', { advanceMs: 1000 });
    expect(await statusOf(deviceOf('pump-10').certificateId)).toBe('INACTIVE');
    expect(await stateOf('pump-4')).toBeUndefined();
  }, 60_000);

  test('released with a new key: the device rotates while it is contained, the new certificate gets what the old one had', async () => {
    const { certificateId } = deviceOf('pump-1');
    await fleetwarden('contain', 'pump-1', '--reason', 'its key was seen elsewhere');
    await until(
      'it is shut off',
      async () => (await contained()).some(({ thingName, shutOff }) => thingName === 'pump-1' && shutOff?.outcome === 'done'),
      {
        advanceMs: MINUTE,
      },
    );
    expect((await fleetwarden('release', 'pump-1', '--reason', 'repaired', '--rekey', '--json')).json()).toMatchObject({ rekey: true });
    await until('it is released', async () => (await stateOf('pump-1')) === undefined, { advanceMs: 15_000, patienceMs: 120_000 });
    expect(await statusOf(certificateId)).toBe('INACTIVE');
    const fresh = (await storyOf('pump-1')).find(({ reason }) => reason === 'rekeyed')?.detail?.['certificateId'] as string;
    expect(await statusOf(fresh)).toBe('ACTIVE');
    expect(await policiesOf(fresh)).toEqual(['fleetwarden-device']);
  }, 240_000);

  test('nothing was denied to any function', () => {
    expect(denied.filter((line) => line.includes('fleetwarden-quarantine'))).toEqual([]);
  });
});
