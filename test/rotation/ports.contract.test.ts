/**
 * One spec for each port of the ledger and the registry that rotation has, and two who must meet it: the neighbours in memory that the other tests
 * use, and the adapters that run in AWS, here against the desk.
 */
import { createHash, randomUUID } from 'node:crypto';
import { PutCommand } from '@aws-sdk/lib-dynamodb';
import { certificateId, type CertificateId } from '../../domain/fleet/certificate-id.js';
import { thingName } from '../../domain/fleet/thing-name.js';
import { OPEN_ROTATION_STATES } from '../../domain/protocol/rotation.js';
import type { Containments } from '../../lambda/ports/containments.js';
import type { Enrolling } from '../../lambda/ports/enrolling.js';
import type { Registry } from '../../lambda/ports/registry.js';
import type { Campaign, Campaigns, Rotation, Rotations } from '../../lambda/ports/rotations.js';
import { serialNumberFromHex } from '../../domain/pki/serial-number.js';
import { dynamoRevocationsByHand } from '../../lambda/aws/by-hand.js';
import { dynamoIssuedCertificates } from '../../lambda/aws/issued-certificates.js';
import type { IssuedCertificate } from '../../lambda/ports/issued-certificates.js';
import { createCa } from '../builders/ca.js';
import { startRotationDesk, type RotationDesk } from './desk.js';
import { MemoryContainments, MemoryIot } from './memory/iot.js';
import { MemoryIssuedCertificates, MemoryRevocationsByHand } from './memory/ledger-lists.js';
import { MemoryCampaigns, MemoryRotations } from './memory/rotations.js';

interface Ports {
  readonly rotations: Rotations;
  readonly campaigns: Campaigns;
  readonly containments: Containments;
  readonly enrolling: Enrolling;
  readonly registry: Pick<Registry, 'describe' | 'thingsOf' | 'setStatus'>;
  contain(thing: string): Promise<void>;
  /** A certificate of a registered CA, and the things that it may be attached to. */
  device(): Promise<{
    readonly pem: string;
    readonly caPem: string;
    readonly thing: string;
    readonly other: string;
    readonly policy: string;
  }>;
}

const NOW = Date.parse('2026-11-22T10:00:00Z');
const DAY = 86_400_000;
const all = async <T>(items: AsyncIterable<T>): Promise<T[]> => {
  const list: T[] = [];
  for await (const item of items) list.push(item);
  return list;
};
const hex = (text: string = randomUUID()): string => createHash('sha256').update(text).digest('hex');
const id = (): CertificateId => certificateId(hex());

async function inMemory(): Promise<Ports> {
  const iot = new MemoryIot();
  const containments = new MemoryContainments();
  const ca = await createCa();
  return {
    rotations: new MemoryRotations(),
    campaigns: new MemoryCampaigns(),
    containments,
    enrolling: iot,
    registry: iot,
    contain: async (thing) => void containments.things.add(thing),
    device: async () => ({
      pem: (await ca.issue({ subject: 'CN=x' })).certificatePem,
      caPem: ca.certificatePem,
      thing: `t-${hex()}`,
      other: `t-${hex()}`,
      policy: 'p',
    }),
  };
}

let started: RotationDesk | undefined;
afterAll(() => started?.stop());
async function onAws(): Promise<Ports> {
  const desk = (started = await startRotationDesk());
  return {
    ...desk.ports,
    contain: async (thing) => {
      await desk.ledger.client.send(
        new PutCommand({ TableName: desk.ledger.table, Item: { pk: `CONTAINED#${thing}`, sk: 'CONTAINED', since: NOW } }),
      );
    },
    device: () => desk.unregistered(),
  };
}

