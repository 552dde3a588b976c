import {
  AttachPolicyCommand,
  CreatePolicyVersionCommand,
  DescribeCertificateCommand,
  DetachPolicyCommand,
  SetV2LoggingOptionsCommand,
  UpdateCertificateCommand,
} from '@aws-sdk/client-iot';
import {
  DeleteConnectionCommand,
  GetRetainedMessageCommand,
  GetThingShadowCommand,
  UpdateThingShadowCommand,
  ListRetainedMessagesCommand,
  PublishCommand,
} from '@aws-sdk/client-iot-data-plane';
import { connect as tlsConnect } from 'node:tls';
import { generate } from 'mqtt-packet';
import { effectiveKeepAlive } from '../../local/gateway/connect-packet.js';
import { createCa } from '../builders/ca.js';
import { closed, nextMessage, startGatewayDesk, type GatewayDesk } from './gateway-desk.js';

let desk: GatewayDesk;
const logged: Record<string, unknown>[] = [];

beforeAll(async () => {
  desk = await startGatewayDesk({ policyDelayMs: 7 * 60_000, startAt: new Date('2026-11-22T10:00:00Z') });
  desk.cloud.parts.logs = (_group, _stream, messages) =>
    logged.push(...messages.map(({ message }) => JSON.parse(message) as Record<string, unknown>));
  const eventConfigurations = [{ eventType: 'Connection.AuthNError', logLevel: 'ERROR' } as const];
  await desk.iot.send(new SetV2LoggingOptionsCommand({ defaultLogLevel: 'DISABLED', eventConfigurations }));
});
afterAll(() => desk.stop());

describe('who is let in', () => {
  test.each([4, 5] as const)(
    'a registered, active device with its thing name as client id connects by MQTT %s and publishes',
    async (protocolVersion) => {
      const device = await desk.enrol(`pump-v${protocolVersion}`);
      const client = await desk.connect(device, device.thingName, { protocolVersion });
      await client.subscribeAsync(`fleet/${device.thingName}/echo`, { qos: 1 });
      const received = nextMessage(client);
      await client.publishAsync(`fleet/${device.thingName}/echo`, 'hello', { qos: 1 });
      expect((await received).text).toBe('hello');
      expect(desk.gateway.connections()).toContainEqual(
        expect.objectContaining({ clientId: device.thingName, certificateId: device.certificateId }),
      );
    },
  );

  test('a certificate of a foreign CA is closed without a CONNACK, and the log says why', async () => {
    const foreign = await (await createCa({ name: 'CN=Foreign CA' })).issue({ subject: 'CN=stranger' });
    expect(await desk.refused(foreign, 'stranger')).not.toMatch(/Connection refused: Not authorized/);
    expect(logged).toContainEqual(
      expect.objectContaining({ eventType: 'Connection.AuthNError', reason: 'DEVICE_CERTIFICATE_NOT_REGISTERED', protocol: 'MQTT' }),
    );
  });

  test('a client without a certificate is closed', async () => {
    await desk.refused({ certificatePem: '', privateKeyPem: '' }, 'nobody', { cert: undefined as never, key: undefined as never });
    expect(logged).toContainEqual(expect.objectContaining({ eventType: 'Connection.AuthNError', reason: 'NOT_AUTHENTICATED' }));
  });

  test.each([
    ['REVOKED', 'DEVICE_CERTIFICATE_REVOKED'],
    ['INACTIVE', 'DEVICE_CERTIFICATE_INACTIVE'],
  ] as const)('a certificate that is %s is refused as %s', async (newStatus, reason) => {
    const device = await desk.enrol(`was-${newStatus}`);
    await desk.iot.send(new UpdateCertificateCommand({ certificateId: device.certificateId, newStatus }));
    await desk.refused(device, device.thingName);
    expect(logged).toContainEqual(expect.objectContaining({ reason, principalId: device.certificateId }));
  });

  test('a certificate that has expired by the clock of the desk is refused', async () => {
    const device = await desk.enrol('short-lived', { notAfter: new Date('2026-11-22T10:30:00Z') });
    const client = await desk.connect(device, device.thingName);
    client.end(true);
    await desk.cloud.world.clock.advance(3_600_000);
    await desk.refused(device, device.thingName);
    expect(logged).toContainEqual(
      expect.objectContaining({ reason: 'NOT_AUTHENTICATED', details: 'The certificate has expired', principalId: device.certificateId }),
    );
  });

  test('another client id than the thing name is not authorised: MQTT 5 is told so, MQTT 3.1.1 is closed', async () => {
    const device = await desk.enrol('named');
    const listener = await desk.connect(await desk.enrol('listener-1', { policy: 'open' }), 'listener-1');
    await listener.subscribeAsync('$aws/events/presence/connect_failed/+');
    const failure = nextMessage(listener);
    expect(await desk.refused(device, 'other-name', { protocolVersion: 5 })).toMatch(/Not authorized/);
    expect(JSON.parse((await failure).text)).toMatchObject({
      clientId: 'other-name',
      eventType: 'connect_failed',
      connectFailureReason: 'AUTHORIZATION_FAILED',
      principalIdentifier: device.certificateId,
    });
    expect(await desk.refused(device, 'other-name')).not.toMatch(/Not authorized/);
  });

  test('just-in-time registration: refused, registered as pending, announced on each connection until it is activated', async () => {
    const listener = await desk.connect(await desk.enrol('listener-2', { policy: 'open' }), 'listener-2');
    await listener.subscribeAsync('$aws/events/certificates/registered/+');
    const fresh = await desk.ca.issue({ subject: 'CN=newcomer' });
    const announced = nextMessage(listener);
    await desk.refused(fresh, 'newcomer');
    const event = JSON.parse((await announced).text) as { certificateId: string; certificateStatus: string };
    expect(event).toMatchObject({ certificateStatus: 'PENDING_ACTIVATION', awsAccountId: '000000000000' });
    const again = nextMessage(listener);
    await desk.refused(fresh, 'newcomer');
    expect(JSON.parse((await again).text)).toMatchObject({ certificateId: event.certificateId });
    await desk.iot.send(new UpdateCertificateCommand({ certificateId: event.certificateId, newStatus: 'ACTIVE' }));
    const { certificateDescription } = await desk.iot.send(new DescribeCertificateCommand({ certificateId: event.certificateId }));
    expect(certificateDescription).toMatchObject({ status: 'ACTIVE', certificateMode: 'SNI_ONLY' });
    await desk.iot.send(new AttachPolicyCommand({ policyName: 'open', target: certificateDescription!.certificateArn! }));
    (await desk.connect(fresh, 'newcomer')).end(true);
  });
});

