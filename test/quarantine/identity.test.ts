/** Quarantine followed by release is the identity: for any fleet, any response, and wherever the process dies. */
import fc from 'fast-check';
import type { CertificateId } from '../../domain/fleet/certificate-id.js';
import { isNamedRepairPolicy } from '../../domain/protocol/repair-policy.js';
import type { Response } from '../../domain/fleet/responses.js';
import { crashing, Death } from '../revocation/memory/crashing.js';
import { Certificate } from '../../domain/pki/certificate.js';
import { certificateNumber, pemOf } from './memory/iot.js';
import { QUARANTINE, QuarantineWorld, REPAIR } from './memory/world.js';

interface FleetShape {
  /** By certificate: status, how many policies, and which things have it. */
  readonly certificates: readonly {
    readonly status: 'ACTIVE' | 'INACTIVE' | 'REVOKED';
    readonly policies: number;
    readonly things: readonly number[];
  }[];
  /** By group: policies, dynamic, members. */
  readonly groups: readonly { readonly policies: number; readonly isDynamic: boolean; readonly members: readonly number[] }[];
  readonly response: Response;
  /** Things that are contained, in this order; released in the same or the opposite one. */
  readonly contained: readonly number[];
  readonly sameOrder: boolean;
  readonly answers: 'SUCCEEDED' | 'FAILED' | 'QUEUED';
  readonly clientIdDiffers: boolean;
}

const THINGS = 4;
const thing = fc.integer({ min: 0, max: THINGS - 1 });
const shape: fc.Arbitrary<FleetShape> = fc.record({
  certificates: fc.array(
    fc.record({
      status: fc.constantFrom('ACTIVE', 'ACTIVE', 'INACTIVE', 'REVOKED'),
      policies: fc.integer({ min: 0, max: 10 }),
      things: fc.uniqueArray(thing, { minLength: 1, maxLength: 3 }),
    }),
    { minLength: 1, maxLength: 6 },
  ),
  groups: fc.array(
    fc.record({ policies: fc.integer({ min: 0, max: 2 }), isDynamic: fc.boolean(), members: fc.uniqueArray(thing, { maxLength: THINGS }) }),
    { maxLength: 10 },
  ),
  response: fc.constantFrom<Response>('contain', 'deactivate', 'shut-off'),
  contained: fc.uniqueArray(thing, { minLength: 1, maxLength: 3 }),
  sameOrder: fc.boolean(),
  answers: fc.constantFrom('SUCCEEDED', 'FAILED', 'QUEUED'),
  clientIdDiffers: fc.boolean(),
});

const nameOf = (index: number): string => `pump-${index}`;

function worldOf(given: FleetShape): QuarantineWorld {
  const world = new QuarantineWorld();
  for (let index = 0; index < THINGS; index += 1) world.iot.addThing(nameOf(index));
  given.certificates.forEach(({ status, policies, things }, index) => {
    const id = certificateNumber(index + 1);
    world.iot.addCertificate(
      id,
      status,
      Array.from({ length: policies }, (_, policy) => `policy-${policy}`),
    );
    for (const member of things) world.iot.things.get(nameOf(member))!.certificates.add(id);
    if (given.clientIdDiffers) record(world, id, nameOf(things[0]!), `client-${index}`);
  });
  given.groups.forEach(({ policies, isDynamic, members }, index) => {
    const name = `group-${index}`;
    world.iot.addGroup(name, isDynamic ? [] : Array.from({ length: policies }, (_, policy) => `group-policy-${policy}`), isDynamic);
    for (const member of members) world.iot.things.get(nameOf(member))!.groups.add(name);
  });
  world.jobs.answer = ({ operation }) => (operation === 'resume' ? 'SUCCEEDED' : given.answers);
  return world;
}

function record(world: QuarantineWorld, id: CertificateId, thingName: string, clientId: string): void {
  const dates = { notBeforeMs: 0, notAfterMs: Number.MAX_SAFE_INTEGER };
  const names = { issuerId: 'a'.repeat(64), serialNumber: id.slice(-4) as never };
  world.inventory.records.set(id, {
    certificateId: id,
    ...names,
    ...dates,
    thingName: thingName as never,
    clientId,
    status: 'ACTIVE',
    source: 'registration',
  });
}

