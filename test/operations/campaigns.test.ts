import type { Campaign, Rotation } from '../../lambda/ports/rotations.js';
import { serialNumberFromHex } from '../../domain/pki/serial-number.js';
import { dynamoRevocationsByHand } from '../../lambda/aws/by-hand.js';
import { dynamoCampaigns } from '../../lambda/aws/campaigns.js';
import { dynamoRotations } from '../../lambda/aws/rotations.js';
import { wallClock } from '../../lambda/runtime/clock.js';
import { deviceCertificates, recordOf, type DeviceCertificate } from '../inventory/fleet.js';
import { startInstallation, type Installation } from './installation.js';

let off: Installation;
let at: Installation;
let device: DeviceCertificate;
beforeAll(async () => {
  off = await startInstallation();
  at = await startInstallation({ rotation: 'enforce' });
  [device] = (await deviceCertificates(at.ca, 1)) as [DeviceCertificate];
});
afterAll(async () => {
  await off.stop();
  await at.stop();
});

const atMs = Date.parse('2026-11-22T10:00:00Z');
const campaign = (changes: Partial<Campaign> = {}): Campaign => ({
  campaignId: 'due-2026-11-22',
  jobId: 'fleetwarden-rotation-due-2026-11-22',
  thingGroupName: 'fleetwarden-rotation-due-2026-11-22',
  reason: 'expires-soon',
  state: 'running',
  size: 1,
  deadlineMs: atMs + 30 * 86_400_000,
  createdAtMs: atMs,
  updatedAtMs: atMs,
  foundBy: 'expiry query, window 30 days',
  ...changes,
});

describe('where rotation is off', () => {
  test('rotate says so, and what to do', async () => {
    const { code, err } = await off.run('rotate', 'dev-1');
    expect([code, err]).toEqual([1, 'refused: rotation is off in this installation: set rotation.mode in its configuration, and deploy\n']);
  });
  test('campaigns shows that there has been none', async () => {
    expect((await off.run('campaigns')).out).toContain('There has been no campaign.');
  });
});

describe('rotate', () => {
  test('asks for a thing under the name of the caller', async () => {
    const { code, json } = await at.run('rotate', 'dev-1', '--json');
    const { campaignId } = json<{ campaignId: string }>();
    expect([code, await at.received('startQueueUrl')]).toEqual([
      0,
      [
        {
          kind: 'rotate',
          thingName: 'dev-1',
          by: expect.stringMatching(/^arn:aws:/) as string,
          requestId: campaignId.replace('operator-', ''),
        },
      ],
    ]);
  });
  test('does not understand what is no name of a thing', async () => {
    expect(await at.run('rotate', 'dev/1')).toMatchObject({ code: 2, err: expect.stringContaining('thingName: got "dev/1"') as string });
  });
});