test.each([
  [0, 1200],
  [5, 30],
  [60, 60],
  [5000, 1200],
])('a keep-alive of %i seconds is taken as %i', (requested, effective) => {
  expect(effectiveKeepAlive(requested)).toBe(effective);
});

test('a TLS session is not resumed: each connection shows its certificate', async () => {
  const device = await desk.enrol('resumer');
  const connectOnce = (session?: Buffer): Promise<{ reused: boolean; session?: Buffer }> =>
    new Promise((resolve, reject) => {
      const socket = tlsConnect(
        {
          host: 'localhost',
          port: desk.gateway.port,
          servername: 'localhost',
          ca: desk.gateway.serverCaPem,
          cert: device.certificatePem,
          key: device.privateKeyPem,
          ...(session ? { session } : {}),
        },
        () =>
          setTimeout(() => {
            const kept = socket.getSession();
            resolve({ reused: socket.isSessionReused(), ...(kept ? { session: kept } : {}) });
            socket.destroy();
          }, 100),
      );
      socket.on('error', reject);
    });
  const first = await connectOnce();
  expect((await connectOnce(first.session)).reused).toBe(false);
});

test('a packet identifier of 0 ends the connection', async () => {
  const device = await desk.enrol('zero', { policy: 'open' });
  const closed = new Promise<string>((resolve, reject) => {
    const socket = tlsConnect(
      {
        port: desk.gateway.port,
        servername: 'localhost',
        ca: desk.gateway.serverCaPem,
        cert: device.certificatePem,
        key: device.privateKeyPem,
      },
      () => socket.write(generate({ cmd: 'connect', clientId: 'zero', protocolVersion: 4, keepalive: 60, clean: true })),
    );
    // PUBLISH, QoS 1, topic `a`, packet identifier 0, payload `x`; mqtt-packet will not write one.
    socket.once('data', () => socket.write(Buffer.from([0x32, 6, 0, 1, 0x61, 0, 0, 0x78])));
    socket.on('error', reject).on('close', () => resolve('closed'));
  });
  expect(await closed).toBe('closed');
});

