/** Devices whose client id is not their thing's name: what lets them in for repair, whom it does not let in, and that nothing of it is left. */
import type { CertificateId } from '../../domain/fleet/certificate-id.js';
import { METRICS } from '../../domain/fleet/metrics.js';
import { thingName } from '../../domain/fleet/thing-name.js';
import { containmentIdOf, quarantineNames, TRIGGER_KINDS } from '../../domain/protocol/containment-workflow.js';
import {
  isNamedRepairPolicy,
  isPlainClientId,
  LONGEST_POLICY,
  namedRepair,
  namedRepairPolicy,
  policyDocument,
  type RepairRights,
  repairStatements,
} from '../../domain/protocol/repair-policy.js';
import { decideName, letInByName, type LeftOut, type NameFacts } from '../../lambda/quarantine/contain/named.js';
import { removeLeftovers } from '../../lambda/quarantine/watch/leftovers.js';
import { certificateNumber } from './memory/iot.js';
import { QuarantineWorld, REPAIR } from './memory/world.js';

const rights: RepairRights = {
  topicPrefix: 'fleet',
  commands: true,
  arn: (resource, name) => `arn:aws:iot:eu-west-1:111122223333:${resource}/${name}`,
};

describe('the policy by names', () => {
  it('says what the one of the fleet says, with a name for each variable, and no condition on who is attached', () => {
    const named = namedRepair(rights, 'pump-1', ['client-7'])!;
    expect(named.clientIds).toEqual(['client-7']);
    expect(JSON.parse(named.document)).toEqual(policyDocument(repairStatements(rights, 'pump-1', ['client-7'])));
    const variable = '${iot:Connection.Thing.ThingName}';
    const ofFleet = JSON.stringify(policyDocument(repairStatements(rights, variable, [variable])));
    expect(named.document).toBe(ofFleet.replaceAll(`client/${variable}`, 'client/client-7').replaceAll(variable, 'pump-1'));
  });
  it.each([
    ['names as long as they may be', 'p'.repeat(128), ['c'.repeat(128)], ['c'.repeat(128)]],
    ['more client ids than go in', 'pump-1', Array.from({ length: 30 }, (_, index) => `${index}`.padStart(100, 'c')), 'some'],
  ])('stays within %s', (_, thing, clientIds, expected) => {
    const named = namedRepair(rights, thing, clientIds)!;
    expect(named.document.length).toBeLessThanOrEqual(LONGEST_POLICY);
    if (expected === 'some') expect(named.clientIds.length).toBeLessThan(clientIds.length);
    else expect(named.clientIds).toEqual(expected);
    expect(named.clientIds).toEqual(clientIds.slice(0, named.clientIds.length));
  });
  it('leaves the command out first, because the job asks for the same', () => {
    expect(namedRepair(rights, 'pump-1', ['client-7'])!.document).toContain('$aws/commands');
    expect(namedRepair(rights, 'p'.repeat(128), ['client-7'])!.document).not.toContain('$aws/commands');
  });
  it('is not made where not one name goes in', () => {
    expect(namedRepair({ ...rights, topicPrefix: 'f'.repeat(400) }, 'p'.repeat(128), ['client-7'])).toBeUndefined();
    expect(namedRepair(rights, 'pump-1', [])).toBeUndefined();
  });
  it.each(['*', 'pump-?', 'a*b', '${iot:ClientId}', '$aws', '{a}', 'a+b', 'a#', 'a/b', 'a b', 'a"b', 'a\\b', 'ä', '', 'a'.repeat(129)])(
    'is never made for the client id %j',
    (clientId) => {
      expect(isPlainClientId(clientId)).toBe(false);
      expect(() => namedRepair(rights, 'pump-1', ['client-7', clientId])).toThrow('plain');
    },
  );
});

describe('the name of such a policy', () => {
  const id = containmentIdOf({ kind: 'operator', id: 'a1b2c3d4e5f6' }, 'pump-1');
  it.each(TRIGGER_KINDS)('is that of its installation and its containment, by %s', (kind) => {
    const policyName = namedRepairPolicy('fleetwarden', containmentIdOf({ kind, id: '1' }, 'pump-1'));
    expect(policyName).toMatch(/^[\w+=,.@-]{1,128}$/);
    expect(isNamedRepairPolicy('fleetwarden', policyName)).toBe(true);
  });
  it.each([
    ['the one of the fleet', quarantineNames('fleetwarden').policy],
    ['another installation’s', namedRepairPolicy('fleetwarden-2', id)],
    ['one of an installation that is called after this one’s', namedRepairPolicy('fleetwarden-repair', id)],
    ['the one of the fleet of that installation', quarantineNames('fleetwarden-repair').policy],
    ['a longer name', `${namedRepairPolicy('fleetwarden', id)}0`],
    ['a name in which a containment stands', `fleetwarden-repair-x-${id}`],
    ['a person’s', 'fleetwarden-repair-everything'],
    ['one of a name as long as this one’s', namedRepairPolicy('somebodyels', id)],
  ])('is not %s', (_, policyName) => {
    expect(isNamedRepairPolicy('fleetwarden', policyName)).toBe(false);
  });
});

