/** What single acts of containment and release do with what they find, case by case; and that what they did is on record in words. */
import { METRICS } from '../../domain/fleet/metrics.js';
import type { CertificateId } from '../../domain/fleet/certificate-id.js';
import type { WorkflowInput } from '../../domain/protocol/containment-workflow.js';
import type { Rotation } from '../../lambda/ports/rotations.js';
import { certificateNumber } from './memory/iot.js';
import { QUARANTINE, QuarantineWorld, REPAIR } from './memory/world.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const id = certificateNumber(1);

function single(): { world: QuarantineWorld; input: WorkflowInput } {
  const world = new QuarantineWorld();
  world.iot.addCertificate(id, 'ACTIVE', ['device']);
  world.iot.addGroup('line', ['line-policy']);
  world.iot.addGroup('hall');
  world.iot.addThing('pump-1', [id], ['line', 'hall']);
  return { world, input: world.inputFor('pump-1') };
}
const deactivation = {
  kind: 'operator',
  thingName: 'pump-1',
  response: 'deactivate',
  by: 'o',
  reason: 'r',
  requestId: 'bbbbbbbbbbbb',
} as const;
const known = (world: QuarantineWorld, certificate: CertificateId, clientId = 'pump-1'): void =>
  void world.inventory.records.set(certificate, {
    certificateId: certificate,
    issuerId: 'i',
    serialNumber: certificate.slice(-4) as never,
    thingName: 'pump-1' as never,
    clientId,
    notBeforeMs: 0,
    notAfterMs: 1,
    status: 'ACTIVE',
    source: 'registration',
  });
const rotationOf = (fields: Partial<Rotation> = {}): Rotation => ({
  oldCertificateId: id,
  thingName: 'pump-1' as never,
  campaignId: 'c',
  jobId: 'fleetwarden-rotation-c',
  state: 'offered',
  reason: 'operator',
  foundBy: 'x',
  deadlineMs: 0,
  createdAtMs: 0,
  updatedAtMs: 0,
  ...fields,
});
const releaseOf = async (world: QuarantineWorld, input: WorkflowInput): Promise<void> => {
  await world.askRelease('pump-1');
  await world.run(input, { until: 'nothing' });
};
const detailOf = (world: QuarantineWorld, act: string, step = 'outcome') =>
  world.decisions.rows.findLast((row) => row.act === act && row.step === step)?.detail;