describe.each<[string, () => Promise<Ports>]>([
  ['in memory', inMemory],
  ['on AWS, at the desk', onAws],
])('%s', (_who, start) => {
  let ports: Ports;
  beforeAll(async () => {
    ports = await start();
  });

  describe('rotations', () => {
    const rotation = (more: Partial<Rotation> = {}): Rotation => ({
      oldCertificateId: id(),
      thingName: thingName('dev-1'),
      campaignId: `c-${randomUUID()}`,
      jobId: 'job-1',
      state: 'planned',
      reason: 'expires-soon',
      foundBy: 'expiry query, 30 days before notAfter',
      deadlineMs: NOW + 30 * DAY,
      createdAtMs: NOW,
      updatedAtMs: NOW,
      ...more,
    });
    const opened = async (more: Partial<Rotation> = {}): Promise<Rotation> => {
      const one = rotation(more);
      expect(await ports.rotations.open(one)).toBe(true);
      return one;
    };
    const request = () => ({ csrSha256: hex(), newKeyId: hex(), atMs: NOW + 1 });

    test('are opened once for each certificate, and read back as they are', async () => {
      const one = await opened();
      expect(await ports.rotations.open({ ...one, campaignId: 'another' })).toBe(false);
      expect(await ports.rotations.byOld(one.oldCertificateId)).toEqual(one);
      expect(await ports.rotations.byOld(id())).toBeUndefined();
    });

    test('opened by several at once, belong to one of them', async () => {
      const one = rotation();
      const results = await Promise.all(Array.from({ length: 6 }, (_, i) => ports.rotations.open({ ...one, jobId: `job-${i}` })));
      expect(results.filter(Boolean)).toHaveLength(1);
    });

    test.each(['proved', 'retired'] as const)('%s is not opened again', async (state) => {
      const one = await opened();
      await ports.rotations.move(one.oldCertificateId, ['planned'], { state, retireAtMs: NOW });
      expect(await ports.rotations.open(one)).toBe(false);
    });

    test('withdrawn are opened again, but not before an issued certificate is settled; and a new opening begins with nothing', async () => {
      const [plain, issued] = [await opened(), await opened()];
      await ports.rotations.move(plain.oldCertificateId, ['planned'], { state: 'withdrawn' });
      expect(await ports.rotations.open(plain)).toBe(true);
      await ports.rotations.reserve(issued.oldCertificateId, request());
      const fresh = id();
      await ports.rotations.move(issued.oldCertificateId, ['requested'], {
        state: 'issued',
        newCertificateArn: 'arn:aws:acm-pca:x',
        newCertificateId: fresh,
      });
      await ports.rotations.move(issued.oldCertificateId, ['issued'], { state: 'withdrawn' });
      expect(await ports.rotations.open(issued)).toBe(false);
      await ports.rotations.move(issued.oldCertificateId, ['withdrawn'], { state: 'withdrawn', settledAtMs: NOW });
      expect(await ports.rotations.open(issued)).toBe(true);
      expect(await ports.rotations.byOld(issued.oldCertificateId)).toEqual(issued);
      expect(await ports.rotations.byNew(fresh)).toBeUndefined();
    });

    test.each(OPEN_ROTATION_STATES)('are granted once, from state %s, with their key', async (state) => {
      const one = await opened();
      await ports.rotations.move(one.oldCertificateId, ['planned'], { state });
      const wanted = request();
      expect(await ports.rotations.reserve(one.oldCertificateId, wanted)).toBe('reserved');
      expect(await ports.rotations.byOld(one.oldCertificateId)).toMatchObject({
        state: 'requested',
        csrSha256: wanted.csrSha256,
        newKeyId: wanted.newKeyId,
      });
      expect(await ports.rotations.keyIsKnown(wanted.newKeyId)).toBe(true);
      expect(await ports.rotations.reserve(one.oldCertificateId, wanted)).toBe('taken');
      expect(await ports.rotations.reserve(one.oldCertificateId, request())).toBe('taken');
    });

    test('are not granted when none is open, or the key is known', async () => {
      const one = await opened();
      const wanted = request();
      await ports.rotations.rememberKey(wanted.newKeyId, id());
      expect(await ports.rotations.reserve(one.oldCertificateId, wanted)).toBe('key-known');
      expect(await ports.rotations.reserve(id(), request())).toBe('not-open');
      await ports.rotations.move(one.oldCertificateId, ['planned'], { state: 'withdrawn' });
      expect(await ports.rotations.reserve(one.oldCertificateId, request())).toBe('not-open');
    });

    test('asked for by several at once, are granted to one; and one key goes to one rotation', async () => {
      const one = await opened();
      const results = await Promise.all(Array.from({ length: 4 }, () => ports.rotations.reserve(one.oldCertificateId, request())));
      expect(results.toSorted()).toEqual(['reserved', 'taken', 'taken', 'taken']);
      const several = await Promise.all(Array.from({ length: 4 }, () => opened()));
      const wanted = request();
      const granted = await Promise.all(several.map(({ oldCertificateId }) => ports.rotations.reserve(oldCertificateId, wanted)));
      expect(granted.toSorted()).toEqual(['key-known', 'key-known', 'key-known', 'reserved']);
    });

    test('move from the states named and from no other, and say what they are then', async () => {
      const one = await opened();
      expect(await ports.rotations.move(one.oldCertificateId, ['offered'], { state: 'requested' })).toBeUndefined();
      expect(await ports.rotations.move(id(), ['planned'], { state: 'offered' })).toBeUndefined();
      expect(await ports.rotations.move(one.oldCertificateId, ['planned', 'offered'], { state: 'offered', updatedAtMs: NOW + 5 })).toEqual({
        ...one,
        state: 'offered',
        updatedAtMs: NOW + 5,
      });
    });

    test('moved by several at once, move for one', async () => {
      const one = await opened();
      const moves = await Promise.all(
        Array.from({ length: 5 }, (_, i) =>
          ports.rotations.move(one.oldCertificateId, ['planned'], { state: 'offered', stateReason: String(i) }),
        ),
      );
      const [won, ...none] = moves.filter((moved) => moved !== undefined);
      expect(none).toEqual([]);
      expect(await ports.rotations.byOld(one.oldCertificateId)).toEqual(won);
    });

    test('are found by their new certificate', async () => {
      const one = await opened();
      const fresh = id();
      await ports.rotations.move(one.oldCertificateId, ['planned'], { state: 'issued', newCertificateId: fresh });
      expect(await ports.rotations.byNew(fresh)).toMatchObject({ oldCertificateId: one.oldCertificateId, newCertificateId: fresh });
      expect(await ports.rotations.byNew(id())).toBeUndefined();
      expect(await ports.rotations.byNew(one.oldCertificateId)).toBeUndefined();
    });

    test('are listed by campaign in the order of the old certificates; one that went on to another campaign is that one’s', async () => {
      const campaignId = `c-${randomUUID()}`;
      const members = await Promise.all(Array.from({ length: 5 }, () => opened({ campaignId })));
      const sorted = members.map(({ oldCertificateId }) => oldCertificateId).toSorted();
      expect((await all(ports.rotations.ofCampaign(campaignId))).map(({ oldCertificateId }) => oldCertificateId)).toEqual(sorted);
      const next = `c-${randomUUID()}`;
      await ports.rotations.move(sorted[0]!, ['planned'], { state: 'planned', campaignId: next });
      expect((await all(ports.rotations.ofCampaign(campaignId))).map(({ oldCertificateId }) => oldCertificateId)).toEqual(sorted.slice(1));
      expect(await all(ports.rotations.ofCampaign(next))).toMatchObject([{ oldCertificateId: sorted[0] }]);
    });

    test('are due by their deadline while they are open, and to be retired after the grace when they are proved', async () => {
      const early = NOW - 400 * DAY; // before those of the other tests
      const [one, other] = [await opened({ deadlineMs: early }), await opened({ deadlineMs: early + DAY })];
      const due = async (atMs: number) => (await all(ports.rotations.dueBefore(atMs))).map(({ oldCertificateId }) => oldCertificateId);
      expect(await due(early)).toEqual([]);
      expect(await due(early + DAY)).toEqual([one.oldCertificateId]);
      expect(await due(early + 2 * DAY)).toEqual([one.oldCertificateId, other.oldCertificateId]);
      await ports.rotations.move(one.oldCertificateId, ['planned'], { state: 'proved', retireAtMs: early + 7 * DAY });
      expect(await due(early + 2 * DAY)).toEqual([other.oldCertificateId]);
      const retirable = async (atMs: number) => (await all(ports.rotations.toRetire(atMs))).map(({ oldCertificateId }) => oldCertificateId);
      expect(await retirable(early + 7 * DAY - 1)).toEqual([]);
      expect(await retirable(early + 7 * DAY)).toEqual([one.oldCertificateId]);
      await ports.rotations.move(one.oldCertificateId, ['proved'], { state: 'retired' });
      await ports.rotations.move(other.oldCertificateId, ['planned'], { state: 'withdrawn' });
      expect([...(await retirable(early + 8 * DAY)), ...(await due(early + 2 * DAY))]).toEqual([]);
    });
  });

  test('campaigns are put once, found by their job, and move from the states named', async () => {
    const campaignId = `c-${randomUUID()}`;
    const campaign: Campaign = {
      campaignId,
      jobId: `job-${campaignId}`,
      thingGroupName: `group-${campaignId}`,
      reason: 'operator',
      state: 'planned',
      size: 3,
      deadlineMs: NOW + DAY,
      createdAtMs: NOW,
      updatedAtMs: NOW,
      foundBy: 'alice',
    };
    expect(await ports.campaigns.put(campaign)).toBe(true);
    expect(await ports.campaigns.put({ ...campaign, size: 4 })).toBe(false);
    expect(await ports.campaigns.get(campaignId)).toEqual(campaign);
    expect(await ports.campaigns.byJob(campaign.jobId)).toEqual(campaign);
    expect([await ports.campaigns.get('none'), await ports.campaigns.byJob('none')]).toEqual([undefined, undefined]);
    expect(await ports.campaigns.move(campaignId, ['paused'], 'running', NOW + 1)).toBe(false);
    expect(await ports.campaigns.move(campaignId, ['planned', 'paused'], 'running', NOW + 2, 5)).toBe(true);
    expect(await ports.campaigns.get(campaignId)).toEqual({ ...campaign, state: 'running', size: 5, updatedAtMs: NOW + 2 });
    expect((await all(ports.campaigns.all())).filter((one) => one.campaignId === campaignId)).toHaveLength(1);
    expect([await ports.campaigns.takeTurn(campaignId, NOW + 7), await ports.campaigns.takeTurn(campaignId, NOW + 9)]).toEqual([
      NOW + 7,
      NOW + 7,
    ]);
    expect((await ports.campaigns.get(campaignId))?.turnAtMs).toBe(NOW + 7);
    await expect(ports.campaigns.takeTurn('none', NOW)).rejects.toThrow(/[Cc]onditional/);
  });

  test('a thing is contained as long as its row is there, and another of a similar name is not', async () => {
    const thing = `t-${hex().slice(0, 8)}`;
    await ports.contain(thing);
    expect(await ports.containments.isContained(thingName(thing))).toBe(true);
    expect(await ports.containments.isContained(thingName(`${thing}0`))).toBe(false);
  });

  test('enrolling: registered once, INACTIVE as asked, with policy and thing; everything may be repeated, and taken back', async () => {
    const { pem, caPem, thing, other, policy } = await ports.device();
    const [one, two] = [await ports.enrolling.register(pem, caPem, 'INACTIVE'), await ports.enrolling.register(pem, caPem, 'ACTIVE')];
    expect(one).toBe(two);
    expect(await ports.registry.describe(one)).toMatchObject({ certificateId: one, status: 'INACTIVE' });
    for (let i = 0; i < 2; i++) {
      await ports.enrolling.attachPolicy(one, policy);
      await ports.enrolling.attachThing(one, thingName(thing));
    }
    expect([await ports.enrolling.policiesOf(one), await ports.registry.thingsOf(one)]).toEqual([[policy], [thing]]);
    expect(await ports.enrolling.certificatesOf(thingName(thing))).toEqual([one]);
    await expect(ports.enrolling.attachThing(one, thingName(other))).rejects.toThrow('another thing');
    for (let i = 0; i < 2; i++) {
      await ports.enrolling.detachPolicy(one, policy);
      await ports.enrolling.detachThing(one, thingName(thing));
    }
    expect([await ports.enrolling.policiesOf(one), await ports.registry.thingsOf(one)]).toEqual([[], []]);
    expect(await ports.registry.setStatus(one, 'REVOKED')).toBe(true);
    await expect(ports.registry.setStatus(one, 'ACTIVE')).rejects.toThrow('REVOKED');
    expect(await ports.registry.setStatus(id(), 'INACTIVE')).toBe(false);
  });
});

