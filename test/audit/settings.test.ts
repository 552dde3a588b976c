/** Settings of the account, merged: what is missing is added, what is other people’s stays, and CloudFormation is always answered. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { cloudFormationAnswers } from '../../lambda/aws/cloudformation.js';
import type {
  AccountSettings,
  AuditConfiguration,
  AuditConfigurationPatch,
  CustomResourceAnswer,
} from '../../lambda/ports/account-settings.js';
import { decideAudit, missingEvents, type AuditFacts } from '../../lambda/settings/merge/decide.js';
import type { CustomResourceRequest, WantedAudit } from '../../lambda/settings/merge/event.js';
import { run, type MergePorts } from '../../lambda/settings/merge/run.js';
import { TestClock } from '../revocation/memory/clock.js';
import { crashing, Death } from '../revocation/memory/crashing.js';
import { MemoryDecisions } from '../revocation/memory/ledger.js';
import { MemorySignals } from '../revocation/memory/world.js';
import { MemoryLogging } from '../behaviour/memory/logging.js';

const ROLE = 'arn:aws:iam::111122223333:role/ours';
const NOTIFIER = 'arn:aws:iam::111122223333:role/notifier';
const TOPIC = 'arn:aws:sns:eu-west-1:111122223333:ours';
const THEIRS = 'arn:aws:sns:eu-west-1:111122223333:theirs';
const EXPIRY = 'DEVICE_CERTIFICATE_EXPIRING_CHECK';

const wanted: WantedAudit = {
  Setting: 'account-audit-configuration',
  RoleArn: ROLE,
  TopicArn: TOPIC,
  NotificationRoleArn: NOTIFIER,
  Checks: [EXPIRY, 'LOGGING_DISABLED_CHECK'],
  ExpirationThresholdDays: '30',
};
const set: AuditFacts = {
  roleArn: ROLE,
  target: { targetArn: TOPIC, roleArn: NOTIFIER, enabled: true },
  checks: {
    [EXPIRY]: { enabled: true, configuration: { CERT_EXPIRATION_THRESHOLD_IN_DAYS: '30' } },
    LOGGING_DISABLED_CHECK: { enabled: true, configuration: {} },
    DEVICE_CERTIFICATE_AGE_CHECK: { enabled: true, configuration: { CERT_AGE_THRESHOLD_IN_DAYS: '400' } },
  },
  ours: new Set(),
};
const nothing: AuditFacts = { checks: {}, ours: new Set() };
const allChecks = { [EXPIRY]: { configuration: { CERT_EXPIRATION_THRESHOLD_IN_DAYS: '30' } }, LOGGING_DISABLED_CHECK: {} };

describe('the account’s audit configuration', () => {
  it.each<[string, AuditFacts, WantedAudit, ReturnType<typeof decideAudit>]>([
    ['that is as wanted is left alone, and with it a check that others want', set, wanted, { do: 'nothing' }],
    [
      'that is not there is made: role, target and checks',
      nothing,
      wanted,
      { do: 'patch', patch: { roleArn: ROLE, target: { targetArn: TOPIC, roleArn: NOTIFIER }, checks: allChecks } },
    ],
    ['under another’s role keeps it', { ...set, roleArn: 'arn:theirs' }, wanted, { do: 'nothing' }],
    [
      'under a former role of ours gets the present one',
      { ...set, roleArn: 'arn:former', ours: new Set(['arn:former']) },
      wanted,
      { do: 'patch', patch: { roleArn: ROLE, checks: {} } },
    ],
    [
      'whose check is off has it switched on',
      { ...set, checks: { ...set.checks, LOGGING_DISABLED_CHECK: { enabled: false, configuration: {} } } },
      wanted,
      { do: 'patch', patch: { checks: { LOGGING_DISABLED_CHECK: {} } } },
    ],
    [
      'whose threshold is another gets ours, as a text',
      { ...set, checks: { ...set.checks, [EXPIRY]: { enabled: true, configuration: { CERT_EXPIRATION_THRESHOLD_IN_DAYS: '60' } } } },
      wanted,
      { do: 'patch', patch: { checks: { [EXPIRY]: { configuration: { CERT_EXPIRATION_THRESHOLD_IN_DAYS: '30' } } } } },
    ],
    [
      'whose age check is wanted without a threshold keeps the one that it has',
      set,
      { ...wanted, Checks: ['DEVICE_CERTIFICATE_AGE_CHECK'] },
      { do: 'nothing' },
    ],
    [
      'whose target is switched off gets ours',
      { ...set, target: { targetArn: THEIRS, roleArn: 'arn:x', enabled: false } },
      wanted,
      { do: 'patch', patch: { target: { targetArn: TOPIC, roleArn: NOTIFIER }, checks: {} } },
    ],
    [
      'whose target is a former topic of ours gets the present one',
      { ...set, target: { targetArn: 'arn:former', enabled: true }, ours: new Set(['arn:former']) },
      wanted,
      { do: 'patch', patch: { target: { targetArn: TOPIC, roleArn: NOTIFIER }, checks: {} } },
    ],
    [
      'that publishes to our topic under a former role gets the present one',
      { ...set, target: { targetArn: TOPIC, roleArn: 'arn:former', enabled: true } },
      wanted,
      { do: 'patch', patch: { target: { targetArn: TOPIC, roleArn: NOTIFIER }, checks: {} } },
    ],
    [
      'whose target is another’s is refused: somebody would hear nothing any more',
      { ...set, target: { targetArn: THEIRS, enabled: true } },
      wanted,
      { do: 'refuse', because: expect.stringContaining(`got ${THEIRS}`) as string },
    ],
    [
      'with a topic of others that is the target already is left alone',
      { ...set, target: { targetArn: THEIRS, roleArn: 'arn:of-theirs', enabled: true } },
      { ...wanted, TopicArn: THEIRS, NotificationRoleArn: undefined },
      { do: 'nothing' },
    ],
    [
      'with a topic of others that is not the target is refused',
      set,
      { ...wanted, TopicArn: THEIRS, NotificationRoleArn: undefined },
      { do: 'refuse', because: `SNS target of the account’s audits: got ${TOPIC}, expected ${THEIRS} (audit.topicArn)` },
    ],
  ])('%s', (_, facts, what, decision) => {
    expect(decideAudit(facts, what)).toEqual(decision);
  });
});

test('events that are on already are not switched on again', () => {
  expect(missingEvents(new Set(['JOB', 'CA_CERTIFICATE']), ['CA_CERTIFICATE', 'THING'])).toEqual(['THING']);
});

class MemoryAccount implements AccountSettings {
  configuration: AuditConfiguration = { checks: {} };
  events = new Set<string>();
  patches = 0;

  async auditConfiguration() {
    return this.configuration;
  }
  async patchAuditConfiguration({ roleArn, target, checks }: AuditConfigurationPatch) {
    this.patches += 1;
    const added = Object.entries(checks).map(([name, { configuration = {} }]) => [name, { enabled: true, configuration }]);
    this.configuration = {
      ...this.configuration,
      ...(roleArn && { roleArn }),
      ...(target && { target: { ...target, enabled: true } }),
      checks: { ...this.configuration.checks, ...(Object.fromEntries(added) as AuditConfiguration['checks']) },
    };
  }
  async enabledEvents() {
    return this.events;
  }
  async enableEvents(types: readonly string[]) {
    for (const type of types) this.events.add(type);
  }
}

class World implements MergePorts {
  readonly account = new MemoryAccount();
  readonly clock = new TestClock();
  readonly decisions = new MemoryDecisions();
  readonly logging = new MemoryLogging();
  readonly signals = new MemorySignals();
  readonly remembered = new Set<string>();
  readonly answers: CustomResourceAnswer[] = [];
  readonly record = {
    ours: async () => this.remembered,
    remember: async (_setting: string, arns: readonly string[]) => arns.forEach((arn) => this.remembered.add(arn)),
  };
  readonly cloudFormation = { answer: async (_url: string, answer: CustomResourceAnswer) => void this.answers.push(answer) };
}
const request = (changes: Partial<CustomResourceRequest> = {}): CustomResourceRequest => ({
  RequestType: 'Create',
  ResponseURL: 'https://cloudformation-custom-resource-response.s3.amazonaws.com/x?Signature=secret',
  StackId: 'stack',
  RequestId: 'request',
  LogicalResourceId: 'SettingsAuditConfiguration',
  ResourceProperties: { ServiceToken: 'arn', ...wanted },
  ...changes,
});

describe('a custom resource', () => {
  it('is answered with the setting as its id, and the change is on record before and after it is made', async () => {
    const world = new World();
    await run(world, request());
    expect(world.answers).toEqual([
      expect.objectContaining({
        Status: 'SUCCESS',
        PhysicalResourceId: 'account-audit-configuration',
        StackId: 'stack',
        RequestId: 'request',
        LogicalResourceId: 'SettingsAuditConfiguration',
      }),
    ]);
    expect(world.decisions.rows.map(({ subject, step }) => [subject, step])).toEqual([
      ['SETTING#account-audit-configuration', 'intent'],
      ['SETTING#account-audit-configuration', 'outcome'],
    ]);
    expect(world.remembered).toEqual(new Set([ROLE, TOPIC]));
  });

  it('asked for twice changes something once', async () => {
    const world = new World();
    await run(world, request());
    await run(world, request({ RequestType: 'Update', PhysicalResourceId: 'account-audit-configuration' }));
    expect([world.account.patches, world.answers.map(({ Data }) => Data?.['changed'])]).toEqual([1, ['true', 'false']]);
  });

  it('that is deleted resets nothing', async () => {
    const world = new World();
    await run(world, request());
    const before = world.account.configuration;
    await run(world, request({ RequestType: 'Delete', PhysicalResourceId: 'account-audit-configuration' }));
    expect(world.account.configuration).toBe(before);
    expect(world.answers.at(-1)).toMatchObject({ Status: 'SUCCESS', PhysicalResourceId: 'account-audit-configuration' });
  });

  it('that was never understood can be deleted all the same', async () => {
    const world = new World();
    await run(world, request({ RequestType: 'Delete', ResourceProperties: { Setting: 'unknown' } }));
    expect(world.answers).toMatchObject([{ Status: 'SUCCESS' }]);
  });

  it.each<[string, unknown, RegExp]>([
    ['with properties that are not understood', { Setting: 'something-else' }, /Setting/],
    ['with a check that does not exist', { ...wanted, Checks: ['NO_CHECK'] }, /Checks.0/],
  ])('%s fails, with a reason', async (_, ResourceProperties, reason) => {
    const world = new World();
    await run(world, request({ ResourceProperties }));
    expect(world.answers).toMatchObject([{ Status: 'FAILED', Reason: expect.stringMatching(reason) as string }]);
    expect(world.account.patches).toBe(0);
  });

  it('that would take another’s target away fails, and leaves the account as it was', async () => {
    const world = new World();
    world.account.configuration = { checks: {}, target: { targetArn: THEIRS, enabled: true } };
    await run(world, request());
    expect(world.answers).toMatchObject([{ Status: 'FAILED', Reason: expect.stringContaining('audit.topicArn') as string }]);
    expect(world.account.patches).toBe(0);
  });

  it('of the events switches on what is missing', async () => {
    const world = new World();
    world.account.events.add('JOB');
    await run(
      world,
      request({ ResourceProperties: { ServiceToken: 'arn', Setting: 'event-configurations', EventTypes: ['CA_CERTIFICATE'] } }),
    );
    expect(world.account.events).toEqual(new Set(['JOB', 'CA_CERTIFICATE']));
  });

  it.each(['before', 'after'] as const)('whose function dies %s any call, and is called again, ends the same', async (moment) => {
    for (let n = 1; ; n += 1) {
      const world = new World();
      const died = await run(crashing(world, n, moment), request()).then(
        () => false,
        (error: unknown) => error instanceof Death,
      );
      if (died) await run(world, request());
      expect([n, world.account.configuration]).toEqual([
        n,
        {
          roleArn: ROLE,
          target: { targetArn: TOPIC, roleArn: NOTIFIER, enabled: true },
          checks: expect.objectContaining({ LOGGING_DISABLED_CHECK: { enabled: true, configuration: {} } }) as object,
        },
      ]);
      expect(world.answers.at(-1)).toMatchObject({ Status: 'SUCCESS' });
      if (!died) break;
    }
  });
});

describe('the answer to CloudFormation', () => {
  let server: Server;
  let url: string;
  const heard: { method: string; type: string | undefined; body: string }[] = [];
  let refusals = 0;
  beforeAll(async () => {
    server = createServer((message, response) => {
      const chunks: Buffer[] = [];
      message.on('data', (chunk: Buffer) => chunks.push(chunk));
      message.on('end', () => {
        heard.push({ method: message.method ?? '', type: message.headers['content-type'], body: Buffer.concat(chunks).toString() });
        response.writeHead(refusals-- > 0 ? 500 : 200).end();
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/signed?secret=1`;
  });
  beforeEach(() => heard.splice(0));
  afterAll(() => new Promise((resolve) => server.close(resolve)));
  const answer: CustomResourceAnswer = { Status: 'SUCCESS', PhysicalResourceId: 'p', StackId: 's', RequestId: 'r', LogicalResourceId: 'l' };

  it('is a PUT without a content type: the URL is signed for that', async () => {
    await cloudFormationAnswers(new TestClock()).answer(url, answer);
    expect(heard).toEqual([{ method: 'PUT', type: undefined, body: JSON.stringify(answer) }]);
  });

  it('is repeated while it is not taken, and its failure does not tell the URL', async () => {
    refusals = 2;
    await cloudFormationAnswers(new TestClock()).answer(url, answer);
    expect(heard).toHaveLength(3);
    refusals = 4;
    await expect(cloudFormationAnswers(new TestClock()).answer(url, answer)).rejects.toThrow(/^CloudFormation was not answered: HTTP 500$/);
  });
});
