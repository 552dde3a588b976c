/**
 * What a CA says of a certificate while its thing is contained: revoked, on hold, off it again. The revocation's own worker and the containment work on one
 * registry, and whatever they do in whatever order, in the end the certificate is what the CA says, as if there had been no containment.
 */
import fc from 'fast-check';
import type { RevokeAction } from '../../domain/protocol/revocation.js';
import { createCa, type TestCa } from '../builders/ca.js';
import { World } from '../revocation/memory/world.js';
import { QuarantineWorld } from './memory/world.js';

const THING = 'dev-1';
const STEPS = ['Cut', 'Lock', 'Settle', 'Reopen', 'AwaitWord'] as const;
let ca: TestCa;
beforeAll(async () => {
  ca = await createCa({ name: 'CN=Fleet CA' });
});

async function contained({ secondStageDelayMs = 0 } = {}) {
  const cloud = new World(ca);
  const world = new QuarantineWorld();
  Object.assign(cloud, { clock: world.clock });
  Object.assign(world.inventory, { revocations: cloud.inventory.revocations, records: cloud.inventory.certificates });
  cloud.secondStageDelayMs = secondStageDelayMs;
  const [device] = await cloud.enrol(1);
  const { id, pem, serialNumber } = device!;
  const registered = cloud.registry.certificates.get(id)!;
  world.iot.addCertificate(id, 'ACTIVE', ['device']);
  // One registry: what the worker sets, the containment sees.
  Object.defineProperty(world.iot.certificates.get(id), 'status', {
    get: () => registered.status,
    set: (status: typeof registered.status) => {
      registered.status = status;
    },
  });
  world.iot.describe = async () => ({ certificateId: id, status: registered.status, certificatePem: pem });
  world.iot.addThing(THING, [id]);
  let runs = 0;
  const say = async (action: RevokeAction): Promise<void> => {
    const reason = action === 'revoke' ? 'keyCompromise' : 'certificateHold';
    const named = { version: 1, anchorId: 'fleet-ca', serialNumber, reason, source: 'crl' } as const;
    cloud.revokeQueue.messages.push({ ...named, action, runId: `run-${(runs += 1)}` });
    await cloud.drain();
  };
  let containments = 0;
  let input = world.inputFor(THING);
  let reached = 0;
  /** Up to this step; from one that it has reached before, to where it waits for a word. */
  const contain = async (until: (typeof STEPS)[number]): Promise<void> => {
    if (world.stateOf(THING) === undefined) {
      input = world.inputFor(THING, 'contain', (containments += 1).toString(16).padStart(12, 'a'));
      reached = -1;
    }
    reached = STEPS.indexOf(until) > reached ? STEPS.indexOf(until) : STEPS.indexOf('AwaitWord');
    await world.run(input, { until: STEPS[reached] });
  };
  const release = async (): Promise<string> => {
    if (world.stateOf(THING) === undefined) return '';
    await world.askRelease(THING);
    await world.run(input, { until: 'nothing' });
    return String(world.decisions.rows.findLast(({ act, step }) => act === 'release' && step === 'outcome')?.detail?.['differs']);
  };
  return {
    world,
    cloud,
    id,
    say,
    contain,
    release,
    inputNow: () => input,
    status: () => registered.status,
    set: (status: typeof registered.status) => (registered.status = status),
    policies: () => [...world.iot.certificates.get(id)!.policies],
    onRecord: () => [...cloud.inventory.revocations.values()][0],
  };
}

