/** The power goes in the middle of a run, after a call has been carried out and before its answer has come: the next delivery finishes. */
import { assemblyOf } from './support/assembly.js';
import { Scene, type Device } from './support/scene.js';

const SYNC = ['ssm:GetParametersByPath', 's3:GetObject', 'dynamodb:TransactWriteItems', 'sqs:SendMessageBatch', 's3:PutObject'];
const REVOKE = ['iot:DescribeCertificate', 'iot:UpdateCertificate', 'iotdata:DeleteConnection'];

let scene: Scene;
const listed: Device[] = [];
beforeAll(async () => {
  scene = await Scene.open(await assemblyOf({ revocation: { brake: { floor: 1000 } } }), {
    factory: SYNC.length + REVOKE.length + 4,
    privateCa: 1,
    connected: true,
  });
});
afterAll(() => scene?.close());

/** Lets the redeliveries come, and says how things stand then. */
async function finished(device: Device, spare: () => void, killed: () => boolean): Promise<Record<string, unknown>> {
  await scene.settle();
  spare();
  await scene.until([device], 'refused');
  const [registry] = await scene.statuses([device]);
  return {
    killed: killed(),
    registry,
    inventory: await scene.ledger.statusOf(device.certificateId),
    record: (await scene.ledger.revocations())[device.serialNumber],
    out: scene.out(),
    deadLetters: await Promise.all((['sync', 'fast', 'revoke'] as const).map((queue) => scene.deadLetters(queue))),
  };
}
const whole = () => ({
  killed: true,
  registry: 'REVOKED',
  inventory: 'REVOKED',
  record: 'done/revoked',
  out: listed.map(({ thingName }) => thingName).toSorted(),
  deadLetters: [0, 0, 0],
});

/** Kills at the nth such call of this function, once. */
function killOnce(what: string, nth: number): { spare: () => void; killed: () => boolean } {
  let calls = 0;
  const count = scene.desk.world.journal.on((call) => {
    if (call.kind === 'call' && call.what === what && call.who.startsWith('fleetwarden-')) calls++;
  });
  const spare = scene.killAt(what, nth);
  return { spare: () => (count(), spare()), killed: () => calls >= nth };
}

const moments = [...SYNC, ...REVOKE].map((what) => ({ what, nth: 1 }));
test.each([...moments, { what: 'dynamodb:PutItem', nth: 1 }, { what: 'dynamodb:PutItem', nth: 3 }, { what: 'dynamodb:PutItem', nth: 5 }])(
  'a CRL is carried out whole when the functions die after $what no. $nth',
  async ({ what, nth }) => {
    const device = scene.factoryDevices[listed.length]!;
    listed.push(device);
    const { spare, killed } = killOnce(what, nth);
    // A new process reads the anchors again.
    if (what.startsWith('ssm')) await scene.pass(61_000);
    await scene.publish(listed);
    expect(await finished(device, spare, killed)).toEqual(whole());
  },
);

test('a revocation event is carried out when the functions die after acm-pca:GetCertificate', async () => {
  const [device] = scene.privateDevices as [Device];
  listed.push(device);
  const { spare, killed } = killOnce('acm-pca:GetCertificate', 1);
  await scene.revokeAtCa(device);
  await scene.rest();
  expect(await finished(device, spare, killed)).toEqual(whole());
});
