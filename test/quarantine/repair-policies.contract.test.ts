/** One spec for policies of single containments: in memory, where the laws of quarantine use them, and on AWS IoT and the ledger, here at the desk. */
import { randomUUID } from 'node:crypto';
import {
  AttachPolicyCommand,
  CreatePolicyVersionCommand,
  DetachPolicyCommand,
  GetPolicyCommand,
  RegisterCertificateWithoutCACommand,
} from '@aws-sdk/client-iot';
import { thingName } from '../../domain/fleet/thing-name.js';
import { iotRepairPolicies } from '../../lambda/aws/repair-policies.js';
import type { NamedRepairPolicy, RepairPolicies } from '../../lambda/ports/repair-policies.js';
import { startTestDesk, type TestDesk } from '../inventory/desk.js';
import { deviceCertificate, fleetCa } from '../inventory/fleet.js';
import { certificateNumber, MemoryIot, MemoryRepairPolicies } from './memory/iot.js';

interface Installed {
  readonly policies: RepairPolicies;
  readonly isThere: (policyName: string) => Promise<boolean>;
  /** Puts the policy on a certificate; resolves to what takes it off. */
  readonly attach: (policyName: string) => Promise<() => Promise<void>>;
}

let desk: TestDesk;
beforeAll(async () => {
  desk = await startTestDesk();
});
afterAll(() => desk.stop());

async function memory(): Promise<Installed> {
  const iot = new MemoryIot();
  const id = certificateNumber(1);
  iot.addCertificate(id, 'ACTIVE', []);
  return {
    policies: new MemoryRepairPolicies(iot),
    isThere: async (policyName) => iot.policies.has(policyName),
    async attach(policyName) {
      await iot.attachPolicy(id, policyName);
      return () => iot.detachPolicy(id, policyName);
    },
  };
}

async function onDesk(): Promise<Installed> {
  const { iot } = desk;
  const { pem } = await deviceCertificate(await fleetCa(), `d-${randomUUID()}`);
  const { certificateArn: target } = await iot.send(new RegisterCertificateWithoutCACommand({ certificatePem: pem, status: 'ACTIVE' }));
  return {
    policies: iotRepairPolicies(iot, { client: desk.documents, table: await desk.table('ledger') }),
    isThere: (policyName) =>
      iot.send(new GetPolicyCommand({ policyName })).then(
        () => true,
        () => false,
      ),
    async attach(policyName) {
      await iot.send(new AttachPolicyCommand({ policyName, target }));
      return async () => void (await iot.send(new DetachPolicyCommand({ policyName, target })));
    },
  };
}

const textFor = (clientId: string): string =>
  JSON.stringify({
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Action: ['iot:Connect'], Resource: [`arn:aws:iot:eu-west-1:000000000000:client/${clientId}`] }],
  });
const some = (): NamedRepairPolicy => {
  const containmentId = `operator-${randomUUID().replaceAll('-', '').slice(0, 24)}`;
  return { policyName: `fleetwarden-repair-${containmentId}`, thingName: thingName('pump-1'), containmentId, atMs: 1_790_000_000_000 };
};
const listOf = async (policies: RepairPolicies): Promise<NamedRepairPolicy[]> => {
  const found: NamedRepairPolicy[] = [];
  for await (const one of policies.all()) found.push(one);
  return found;
};

describe.each<[string, () => Promise<Installed>]>([
  ['in memory', memory],
  ['at AWS IoT', onDesk],
])('repair policies of single containments, %s', (_, install) => {
  it('are made once however often it is asked, are on the list, and go from both', async () => {
    const { policies, isThere } = await install();
    const policy = some();
    expect([await policies.make(policy, textFor('a')), await policies.make(policy, textFor('a'))]).toEqual(['made', 'made']);
    expect([await isThere(policy.policyName), await listOf(policies)]).toEqual([true, [policy]]);
    expect([await policies.remove(policy.policyName), await policies.remove(policy.policyName)]).toEqual(['removed', 'removed']);
    expect([await isThere(policy.policyName), await listOf(policies)]).toEqual([false, []]);
  });
  it('are not taken for ours where another text is there under their name', async () => {
    const { policies } = await install();
    const policy = some();
    await policies.make(policy, textFor('somebody'));
    expect(await policies.make(policy, textFor('a'))).toBe('refused');
    expect(await listOf(policies)).toEqual([policy]);
  });
  it('are not made of more than AWS IoT takes', async () => {
    const { policies, isThere } = await install();
    const policy = some();
    expect(await policies.make(policy, textFor('a'.repeat(2048)))).toBe('refused');
    expect(await isThere(policy.policyName)).toBe(false);
  });
  it('stay, on the list as well, as long as a certificate has them', async () => {
    const { policies, attach, isThere } = await install();
    const policy = some();
    await policies.make(policy, textFor('a'));
    const takeOff = await attach(policy.policyName);
    expect(await policies.remove(policy.policyName)).toBe('in-use');
    expect([await isThere(policy.policyName), await listOf(policies)]).toEqual([true, [policy]]);
    await takeOff();
    expect(await policies.remove(policy.policyName)).toBe('removed');
  });
});

test('a policy that somebody has given another version is in use: AWS IoT does not delete it', async () => {
  const { policies } = await onDesk();
  const policy = some();
  await policies.make(policy, textFor('a'));
  await desk.iot.send(new CreatePolicyVersionCommand({ policyName: policy.policyName, policyDocument: textFor('b'), setAsDefault: true }));
  expect([await policies.make(policy, textFor('a')), await policies.remove(policy.policyName)]).toEqual(['refused', 'in-use']);
});