test('with requireSni a client that names another host is refused', async () => {
  const strict = await startGatewayDesk({ gateway: { requireSni: true } });
  try {
    const device = await strict.enrol('named-host');
    const reasons: unknown[] = [];
    strict.cloud.parts.logs = (_group, _stream, messages) =>
      reasons.push(...messages.map(({ message }) => (JSON.parse(message) as { reason?: string }).reason));
    await strict.iot.send(
      new SetV2LoggingOptionsCommand({ eventConfigurations: [{ eventType: 'Connection.AuthNError', logLevel: 'ERROR' }] }),
    );
    await strict.refused(device, 'named-host', { servername: 'elsewhere.example', rejectUnauthorized: false });
    expect(reasons).toEqual(['SNI_MISUSED']);
    expect((await strict.connect(device, 'named-host')).connected).toBe(true);
  } finally {
    await strict.stop();
  }
});

test('lifecycle events may come twice', async () => {
  const listener = await desk.connect(await desk.enrol('listener-twice', { policy: 'open' }), 'listener-twice');
  await listener.subscribeAsync('$aws/events/presence/connected/doubled');
  const versions: number[] = [];
  listener.on('message', (_, payload) => versions.push((JSON.parse(payload.toString()) as { versionNumber: number }).versionNumber));
  const device = await desk.enrol('doubled');
  desk.cloud.world.faults.set({ duplicate: 1 });
  await desk.connect(device, 'doubled');
  await waitFor(() => versions.length === 2);
  desk.cloud.world.faults.set({ duplicate: 0 });
  expect(versions).toEqual([0, 0]);
});