async function containAll(world: QuarantineWorld, given: FleetShape): Promise<void> {
  for (const index of given.contained) await world.run(world.inputFor(nameOf(index), given.response));
}
async function releaseAll(world: QuarantineWorld, given: FleetShape): Promise<void> {
  const order = given.sameOrder ? given.contained : given.contained.toReversed();
  for (const index of order) {
    await world.askRelease(nameOf(index));
    await world.run(world.inputFor(nameOf(index), given.response), { until: 'nothing' });
  }
}

/** What a contained thing may still do: nothing but what the repair policy lets it, and that only where it was let back. */
function expectContained(world: QuarantineWorld, index: number): void {
  const name = nameOf(index);
  const containment = world.records.rows.get(name);
  expect(containment).toBeDefined();
  if (containment?.response === 'shut-off' && containment.state === 'recorded') return; // asked to stop, and not cut off
  for (const id of world.iot.things.get(name)!.certificates) {
    const { status, policies } = world.iot.certificates.get(id)!;
    if (status !== 'ACTIVE') continue;
    expect([...policies].filter((policy) => !isNamedRepairPolicy('fleetwarden', policy))).toEqual([REPAIR]);
  }
  if (containment?.settledAtMs !== undefined)
    for (const group of world.iot.things.get(name)!.groups) expect([group, world.iot.groups.get(group)!.policies.size]).toEqual([group, 0]);
}

/** Of policies for single containments, when the regular look comes next. */
async function expectNothingLeft(world: QuarantineWorld): Promise<void> {
  world.clock.advance(20 * 60_000);
  await world.watch();
  expect([...world.iot.policies].filter((policy) => isNamedRepairPolicy('fleetwarden', policy))).toEqual([]);
  expect(world.repairPolicies.listed.size).toBe(0);
}

describe('quarantine followed by release', () => {
  it('is the identity, whatever the fleet is like: shared certificates, ten policies, ten groups, dynamic ones, INACTIVE and REVOKED ones', async () => {
    await fc.assert(
      fc.asyncProperty(shape, async (given) => {
        const world = worldOf(given);
        const before = world.iot.picture();
        await containAll(world, given);
        for (const index of given.contained) expectContained(world, index);
        await releaseAll(world, given);
        expect(world.iot.picture()).toEqual(before);
        expect(world.records.rows.size).toBe(0);
        expect(world.claims.claims.size).toBe(0);
        await expectNothingLeft(world);
        expect((await world.budget.booked()).filter(({ freedAtMs }) => freedAtMs === undefined)).toEqual([]);
      }),
      { numRuns: 300 },
    );
  }, 120_000);

  it('is the identity also when the process dies at any call of any neighbour, before it or right after it', async () => {
    await fc.assert(
      fc.asyncProperty(
        shape,
        fc.integer({ min: 1, max: 60 }),
        fc.constantFrom('before' as const, 'after' as const),
        async (given, n, moment) => {
          const world = worldOf({ ...given, contained: given.contained.slice(0, 2) });
          const before = world.iot.picture();
          const mortal = async (index: number, until: string): Promise<void> => {
            // Each step is a call of a function of its own: it dies once at its n-th call, and is repeated.
            let lives = 3;
            const ports = () => (lives-- > 0 ? crashing(world.stepPorts, n, moment) : world.stepPorts);
            for (let deliveries = 0; deliveries < 50; deliveries += 1) {
              try {
                await world.run(world.inputFor(nameOf(index), given.response), { until, ports });
                return;
              } catch (error) {
                if (!(error instanceof Death)) throw error;
              }
            }
            throw new Error('never came to an end');
          };
          const contained = given.contained.slice(0, 2);
          for (const index of contained) await mortal(index, 'AwaitWord');
          for (const index of contained) expectContained(world, index);
          for (const index of contained) {
            await world.askRelease(nameOf(index));
            await mortal(index, 'nothing');
          }
          expect(world.iot.picture()).toEqual(before);
          expect(world.claims.claims.size).toBe(0);
          await expectNothingLeft(world);
        },
      ),
      { numRuns: 300 },
    );
  }, 120_000);
});