describe('what was done is on record', () => {
  it('with what it was done to', async () => {
    const { world, input } = single();
    known(world, id, 'client-7');
    world.iot.addGroup('warm', [], true);
    world.iot.things.get('pump-1')!.groups.add('warm');
    await world.rotations.open(rotationOf());
    await world.run({ ...input, trigger: { ...input.trigger, evidence: { port: 23 } } });
    world.clock.advance(HOUR);
    await releaseOf(world, input);
    expect(detailOf(world, 'contain', 'intent')).toMatchObject({ port: 23, response: 'contain', trigger: input.trigger.id, why: 'test' });
    expect(detailOf(world, 'contain')).toMatchObject({
      certificates: `${id}:ACTIVE`,
      policies: 'device',
      groups: 'line hall',
      dynamicGroups: 'warm',
    });
    // What is not there is no member: a row does not take it.
    expect(detailOf(world, 'cut')).toStrictEqual({ certificates: id, clientIds: 'pump-1 client-7' });
    expect(detailOf(world, 'lock')).toStrictEqual({
      policies: 'device',
      groups: 'line',
      rotations: 'fleetwarden-rotation-c',
      letInAs: 'client-7',
    });
    expect(detailOf(world, 'reopen')).toStrictEqual({ certificates: id });
    expect(detailOf(world, 'shut-off')).toMatchObject({ status: 'SUCCEEDED', stopped: 'actuation,telemetry' });
    const { differs, seconds, certificates } = detailOf(world, 'release')!;
    expect([differs, certificates, Number(seconds) >= 3600 + 600]).toEqual(['', id, true]);
  });

  it('by whom it was asked for', async () => {
    const { world, input } = single();
    await world.run(input);
    await releaseOf(world, input);
    const whoOf = (act: string) => [...new Set(world.decisions.rows.filter((row) => row.act === act).map(({ by }) => by))];
    expect([whoOf('contain'), whoOf('cut'), whoOf('release')]).toEqual([[input.trigger.by], ['quarantine'], ['ops']]);
    expect(detailOf(world, 'release', 'intent')).toEqual({ why: 'repaired' });
  });

  it('that the thing is not to be seen in the quarantine group, and why', async () => {
    const { world, input } = single();
    world.iot.groups.delete(QUARANTINE);
    await world.run(input);
    expect(detailOf(world, 'lock')).toMatchObject({ quarantineGroup: 'gone' });
    expect(world.iot.certificates.get(id)?.policies).toEqual(new Set([REPAIR]));
  });

  it('in the inventory, each time the certificate is shut and opened', async () => {
    const { world, input } = single();
    known(world, id);
    const said = () => {
      const { status, statusReason } = world.inventory.records.get(id)!;
      return [status, statusReason];
    };
    await world.run(input, { until: 'Lock' });
    expect(said()).toEqual(['INACTIVE', 'contained']);
    await world.run(input);
    expect(said()).toEqual(['ACTIVE', 'in-repair']);
    await world.intake(deactivation);
    await world.run(input);
    expect(said()).toEqual(['INACTIVE', 'contained']);
    await releaseOf(world, input);
    expect(said()).toEqual(['ACTIVE', 'released']);
  });

  it.each<[string, string, (world: QuarantineWorld) => unknown]>([
    ['because the device refused', 'shut-off-refused', (world) => (world.jobs.answer = () => 'FAILED')],
    ['because it did not answer', 'shut-off-unanswered', (world) => (world.jobs.answer = () => 'QUEUED')],
    ['because that was asked for', 'cut-off', (world) => world.intake(deactivation)],
  ])('and why a device was taken back: %s', async (_why, reason, prepare) => {
    const { world, input } = single();
    await world.run(input, { until: 'Settle' });
    await prepare(world);
    await world.run(input);
    expect([world.stateOf('pump-1'), world.reasonsOf('pump-1', 'deactivate')]).toEqual(['deactivated', [reason]]);
  });

  it('and what a certificate may still do that is therefore not opened', async () => {
    const { world, input } = single();
    await world.run(input, { until: 'Settle' });
    world.iot.certificates.get(id)!.policies.add('extra');
    await world.run(input);
    expect(world.reasonsOf('pump-1', 'reopen')).toEqual(['rights-remain']);
    expect(detailOf(world, 'reopen')).toStrictEqual({ certificates: '', withRights: id });
  });

  it('in the inventory also where an earlier delivery has shut the certificate and died', async () => {
    const { world, input } = single();
    known(world, id);
    await world.run(input, { until: 'Cut' });
    await world.iot.setStatus(id, 'INACTIVE');
    await world.step('Cut', input);
    expect(world.inventory.records.get(id)).toMatchObject({ status: 'INACTIVE', statusReason: 'contained' });
    expect(detailOf(world, 'cut')).toMatchObject({ certificates: '' });
  });

  it('but not in the inventory of a certificate that is gone', async () => {
    const { world, input } = single();
    known(world, id);
    await world.run(input, { until: 'Cut' });
    world.iot.certificates.delete(id);
    await world.run(input);
    expect(world.inventory.records.get(id)).toMatchObject({ status: 'ACTIVE' });
    expect(world.reasonsOf('pump-1', 'reopen')).toEqual(['stays-shut']);
  });
});

