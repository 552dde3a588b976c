/** What becomes of an audit: read, deduplicated, handed over, told. And of one that failed, is another's, or is read by a process that dies. */
import fc from 'fast-check';
import { METRICS } from '../../domain/fleet/metrics.js';
import type { AuditMessage } from '../../domain/protocol/audit.js';
import { run } from '../../lambda/audit/collect/run.js';
import { crashing, Death } from '../revocation/memory/crashing.js';
import { AuditWorld, certificateIdOf, finding, otherFinding, SCHEDULE } from './memory/world.js';

const saidBy = ({ signals }: AuditWorld): readonly string[] => signals.lines.map(({ message }) => message);

describe('an audit', () => {
  it('hands its certificates over, a page at a time, and puts every finding on record', async () => {
    const world = new AuditWorld();
    const names = Array.from({ length: 600 }, (_, i) => `pump-${i}`);
    await world.notify(
      world.audit(
        't1',
        names.map((name) => finding(name)),
      ),
    );
    expect(world.rotated.map(({ certificateIds, taskId }) => [certificateIds.length, taskId])).toEqual([
      [250, 't1'],
      [250, 't1'],
      [100, 't1'],
    ]);
    expect(new Set(world.rotated.flatMap(({ certificateIds }) => certificateIds))).toEqual(new Set(names.map(certificateIdOf)));
    expect(world.open).toHaveLength(600);
    expect(world.records.checkRows.get('DEVICE_CERTIFICATE_EXPIRING_CHECK')).toMatchObject({ nonCompliant: 600, taskId: 't1' });
    expect(world.metric(METRICS.auditCollected)).toBe(1);
  });

  it('goes on by message when the time of a call is over, and misses nothing', async () => {
    const world = new AuditWorld();
    world.callMs = -1;
    const names = Array.from({ length: 1000 }, (_, i) => `pump-${i}`);
    world.audit(
      't1',
      names.map((name) => finding(name)),
    );
    await run(world.ports, world.settings, { taskId: 't1', taskStatus: 'COMPLETED' });
    expect(world.orders).toEqual([{ kind: 'page', taskId: 't1', nextToken: '250' }]);
    await world.deliver(world.orders.shift()!);
    expect(world.open).toHaveLength(1000);
    expect(world.decisions.rows.filter(({ act }) => act === 'audit')).toHaveLength(1);
  });

  it('keeps to nine pages a second, all workers together', async () => {
    const world = new AuditWorld();
    world.audits.pageSize = 1;
    world.audit(
      't1',
      Array.from({ length: 90 }, (_, i) => finding(`pump-${i}`)),
    );
    const before = world.clock.nowMs();
    await world.notify('t1');
    expect(world.clock.nowMs() - before).toBeGreaterThanOrEqual((89 * 1000) / 9);
  });

  it('delivered twice is read once', async () => {
    const world = new AuditWorld();
    world.audit('t1', [finding('pump-1')]);
    await world.notify('t1');
    await world.notify('t1');
    await world.deliver({ kind: 'task', taskId: 't1', by: 'watch' });
    expect(world.rotated).toHaveLength(1);
    expect(world.metric(METRICS.auditCollected)).toBe(1);
  });

  it('the day after adds nothing for a certificate that was handed over', async () => {
    const world = new AuditWorld();
    await world.notify(world.audit('t1', [finding('pump-1')]));
    world.nextDay();
    await world.notify(world.audit('t2', [finding('pump-1', { findingId: 'another' }), finding('pump-2')]));
    expect(world.rotated.map(({ certificateIds }) => certificateIds)).toEqual([[certificateIdOf('pump-1')], [certificateIdOf('pump-2')]]);
    expect(world.open.map(({ taskId }) => taskId)).toEqual(['t2', 't2']);
    expect(world.metric(METRICS.auditFindingsNew)).toBe(2);
  });

  it('that finds a certificate by several checks, in either spelling, hands it over once', async () => {
    const world = new AuditWorld();
    await world.notify(
      world.audit('t1', [
        finding('pump-1'),
        finding('pump-1', { checkName: 'DEVICE_CERT_APPROACHING_EXPIRATION_CHECK', reasonCode: 'CERTIFICATE_PAST_EXPIRATION' }),
        finding('pump-1', { checkName: 'DEVICE_CERTIFICATE_KEY_QUALITY_CHECK' }),
      ]),
    );
    expect(world.rotated.map(({ certificateIds }) => certificateIds)).toEqual([[certificateIdOf('pump-1')]]);
    expect(world.open.map(({ checkName }) => checkName)).toEqual([
      'DEVICE_CERTIFICATE_EXPIRING_CHECK',
      'DEVICE_CERTIFICATE_KEY_QUALITY_CHECK',
    ]);
  });

  it('that does not find something again closes it; when it comes back, it is handed over again', async () => {
    const world = new AuditWorld();
    await world.notify(world.audit('t1', [finding('pump-1')]));
    world.nextDay();
    await world.notify(world.audit('t2', []));
    expect(world.open).toEqual([]);
    world.nextDay();
    await world.notify(world.audit('t3', [finding('pump-1')]));
    expect(world.open).toHaveLength(1);
    expect(world.rotated).toHaveLength(2);
  });

  it('leaves suppressed findings alone', async () => {
    const world = new AuditWorld();
    await world.notify(world.audit('t1', [finding('pump-1', { isSuppressed: true })]));
    expect([world.rotated, world.open]).toEqual([[], []]);
  });

  it.each<[string, object]>([
    ['another schedule', { scheduledAuditName: `${SCHEDULE}-of-others` }],
    ['nobody known', { scheduledAuditName: undefined }],
  ])('of %s is left alone', async (_, changes) => {
    const world = new AuditWorld();
    await world.notify(world.audit('t1', [finding('pump-1')], changes));
    expect([world.rotated, world.open, [...world.records.audits.keys()]]).toEqual([[], [], []]);
  });

  it('that AWS IoT does not know is somebody’s invention', async () => {
    const world = new AuditWorld();
    await world.notify('made-up');
    expect(world.signals.lines.at(-1)).toMatchObject({ ids: { reason: 'audit-unknown' } });
  });

  it('said to be over while AWS IoT lists it as running comes again', async () => {
    const world = new AuditWorld();
    world.audit('t1', [], { status: 'IN_PROGRESS' });
    await expect(world.notify('t1')).rejects.toThrow(/IN_PROGRESS/);
  });

  it('on demand by one of us is read when its notification comes, whichever is first', async () => {
    const world = new AuditWorld();
    const running = { status: 'IN_PROGRESS', scheduledAuditName: undefined } as const;
    world.audit('t1', [finding('pump-1')], running);
    await world.deliver({ kind: 'task', taskId: 't1', by: 'arn:aws:iam::111122223333:user/ops' });
    expect(world.rotated).toEqual([]);
    world.audit('t1', [finding('pump-1')], { scheduledAuditName: undefined });
    await world.notify('t1');
    expect(world.rotated).toHaveLength(1);
    expect(world.records.audits.get('t1')).toMatchObject({ by: 'arn:aws:iam::111122223333:user/ops' });
  });
});