describe('release keeps what others did meanwhile, and reports it', () => {
  const single = () => {
    const world = new QuarantineWorld();
    const id = certificateNumber(1);
    world.iot.addCertificate(id, 'ACTIVE', ['device', 'more']);
    world.iot.addGroup('line-1', ['line']);
    world.iot.addGroup('hall');
    world.iot.addThing('pump-1', [id], ['line-1', 'hall']);
    return { world, id, input: world.inputFor('pump-1') };
  };
  const released = async (world: QuarantineWorld, input: ReturnType<QuarantineWorld['inputFor']>): Promise<string> => {
    await world.askRelease('pump-1');
    await world.run(input, { until: 'nothing' });
    const row = world.decisions.rows.findLast(({ act, step }) => act === 'release' && step === 'outcome');
    return String(row?.detail?.['differs']);
  };

  it('a policy that a person attached stays', async () => {
    const { world, id, input } = single();
    await world.run(input);
    world.iot.policies.add('extra');
    await world.iot.attachPolicy(id, 'extra');
    const differs = await released(world, input);
    expect([...world.iot.certificates.get(id)!.policies].sort()).toEqual(['device', 'extra', 'more']);
    expect(differs).toContain('policy extra on');
  });
  it('a policy that was deleted is missing, and told', async () => {
    const { world, id, input } = single();
    await world.run(input);
    world.iot.policies.delete('more');
    expect(await released(world, input)).toContain(`policy more on ${id}: gone`);
    expect([...world.iot.certificates.get(id)!.policies]).toEqual(['device']);
  });
  it('a group that was deleted is missing, and told', async () => {
    const { world, input } = single();
    await world.run(input);
    world.iot.groups.delete('line-1');
    expect(await released(world, input)).toContain('group line-1: gone');
    expect([...world.iot.things.get('pump-1')!.groups]).toEqual(['hall']);
  });
  it('a group that the thing was put into stays, and one that it was taken out of stays left', async () => {
    const { world, input } = single();
    await world.run(input);
    world.iot.addGroup('new-hall');
    world.iot.things.get('pump-1')!.groups.add('new-hall');
    world.iot.things.get('pump-1')!.groups.delete('hall');
    const differs = await released(world, input);
    expect([...world.iot.things.get('pump-1')!.groups].sort()).toEqual(['line-1', 'new-hall']);
    expect(differs).toContain('group new-hall: joined meanwhile, kept');
    expect(differs).toContain('group hall: left meanwhile');
  });
  it('a certificate that was revoked meanwhile stays revoked', async () => {
    const { world, id, input } = single();
    await world.run(input);
    await world.iot.setStatus(id, 'REVOKED');
    expect(await released(world, input)).toContain(`certificate ${id}: revoked`);
    expect(world.iot.certificates.get(id)!.status).toBe('REVOKED');
  });
  it('a certificate that was put on hold by its CA meanwhile is not made ACTIVE', async () => {
    const { world, id, input } = single();
    record(world, id, 'pump-1', 'pump-1');
    await world.run(input, { until: 'Settle' });
    const { issuerId, serialNumber } = world.inventory.records.get(id)!;
    world.inventory.revocations.set(`${issuerId}#${serialNumber}`, {
      issuerId,
      serialNumber,
      state: 'done',
      outcome: 'already-inactive',
      message: { action: 'hold' },
      updatedAtMs: 0,
    } as never);
    await world.run(input);
    expect(world.iot.certificates.get(id)!.status).toBe('INACTIVE');
    expect(await released(world, input)).toContain(`certificate ${id}: on-hold`);
    expect(world.iot.certificates.get(id)!.status).toBe('INACTIVE');
  });
  it('a certificate of which the inventory knows nothing is not made ACTIVE where a revocation of its serial number is remembered', async () => {
    const { world, id, input } = single();
    await world.run(input, { until: 'Settle' });
    const { issuerId, serialNumber } = Certificate.read(pemOf(id));
    const known = { issuerId, serialNumber, state: 'done', outcome: 'not-registered', message: { action: 'revoke' }, updatedAtMs: 0 };
    world.inventory.revocations.set(`${issuerId}#${serialNumber}`, known as never);
    await world.run(input);
    expect(world.iot.certificates.get(id)!.status).toBe('INACTIVE');
    expect(await released(world, input)).toContain(`certificate ${id}: on-hold`);
    expect(world.iot.certificates.get(id)!.status).toBe('INACTIVE');
  });
  it.each(['Reopen', 'Restore'] as const)(
    'a certificate that is put on hold at the very moment of %s does not stay ACTIVE',
    async (step) => {
      const { world, id, input } = single();
      await world.run(input, { until: step === 'Reopen' ? 'Reopen' : 'Settle' });
      const { issuerId, serialNumber } = Certificate.read(pemOf(id));
      const known = { issuerId, serialNumber, state: 'acting', message: { action: 'hold' }, updatedAtMs: 0 };
      world.iot.meanwhile = (change) => {
        if (change === `${id} ACTIVE`) world.inventory.revocations.set(`${issuerId}#${serialNumber}`, known as never);
      };
      if (step === 'Reopen') await world.run(input);
      expect(await released(world, input)).toContain(`certificate ${id}: on-hold`);
      expect(world.iot.certificates.get(id)!.status).toBe('INACTIVE');
    },
  );
  it('a thing that was only asked to shut off keeps what people took from it meanwhile: nothing was taken by us', async () => {
    const world = new QuarantineWorld();
    const id = certificateNumber(1);
    world.iot.addCertificate(id, 'ACTIVE', ['device', 'old']);
    world.iot.addGroup('hall', ['hall-policy']);
    world.iot.addThing('pump-1', [id], ['hall']);
    world.jobs.answer = () => 'FAILED';
    const input = world.inputFor('pump-1', 'shut-off');
    await world.run(input);
    expect([world.stateOf('pump-1'), world.iot.certificates.get(id)!.status]).toEqual(['deactivated', 'INACTIVE']);
    world.iot.things.get('pump-1')!.groups.delete('hall');
    world.iot.certificates.get(id)!.policies.delete('old');
    const report = await released(world, input);
    expect(report).toContain('group hall: left meanwhile');
    expect(report).toContain(`policy old on ${id}: detached meanwhile`);
    expect([[...world.iot.things.get('pump-1')!.groups], [...world.iot.certificates.get(id)!.policies]]).toEqual([[], ['device']]);
    expect(world.iot.certificates.get(id)!.status).toBe('ACTIVE');
  });
  it('a certificate that a person deactivated while it was back for repair is left INACTIVE', async () => {
    const { world, id, input } = single();
    await world.run(input);
    await world.iot.setStatus(id, 'INACTIVE');
    expect(await released(world, input)).toContain('deactivated-by-somebody');
    expect(world.iot.certificates.get(id)!.status).toBe('INACTIVE');
  });
  it('a thing that was deleted meanwhile comes to an end all the same', async () => {
    const { world, id, input } = single();
    await world.run(input);
    world.iot.things.delete('pump-1');
    expect(await released(world, input)).toContain('group line-1: gone');
    expect(world.records.rows.size).toBe(0);
    expect(world.iot.certificates.get(id)!.status).toBe('ACTIVE');
  });
  it('a certificate that was deleted meanwhile is told', async () => {
    const { world, id, input } = single();
    await world.run(input);
    world.iot.certificates.delete(id);
    expect(await released(world, input)).toContain(`certificate ${id}: deleted`);
  });
  it('a thing that is contained already is left to the containment that came first', async () => {
    const { world, input } = single();
    await world.run(input);
    const second = world.inputFor('pump-1', 'contain', 'ffffffffffff');
    expect(await world.run(second)).toBe('Released');
    expect(world.records.rows.get('pump-1')?.containmentId).toBe(input.containmentId);
  });
  it('a certificate that another contained thing has, too, is given back with the last of them', async () => {
    const { world, id, input } = single();
    world.iot.addThing('pump-2', [id]);
    const other = world.inputFor('pump-2');
    await world.run(input);
    await world.run(other);
    expect(await released(world, input)).toContain('held-by-another-thing');
    expect([...world.iot.certificates.get(id)!.policies]).toEqual([REPAIR]);
    await world.askRelease('pump-2');
    await world.run(other, { until: 'nothing' });
    expect([...world.iot.certificates.get(id)!.policies].sort()).toEqual(['device', 'more']);
    expect(world.iot.certificates.get(id)!.status).toBe('ACTIVE');
  });
  it('a thing in ten groups without policies cannot be seen in the quarantine group, and is contained all the same', async () => {
    const { world, id, input } = single();
    const { groups } = world.iot.things.get('pump-1')!;
    groups.clear();
    for (let index = 0; index < 10; index += 1) {
      world.iot.addGroup(`hall-${index}`);
      groups.add(`hall-${index}`);
    }
    await world.run(input);
    expect(groups.has(QUARANTINE)).toBe(false);
    expect([...world.iot.certificates.get(id)!.policies]).toEqual([REPAIR]);
  });
});
