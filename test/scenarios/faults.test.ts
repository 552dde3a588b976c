/**
 * AWS on a bad day: throttling, failures, lost answers, messages twice and in another order. What it comes to is what an undisturbed run
 * comes to. A failure names its seed: `SEED=<n> npx jest test/scenarios/faults` repeats it.
 */
import { assemblyOf } from './support/assembly.js';
import type { FaultSettings } from '../../local/world/faults.js';
import { QUEUES, type QueueName } from './support/quiet.js';
import { HOUR, Scene } from './support/scene.js';

const SERVICES = /^(iot|iotdata|dynamodb|sqs|s3|ssm|acm-pca):/;

const DAYS: Record<string, Partial<FaultSettings>> = {
  'three requests in ten are throttled': { throttle: 0.3 },
  'half of all deliveries come twice, and half are put behind later ones': { duplicate: 0.5, reorder: 0.5 },
  'all of it at once': { throttle: 0.1, serverError: 0.1, lostAnswer: 0.1, duplicate: 0.3, reorder: 0.3, lostEvent: 0.5 },
};

interface End {
  readonly registry: readonly (string | undefined)[];
  readonly inventory: readonly (string | undefined)[];
  /** By the position of the device, and by outcome; an outcome says whether we were the one, which a lost answer may hide. */
  readonly revocations: readonly boolean[];
  readonly held: readonly number[];
  readonly mark: string | undefined;
}

async function day(faults: Partial<FaultSettings>, seed: number): Promise<{ end: End; hit: number }> {
  const scene = await Scene.open(await assemblyOf(), { factory: 13, privateCa: 2, seed });
  try {
    const { factoryDevices: pumps, privateDevices: valves, desk } = scene;
    // Nothing here is lost that a sweep must find; sweeps on such days would only be waited for.
    await desk.cloud.call('events', 'DisableRule', { Name: 'fleetwarden-sweep' });
    desk.world.faults.set(faults);
    // As the administrator and in process: the day is bad for the application, not for the one who looks on.
    const put = async (body: Uint8Array): Promise<void> => {
      await desk.cloud.call('s3', 'PutObject', { Bucket: scene.crlBucket, Key: 'external/factory/factory.crl', Body: body });
    };
    // Two CRLs in quick succession, of which the second may be read first. A run that fails and is overtaken has been counted by the brake
    // all the same, which is the safe side: so many at once that this does not reach the limit.
    await put(scene.nextCrl([pumps[0]!, { ...pumps[1]!, reason: 'certificateHold' }]));
    await put(scene.nextCrl([pumps[0]!, { ...pumps[1]!, reason: 'certificateHold' }, pumps[2]!]));
    await scene.settle();
    await scene.pass(1.1 * HOUR);
    await desk.cloud.call('acm-pca', 'RevokeCertificate', {
      CertificateAuthorityArn: scene.privateCaArn,
      CertificateSerial: valves[0]!.serialNumber,
      RevocationReason: 'KEY_COMPROMISE',
    });
    await scene.settle();
    await scene.pass(1.1 * HOUR);
    // Off hold, and seven at once, which is over the brake.
    await put(scene.nextCrl(pumps.slice(0, 10).filter((_, i) => i !== 1)));
    await scene.settle();
    await scene.pass(1.1 * HOUR);
    await scene.settle();
    const hit = desk.world.journal
      .entries()
      .filter(({ kind, what }) => kind === 'fault' && (SERVICES.test(what) || what.includes('→'))).length;
    desk.world.faults.set({ throttle: 0, serverError: 0, lostAnswer: 0, duplicate: 0, reorder: 0, lostEvent: 0 });
    await redrive(scene);
    const revocations = await scene.ledger.revocations();
    const end = {
      registry: await scene.statuses([...pumps, ...valves]),
      inventory: await Promise.all([...pumps, ...valves].map(({ certificateId }) => scene.ledger.statusOf(certificateId))),
      revocations: [...pumps, ...valves].map(({ serialNumber }) => revocations[serialNumber]?.startsWith('done/') ?? false),
      held: (await scene.ledger.holds()).map(({ count }) => count).toSorted((a, b) => a - b),
      mark: await scene.ledger.mark('external/factory/factory.crl'),
    };
    return { end, hit };
  } finally {
    await scene.close();
  }
}

/** What was given up has an alarm, and is done when a person sends it back, as the runbook says. */
async function redrive(scene: Scene): Promise<void> {
  for (const queue of Object.keys(QUEUES) as QueueName[]) {
    if ((await scene.deadLetters(queue)) === 0) continue;
    expect(await scene.alarms()).toContain(`dead-letters-${QUEUES[queue].replace('fleetwarden-', '')}`);
    const arn = `arn:aws:sqs:${scene.desk.world.region}:${scene.desk.world.accountId}:${QUEUES[queue]}-dead`;
    await scene.desk.cloud.call('sqs', 'StartMessageMoveTask', { SourceArn: arn });
  }
  await scene.settle();
  for (const queue of Object.keys(QUEUES) as QueueName[]) expect(await scene.deadLetters(queue)).toBe(0);
}

let undisturbed: End;
beforeAll(async () => {
  undisturbed = (await day({}, 1)).end;
  const untouched = Array.from({ length: 10 }, () => 'ACTIVE');
  expect(undisturbed.registry).toEqual(['REVOKED', 'INACTIVE', 'REVOKED', ...untouched, 'REVOKED', 'ACTIVE']);
  expect(undisturbed.held).toEqual([1, 7]);
}, 120_000);

const seed = process.env['SEED'] === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(process.env['SEED']);
test.each(Object.entries(DAYS))(
  'on a day on which %s, everything ends as on a good one',
  async (_, faults) => {
    try {
      const { end, hit } = await day(faults, seed);
      expect(hit).toBeGreaterThan(0);
      expect(end).toEqual(undisturbed);
    } catch (error) {
      (error as Error).message = `SEED=${seed}: ${(error as Error).message}`;
      throw error;
    }
  },
  180_000,
);
