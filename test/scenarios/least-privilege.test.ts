/**
 * Each function without one of its grants. The template is edited: beside each function stands a twin for each action of its role, under a
 * role that lacks just that, fed by no queue. A twin is given messages that need every grant, and must be denied at the very action that it
 * lacks. A grant that no message needs is one too many, or stands in the list of exceptions with its reason.
 */
import { assemblyOf, editedAssembly, type Assembly } from './support/assembly.js';
import { EXERCISES, invoke } from './support/exercises.js';
import { QUEUES, type QueueName } from './support/quiet.js';
import { Scene } from './support/scene.js';
import { addTwins, takeAway, type Grant } from './support/twins.js';

/** Granted, and not asked for by the desk: function and action → why. */
const NOT_ASKED: Readonly<Record<string, string>> = {
  'revocation-revoke iot:ListPrincipalThingsV2': 'AWS authorises the V2 operation by the name of the first (IAPI); IAM lists this one too',
  'inventory-record iot:ListPrincipalThingsV2': 'the same',
  'inventory-reconcile iot:ListPrincipalThingsV2': 'the same',
};

/** Without one of these the worker does not come to the point of changing anything. */
const BEFORE_THE_ACT = /^(ssm:|acm-pca:|iot:(Describe|Update)Certificate|dynamodb:(Query|GetItem|PutItem))/;

const edited: (Assembly & { remove(): void })[] = [];
afterAll(() => edited.forEach((one) => one.remove()));

describe('a function that lacks one grant', () => {
  let scene: Scene;
  let grants: readonly Grant[] = [];
  beforeAll(async () => {
    const assembly = editedAssembly(await assemblyOf({ revocation: { brake: { floor: 1000 } } }), (template) => {
      grants = addTwins(template);
    });
    edited.push(assembly);
    scene = await Scene.open(assembly, { factory: 2, privateCa: 1 });
    for (const queue of Object.keys(QUEUES) as QueueName[]) await scene.stopReading(queue);
  }, 120_000);
  afterAll(() => scene?.close());

  /** What the function is denied on its way through its messages, up to the first that fails. */
  async function through(of: string, functionName: string): Promise<{ denied: string[]; failed: boolean; mutations: string[] }> {
    const denied: string[] = [];
    const mutations: string[] = [];
    const off = scene.desk.world.journal.on(({ kind, who, what, detail = '', ok }) => {
      if (who !== functionName) return;
      if (kind === 'denied') denied.push(/perform: (\S+)/.exec(detail)?.[1] ?? detail);
      if (ok && /^(iot:UpdateCertificate|iotdata:DeleteConnection)$/.test(what)) mutations.push(what);
    });
    try {
      for await (const message of EXERCISES[of]!.exercise(scene)) {
        const { ok, payload } = await invoke(scene, functionName, message);
        const failed = !ok || (payload as { batchItemFailures: unknown[] }).batchItemFailures.length > 0;
        if (failed || denied.length > 0) return { denied, failed, mutations };
      }
      return { denied, failed: false, mutations };
    } finally {
      off();
    }
  }

  test.each(Object.entries(EXERCISES))('%s with all of them is denied nothing', async (of, { queue }) => {
    expect(await through(of, QUEUES[queue])).toMatchObject({ denied: [], failed: false });
  });

  test.each(Object.keys(EXERCISES))(
    '%s fails with AccessDenied at the one that it lacks, and does nothing that it should not',
    async (of) => {
      const own = grants.filter((grant) => grant.of === of);
      expect(own.length).toBeGreaterThan(4);
      for (const { action, twin } of own) {
        const { denied, failed, mutations } = await through(of, twin);
        const found = { of, action, denied: [...new Set(denied)], failed };
        if (NOT_ASKED[`${of} ${action}`]) expect(found).toEqual({ of, action, denied: [], failed: false });
        else expect(found).toEqual({ of, action, denied: [action], failed: true });
        if (of !== 'revocation-revoke' || BEFORE_THE_ACT.test(action))
          expect({ of, action, mutations }).toEqual({ of, action, mutations: [] });
      }
    },
    180_000,
  );

  test('nobody but those who were named has been touched by any of it', async () => {
    expect(await scene.statuses([...scene.factoryDevices, ...scene.privateDevices])).toEqual(['ACTIVE', 'ACTIVE', 'ACTIVE']);
  });
});

describe('a function that may not read its queue, or write its log', () => {
  test('takes no message, or runs without a line; a person sees the first by an alarm', async () => {
    const assembly = editedAssembly(await assemblyOf(), (template) => {
      takeAway(template, QUEUES.sync, 'sqs:ReceiveMessage');
      takeAway(template, QUEUES.fast, 'sqs:DeleteMessage');
      takeAway(template, QUEUES.revoke, 'sqs:GetQueueAttributes');
      takeAway(template, QUEUES.reconcile, 'logs:PutLogEvents');
    });
    edited.push(assembly);
    const scene = await Scene.open(assembly, { factory: 1, privateCa: 1 });
    try {
      const { journal, clock } = scene.desk.world;
      scene.leaveUnread('sync', 'fast', 'revoke');
      await scene.publish(scene.factoryDevices);
      await scene.revokeAtCa(scene.privateDevices[0]!);
      await clock.advance(61 * 60_000);
      await scene.rest();
      expect(await scene.statuses([...scene.factoryDevices, ...scene.privateDevices])).toEqual(['ACTIVE', 'ACTIVE']);
      const denied = journal.entries().flatMap(({ kind, who, what }) => (kind === 'denied' ? [`${who} ${what}`] : []));
      expect([...new Set(denied)].toSorted()).toEqual(
        [
          `${QUEUES.reconcile} logs:PutLogEvents`,
          `${QUEUES.fast} sqs:DeleteMessage`,
          `${QUEUES.revoke} sqs:GetQueueAttributes`,
          `${QUEUES.sync} sqs:ReceiveMessage`,
        ].toSorted(),
      );
      expect(await scene.log('inventory-reconcile')).toEqual([]);
      expect(await scene.alarms()).toEqual(expect.arrayContaining(['queue-stalled-revocation-sync', 'queue-stalled-revocation-fast']));
    } finally {
      await scene.close();
    }
  });
});
