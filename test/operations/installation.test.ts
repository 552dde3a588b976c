import { serialNumberFromHex } from '../../domain/pki/serial-number.js';
import type { HeldEntry } from '../../domain/fleet/held-list.js';
import { deviceCertificates, recordOf, revocation, type DeviceCertificate } from '../inventory/fleet.js';
import { NOTHING_YET } from '../../lambda/inventory/reconcile/steps.js';
import { startInstallation, type Installation } from './installation.js';

const DATE = '2026-11-22T10:00:00.000Z';
const listOf = (...serials: readonly string[]): HeldEntry[] =>
  serials.map((serial) => ({ serialNumber: serialNumberFromHex(serial), reason: 'keyCompromise', revocationDate: DATE }));

let at: Installation;
let devices: DeviceCertificate[];
beforeAll(async () => {
  at = await startInstallation();
  devices = await deviceCertificates(at.ca, 2);
});
afterAll(() => at.stop());

describe('status', () => {
  test('shows mode, stop, brake, CRLs, inventory, held lists, queues and dead letters', async () => {
    await at.inventory.setActiveCount(1000);
    await at.send('revokeDeadLetterQueueUrl', '{}');
    await at.marks.raise(
      {
        issuerKeyId: at.issuerKeyId,
        partition: 'COMPLETE',
        crlNumber: '1519676905984',
        thisUpdate: new Date(Date.now() - 7200_000).toISOString(),
        nextUpdate: new Date(Date.now() - 3600_000).toISOString(),
        digest: 'd'.repeat(64),
        stateKey: 'state/x',
        stateDigest: 'e'.repeat(64),
        entries: 17,
        bucket: 'crls',
        key: 'external/factory/factory.crl',
        versionId: 'v1',
        etag: 'e',
        appliedAtMs: Date.now(),
      },
      undefined,
    );
    const { code, json } = await at.run('status', '--json');
    expect(code).toBe(0);
    expect(json()).toMatchObject({
      prefix: 'fleetwarden',
      region: 'eu-west-1',
      mode: 'enforce',
      stop: { stopped: false },
      brake: { floor: 5, share: 0.01, windowMinutes: 60, limit: 10 },
      crls: [{ anchorId: 'factory', crlNumber: '1519676905984', entries: 17, expired: true }],
      inventory: { active: 1000 },
      holds: { HELD: 0 },
    });
    const { queues } = json<{ queues: { name: string; deadLetters: number }[] }>();
    expect(queues.map(({ name, deadLetters }) => [name, deadLetters])).toEqual([
      ['sync', 0],
      ['fast', 0],
      ['revoke', 1],
      ['inventory', 0],
      ['reconcile', 0],
    ]);
    const text = (await at.run('status')).out;
    expect(text).toMatch(/factory .* 1519676905984 .* 17 .* 2 hours .* EXPIRED/);
    expect(text).toContain('10 revocations in 60 minutes');
    expect(text).not.toContain('\u001b['); // NO_COLOR
  });

  test('shows what the last reconciliation found', async () => {
    await at.reconciliation.report({
      runId: '2026-11-22T04:00:00.000Z',
      sequence: 9,
      phase: { name: 'done' },
      tally: { ...NOTHING_YET, listed: 3, active: 3, withoutThing: 2 },
      examples: { withoutThing: ['ab'], sharedThing: [], unknownIssuer: [], unreadable: [] },
      countChanges: 0,
      startedAtMs: Date.now() - 60_000,
      updatedAtMs: Date.now(),
    });
    expect((await at.run('status', '--count')).out).toMatch(/ACTIVE without a thing +2/);
  });

  test('of an installation that there is not says where it looked', async () => {
    const { code, err } = await at.run('status', '--prefix', 'elsewhere');
    expect(code).toBe(2);
    expect(err).toContain('no installation "elsewhere" in region eu-west-1: got no SSM parameter below /elsewhere/application');
  });
});

describe('why', () => {
  test('tells the history of a certificate by thing, by certificateId and by serial number in any spelling', async () => {
    const device = devices[0]!;
    await at.inventory.record(recordOf(device, { thingName: device.thing, status: 'REVOKED', statusReason: 'keyCompromise' }));
    await at.inventory.rememberRevocation(revocation(device, 'revoked'));
    const decision = { act: 'revoke', reason: 'as-asked', runId: 'digest', by: 'revoke', detail: { outcome: 'revoked' } };
    await at.decisions.append({ ...decision, subject: `CERT#${device.certificateId}`, step: 'outcome', atMs: Date.parse(DATE) + 500 });
    await at.decisions.append({ ...decision, subject: `CERT#${device.certificateId}`, step: 'intent', atMs: Date.parse(DATE) });

    const colons = device.serialNumber
      .padStart(32, '0')
      .toUpperCase()
      .replaceAll(/(..)(?=.)/g, '$1:');
    for (const target of ['dev-1', device.certificateId, device.serialNumber, colons, BigInt(`0x${device.serialNumber}`).toString()]) {
      const { code, json } = await at.run('why', target, '--json');
      expect({ target, code }).toEqual({ target, code: 0 });
      expect(json()).toMatchObject({
        target,
        found: [
          {
            certificate: { certificateId: device.certificateId, thingName: 'dev-1', status: 'REVOKED' },
            registry: 'gone',
            revocation: { outcome: 'revoked' },
            timeline: [{ step: 'intent', sentence: 'the registry says what it should not, and is set right' }, { step: 'outcome' }],
          },
        ],
      });
    }
    expect((await at.run('why', 'dev-1')).out).toMatch(/2026-11-22T10:00:00Z {2}revoke … {2}the registry says what it should not/);
  });

  test('tells what is remembered of a serial number that no certificate is known of', async () => {
    const device = devices[1]!;
    await at.inventory.rememberRevocation(revocation(device));
    const { code, out } = await at.run('why', device.serialNumber);
    expect(code).toBe(0);
    expect(out).toMatch(/certificate +none known in AWS IoT/);
    expect(out).toMatch(/outcome +not-registered/);
  });

  test('finds nothing: says where it looked, and ends with 1', async () => {
    const { code, err } = await at.run('why', 'dev-10');
    expect(code).toBe(1);
    expect(err).toContain('nothing is known of "dev-10"');
  });
});