describe('an audit, or a check, that failed', () => {
  it('alarms, and closes nothing', async () => {
    const world = new AuditWorld();
    await world.notify(world.audit('t1', [finding('pump-1')]));
    world.nextDay();
    const failed = [
      { checkName: 'DEVICE_CERTIFICATE_EXPIRING_CHECK', status: 'FAILED' as const, nonCompliant: 0, errorCode: 'INSUFFICIENT_PERMISSIONS' },
    ];
    await world.notify(world.audit('t2', [], { checks: failed }));
    expect(world.open).toHaveLength(1);
    expect([world.metric(METRICS.auditCheckFailed), world.metric(METRICS.auditFailed)]).toEqual([1, 0]);
    expect(world.signals.lines).toContainEqual(
      expect.objectContaining({
        message: 'audit check did not complete',
        ids: expect.objectContaining({ errorCode: 'INSUFFICIENT_PERMISSIONS' }) as object,
      }),
    );
  });

  it('as a whole alarms, and hands over what its complete checks have found', async () => {
    const world = new AuditWorld();
    await world.notify(world.audit('t1', [finding('pump-1')], { status: 'CANCELED' }));
    expect([world.metric(METRICS.auditFailed), world.metric(METRICS.auditCollected)]).toEqual([1, 0]);
    expect(world.rotated).toHaveLength(1);
  });

  it('to be read alarms, and is read when it comes again', async () => {
    const world = new AuditWorld();
    world.audit('t1', [finding('pump-1')]);
    world.audits.failures = 1;
    await expect(world.notify('t1')).rejects.toThrow('Rate exceeded');
    expect(world.metric(METRICS.auditFindingsUnreadable)).toBe(1);
    await world.notify('t1');
    expect(world.open).toHaveLength(1);
  });

  it('to name what it is about alarms; its neighbours are handed over', async () => {
    const world = new AuditWorld();
    await world.notify(world.audit('t1', [finding('pump-1'), finding('pump-2', { resource: '' })]));
    expect([world.metric(METRICS.auditFindingsUnreadable), world.open.length]).toEqual([1, 1]);
  });
});