describe('a client id', () => {
  const good: NameFacts = { clientId: 'client-7', isOtherThing: false, isUsedByOthers: false };
  it.each<[string, Partial<NameFacts>, LeftOut | undefined]>([
    ['that only the thing has used lets it in', {}, undefined],
    ['with a wildcard lets nobody in', { clientId: 'pump-*' }, 'not-plain'],
    ['that is the name of another thing lets nobody in', { isOtherThing: true }, 'other-thing'],
    ['that others have used lets nobody in', { isUsedByOthers: true }, 'used-by-others'],
  ])('%s', (_, facts, why) => {
    expect(decideName({ ...good, ...facts })).toBe(why);
  });
});

describe('a device whose client id is not its name', () => {
  const id = certificateNumber(1);
  function worldOf(clientId = 'client-7') {
    const world = new QuarantineWorld();
    world.iot.addCertificate(id, 'ACTIVE', ['device']);
    world.iot.addThing('pump-1', [id]);
    seen(world, id, clientId, 'pump-1');
    const input = world.inputFor('pump-1');
    return { world, input, policyName: namedRepairPolicy('fleetwarden', input.containmentId) };
  }
  function seen(world: QuarantineWorld, certificateId: CertificateId, clientId: string, of?: string): void {
    const dates = { notBeforeMs: 0, notAfterMs: Number.MAX_SAFE_INTEGER };
    world.inventory.records.set(certificateId, {
      certificateId,
      issuerId: 'a'.repeat(64),
      serialNumber: certificateId.slice(-4) as never,
      ...dates,
      ...(of === undefined ? {} : { thingName: thingName(of) }),
      clientId,
      status: 'ACTIVE',
      source: 'presence',
    });
    world.inventory.uses.push({ clientId, certificateId, seenAtMs: world.clock.nowMs() });
  }
  const policiesOf = (world: QuarantineWorld, certificate = id): string[] => [...world.iot.certificates.get(certificate)!.policies].sort();
  const release = async (world: QuarantineWorld, input: ReturnType<QuarantineWorld['inputFor']>): Promise<void> => {
    await world.askRelease('pump-1');
    await world.run(input, { until: 'nothing' });
  };
  const later = async (world: QuarantineWorld): Promise<void> => {
    world.clock.advance(20 * 60_000);
    await world.watch();
  };
  const notLetIn = (world: QuarantineWorld): unknown =>
    world.decisions.rows.find(({ act, step }) => act === 'lock' && step === 'outcome')?.detail?.['notLetInAs'];

  it('has a policy of its own beside the one of the fleet, is back for repair, and the policy is gone after the release', async () => {
    const { world, input, policyName } = worldOf();
    await world.run(input);
    expect([policiesOf(world), world.iot.certificates.get(id)!.status]).toEqual([[REPAIR, policyName], 'ACTIVE']);
    expect(world.records.rows.get('pump-1')).toMatchObject({ state: 'reopened', namedRepair: { policyName, clientIds: ['client-7'] } });
    await later(world);
    expect([world.iot.policies.has(policyName), world.metric(METRICS.containmentWeakened)]).toEqual([true, 0]);
    await release(world, input);
    expect(policiesOf(world)).toEqual(['device']);
    await later(world);
    expect([world.iot.policies.has(policyName), world.repairPolicies.listed.size]).toEqual([false, 0]);
  });
  it('is known by its certificate, where the inventory has not heard whose it is', async () => {
    const { world, input, policyName } = worldOf();
    seen(world, id, 'client-7');
    await world.run(input);
    expect(policiesOf(world)).toContain(policyName);
    expect(world.iot.dropped).toContain('client-7');
  });
  it('is released although its policy cannot be deleted yet, and the next look deletes it', async () => {
    const { world, input, policyName } = worldOf();
    await world.run(input);
    const other = certificateNumber(9);
    world.iot.addCertificate(other, 'INACTIVE', [policyName]);
    await release(world, input);
    expect(world.stateOf('pump-1')).toBeUndefined();
    await later(world);
    expect([world.iot.policies.has(policyName), world.repairPolicies.listed.size]).toEqual([true, 1]);
    world.iot.certificates.get(other)!.policies.clear();
    await world.watch();
    expect(world.iot.policies.has(policyName)).toBe(false);
  });
  it('keeps its policy as long as it is contained, and for a quarter of an hour after that was made', async () => {
    const { world, input, policyName } = worldOf();
    await world.run(input, { until: 'Settle' });
    await release(world, input);
    await world.watch();
    expect(world.iot.policies.has(policyName)).toBe(true);
    await later(world);
    expect(world.iot.policies.has(policyName)).toBe(false);
  });
  it('that is deactivated has none: it is not let in by any name', async () => {
    const { world } = worldOf();
    await world.run(world.inputFor('pump-1', 'deactivate'));
    expect([policiesOf(world), world.repairPolicies.listed.size]).toEqual([[REPAIR], 0]);
  });
  it.each([
    ['is the name of another thing', 'pump-2', 'pump-2: other-thing'],
    ['another certificate has used', 'gateway', 'gateway: used-by-others'],
    ['is a wildcard', 'pump-*', 'pump-*: not-plain'],
  ])('is not let in under one that %s, and it is on record why', async (_, clientId, why) => {
    const { world, input } = worldOf(clientId);
    const other = certificateNumber(2);
    world.iot.addCertificate(other, 'ACTIVE', ['device']);
    world.iot.addThing('pump-2', [other]);
    if (clientId === 'gateway') seen(world, other, 'gateway', 'pump-2');
    await world.run(input);
    expect([policiesOf(world), notLetIn(world), world.repairPolicies.listed.size]).toEqual([[REPAIR], why, 0]);
  });
  it.each([
    ['a certificate that nobody knows', undefined, 'ACTIVE', false],
    ['the thing’s certificate of before', 'pump-1', 'ACTIVE', true],
    ['a certificate that is REVOKED', 'pump-2', 'REVOKED', true],
    ['a certificate that is DELETED', 'pump-2', 'DELETED', true],
    ['a certificate that is INACTIVE, and may be ACTIVE again', 'pump-2', 'INACTIVE', false],
  ] as const)('shares it with %s', async (_, of, status, isLetIn) => {
    const { world, input, policyName } = worldOf();
    const other = certificateNumber(2);
    seen(world, other, 'client-7', of);
    if (of === undefined) world.inventory.records.delete(other);
    else world.inventory.records.set(other, { ...world.inventory.records.get(other)!, status });
    await world.run(input);
    expect(policiesOf(world).includes(policyName)).toBe(isLetIn);
  });
  it('is contained all the same where its policy is refused', async () => {
    const { world, input, policyName } = worldOf();
    world.iot.policies.add(policyName);
    await world.run(input);
    expect([policiesOf(world), world.stateOf('pump-1')]).toEqual([[REPAIR], 'reopened']);
    expect(world.records.rows.get('pump-1')?.namedRepair).toBeUndefined();
    expect(notLetIn(world)).toBe(`${policyName}: refused`);
  });
  it('a certificate that appears on it gets the same policies, and loses them', async () => {
    const { world, input, policyName } = worldOf();
    await world.run(input);
    const fresh = certificateNumber(3);
    world.iot.addCertificate(fresh, 'ACTIVE', ['device']);
    world.iot.things.get('pump-1')!.certificates.add(fresh);
    await world.watch();
    expect([policiesOf(world, fresh), world.iot.certificates.get(fresh)!.status]).toEqual([[REPAIR, policyName], 'INACTIVE']);
    await release(world, input);
    expect([policiesOf(world), policiesOf(world, fresh)]).toEqual([['device'], ['device']]);
  });
  it('is released while its policy is made: none is', async () => {
    const { world, input } = worldOf();
    await world.run(input, { until: 'Lock' });
    const stale = world.records.rows.get('pump-1')!;
    await release(world, input);
    expect(await letInByName(world.stepPorts, world.settings, stale)).toEqual({ containment: stale, leftOut: [] });
    expect(world.repairPolicies.listed.size).toBe(0);
  });
  it('has the same policy when the lock is repeated, whatever is known of its names by then', async () => {
    const { world, input, policyName } = worldOf();
    await world.run(input, { until: 'Lock' });
    const dying = { ...world.stepPorts.repairPolicies, make: () => Promise.reject(new Error('the process dies')) };
    await expect(world.step('Lock', input, { ...world.stepPorts, repairPolicies: dying as never })).rejects.toThrow('dies');
    world.iot.addThing('client-7');
    await world.run(input);
    expect(policiesOf(world)).toEqual([REPAIR, policyName]);
    expect(world.repairPolicies.documents.get(policyName)).toContain('client/client-7');
  });
  it('keeps its policy while it is contained, also where nobody has it; that of a containment before goes', async () => {
    const { world, input, policyName } = worldOf();
    await world.run(input);
    world.iot.certificates.get(id)!.policies.delete(policyName);
    await later(world);
    expect(world.iot.policies.has(policyName)).toBe(true);
    await release(world, input);
    const again = world.inputFor('pump-1', 'contain', 'ffffffffffff');
    await world.run(again);
    await later(world);
    expect([...world.repairPolicies.listed.keys()]).toEqual([namedRepairPolicy('fleetwarden', again.containmentId)]);
  });
  it('a look that finds no slot leaves what is left over to the next one', async () => {
    const { world, input, policyName } = worldOf();
    await world.run(input);
    await release(world, input);
    world.clock.advance(20 * 60_000);
    world.pace.nextAtMs.set('quarantine-later', world.clock.nowMs() + 60_000);
    await world.watch();
    expect(world.iot.policies.has(policyName)).toBe(true);
    const pace = { reserve: () => Promise.reject(new Error('ServiceUnavailable')) };
    await expect(removeLeftovers({ ...world.stepPorts, pace }, world.settings, {})).rejects.toThrow('ServiceUnavailable');
    world.clock.advance(60_000);
    await world.watch();
    expect(world.iot.policies.has(policyName)).toBe(false);
  });
  it('a policy that is in use a day after the release is told to people, and not before', async () => {
    const { world, input, policyName } = worldOf();
    await world.run(input);
    world.iot.addCertificate(certificateNumber(9), 'INACTIVE', [policyName]);
    await release(world, input);
    const told = () => world.signals.lines.filter(({ message }) => message === 'a repair policy is in use still').length;
    world.clock.advance(86_400_000 - 1000);
    await world.watch();
    expect(told()).toBe(0);
    world.clock.advance(2000);
    await world.watch();
    expect(told()).toBe(1);
  });
  it.each([
    ['that it got for a new key, though the thing is deleted', true],
    ['that was attached to it a moment ago', false],
  ])('a certificate %s loses the policy', async (_, isNewKey) => {
    const { world, input, policyName } = worldOf();
    await world.run(input);
    const fresh = certificateNumber(3);
    world.iot.addCertificate(fresh, 'ACTIVE', [REPAIR, policyName]);
    const row = world.records.rows.get('pump-1')!;
    if (isNewKey) world.records.rows.set('pump-1', { ...row, replaced: [{ old: id, fresh }] });
    if (isNewKey) world.iot.things.delete('pump-1');
    else world.iot.things.get('pump-1')!.certificates.add(fresh);
    await release(world, input);
    expect(policiesOf(world, fresh)).not.toContain(policyName);
  });
  it('what a person gives it beside repair keeps it shut, as without', async () => {
    const { world, input, policyName } = worldOf();
    await world.run(input, { until: 'Settle' });
    world.iot.policies.add('extra');
    await world.iot.attachPolicy(id, 'extra');
    await world.run(input);
    expect([policiesOf(world), world.iot.certificates.get(id)!.status]).toEqual([['extra', REPAIR, policyName], 'INACTIVE']);
  });
  it('a certificate of two contained things has the policies of both, and is given back when the last is released', async () => {
    const { world, input, policyName } = worldOf();
    world.iot.addThing('pump-2', [id]);
    const second = world.inputFor('pump-2');
    await world.run(input);
    await world.run(second);
    const ofSecond = namedRepairPolicy('fleetwarden', second.containmentId);
    expect(policiesOf(world)).toEqual([REPAIR, ofSecond, policyName].sort());
    await release(world, input);
    expect(policiesOf(world)).toEqual([REPAIR, ofSecond].sort());
    await world.askRelease('pump-2');
    await world.run(second, { until: 'nothing' });
    expect(policiesOf(world)).toEqual(['device']);
    await later(world);
    expect(world.repairPolicies.listed.size).toBe(0);
  });
});