describe('held lists', () => {
  test('are shown, approved once by their hash, and sync is told', async () => {
    const hold = await at.hold('7', listOf('b7c2', 'b7c3', 'b7c4'));
    expect((await at.run('holds', '--json')).json()).toMatchObject({ holds: [{ hash: hold.hash, state: 'HELD', count: 3 }] });
    expect((await at.run('holds')).out).toContain(hold.hash.slice(0, 16));
    expect((await at.run('holds', 'show', hold.hash.slice(0, 8), '--json')).json()).toMatchObject({
      hash: hold.hash,
      entries: [{ serialNumber: 'b7c2', reason: 'keyCompromise' }, { serialNumber: 'b7c3' }, { serialNumber: 'b7c4' }],
    });

    const unconfirmed = await at.run('approve', hold.hash);
    expect(unconfirmed.code).toBe(1);
    expect(unconfirmed.err).toContain('--yes');
    expect((await at.holds.get(hold.hash))?.state).toBe('HELD');

    const approved = await at.run('approve', hold.hash.slice(0, 12), '--yes', '--json');
    expect(approved.code).toBe(0);
    expect(approved.json()).toMatchObject({ hash: hold.hash, state: 'APPROVED', count: 3 });
    expect(await at.holds.get(hold.hash)).toMatchObject({ state: 'APPROVED', decidedBy: expect.stringMatching(/^arn:aws:/) });
    expect(await at.received('syncQueueUrl')).toEqual([{ kind: 'approved', hash: hold.hash }]);
    const rows = [];
    for await (const { step, act, by } of at.decisions.of(`HOLD#${hold.hash}`)) rows.push([step, act, by.startsWith('arn:aws:')]);
    expect(rows).toHaveLength(2);
    expect(rows).toEqual(
      expect.arrayContaining([
        ['intent', 'approve', true],
        ['outcome', 'approve', true],
      ]),
    ); // of one instant

    // The terminal died before sync was told: the same command tells it again, and nothing else.
    expect((await at.run('approve', hold.hash, '--yes')).code).toBe(0);
    expect(await at.received('syncQueueUrl')).toEqual([{ kind: 'approved', hash: hold.hash }]);

    await at.holds.move(hold.hash, 'APPROVED', 'APPLIED', 'sync', Date.now());
    const again = await at.run('approve', hold.hash, '--yes');
    expect(again.code).toBe(1);
    expect(again.err).toContain('is APPLIED, expected HELD');
    expect(await at.received('syncQueueUrl')).toEqual([]);
  });

  test('are rejected, and reopened', async () => {
    const hold = await at.hold('8', listOf('c1'));
    expect((await at.run('reopen', hold.hash)).code).toBe(1);
    expect((await at.run('reject', hold.hash)).code).toBe(0);
    expect((await at.holds.get(hold.hash))?.state).toBe('REJECTED');
    const approval = await at.run('approve', hold.hash, '--yes');
    expect(approval.code).toBe(1);
    expect((await at.run('reopen', hold.hash, '--json')).json()).toMatchObject({ state: 'HELD' });
    expect(await at.received('syncQueueUrl')).toEqual([]);
  });

  test('are not approved when somebody has altered the list in the bucket', async () => {
    const hold = await at.hold('9', listOf('d1'));
    await at.alterList(hold);
    const { code, err } = await at.run('approve', hold.hash, '--yes');
    expect(code).toBe(1);
    expect(err).toContain('somebody has altered it');
    expect((await at.holds.get(hold.hash))?.state).toBe('HELD');
  });

  test.each([
    ['a beginning that is too short', 'abcdef', 2, /at least 8 digits/],
    ['a hash that is none', 'not-a-hash', 2, /expected the hash of a held list/],
    ['a hash that nothing is held under', '0'.repeat(64), 1, /no list is held under/],
  ])('are named exactly: %s', async (_sentence, hash, code, said) => {
    const answer = await at.run('approve', hash, '--yes');
    expect(answer.code).toBe(code);
    expect(answer.err).toMatch(said);
  });
});

describe('control', () => {
  test('the emergency stop is set with a reason, shown, and lifted', async () => {
    expect((await at.run('resume')).code).toBe(1);
    expect((await at.run('pause', '--reason', 'CRL looks wrong', '--json')).json()).toMatchObject({
      stopped: true,
      reason: 'CRL looks wrong',
    });
    expect((await at.run('status')).out).toMatch(/SET by arn:aws:.*: CRL looks wrong/);
    const twice = await at.run('pause', '--reason', 'me too');
    expect(twice.code).toBe(1);
    expect(twice.err).toContain('CRL looks wrong');
    expect((await at.run('resume')).code).toBe(0);
    expect((await at.run('status', '--json')).json()).toMatchObject({ stop: { stopped: false } });
  });

  test('reconcile and sweep send their messages', async () => {
    expect((await at.run('reconcile')).code).toBe(0);
    expect((await at.run('sweep', '--json')).json()).toEqual({ sent: 'sweep' });
    expect(await at.received('reconcileQueueUrl')).toEqual([{ kind: 'start' }]);
    expect(await at.received('syncQueueUrl')).toEqual([{ kind: 'sweep' }]);
  });
});