describe('who is cut off', () => {
  test('DeleteConnection cuts at once and says so; a second one finds nobody', async () => {
    const device = await desk.enrol('cut-me');
    const listener = await desk.connect(await desk.enrol('listener-3', { policy: 'open' }), 'listener-3');
    await listener.subscribeAsync('$aws/events/presence/disconnected/cut-me');
    const client = await desk.connect(device, 'cut-me');
    const [event] = await Promise.all([
      nextMessage(listener),
      closed(client),
      desk.data.send(new DeleteConnectionCommand({ clientId: 'cut-me' })),
    ]);
    expect(JSON.parse(event.text)).toMatchObject({
      clientId: 'cut-me',
      thingName: 'cut-me',
      eventType: 'disconnected',
      clientInitiatedDisconnect: false,
      disconnectReason: 'API_INITIATED_DISCONNECT',
      principalIdentifier: device.certificateId,
      versionNumber: 0,
    });
    await expect(desk.data.send(new DeleteConnectionCommand({ clientId: 'cut-me' }))).rejects.toMatchObject({
      name: 'ResourceNotFoundException',
    });
    await expect(desk.data.send(new DeleteConnectionCommand({ clientId: '$x' }))).rejects.toMatchObject({
      name: 'InvalidRequestException',
    });
  });

  test('a status change alone cuts some minutes later, and not at all when it is taken back in time', async () => {
    const [gone, back] = [await desk.enrol('minutes-1'), await desk.enrol('minutes-2')];
    const [goneClient, backClient] = [await desk.connect(gone, gone.thingName), await desk.connect(back, back.thingName)];
    const set = (certificateId: string, newStatus: 'INACTIVE' | 'ACTIVE') =>
      desk.iot.send(new UpdateCertificateCommand({ certificateId, newStatus }));
    await set(gone.certificateId, 'INACTIVE');
    await set(back.certificateId, 'INACTIVE');
    expect(goneClient.connected).toBe(true);
    await set(back.certificateId, 'ACTIVE');
    const cut = closed(goneClient);
    await desk.cloud.world.clock.advance(5 * 60_000);
    await cut;
    expect(backClient.connected).toBe(true);
  });

  test('a second connection with the same client id takes the place of the first', async () => {
    const device = await desk.enrol('twin');
    const first = await desk.connect(device, 'twin', { protocolVersion: 5 });
    const kicked = closed(first);
    const second = await desk.connect(device, 'twin');
    await kicked;
    expect(second.connected).toBe(true);
    expect(desk.gateway.connections().filter(({ clientId }) => clientId === 'twin')).toHaveLength(1);
  });

  test('a publish that the policy does not allow ends the connection', async () => {
    const device = await desk.enrol('trespasser');
    const client = await desk.connect(device, 'trespasser');
    const ended = closed(client);
    client.publish('fleet/somebody-else/data', '{}');
    await expect(ended).resolves.toBeUndefined();
  });

  test.each([
    ['QoS 2', (topic: string) => ({ topic, payload: 'x', options: { qos: 2 as const } })],
    ['more than 128 KB', (topic: string) => ({ topic, payload: 'x'.repeat(128 * 1024 + 1), options: { qos: 1 as const } })],
    ['many megabytes', (topic: string) => ({ topic, payload: 'x'.repeat(8 * 1024 * 1024), options: {} })],
    ['a topic with more than seven slashes', (topic: string) => ({ topic: `${topic}/1/2/3/4/5/6/7`, payload: 'x', options: {} })],
    ['a topic where AWS IoT speaks', () => ({ topic: '$aws/events/presence/connected/x', payload: 'x', options: {} })],
  ])('a publish with %s ends the connection', async (_, make) => {
    const device = await desk.enrol(`limits-${Math.random().toString(36).slice(2)}`, { policy: 'open' });
    const client = await desk.connect(device, device.thingName);
    const ended = closed(client);
    const { topic, payload, options } = make('fleet/a');
    client.publish(topic, payload, options);
    await expect(ended).resolves.toBeUndefined();
  });

  test('detaching a policy reaches a device that has connected only after the delay of AWS', async () => {
    const device = await desk.enrol('slow-policy');
    (await desk.connect(device, device.thingName)).end(true);
    await desk.iot.send(new DetachPolicyCommand({ policyName: 'device', target: device.certificateArn }));
    (await desk.connect(device, device.thingName)).end(true);
    await desk.cloud.world.clock.advance(8 * 60_000);
    await expect(desk.refused(device, device.thingName)).resolves.toEqual(expect.any(String));
  });

  test('a new default version of a policy reaches connections only after the delay', async () => {
    const { iot } = desk;
    const allow = JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: 'iot:*', Resource: '*' }] });
    const deny = JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Deny', Action: 'iot:*', Resource: '*' }] });
    const { CreatePolicyCommand } = await import('@aws-sdk/client-iot');
    await iot.send(new CreatePolicyCommand({ policyName: 'changing', policyDocument: allow }));
    const device = await desk.enrol('versioned', { policy: 'changing' });
    (await desk.connect(device, 'versioned')).end(true);
    await iot.send(new CreatePolicyVersionCommand({ policyName: 'changing', policyDocument: deny, setAsDefault: true }));
    (await desk.connect(device, 'versioned')).end(true);
    await desk.cloud.world.clock.advance(8 * 60_000);
    await expect(desk.refused(device, 'versioned')).resolves.toEqual(expect.any(String));
  });
});

