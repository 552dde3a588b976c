/**
 * Any mixture of power cuts, lost, doubled and refused answers, cut connections, and trouble at AWS IoT Jobs: at the end there is exactly one pair on the
 * device, the pointer names it, AWS IoT lets it in, and the job is over. The seed is printed when it is not so.
 */
import fc from 'fast-check';
import type { Files } from '../../agent/storage/files.js';
import { startGatewayDesk, type GatewayDesk } from '../local/gateway-desk.js';
import { finished, runDevice, storageOf } from './in-process.js';
import { ScriptedCloud, type Twist } from './scripted-cloud.js';

let desk: GatewayDesk;
let cloud: ScriptedCloud;
let count = 0;
beforeAll(async () => {
  desk = await startGatewayDesk();
  cloud = new ScriptedCloud(desk);
  const jobs = ['GetPendingJobExecutions', 'DescribeJobExecution', 'UpdateJobExecution'].map((operation) => `iotjobsdata:${operation}`);
  desk.cloud.world.faults.set({ throttle: 0.05, serverError: 0.05, lostAnswer: 0.05, only: jobs });
});
afterAll(() => desk.stop());

type Trouble = Twist | { readonly kind: 'cut' } | { readonly kind: 'none' };
const trouble: fc.Arbitrary<Trouble> = fc.oneof(
  fc.constantFrom<Trouble>({ kind: 'none' }, { kind: 'silent' }, { kind: 'lose-answer' }, { kind: 'answer-twice' }, { kind: 'cut' }),
  fc.record({
    kind: fc.constant('refuse' as const),
    reason: fc.constantFrom('stopped' as const, 'contained' as const),
    final: fc.constant(false),
  }),
);
const rarelyFinal: fc.Arbitrary<Trouble> = fc.oneof(
  { weight: 6, arbitrary: trouble },
  { weight: 1, arbitrary: fc.constant<Trouble>({ kind: 'refuse', reason: 'not-due', final: true }) },
);

/** Takes so many changes; then the device is dead, and nothing it does any more reaches its storage. */
function mortal(files: Files, changes: number, died: () => void): Files {
  let left = changes;
  const change = async (act: () => Promise<void>): Promise<void> => {
    if (left-- <= 0) {
      died();
      throw new Error('dead');
    }
    await act();
  };
  return {
    read: (name) => files.read(name),
    replace: (name, content) => change(() => files.replace(name, content)),
    remove: (name) => change(() => files.remove(name)),
  };
}

test('one usable identity, whatever happens', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(rarelyFinal, { maxLength: 3 }),
      fc.array(trouble, { maxLength: 3 }),
      fc.array(fc.integer({ min: 0, max: 9 }), { maxLength: 4 }),
      async (onRequest, onProof, lives) => {
        const device = await desk.enrol(`pump-${++count}`);
        const { thingName } = device;
        const apply = (twist: Trouble | undefined): Twist | undefined => {
          if (twist?.kind === 'cut') desk.gateway.disconnect(thingName, 'CONNECTION_LOST');
          return twist === undefined || twist.kind === 'cut' || twist.kind === 'none' ? undefined : twist;
        };
        cloud.script(thingName, {
          onRequest: (_, times) => apply(onRequest[times - 1]),
          onProof: (_, times) => apply(onProof[times - 1]),
        });
        const memory = storageOf(device);
        const settings = { jobAnswerMs: 100, answerMs: 100 };
        const jobId = await cloud.offer(device);
        let status = 'QUEUED';
        const isOver = async (): Promise<boolean> => {
          ({ status } = await cloud.execution(jobId, thingName));
          return (status === 'SUCCEEDED' || status === 'FAILED') && !memory.names().includes('rotation.json');
        };
        for (const changes of lives) {
          if (await isOver()) break;
          let die: () => void = () => undefined;
          const death = new Promise<void>((resolve) => (die = resolve));
          const doomed = runDevice(desk, device, { memory, files: mortal(memory, changes, die), settings });
          await Promise.race([death, doomed.until(finished).catch(() => undefined)]);
          await doomed.stop();
        }
        const agent = runDevice(desk, device, { memory, settings });
        try {
          for (let i = 0; i < 200 && !(await isOver()); i++) await new Promise((resolve) => setTimeout(resolve, 50));
          expect(['SUCCEEDED', 'FAILED']).toContain(status);
          await agent.until(({ kind }) => kind === 'connected');
          const isNew = status === 'SUCCEEDED';
          const label = `${jobId}-1`;
          expect(memory.names()).toEqual(
            isNew ? ['active.json', `certificates/${label}.pem`, `keys/${label}.pem`] : ['active.json', 'certificate.pem', 'key.pem'],
          );
          expect(await agent.active()).toBe(isNew ? `certificates/${label}.pem` : 'certificate.pem');
          const issued = cloud.issued.get(jobId + thingName)?.[0]?.certificateId;
          const connected = desk.gateway.connections().find(({ clientId }) => clientId === thingName)?.certificateId;
          expect(connected).toBe(isNew ? issued : device.certificateId);
          // One request, however often it was sent.
          expect(
            new Set(cloud.requests.filter((one) => one.thingName === thingName).map(({ message }) => message.csr)).size,
          ).toBeLessThanOrEqual(1);
          expect(cloud.errors).toEqual([]);
        } finally {
          await agent.stop();
        }
      },
    ),
    { numRuns: 30, endOnFailure: true },
  );
}, 180_000);