describe('the snapshot', () => {
  it('leaves out what is gone, and the quarantine group that a containment has left behind', async () => {
    const { world, input } = single();
    const gone = certificateNumber(7);
    world.iot.things.get('pump-1')!.certificates.add(gone);
    for (const group of [QUARANTINE, 'vanished']) world.iot.things.get('pump-1')!.groups.add(group);
    known(world, id, '');
    await world.run(input, { until: 'Cut' });
    expect(world.records.rows.get('pump-1')?.snapshot).toMatchObject({
      certificates: [{ certificateId: id, status: 'ACTIVE', policies: ['device'] }],
      groups: [
        { name: 'line', policies: ['line-policy'] },
        { name: 'hall', policies: [] },
      ],
      dynamicGroups: [],
      clientIds: ['pump-1'],
    });
  });
});

describe('the lock', () => {
  it('fails, and the certificate stays shut, where the repair policy is not there or has no place', async () => {
    for (const spoil of [(world: QuarantineWorld) => world.iot.policies.delete(REPAIR), fill]) {
      const { world, input } = single();
      await world.run(input, { until: 'Lock' });
      spoil(world);
      await expect(world.step('Lock', input)).rejects.toThrow(`repair policy ${REPAIR}`);
      expect([world.stateOf('pump-1'), world.iot.certificates.get(id)?.status]).toEqual(['cut', 'INACTIVE']);
    }
  });
  /** By somebody else, since the snapshot. */
  function fill(world: QuarantineWorld): void {
    const { policies } = world.iot.certificates.get(id)!;
    for (let index = 0; index < 11; index += 1) policies.add(`extra-${index}`);
  }

  it('keeps a repair policy that was there before, and does not take what is revoked', async () => {
    const { world, input } = single();
    const revoked = certificateNumber(2);
    world.iot.addCertificate(revoked, 'REVOKED', ['device']);
    world.iot.things.get('pump-1')!.certificates.add(revoked);
    world.iot.certificates.get(id)!.policies.add(REPAIR);
    await world.run(input, { until: 'Settle' });
    expect(world.iot.changes).not.toContain(`${id} -${REPAIR}`);
    expect(world.iot.certificates.get(revoked)).toEqual({ status: 'REVOKED', policies: new Set(['device']) });
    await world.run(input);
    await releaseOf(world, input);
    expect([...world.iot.certificates.get(id)!.policies].sort()).toEqual(['device', REPAIR]);
  });

  it.each<[string, Partial<Rotation>, boolean]>([
    ['that is open', {}, true],
    ['of another thing is left', { thingName: 'pump-2' as never }, false],
    ['that is over is left', { state: 'retired' }, false],
    ['that an earlier delivery withdrew is cancelled at the device, too', { state: 'withdrawn', stateReason: 'thing-contained' }, true],
    ['that was withdrawn for another reason is left', { state: 'withdrawn', stateReason: 'deadline-passed' }, false],
  ])('cancels a rotation %s', async (_what, fields, isCancelled) => {
    const { world, input } = single();
    const before = rotationOf(fields);
    await world.rotations.open(before);
    await world.run(input, { until: 'Settle' });
    expect(world.cancelled).toEqual(isCancelled ? ['fleetwarden-rotation-c'] : []);
    if (!isCancelled) expect(world.rotations.rows.get(id)).toEqual(before);
  });
});