describe('a campaign', () => {
  let rotation: Rotation;
  beforeAll(async () => {
    const ledger = { client: at.desk.documents, table: at.ledgerTable };
    await dynamoCampaigns(ledger, wallClock).put(campaign());
    const { jobId, campaignId, reason, foundBy, deadlineMs } = campaign();
    rotation = {
      oldCertificateId: device.certificateId,
      thingName: device.thing,
      campaignId,
      jobId,
      state: 'offered',
      reason,
      foundBy,
      deadlineMs,
      createdAtMs: atMs,
      updatedAtMs: atMs,
    };
    await dynamoRotations(ledger, wallClock).open(rotation);
    await at.inventory.record(recordOf(device, { thingName: device.thing }));
  });

  test('is listed, and shown with how far its devices are', async () => {
    expect((await at.run('campaigns', '--json')).json()).toMatchObject({
      campaigns: [{ campaignId: 'due-2026-11-22', state: 'running', size: 1 }],
    });
    expect((await at.run('campaign', 'show', 'due-2026-11-22', '--json')).json()).toMatchObject({
      progress: { offered: 1 },
      members: [{ thingName: 'dev-1', state: 'offered' }],
    });
    const { out } = await at.run('campaign', 'show', 'due-2026-11-22');
    expect(out).toMatch(/found by +expiry query, window 30 days/);
    expect(out).toContain('the certificate ends within the window');
  });

  test('that waits for its turn says until when', async () => {
    const campaigns = dynamoCampaigns({ client: at.desk.documents, table: at.ledgerTable }, wallClock);
    const waiting = campaign({ campaignId: 'audit-1', jobId: 'fleetwarden-rotation-audit-1', state: 'planned' });
    await campaigns.put(waiting);
    expect((await at.run('campaign', 'show', 'audit-1')).out).not.toContain('turn');
    await campaigns.takeTurn('audit-1', Date.parse('2199-01-01T00:00:00Z'));
    expect((await at.run('campaign', 'show', 'audit-1')).out).toMatch(/turn +2199-01-01/);
    expect((await at.run('campaign', 'show', 'audit-1', '--json')).json()).toMatchObject({
      campaign: { turnAt: expect.stringMatching(/^2199-01-01/) as string },
    });
    await campaigns.move('audit-1', ['planned'], 'cancelled', waiting.updatedAtMs);
  });

  test('that does not exist is refused', async () => {
    expect(await at.run('campaign', 'show', 'due-2020-01-01')).toMatchObject({
      code: 1,
      err: 'refused: there is no campaign due-2020-01-01: see fleetwarden campaigns\n',
    });
  });

  test('is paused by message, with a row that says who; what makes no sense in its state is refused', async () => {
    expect((await at.run('campaign', 'pause', 'due-2026-11-22')).code).toBe(0);
    expect(await at.received('startQueueUrl')).toMatchObject([{ kind: 'control', campaignId: 'due-2026-11-22', control: 'pause' }]);
    const rows = [];
    for await (const row of at.decisions.of('CAMPAIGN-LOG#due-2026-11-22')) rows.push(row);
    expect(rows).toMatchObject([
      { step: 'intent', act: 'pause', reason: 'campaign-paused', by: expect.stringMatching(/^arn:aws:/) as string },
    ]);
    expect(await at.run('campaign', 'resume', 'due-2026-11-22')).toMatchObject({
      code: 1,
      err: 'refused: campaign due-2026-11-22 is running, expected paused to resume it\n',
    });
  });

  test('is part of the history of its certificate', async () => {
    const { out } = await at.run('why', device.thing);
    expect(out).toMatch(/rotation +offered/);
    expect(out).toMatch(/campaign +due-2026-11-22/);
    expect((await at.run('why', device.thing, '--json')).json()).toMatchObject({
      found: [{ rotations: [{ state: 'offered', campaignId: 'due-2026-11-22' }] }],
    });
  });

  test('without a word says what it can do', async () => {
    const { code, err, out } = await at.run('campaign');
    expect([code, `${out}${err}`]).toEqual([2, expect.stringMatching(/show[\s\S]*pause[\s\S]*resume[\s\S]*cancel/)]);
  });
});

test('status shows the queues of rotation where it is on', async () => {
  const { queues } = (await at.run('status', '--json')).json<{ queues: { name: string }[] }>();
  expect(queues.map(({ name }) => name).slice(5)).toEqual(['start', 'issue', 'prove', 'retire']);
});

describe('by-hand', () => {
  const serialNumber = serialNumberFromHex('0b7c2');
  const put = () =>
    dynamoRevocationsByHand({ client: at.desk.documents, table: at.ledgerTable }).remember({
      anchorId: 'factory',
      serialNumber,
      runId: 'due-2026-11-22',
      sinceMs: atMs,
    });

  test('lists what people have to revoke at their CA, once, until a person says that it is done', async () => {
    expect((await at.run('by-hand')).out).toContain('Nothing is to be revoked by hand.');
    expect([await put(), await put()]).toEqual([true, false]);
    expect((await at.run('by-hand', '--json')).json()).toEqual({
      byHand: [{ anchorId: 'factory', serialNumber, runId: 'due-2026-11-22', since: expect.stringContaining('2026-11-22') as string }],
    });
    expect((await at.run('by-hand')).out).toContain(serialNumber);
    expect(await at.run('by-hand', 'done', 'factory/0B:7C:2')).toMatchObject({ code: 0 });
    expect((await at.run('by-hand', '--json')).json()).toEqual({ byHand: [] });
  });

  test('refuses what is not on the list, and what is no serial number', async () => {
    expect(await at.run('by-hand', 'done', 'factory/0b7c2')).toMatchObject({
      code: 1,
      err: expect.stringContaining('not on the list') as string,
    });
    expect(await at.run('by-hand', 'done', 'factory')).toMatchObject({ code: 2 });
  });
});