describe.each([
  ['in memory', async () => ({ issued: new MemoryIssuedCertificates(), byHand: new MemoryRevocationsByHand() })],
  [
    'on DynamoDB',
    async () => {
      const { ledger, ports } = (started ??= await startRotationDesk());
      return { issued: dynamoIssuedCertificates(ledger, ports.clock), byHand: dynamoRevocationsByHand(ledger) };
    },
  ],
] as const)('lists of what a CA issued, and of what people revoke, %s', (_where, make) => {
  it('what was issued is given oldest first, up to a time, until it is forgotten', async () => {
    const { issued } = await make();
    const one = (toldAtMs: number): IssuedCertificate => ({
      oldCertificateId: id(),
      newCertificateId: id(),
      certificateArn: 'arn:aws:acm-pca:eu-west-1:000000000000:certificate-authority/c/certificate/1',
      toldAtMs,
    });
    const [later, first, last] = [one(NOW + 1000), one(NOW), one(NOW + DAY)];
    for (const each of [later, first, last, first]) await issued.remember(each);
    expect(await all(issued.toldBefore(NOW + DAY))).toEqual([first, later]);
    for (let i = 0; i < 2; i++) await issued.forget(first);
    expect(await all(issued.toldBefore(NOW + DAY + 1))).toEqual([later, last]);
  });

  it('what people revoke is there once, until they have', async () => {
    const { byHand } = await make();
    const revocation = { anchorId: 'factory', serialNumber: serialNumberFromHex('0a'), runId: 'c', sinceMs: NOW };
    expect([await byHand.remember(revocation), await byHand.remember({ ...revocation, sinceMs: NOW + 1 })]).toEqual([true, false]);
    expect(await all(byHand.all())).toEqual([revocation]);
    expect([await byHand.done('factory', revocation.serialNumber), await byHand.done('factory', revocation.serialNumber)]).toEqual([
      true,
      false,
    ]);
  });
});