describe('messages', () => {
  test('a filter that is not allowed is refused alone: 0x80 for MQTT 3.1.1, 0x87 for MQTT 5', async () => {
    const device = await desk.enrol('subscriber');
    const four = await desk.connect(device, 'subscriber');
    expect(
      await four
        .subscribeAsync([`fleet/subscriber/a`, 'fleet/#'])
        .catch((error: { packet: { granted: number[] } }) => error.packet.granted),
    ).toEqual([0, 0x80]);
    const five = await desk.connect(device, 'subscriber', { protocolVersion: 5 });
    expect(
      await five
        .subscribeAsync([`fleet/subscriber/a`, 'fleet/#'])
        .catch((error: { packet: { granted: number[] } }) => error.packet.granted),
    ).toEqual([0, 0x87]);
  });

  test('a ninth filter in one request ends the connection, the 51st subscription is refused', async () => {
    const device = await desk.enrol('greedy', { policy: 'open' });
    const client = await desk.connect(device, 'greedy', { protocolVersion: 5 });
    for (let i = 0; i < 50; i += 5) await client.subscribeAsync(Array.from({ length: 5 }, (_, n) => `t/${i + n}`));
    expect(await client.subscribeAsync('t/50').catch((error: { packet: { granted: number[] } }) => error.packet.granted)).toEqual([0x97]);
    const ended = closed(client);
    client.subscribe(Array.from({ length: 9 }, (_, n) => `u/${n}`));
    await ended;
  });

  test('a retained message reaches a later subscriber of exactly that topic, and is read and listed over HTTP', async () => {
    const device = await desk.enrol('keeper', { policy: 'open' });
    const client = await desk.connect(device, 'keeper');
    await client.publishAsync('fleet/config', 'v1', { qos: 1, retain: true });
    const seen: string[] = [];
    client.on('message', (_, payload, packet) => seen.push(`${payload.toString()}${packet.retain ? ' retained' : ''}`));
    await client.subscribeAsync('fleet/+');
    await client.subscribeAsync('fleet/config');
    await client.publishAsync('fleet/config', 'v2', { qos: 1, retain: true });
    await client.publishAsync('fleet/end', 'end', { qos: 1 });
    await waitFor(() => seen.includes('end'));
    expect(seen).toEqual(['v1 retained', 'v2', 'end']);
    const held = await desk.data.send(new GetRetainedMessageCommand({ topic: 'fleet/config' }));
    expect(Buffer.from(held.payload!).toString()).toBe('v2');
    expect((await desk.data.send(new ListRetainedMessagesCommand({}))).retainedTopics).toEqual([
      expect.objectContaining({ topic: 'fleet/config', payloadSize: 2, qos: 1 }),
    ]);
    await client.publishAsync('fleet/config', '', { qos: 1, retain: true });
    await expect(desk.data.send(new GetRetainedMessageCommand({ topic: 'fleet/config' }))).rejects.toMatchObject({
      name: 'ResourceNotFoundException',
    });
  });

  test('a persistent session keeps QoS 1 messages for an hour of the desk and no longer', async () => {
    const device = await desk.enrol('sleeper', { policy: 'open' });
    const first = await desk.connect(device, 'sleeper', { clean: false });
    await first.subscribeAsync('wake/up', { qos: 1 });
    await first.endAsync();
    await desk.data.send(new PublishCommand({ topic: 'wake/up', qos: 1, payload: Buffer.from('1') }));
    await desk.data.send(new PublishCommand({ topic: 'wake/up', qos: 0, payload: Buffer.from('not kept') }));
    const second = desk.begin(device, 'sleeper', { clean: false });
    const got: string[] = [];
    second.on('message', (_, payload) => got.push(payload.toString()));
    await waitFor(() => got.length > 0);
    expect(got).toEqual(['1']);
    await second.endAsync();
    await desk.cloud.world.clock.advance(2 * 3_600_000);
    const third = await desk.connect(device, 'sleeper', { clean: false });
    const after = nextMessage(third);
    await desk.data.send(new PublishCommand({ topic: 'wake/up', qos: 1, payload: Buffer.from('lost') }));
    await third.subscribeAsync('wake/up', { qos: 1 });
    await desk.data.send(new PublishCommand({ topic: 'wake/up', qos: 1, payload: Buffer.from('fresh') }));
    expect((await after).text).toBe('fresh');
  });

  test('MQTT 5 properties pass from publisher to subscriber, and aliases, limits and an assigned client id work', async () => {
    const device = await desk.enrol('five', { policy: 'open' });
    const client = await desk.connect(device, '', { protocolVersion: 5, properties: { sessionExpiryInterval: 600 } });
    const assigned = desk.gateway.connections().find(({ certificateId }) => certificateId === device.certificateId);
    expect(assigned!.clientId).toMatch(/^[0-9a-f-]{36}$/);
    await client.subscribeAsync('ask/#', { qos: 1 });
    const received = nextMessage(client);
    const properties = {
      responseTopic: 'ask/answer',
      correlationData: Buffer.from('7'),
      contentType: 'text/plain',
      userProperties: { a: ['1', '2'] },
      topicAlias: 3,
    };
    await client.publishAsync('ask/me', 'x', { qos: 1, properties });
    expect((await received).packet.properties).toMatchObject({
      responseTopic: 'ask/answer',
      contentType: 'text/plain',
      userProperties: { a: ['1', '2'] },
    });
    const byAlias = nextMessage(client);
    client.publish('', 'y', { qos: 1, properties: { topicAlias: 3 } });
    expect((await byAlias).topic).toBe('ask/me');
  });

  test('a shared subscription gives each message to one member', async () => {
    const [a, b] = await Promise.all(
      ['share-a', 'share-b'].map(async (name) => desk.connect(await desk.enrol(name, { policy: 'open' }), name)),
    );
    const counts = { a: 0, b: 0 };
    a!.on('message', () => (counts.a += 1));
    b!.on('message', () => (counts.b += 1));
    await a!.subscribeAsync('$share/workers/jobs/+');
    await b!.subscribeAsync('$share/workers/jobs/+');
    for (let i = 0; i < 10; i++) await a!.publishAsync(`jobs/${i}`, 'x', { qos: 1 });
    await waitFor(() => counts.a + counts.b === 10);
    expect(counts).toEqual({ a: 5, b: 5 });
  });

  test('the last will is sent when a device is cut, not when it says goodbye, and not when the API prevents it', async () => {
    const device = await desk.enrol('mortal', { policy: 'open' });
    const listener = await desk.connect(await desk.enrol('heir', { policy: 'open' }), 'heir');
    await listener.subscribeAsync('wills/#');
    const wills: string[] = [];
    listener.on('message', (_, payload) => wills.push(payload.toString()));
    const living = (payload: string) =>
      desk.connect(device, 'mortal', { will: { topic: 'wills/mortal', payload: Buffer.from(payload), qos: 1, retain: false } });
    await (await living('goodbye')).endAsync();
    let client = await living('prevented');
    await Promise.all([closed(client), desk.data.send(new DeleteConnectionCommand({ clientId: 'mortal', preventWillMessage: true }))]);
    client = await living('cut');
    await Promise.all([closed(client), desk.data.send(new DeleteConnectionCommand({ clientId: 'mortal' }))]);
    await waitFor(() => wills.length > 0);
    expect(wills).toEqual(['cut']);
  });

  test('a shadow is updated and read over MQTT and over HTTP alike', async () => {
    const device = await desk.enrol('shadowed');
    const client = await desk.connect(device, 'shadowed');
    await client.subscribeAsync('$aws/things/shadowed/shadow/update/+');
    const delta = nextMessage(client, (topic) => topic.endsWith('/delta'));
    await client.publishAsync(
      '$aws/things/shadowed/shadow/update',
      JSON.stringify({ state: { desired: { led: 'on' }, reported: { led: 'off' } } }),
      { qos: 1 },
    );
    expect(JSON.parse((await delta).text)).toMatchObject({ version: 1, state: { led: 'on' } });
    const shadow = JSON.parse(
      Buffer.from((await desk.data.send(new GetThingShadowCommand({ thingName: 'shadowed' }))).payload!).toString(),
    ) as unknown;
    expect(shadow).toMatchObject({ version: 1, state: { desired: { led: 'on' }, reported: { led: 'off' }, delta: { led: 'on' } } });
    await desk.data.send(
      new UpdateThingShadowCommand({ thingName: 'wished', payload: Buffer.from(JSON.stringify({ state: { desired: { led: 'on' } } })) }),
    );
    const wished = Buffer.from((await desk.data.send(new GetThingShadowCommand({ thingName: 'wished' }))).payload!).toString();
    // What nobody has reported yet differs from what is desired (IG device-shadow-document.html, "Delta state").
    expect(JSON.parse(wished)).toMatchObject({ state: { desired: { led: 'on' }, delta: { led: 'on' } } });
    await expect(desk.data.send(new GetThingShadowCommand({ thingName: 'unknown' }))).rejects.toMatchObject({
      name: 'ResourceNotFoundException',
    });
  });
});

async function waitFor(condition: () => boolean): Promise<void> {
  for (let i = 0; i < 200 && !condition(); i++) await new Promise((resolve) => setTimeout(resolve, 10));
}