describe('a certificate that is on hold while its thing is contained', () => {
  it('stays INACTIVE when the thing is released, and becomes ACTIVE when the hold is lifted: nobody else keeps it so any more', async () => {
    const { say, contain, release, status, policies, onRecord } = await contained();
    await contain('Settle');
    await say('hold');
    expect(onRecord()?.outcome).toBe('already-inactive');
    await contain('AwaitWord');
    expect(status()).toBe('INACTIVE'); // not let back for repair either
    expect(await release()).toContain('on-hold');
    expect([status(), policies(), onRecord()?.outcome]).toEqual(['INACTIVE', ['device'], 'deactivated']);
    await say('reactivate');
    expect(status()).toBe('ACTIVE');
  });
  it('is ACTIVE after the release when the hold is lifted before it, and not before', async () => {
    const { say, contain, release, status } = await contained();
    await contain('Settle');
    await say('hold');
    await contain('AwaitWord');
    await say('reactivate');
    expect(status()).toBe('INACTIVE');
    expect(await release()).toBe('');
    expect(status()).toBe('ACTIVE');
  });
  it('that was on hold before, and is not when the thing is released: is ACTIVE then, and is shut again as long as it is contained', async () => {
    const { world, say, contain, release, status, policies } = await contained();
    await say('hold');
    await contain('AwaitWord');
    await say('reactivate');
    expect([status(), policies()]).toEqual(['ACTIVE', ['fleetwarden-repair']]);
    await world.watch();
    expect(status()).toBe('INACTIVE');
    await release();
    expect([status(), policies()]).toEqual(['ACTIVE', ['device']]);
  });
  it('that was on hold before, and is still: is what it was, and the report says nothing of it', async () => {
    const { say, contain, release, status } = await contained();
    await say('hold');
    await contain('AwaitWord');
    expect(await release()).toBe('');
    expect(status()).toBe('INACTIVE');
    await say('reactivate');
    expect(status()).toBe('ACTIVE');
  });
  it('that a person deactivated while it was back for repair stays the person’s: the hold that came after does not give it away', async () => {
    const { say, contain, release, set, status, onRecord } = await contained();
    await contain('AwaitWord');
    expect(status()).toBe('ACTIVE');
    set('INACTIVE');
    await say('hold');
    expect(await release()).toContain('deactivated-by-somebody');
    expect([status(), onRecord()?.outcome]).toEqual(['INACTIVE', 'already-inactive']);
    await say('reactivate');
    expect(status()).toBe('INACTIVE');
  });
  it('that a person had deactivated before any of it stays the person’s', async () => {
    const { say, contain, release, set, status } = await contained();
    set('INACTIVE');
    await contain('AwaitWord');
    await say('hold');
    await release();
    await say('reactivate');
    expect(status()).toBe('INACTIVE');
  });
});

describe('a hold that is under way when the thing is contained', () => {
  it('was its reason, too: lifted, the certificate is ACTIVE after the release', async () => {
    const { world, cloud, say, contain, release, status, onRecord } = await contained();
    const remember = cloud.inventory.rememberRevocation.bind(cloud.inventory);
    cloud.inventory.rememberRevocation = async (record) => {
      if (record.state === 'done') throw new Error('ServiceUnavailable');
      await remember(record);
    };
    await say('hold');
    cloud.inventory.rememberRevocation = remember;
    expect([status(), onRecord()?.state]).toEqual(['INACTIVE', 'acting']);
    await contain('AwaitWord');
    await cloud.drain(); // it comes again
    await say('reactivate');
    await world.watch();
    await release();
    expect(status()).toBe('ACTIVE');
  });
  it('is in force again when a person had made the certificate ACTIVE in spite of it, and the report says so', async () => {
    const { say, contain, release, set, status } = await contained();
    await say('hold');
    set('ACTIVE');
    await contain('AwaitWord');
    expect(await release()).toContain('on-hold');
    expect(status()).toBe('INACTIVE');
  });
});