describe('a finding', () => {
  it('about the account is told with what to do, and again by the next audit as long as it stands; its reason is on record once', async () => {
    const world = new AuditWorld();
    for (const taskId of ['t1', 't2']) {
      await world.notify(world.audit(taskId, [otherFinding('IOT_POLICY_OVERLY_PERMISSIVE_CHECK', 'open 1')]));
      world.nextDay();
    }
    expect(world.metric(METRICS.auditAccountFinding)).toBe(2);
    expect(world.decisions.rows.filter(({ act }) => act === 'notify')).toMatchObject([
      { subject: 'FINDING#IOT_POLICY_OVERLY_PERMISSIVE_CHECK open 1', reason: 'finding-new', runId: 't1' },
    ]);
    expect(world.signals.lines.filter(({ message }) => message === 'finding for people')).toMatchObject([
      { ids: { resource: 'open 1', advice: expect.stringContaining('policy variables') as string } },
    ]);
  });

  it('of a check that is not known here is for people, as bad as can be', async () => {
    const world = new AuditWorld();
    await world.notify(world.audit('t1', [finding('pump-1', { checkName: 'BRAND_NEW_CHECK', severity: 'CRITICAL' })]));
    expect([world.rotated.length, world.metric(METRICS.auditAccountFinding)]).toEqual([0, 1]);
    expect(world.open).toMatchObject([{ checkName: 'UNKNOWN', response: 'notify' }]);
    expect(saidBy(world)).toContain('audit check is not known');
    const known = new AuditWorld();
    await known.notify(known.audit('t1', [otherFinding('LOGGING_DISABLED_CHECK', '111122223333')]));
    expect(saidBy(known)).not.toContain('audit check is not known');
    expect(saidBy(known)).not.toContain('findings handed over');
  });

  it('about a shared certificate goes to quarantine, as the finding that it is, or to people where quarantine is off', async () => {
    const shared = finding('pump-1', { checkName: 'DEVICE_CERTIFICATE_SHARED_CHECK', severity: 'CRITICAL' });
    const on = new AuditWorld({ quarantine: true });
    await on.notify(on.audit('t1', [shared]));
    expect(on.contained).toEqual([{ kind: 'audit-finding', taskId: 't1', findingId: shared.findingId, checkName: shared.checkName }]);
    const off = new AuditWorld();
    await off.notify(off.audit('t1', [shared]));
    expect([off.contained.length, off.metric(METRICS.auditDeviceFinding)]).toEqual([0, 1]);
  });

  it('about a certificate that its CA has revoked has the CRLs read again, and is told', async () => {
    const world = new AuditWorld();
    await world.notify(world.audit('t1', [finding('pump-1', { checkName: 'REVOKED_DEVICE_CERT_CHECK' })]));
    expect([world.sweeps, world.rotated.length, world.metric(METRICS.auditDeviceFinding)]).toEqual([1, 0, 1]);
  });

  it('about a certificate that names none cannot be rotated: it is for people', async () => {
    const world = new AuditWorld();
    await world.notify(world.audit('t1', [otherFinding('DEVICE_CERTIFICATE_EXPIRING_CHECK', 'not-an-id')]));
    expect([world.rotated.length, world.metric(METRICS.auditDeviceFinding)]).toEqual([0, 1]);
  });
});

describe('two audits at once', () => {
  it('the older one, read late, does not bring back what the newer one has found put right', async () => {
    const world = new AuditWorld();
    world.audit('old', [finding('pump-1')]);
    world.nextDay();
    await world.notify(world.audit('new', []));
    await world.notify('old');
    expect([world.open, world.rotated]).toEqual([[], []]);
  });
});