describe('a release', () => {
  it('takes the question back that nobody has answered, and asks to resume only who was asked to stop', async () => {
    const { world, input } = single();
    world.jobs.answer = ({ operation }) => (operation === 'resume' ? 'SUCCEEDED' : 'QUEUED');
    await world.run(input, { until: 'AwaitAnswer' });
    await releaseOf(world, input);
    expect([...world.jobs.jobs.values()].map(({ document, status }) => [document.operation, status])).toEqual([
      ['shut-off', 'CANCELED'],
      ['resume', 'SUCCEEDED'],
    ]);
    const early = single();
    await early.world.run(early.input, { until: 'Settle' });
    await releaseOf(early.world, early.input);
    expect(early.world.jobs.jobs.size).toBe(0);
  });

  it('leaves the question alone that was answered', async () => {
    const { world, input } = single();
    await world.run(input);
    const cancelled: string[] = [];
    world.jobs.cancel = async (jobId) => void cancelled.push(jobId);
    await releaseOf(world, input);
    expect(cancelled).toEqual([]);
  });

  it('joins no group that the thing is in, and tells of none that nobody has changed', async () => {
    const { world, input } = single();
    world.iot.addGroup('warm', [], true);
    await world.run(input);
    world.iot.things.get('pump-1')!.groups.add('warm'); // by its query, meanwhile
    await releaseOf(world, input);
    expect(world.iot.changes.filter((change) => change.startsWith('pump-1 in '))).toEqual([`pump-1 in ${QUARANTINE}`, 'pump-1 in line']);
    expect(detailOf(world, 'release')).toMatchObject({ differs: '' });
  });

  it('opens a certificate that is contained again, for another thing, at the very moment of its release only to shut it', async () => {
    const { world, input } = single();
    world.iot.addThing('pump-2', [id]);
    world.jobs.answer = () => 'FAILED';
    await world.run(input);
    await world.askRelease('pump-1');
    const other = world.inputFor('pump-2', 'deactivate', 'bbbbbbbbbbbb');
    const seen = { certificateId: id, status: 'INACTIVE', policies: [] } as const;
    world.iot.meanwhile = (change) => {
      if (change === `${id} ACTIVE`) void world.claims.claim(seen, other.thingName as never);
    };
    await world.run(input, { until: 'nothing' });
    expect(world.iot.certificates.get(id)?.status).toBe('INACTIVE');
    expect(detailOf(world, 'release')).toMatchObject({ differs: `certificate ${id}: held-by-another-thing` });
    expect(world.claims.claims.get(id)?.snapshot.status).toBe('ACTIVE');
  });
});

describe('a new key', () => {
  const asking = async () => {
    const { world, input } = single();
    const asked: string[][] = [];
    const rotate = async (...given: string[]) => void asked.push(given);
    const ports = () => ({ ...world.stepPorts, rekey: { rotate } });
    await world.run(input, { ports });
    await world.askRelease('pump-1', { rekey: true });
    await world.run(input, { ports, until: 'AwaitKey' });
    return { world, input, asked, check: () => world.step('CheckReKey', input, ports()) };
  };

  it('is asked for again under the same request as long as no rotation has begun, and then no more', async () => {
    const { world, asked, check } = await asking();
    await check();
    expect(asked).toEqual([asked[0], asked[0]]);
    expect(asked[0]).toEqual(['pump-1', 'quarantine', expect.stringMatching(/^[0-9a-f]{12}$/)]);
    await world.rotations.open(rotationOf({ state: 'requested', createdAtMs: world.clock.nowMs() }));
    expect(await check()).toMatchObject({ next: 'AwaitKey' });
    expect(asked).toHaveLength(2);
  });

  it('that was proved before it was asked for is not the one', async () => {
    const { world, check } = await asking();
    const old = { createdAtMs: world.clock.nowMs() - 1, provedAtMs: world.clock.nowMs(), newCertificateId: certificateNumber(2) };
    world.rotations.rows.set(id, rotationOf({ state: 'proved', ...old }));
    expect(await check()).toMatchObject({ next: 'AwaitKey' });
    world.clock.advance(HOUR + 1);
    await check();
    expect([world.stateOf('pump-1'), world.reasonsOf('pump-1', 're-key')]).toEqual(['reopened', ['rekey-unanswered']]);
    expect(world.rotations.rows.get(id)?.state).toBe('proved');
  });

  it('that does not come has its rotation withdrawn, and its device need not go on with it', async () => {
    const { world, check } = await asking();
    await world.rotations.open(rotationOf({ createdAtMs: world.clock.nowMs() }));
    world.clock.advance(HOUR + 1);
    expect(await check()).toMatchObject({ next: 'Watch' });
    expect([world.rotations.rows.get(id)?.state, world.cancelled]).toEqual(['withdrawn', ['fleetwarden-rotation-c']]);
    expect(world.records.rows.get('pump-1')).not.toHaveProperty('release');
    expect(world.records.rows.get('pump-1')).not.toHaveProperty('rekeying');
  });

  it('cannot be had where two certificates are ACTIVE, or none: which one it replaces would be a guess', async () => {
    for (const count of [2, 0]) {
      const { world, input } = single();
      if (count === 2) {
        world.iot.addCertificate(certificateNumber(2), 'ACTIVE', ['device']);
        world.iot.things.get('pump-1')!.certificates.add(certificateNumber(2));
      }
      await world.run(input);
      if (count === 0) await world.iot.setStatus(id, 'INACTIVE');
      await world.askRelease('pump-1', { rekey: true });
      await world.run(input);
      expect([world.rotated, world.stateOf('pump-1'), world.metric(METRICS.rekeyFailed)]).toEqual([[], 'reopened', 1]);
    }
  });

  it('that somebody else has seen to in the meantime is looked at again', async () => {
    const { world, check } = await asking();
    world.clock.advance(HOUR + 1);
    world.records.move = async () => undefined;
    expect(await check()).toEqual({ next: 'Record', seconds: 0 });
  });

  it('cannot be had where there is no rotation', async () => {
    const { world, input } = single();
    await world.run(input);
    await world.askRelease('pump-1', { rekey: true });
    const { rekey: _none, ...ports } = world.stepPorts;
    await world.run(input, { ports: () => ports });
    expect([world.stateOf('pump-1'), world.reasonsOf('pump-1', 're-key')]).toEqual(['reopened', ['rekey-impossible']]);
  });
});