describe('at the very moment', () => {
  it('at which it is made ACTIVE: a hold that had found it INACTIVE looks again when it is on record', async () => {
    const { world, cloud, id, say, contain, release, status } = await contained();
    await contain('Settle');
    const remember = cloud.inventory.rememberRevocation.bind(cloud.inventory);
    cloud.inventory.rememberRevocation = async (record) => {
      cloud.inventory.rememberRevocation = remember;
      await release(); // between the worker's look and its record
      expect(world.iot.changes).toContain(`${id} ACTIVE`);
      await remember(record);
    };
    await say('hold');
    expect(status()).toBe('INACTIVE');
    await say('reactivate');
    expect(status()).toBe('ACTIVE');
  });
  it('the same for the first stage of a revocation', async () => {
    const { cloud, say, contain, release, status } = await contained({ secondStageDelayMs: 60_000 });
    await contain('Settle');
    const remember = cloud.inventory.rememberRevocation.bind(cloud.inventory);
    cloud.inventory.rememberRevocation = async (record) => {
      cloud.inventory.rememberRevocation = remember;
      await release();
      await remember(record);
    };
    await say('revoke');
    expect(status()).toBe('INACTIVE');
  });
  it('at which it is given back: REVOKED stays REVOKED', async () => {
    const { world, say, contain, release, status, inputNow } = await contained();
    await contain('Settle');
    const setStatus = world.iot.setStatus.bind(world.iot);
    world.iot.setStatus = async (certificate, wanted) => {
      if (wanted === 'ACTIVE' && status() !== 'REVOKED') await say('revoke');
      return setStatus(certificate, wanted);
    };
    await expect(release()).rejects.toThrow('CertificateStateException'); // tried again by the state machine
    await world.run(inputNow(), { until: 'nothing' });
    expect([status(), world.stateOf(THING)]).toEqual(['REVOKED', undefined]);
    expect(world.decisions.rows.findLast(({ act }) => act === 'release')?.detail?.['differs']).toContain('revoked');
  });
  it('at which its hold is handed over: a revocation that comes is not weakened to a hold', async () => {
    const { world, say, contain, release, status, onRecord, inputNow } = await contained();
    await contain('Settle');
    await say('hold');
    const takeOver = world.inventory.takeOver.bind(world.inventory);
    world.inventory.takeOver = async (...names) => {
      world.inventory.takeOver = takeOver;
      await say('revoke');
      return takeOver(...names);
    };
    await expect(release()).rejects.toThrow('has changed at this very moment');
    await world.run(inputNow(), { until: 'nothing' });
    expect([status(), onRecord()?.outcome, world.stateOf(THING)]).toEqual(['REVOKED', 'revoked', undefined]);
  });
});

describe('whatever the CA says, and whenever', () => {
  const event = fc.oneof(
    { weight: 3, arbitrary: fc.constantFrom('hold', 'reactivate') },
    { weight: 1, arbitrary: fc.constant('revoke') },
    { weight: 3, arbitrary: fc.constantFrom(...STEPS) },
    { weight: 2, arbitrary: fc.constantFrom('watch', 'release') },
  );
  const answer = fc.constantFrom('SUCCEEDED', 'FAILED');
  it('the certificate is that in the end, and the containment has left no trace', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(event, { minLength: 2, maxLength: 12 }), answer, async (events, answers) => {
        const { world, say, contain, release, status, policies } = await contained();
        world.jobs.answer = ({ operation }) => (operation === 'resume' ? 'SUCCEEDED' : answers);
        let said: 'ACTIVE' | 'INACTIVE' | 'REVOKED' = 'ACTIVE';
        for (const one of events) {
          if (one === 'hold' || one === 'reactivate' || one === 'revoke') {
            if (said !== 'REVOKED') said = one === 'revoke' ? 'REVOKED' : one === 'hold' ? 'INACTIVE' : 'ACTIVE';
            await say(one);
          } else if (one === 'watch') await world.watch();
          else if (one === 'release') await release();
          else await contain(one);
          // Never more than repair for a thing that is locked, never more than the CA says.
          if (said !== 'ACTIVE') expect([events, status()]).not.toEqual([events, 'ACTIVE']);
          if (world.records.rows.get(THING)?.settledAtMs !== undefined && status() === 'ACTIVE')
            expect(policies()).toEqual(['fleetwarden-repair']);
        }
        await release();
        expect([events, status(), policies()]).toEqual([events, said, ['device']]);
        await say('reactivate'); // and whoever lifts a hold is obeyed
        expect([events, status()]).toEqual([events, said === 'REVOKED' ? 'REVOKED' : 'ACTIVE']);
        expect(world.claims.claims.size).toBe(0);
      }),
      { numRuns: 200 },
    );
  }, 120_000);
});
