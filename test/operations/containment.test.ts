/** The command line of containment as the people on call type it: what it asks the intake for, what it shows, and what it refuses with which words. */
import { S3Client } from '@aws-sdk/client-s3';
import { CreateQueueCommand, DeleteMessageCommand, ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { PutParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { certificateId } from '../../domain/fleet/certificate-id.js';
import { writeHeldContainments } from '../../domain/fleet/held-containments.js';
import { thingName } from '../../domain/fleet/thing-name.js';
import { applicationParameterName, DEFAULT_PREFIX, type OptionalParameter } from '../../domain/protocol/application-parameters.js';
import { IntakeMessage } from '../../domain/protocol/containment.js';
import { containmentIdOf, type WorkflowInput } from '../../domain/protocol/containment-workflow.js';
import { dynamoContainmentHolds } from '../../lambda/aws/containment-holds.js';
import { dynamoContainmentRecords } from '../../lambda/aws/containment-records.js';
import { s3SerialState } from '../../lambda/aws/serial-state.js';
import type { Containment, ContainmentRecords } from '../../lambda/ports/containment-records.js';
import type { ContainmentHold, ContainmentHolds } from '../../lambda/ports/containment-work.js';
import { wallClock } from '../../lambda/runtime/clock.js';
import { startInstallation, type Installation } from './installation.js';

const HOUR = 3_600_000;
const CALLER = expect.stringMatching(/^arn:aws:/) as string;
let at: Installation;
let sqs: SQSClient;
let ssm: SSMClient;
let s3: S3Client;
let records: ContainmentRecords;
let holds: ContainmentHolds;
let intakeQueueUrl: string;

beforeAll(async () => {
  at = await startInstallation();
  const { env, endpoint, adminCredentials: credentials } = at.desk.desk;
  const settings = { region: env.AWS_REGION, endpoint, credentials };
  [sqs, ssm, s3] = [new SQSClient(settings), new SSMClient(settings), new S3Client({ ...settings, forcePathStyle: true })];
  const ledger = { client: at.desk.documents, table: at.ledgerTable };
  records = dynamoContainmentRecords(ledger, wallClock);
  holds = dynamoContainmentHolds(ledger);
  intakeQueueUrl = (await sqs.send(new CreateQueueCommand({ QueueName: 'intake' }))).QueueUrl!;
}, 60_000);
afterAll(async () => {
  for (const client of [sqs, ssm, s3]) client?.destroy();
  await at?.stop();
});

async function switchOn(values: Partial<Record<OptionalParameter, string>>): Promise<void> {
  for (const [name, Value] of Object.entries(values)) {
    const Name = applicationParameterName(DEFAULT_PREFIX, name as OptionalParameter);
    await ssm.send(new PutParameterCommand({ Name, Value, Type: 'String', Overwrite: true }));
  }
}
/** What was asked of the intake, as the function on that queue reads it; taken off. */
async function asked(): Promise<IntakeMessage[]> {
  const { Messages = [] } = await sqs.send(new ReceiveMessageCommand({ QueueUrl: intakeQueueUrl, MaxNumberOfMessages: 10 }));
  for (const { ReceiptHandle } of Messages) await sqs.send(new DeleteMessageCommand({ QueueUrl: intakeQueueUrl, ReceiptHandle }));
  return Messages.map(({ Body = '' }) => IntakeMessage.parse(JSON.parse(Body)));
}
const all = async <T>(items: AsyncIterable<T>): Promise<T[]> => {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
};
const containment = (name: string, more: Partial<Containment> = {}): Containment => {
  const nowMs = Date.now();
  return {
    containmentId: `violation-${name}`,
    thingName: thingName(name),
    state: 'reopened',
    response: 'contain',
    trigger: { kind: 'violation', id: 'v1', by: 'intake', reason: 'flood', atMs: nowMs, evidence: { metric: 'aws:num-messages-sent' } },
    snapshot: {
      takenAtMs: nowMs,
      certificates: [{ certificateId: certificateId('a'.repeat(64)), status: 'ACTIVE', policies: ['device'] }],
      groups: [
        { name: 'hall', policies: [] },
        { name: 'ops', policies: ['more'] },
      ],
      dynamicGroups: [],
      clientIds: [name],
    },
    adopted: [],
    startedAtMs: nowMs - HOUR,
    updatedAtMs: nowMs,
    endsAtMs: nowMs + 5.5 * HOUR,
    taskToken: 'not for people',
    ...more,
  };
};
const inputFor = (name: string, id: string): WorkflowInput => {
  const trigger = { kind: 'violation', id, by: 'intake', reason: 'flood', atMs: 5, evidence: {} } as const;
  return { containmentId: containmentIdOf(trigger, name), thingName: name, response: 'contain', trigger };
};
/** A list over the brake, as the intake leaves it. */
async function held(...entries: readonly WorkflowInput[]): Promise<ContainmentHold> {
  const { hash, count, octets } = writeHeldContainments(entries);
  const listKey = `holds/${hash}.json`;
  await s3SerialState(s3, 'state').save(listKey, [octets]);
  const reason = 'over-containment-brake';
  const hold = { hash, kind: 'contain', state: 'HELD', count, reason, listKey, createdAtMs: Date.now() } as const;
  await holds.put(hold);
  return hold;
}

describe('where quarantine is off', () => {
  test('contain says so, and what to do; nothing is contained', async () => {
    const off = 'refused: quarantine is off in this installation: set quarantine.mode in its configuration, and deploy\n';
    expect(await at.run('contain', 'pump-1', '--reason', 'smells')).toMatchObject({ code: 1, out: '', err: off });
    expect(await at.run('contained')).toMatchObject({ code: 0, out: 'Nothing is contained.\n' });
    expect((await at.run('contained', '--json')).json()).toEqual({ contained: [] });
  });

  test('a list that waits can be read, and nobody would carry it out', async () => {
    const { hash } = await held(inputFor('pump-0', 'off'));
    expect((await at.run('holds', 'show', hash)).out).toContain('pump-0');
    const { code, err } = await at.run('approve', hash, '--yes');
    expect([code, err]).toEqual([1, 'refused: quarantine is off in this installation: nobody would carry it out\n']);
    expect((await holds.get(hash))?.state).toBe('HELD');
  });
});

describe('where quarantine observes', () => {
  beforeAll(() => switchOn({ quarantineMode: 'observe', intakeQueueUrl }));
  test('nobody is contained, and what is contained can be let go', async () => {
    expect(await at.run('contain', 'pump-2', '--reason', 'smells')).toMatchObject({
      code: 1,
      err: 'refused: quarantine is in mode observe: it only observes; set quarantine.mode to enforce, and deploy\n',
    });
    expect(await asked()).toEqual([]);
    await records.open(containment('pump-2'));
    expect(await at.run('release', 'pump-2', '--reason', 'repaired')).toMatchObject({ code: 0 });
    expect(await asked()).toMatchObject([{ kind: 'release', thingName: 'pump-2' }]);
    await records.close(thingName('pump-2'), 'violation-pump-2', Date.now());
  });
});

describe('where quarantine enforces', () => {
  beforeAll(() => switchOn({ quarantineMode: 'enforce', intakeQueueUrl }));

  describe('contain', () => {
    test('asks for one thing under the name of the caller, each time anew', async () => {
      const { code, json } = await at.run('contain', 'pump-3', '--reason', ' smells of smoke ', '--json');
      const { containmentId, ...answer } = json<{ containmentId: string }>();
      expect([code, answer]).toEqual([0, { asked: 'contain', thingName: 'pump-3', response: 'contain', by: CALLER }]);
      const [message] = await asked();
      expect(message).toMatchObject({ kind: 'operator', thingName: 'pump-3', response: 'contain', by: CALLER, reason: 'smells of smoke' });
      const { requestId } = message as { requestId: string };
      expect(containmentId).toBe(containmentIdOf({ kind: 'operator', id: requestId }, 'pump-3'));
      const again = await at.run('contain', 'pump-3', '--reason', 'x', '--response', 'deactivate');
      expect(again).toMatchObject({ code: 0, out: expect.stringContaining('pump-3 (deactivate)') as string });
      const [second] = await asked();
      expect(second).toMatchObject({ response: 'deactivate' });
      expect(second).not.toMatchObject({ requestId });
    });

    test.each<[string, readonly string[], string]>([
      ['a thing that cannot be', ['contain', 'pump/3', '--reason', 'x'], 'thingName: got "pump/3", expected'],
      [
        'a response that only tells',
        ['contain', 'pump-3', '--reason', 'x', '--response', 'notify'],
        'response: got "notify", expected shut-off',
      ],
      ['a reason of blanks', ['contain', 'pump-3', '--reason', '  '], 'reason: got 0 characters, expected 1 to 256'],
      ['a reason that is a letter', ['contain', 'pump-3', '--reason', 'x'.repeat(257)], 'reason: got 257 characters, expected 1 to 256'],
      ['no reason', ['contain', 'pump-3'], "required option '--reason <text>'"],
      ['no thing', ['contain', '--reason', 'x'], "missing required argument 'thing'"],
      ['two things', ['contain', 'pump-3', 'pump-4', '--reason', 'x'], 'too many arguments'],
    ])('does not understand %s, and asks nobody', async (_sentence, given, said) => {
      const { code, out, err } = await at.run(...given);
      expect([code, out, err]).toEqual([2, '', expect.stringContaining(said)]);
      expect(await asked()).toEqual([]);
    });
  });

  describe('what is contained', () => {
    const release = { by: 'ops', reason: 'repaired', rekey: true, force: false, atMs: Date.now() };
    beforeAll(async () => {
      await records.open(containment('pump-5', { startedAtMs: Date.now() - 2 * HOUR }));
      await records.open(containment('pump-6', { rekeying: true, release, shutOff: { jobId: 'j', askedAtMs: 1, outcome: 'done' } }));
      await records.open(containment('pump-7', { state: 'cut', release, startedAtMs: Date.now() - 3 * HOUR, endsAtMs: Date.now() - 1 }));
    });

    test('is listed, the oldest first, without what is of use to the workflow alone', async () => {
      const { contained } = (await at.run('contained', '--json')).json<{ contained: Record<string, unknown>[] }>();
      expect(contained.map(({ thingName: name }) => name)).toEqual(['pump-7', 'pump-5', 'pump-6']);
      expect(contained[0]).toMatchObject({ state: 'cut', response: 'contain', secondsLeft: 0, startedAt: expect.any(String) as string });
      expect(contained[1]?.['secondsLeft']).toBeGreaterThan(5 * 3600);
      expect(JSON.stringify(contained)).not.toContain('not for people');
      const { out } = await at.run('contained');
      expect(out).toMatch(/pump-7 .* cut, to be released .* violation: flood/);
      expect(out).toMatch(/pump-5 .* reopened .* 5 hours/);
      expect(out).toMatch(/pump-6 .* reopened, waits for a new key .* done/);
    });

    test('is asked to be released with what the caller insists on', async () => {
      const { code, json } = await at.run('release', 'pump-5', '--reason', 'repaired', '--force', '--json');
      expect([code, json()]).toEqual([
        0,
        { asked: 'release', thingName: 'pump-5', containmentId: 'violation-pump-5', rekey: false, force: true, by: CALLER },
      ]);
      expect(await asked()).toEqual([{ kind: 'release', thingName: 'pump-5', by: CALLER, reason: 'repaired', rekey: false, force: true }]);
    });

    test('gets a new key first only where rotation makes any', async () => {
      await switchOn({ rotationMode: 'observe' });
      const refused = await at.run('release', 'pump-5', '--reason', 'repaired', '--rekey');
      expect(refused).toMatchObject({ code: 1, err: expect.stringContaining('a new key takes a rotation') as string });
      expect(await asked()).toEqual([]);
      await switchOn({ rotationMode: 'enforce' });
      expect(await at.run('release', 'pump-5', '--reason', 'repaired', '--rekey')).toMatchObject({ code: 0 });
      expect(await asked()).toMatchObject([{ rekey: true, force: false }]);
    });

    test('is kept for longer', async () => {
      const { code, json } = await at.run('extend', 'pump-5', '--hours', '8760', '--json');
      expect([code, json()]).toEqual([
        0,
        { asked: 'extend', thingName: 'pump-5', containmentId: 'violation-pump-5', hours: 8760, by: CALLER },
      ]);
      expect(await asked()).toEqual([{ kind: 'extend', thingName: 'pump-5', by: CALLER, hours: 8760 }]);
    });

    test.each(['0', '8761', '1.5'])('is not kept for "%s" hours', async (hours) => {
      const { code, err } = await at.run('extend', 'pump-5', `--hours=${hours}`);
      expect([code, err]).toEqual([2, `not understood: hours: got "${hours}", expected 1 to 8760\n`]);
      expect(await asked()).toEqual([]);
    });

    test.each<[string, readonly string[]]>([
      ['release', ['--reason', 'x']],
      ['extend', ['--hours', '1']],
    ])('is all that %s is for', async (command, given) => {
      const { code, err } = await at.run(command, 'pump-50', ...given);
      expect([code, err]).toEqual([1, 'refused: pump-50 is not contained: see fleetwarden contained\n']);
      expect(await asked()).toEqual([]);
    });

    test('has a story that says why, what it had, and who wants it back', async () => {
      const by = 'intake';
      const row = { subject: 'THING#pump-6', runId: 'violation-pump-6', by } as const;
      await at.decisions.append({ ...row, step: 'intent', act: 'contain', reason: 'violation', atMs: 1_000, detail: { value: 9 } });
      await at.decisions.append({ ...row, step: 'outcome', act: 'cut', reason: 'cut-off', atMs: 2_000 });
      const { code, out } = await at.run('why', 'pump-6');
      expect(code).toBe(0);
      expect(out).toMatch(/contained +reopened, waits for a new key \(contain\)/);
      expect(out).toMatch(/by what +violation v1: flood, by intake\n +metric +aws:num-messages-sent/);
      expect(out).toMatch(/had +a{64} ACTIVE device\ngroups +hall, ops \(more\)\nrelease +asked for by ops: repaired/);
      expect(out.indexOf('contain …')).toBeLessThan(out.indexOf('cut  '));
      expect(out).not.toContain('not for people');
      const { found } = (await at.run('why', 'pump-6', '--json')).json<{ found: { containment: object; timeline: object[] }[] }>();
      expect(found).toMatchObject([
        { containment: { state: 'reopened' }, timeline: [{ act: 'contain' }, { act: 'cut', reason: 'cut-off' }] },
      ]);
      expect(JSON.stringify(found)).not.toContain('not for people');
    });

    test('keeps its story when it is released; of a thing that nothing is known of there is none', async () => {
      await records.close(thingName('pump-6'), 'violation-pump-6', Date.now());
      const { found } = (await at.run('why', 'pump-6', '--json')).json<{ found: { containment?: object; timeline: object[] }[] }>();
      expect(found).toMatchObject([{ timeline: [{ act: 'contain' }, { act: 'cut' }] }]);
      expect(found[0]).not.toHaveProperty('containment');
      expect(await at.run('why', 'pump-60')).toMatchObject({
        code: 1,
        err: expect.stringContaining('nothing is known of "pump-60"') as string,
      });
    });
  });

  describe('a held list of containments', () => {
    test('is listed beside those of revocations, and shown by the beginning of its hash', async () => {
      const { hash } = await held(inputFor('pump-11', 'a'), inputFor('pump-10', 'b'));
      const { containments } = (await at.run('holds', '--json')).json<{ containments: { hash: string }[] }>();
      expect(containments.find((one) => one.hash === hash)).toMatchObject({ kind: 'contain', state: 'HELD', count: 2 });
      expect((await at.run('holds')).out).toMatch(new RegExp(`${hash.slice(0, 16)} .* HELD .* 2 `));
      const shown = await at.run('holds', 'show', hash.slice(0, 8).toUpperCase());
      expect(shown.out).toMatch(/asks to +contain these things\nthings +2/);
      expect(shown.out).toMatch(/pump-10 {2}contain {2}violation: flood\npump-11 /);
      expect((await at.run('holds', 'show', hash, '--json')).json()).toMatchObject({
        hash,
        entries: [{ thingName: 'pump-10' }, { thingName: 'pump-11' }],
      });
    });

    test('is approved once, on record before and after, and told to the intake again when asked again', async () => {
      const { hash } = await held(inputFor('pump-12', 'c'));
      const { code, json } = await at.run('approve', hash.slice(0, 12), '--yes', '--json');
      expect([code, json()]).toMatchObject([0, { hash, kind: 'contain', state: 'APPROVED', count: 1, by: CALLER }]);
      expect(await asked()).toEqual([{ kind: 'approved', hash }]);
      expect(await holds.get(hash)).toMatchObject({ state: 'APPROVED', decidedBy: CALLER });
      const rows = await all(at.decisions.of(`HOLD#${hash}`));
      expect(rows.map(({ step, act, reason, by }) => [step, act, reason, by])).toEqual([
        ['intent', 'approve', 'approved', CALLER],
        ['outcome', 'approve', 'approved', CALLER],
      ]);
      expect((await at.run('approve', hash)).out).toMatch(/^Approved before, by arn:aws:.*: told again\.\n$/);
      expect(await asked()).toEqual([{ kind: 'approved', hash }]);
      expect(await at.run('reject', hash)).toMatchObject({
        code: 1,
        err: expect.stringContaining('expected HELD: nothing was changed') as string,
      });
    });

    test('is approved by nobody who is not asked: without a terminal it takes --yes', async () => {
      const { hash } = await held(inputFor('pump-13', 'd'));
      expect(await at.run('approve', hash)).toMatchObject({ code: 1, out: '' });
      expect((await holds.get(hash))?.state).toBe('HELD');
      expect(await asked()).toEqual([]);
    });

    test('is rejected, and then neither approved nor rejected again, until it is put up anew', async () => {
      const { hash } = await held(inputFor('pump-14', 'e'));
      expect((await at.run('reject', hash, '--json')).json()).toMatchObject({ hash, state: 'REJECTED', by: CALLER });
      const again = { code: 1, err: `refused: list ${hash} is REJECTED, expected HELD: an approval is used once\n` };
      expect(await at.run('approve', hash, '--yes')).toMatchObject(again);
      expect(await at.run('reject', hash)).toMatchObject({
        code: 1,
        err: expect.stringMatching(/is REJECTED by arn:aws:.*, expected HELD/) as string,
      });
      expect(await at.run('reopen', hash)).toMatchObject({ code: 0 });
      expect(await asked()).toEqual([]);
      expect((await holds.get(hash))?.state).toBe('HELD');
      expect((await all(at.decisions.of(`HOLD#${hash}`))).map(({ act, reason }) => [act, reason])).toEqual([
        ['reject', 'rejected'],
        ['reopen', 'reopened'],
      ]);
    });

    test('that somebody has altered is neither shown nor approved', async () => {
      const { hash, listKey } = await held(inputFor('pump-15', 'f'));
      await s3SerialState(s3, 'state').save(listKey, [writeHeldContainments([inputFor('victim', 'f')]).octets]);
      for (const given of [
        ['holds', 'show', hash],
        ['approve', hash, '--yes'],
      ])
        expect(await at.run(...given)).toMatchObject({
          code: 1,
          out: '',
          err: expect.stringContaining(`expected ${hash}: somebody has altered it`) as string,
        });
      expect(await asked()).toEqual([]);
      expect((await holds.get(hash))?.state).toBe('HELD');
    });

    test('is named by enough of its hash, and by no more than one', async () => {
      const twins = ['0', '1'].map((end) => `${'5'.repeat(63)}${end}`);
      const row = { kind: 'contain', state: 'HELD', count: 1, reason: 'over-containment-brake', createdAtMs: 1 } as const;
      for (const hash of twins) await holds.put({ ...row, hash, listKey: `holds/${hash}.json` });
      const { code, err } = await at.run('approve', '5'.repeat(8), '--yes');
      expect([code, err]).toEqual([1, `refused: 55555555 is the beginning of 2 lists: ${twins.join(', ')}\n`]);
      for (const given of ['5555555', 'c0ffee00c0ffee00', 'pump-1']) expect((await at.run('reject', given)).code).toBeGreaterThan(0);
      expect((await holds.get(twins[0]!))?.state).toBe('HELD');
    });
  });
});
