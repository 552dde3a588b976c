import {
  AttachThingPrincipalCommand,
  CreateThingCommand,
  DeleteCertificateCommand,
  RegisterCertificateWithoutCACommand,
  UpdateCertificateCommand,
} from '@aws-sdk/client-iot';
import { iotRegistry } from '../../lambda/aws/registry.js';
import { startTestDesk, type TestDesk } from './desk.js';
import { deviceCertificates, fleetCa, type DeviceCertificate } from './fleet.js';

let desk: TestDesk;
let devices: DeviceCertificate[];
const registry = () => iotRegistry(desk.iot, desk.iotData);

beforeAll(async () => {
  desk = await startTestDesk();
  devices = await deviceCertificates(await fleetCa(), 4);
  for (const { pem } of devices.slice(0, 3)) {
    await desk.iot.send(new RegisterCertificateWithoutCACommand({ certificatePem: pem, status: 'ACTIVE' }));
  }
});
afterAll(() => desk.stop());

test('the registry knows a certificate under the SHA-256 of its DER', async () => {
  const found = await registry().describe(devices[0]!.certificateId);
  expect(found).toMatchObject({ certificateId: devices[0]!.certificateId, status: 'ACTIVE' });
  expect(found?.certificatePem.trim()).toBe(devices[0]!.pem.trim());
});

test('undefined means that it does not exist, and nothing else does', async () => {
  expect(await registry().describe(devices[3]!.certificateId)).toBeUndefined();
  desk.desk.world.faults.set({ throttle: 1 });
  try {
    await expect(registry().describe(devices[0]!.certificateId)).rejects.toMatchObject({ name: 'ThrottlingException' });
    await expect(registry().describe(devices[3]!.certificateId)).rejects.toMatchObject({ name: 'ThrottlingException' });
    await expect(registry().thingsOf(devices[3]!.certificateId)).rejects.toMatchObject({ name: 'ThrottlingException' });
    await expect(registry().setStatus(devices[3]!.certificateId, 'INACTIVE')).rejects.toMatchObject({ name: 'ThrottlingException' });
    await expect(registry().deleteConnection('nobody')).rejects.toMatchObject({ name: 'ThrottlingException' });
  } finally {
    desk.desk.world.faults.set({ throttle: 0 });
  }
});

test('a status is set; of a certificate that is gone it is false', async () => {
  expect(await registry().setStatus(devices[0]!.certificateId, 'INACTIVE')).toBe(true);
  expect((await registry().describe(devices[0]!.certificateId))?.status).toBe('INACTIVE');
  expect(await registry().setStatus(devices[3]!.certificateId, 'REVOKED')).toBe(false);
});

test('pages hold every certificate, oldest first, with its status', async () => {
  const { certificates, nextMarker } = await registry().page();
  expect(certificates.map(({ certificateId }) => certificateId)).toEqual(devices.slice(0, 3).map(({ certificateId }) => certificateId));
  expect(nextMarker).toBeUndefined();
});

test('the things of a certificate are found, also as the first call of all', async () => {
  await desk.iot.send(new CreateThingCommand({ thingName: 'pump-1' }));
  const { certificateArn } = await desk.iot.send(
    new RegisterCertificateWithoutCACommand({ certificatePem: devices[3]!.pem, status: 'ACTIVE' }),
  );
  await desk.iot.send(new AttachThingPrincipalCommand({ thingName: 'pump-1', principal: certificateArn }));
  expect(await registry().thingsOf(devices[3]!.certificateId)).toEqual(['pump-1']);
  expect(await registry().thingsOf(devices[1]!.certificateId)).toEqual([]);
});

test('the things of a certificate that was deleted are none', async () => {
  const known = registry();
  await known.page(); // it has learned what ARNs look like
  await desk.iot.send(new UpdateCertificateCommand({ certificateId: devices[2]!.certificateId, newStatus: 'INACTIVE' }));
  await desk.iot.send(new DeleteCertificateCommand({ certificateId: devices[2]!.certificateId }));
  expect(await known.thingsOf(devices[2]!.certificateId)).toEqual([]);
});

test.each([['nobody'], ['$aws'], [''], ['x'.repeat(129)]])('there is no connection of client %p to drop', async (clientId) => {
  expect(await registry().deleteConnection(clientId)).toBe(false);
});