describe('the end of a time box', () => {
  const contained = async () => {
    const { world, input } = single();
    const nowMs = world.clock.nowMs();
    const said = { violationId: 'v', thingName: 'pump-1', behavior: 'flood', securityProfileName: 'p', lastEventType: 'in-alarm' } as const;
    const violation = { ...said, startedAtMs: nowMs, updatedAtMs: nowMs, isOpen: true };
    world.violations.rows.set('v', violation);
    world.timeBoxThen = 'release';
    const trigger = { kind: 'violation', id: 'v', by: 'x', reason: 'flood', atMs: 0, evidence: { securityProfileName: 'p' } } as const;
    const given = { ...input, trigger };
    await world.run(given);
    world.clock.advance(25 * HOUR);
    return { world, input: given, violation };
  };

  it('pages while its violation is in alarm, and the box begins anew', async () => {
    const { world, input } = await contained();
    expect(await world.step('Watch', input)).toEqual({ next: 'AwaitWord', seconds: 86_400 });
    expect([world.reasonsOf('pump-1', 'time-box'), world.metric(METRICS.timeBoxOver)]).toEqual([['violation-open'], 1]);
    expect(detailOf(world, 'time-box')).toEqual({ decided: 'page', openViolations: 1 });
  });

  it('waits for the cool-down from the moment at which it was over, and releases then', async () => {
    const { world, input, violation } = await contained();
    world.violations.rows.set('v', { ...violation, isOpen: false, updatedAtMs: world.clock.nowMs() - 1 });
    expect(await world.step('Watch', input)).toEqual({ next: 'AwaitWord', seconds: 3600 });
    expect([world.reasonsOf('pump-1', 'time-box'), world.metric(METRICS.timeBoxOver)]).toEqual([['cooling-down'], 0]);
    world.clock.advance(HOUR);
    expect(await world.step('Watch', input)).toEqual({ next: 'Restore', seconds: 0 });
    expect(world.records.rows.get('pump-1')?.release).toMatchObject({
      by: 'quarantine',
      reason: 'clear-and-cool',
      rekey: false,
      force: false,
    });
  });

  it('that somebody else has come to in the meantime is looked at again', async () => {
    const { world, input } = await contained();
    world.records.move = async () => undefined;
    expect(await world.step('Watch', input)).toEqual({ next: 'Record', seconds: 0 });
  });
});