describe('the watch', () => {
  const watch: AuditMessage = { kind: 'watch' };

  it('is quiet at first, and tells of silence after two periods', async () => {
    const world = new AuditWorld();
    await world.deliver(watch);
    world.nextDay();
    world.nextDay();
    await world.deliver(watch);
    expect(world.metric(METRICS.auditSilent)).toBe(0);
    expect(saidBy(world)).not.toContain('no scheduled audit has been read');
    world.nextDay();
    await world.deliver(watch);
    expect(world.metric(METRICS.auditSilent)).toBe(1);
    expect(saidBy(world)).toContain('no scheduled audit has been read');
  });

  it('is calmed by a scheduled audit that was read', async () => {
    const world = new AuditWorld();
    await world.deliver(watch);
    for (let day = 0; day < 3; day += 1) world.nextDay();
    await world.notify(world.audit('t1', []));
    world.nextDay();
    await world.deliver(watch);
    expect(world.metric(METRICS.auditSilent)).toBe(0);
  });

  it('has an audit read that a dead process began to read, and none that was read to its end', async () => {
    const world = new AuditWorld();
    await world.deliver(watch);
    await world.records.claim(world.audit('begun', [finding('pump-1')]), SCHEDULE);
    world.clock.advance(6 * 3_600_000);
    await run(world.ports, world.settings, watch);
    expect(world.orders).toEqual([{ kind: 'task', taskId: 'begun', by: SCHEDULE }]);
    await world.deliver(world.orders.shift()!);
    await run(world.ports, world.settings, watch);
    expect(world.orders).toEqual([]);
  });

  it('is not calmed by an audit on demand', async () => {
    const world = new AuditWorld();
    await world.deliver(watch);
    for (let day = 0; day < 3; day += 1) world.nextDay();
    world.audit('t1', [], { scheduledAuditName: undefined });
    await world.deliver({ kind: 'task', taskId: 't1', by: 'ops' });
    await world.deliver(watch);
    expect(world.metric(METRICS.auditSilent)).toBe(1);
  });

  it('has an audit read whose notification was lost, and none of other people', async () => {
    const world = new AuditWorld();
    await world.deliver(watch);
    world.audit('lost', [finding('pump-1')]);
    world.audit('theirs', [finding('pump-2')], { scheduledAuditName: 'theirs' });
    world.clock.advance(6 * 3_600_000);
    await world.deliver(watch);
    expect(world.open.map(({ taskId }) => taskId)).toEqual(['lost']);
    await world.deliver(watch);
    expect(world.rotated).toHaveLength(1);
  });
});

describe.each(['before', 'after'] as const)('a process that dies %s any call of a neighbour', (moment) => {
  const scenario = async (): Promise<{ world: AuditWorld; messages: AuditMessage[] }> => {
    const world = new AuditWorld({ quarantine: true });
    await world.notify(world.audit('t0', [finding('pump-0'), finding('gone')]));
    world.nextDay();
    world.audits.pageSize = 2;
    world.audit('t1', [
      finding('pump-0'),
      finding('pump-1'),
      finding('pump-2', { checkName: 'DEVICE_CERTIFICATE_SHARED_CHECK' }),
      otherFinding('LOGGING_DISABLED_CHECK', '111122223333'),
      finding('pump-3', { checkName: 'REVOKED_DEVICE_CERTIFICATE_STILL_ACTIVE_CHECK' }),
    ]);
    return { world, messages: [{ taskId: 't1', taskStatus: 'COMPLETED' }] };
  };

  it.each([240_000, -1])('leaves the same behind, with %d ms for a call', async (callMs) => {
    const undisturbed = await scenario();
    undisturbed.world.callMs = callMs;
    await undisturbed.world.deliver(undisturbed.messages[0]!);
    let deaths = 0;
    for (let n = 1; ; n += 1) {
      const { world, messages } = await scenario();
      world.callMs = callMs;
      const died = await run(crashing(world.ports, n, moment), world.settings, messages[0]!).then(
        () => false,
        (error: unknown) => {
          if (error instanceof Death) return true;
          throw error;
        },
      );
      // What was sent before the death is delivered too, before or after the redelivery.
      const sent = world.orders.splice(0);
      if (died) await world.deliver(messages[0]!);
      for (const order of sent) await world.deliver(order);
      expect([n, world.endState()]).toEqual([n, undisturbed.world.endState()]);
      if (!died) break;
      deaths += 1;
    }
    expect(deaths).toBeGreaterThan(callMs > 0 ? 15 : 8);
  });
});

describe('whatever the audits say, in whatever order they arrive', () => {
  it('the newest complete one decides what is open, and everything open that can be rotated was handed over', async () => {
    const names = ['a', 'b', 'c', 'd'];
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.subarray(names), { minLength: 1, maxLength: 5 }),
        fc.array(fc.nat({ max: 4 }), { maxLength: 10 }),
        fc.integer({ min: 1, max: 3 }),
        async (audits, deliveries, pageSize) => {
          const world = new AuditWorld();
          world.audits.pageSize = pageSize;
          audits.forEach((found, index) => {
            world.audit(
              `t${index}`,
              found.map((name) => finding(name)),
            );
            world.nextDay();
          });
          const newest = audits.length - 1;
          for (const index of [...deliveries, newest]) if (index < audits.length) await world.notify(`t${index}`);
          expect(new Set(world.open.map(({ resource }) => resource))).toEqual(new Set(audits[newest]!.map(certificateIdOf)));
          const handedOver = new Set(world.rotated.flatMap(({ certificateIds }) => certificateIds));
          for (const { resource } of world.open) expect(handedOver).toContain(resource);
        },
      ),
      { numRuns: 60 },
    );
  });
});
