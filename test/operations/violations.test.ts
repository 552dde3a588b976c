/** What the people on call see of violations, and what they say of them, as they type it: of the built-in monitor and of Device Defender Detect. */
import { AttachSecurityProfileCommand, CreateSecurityProfileCommand } from '@aws-sdk/client-iot';
import { PutParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { applicationParameterName, DEFAULT_PREFIX, type OptionalParameter } from '../../domain/protocol/application-parameters.js';
import type { Standing } from '../../domain/fleet/standing.js';
import { detectViolations } from '../../lambda/aws/violations-detect.js';
import { monitorViolations } from '../../lambda/aws/violations-monitor.js';
import { dynamoStandings } from '../../lambda/aws/violations-standings.js';
import type { ViolationSource } from '../../lambda/ports/violations.js';
import { wallClock } from '../../lambda/runtime/clock.js';
import { startInstallation, type Installation } from './installation.js';

const MONITOR_ID = 'a'.repeat(32);
const BUILT_IN = 'fleetwarden-built-in';
const RULES = 'fleetwarden-rules';
let at: Installation;
let ssm: SSMClient;
let detectId: string;
let monitor: ViolationSource;
let detect: ViolationSource;

beforeAll(async () => {
  at = await startInstallation();
  const { env, endpoint, adminCredentials: credentials, cloud } = at.desk.desk;
  ssm = new SSMClient({ region: env.AWS_REGION, endpoint, credentials });
  monitor = monitorViolations({ client: at.desk.documents, table: at.ledgerTable }, BUILT_IN);
  detect = detectViolations(at.desk.iot, new Set([RULES]), wallClock);
  await flood('in-alarm');
  const criteria = { comparisonOperator: 'less-than-equals', value: { count: 5 }, durationSeconds: 300 } as const;
  const behaviors = [{ name: 'authorization-failures', metric: 'aws:num-authorization-failures', criteria }];
  for (const securityProfileName of [RULES, 'of-somebody-else']) {
    await at.desk.iot.send(new CreateSecurityProfileCommand({ securityProfileName, behaviors }));
    const securityProfileTargetArn = `arn:aws:iot:${env.AWS_REGION}:${at.desk.desk.world.accountId}:all/things`;
    await at.desk.iot.send(new AttachSecurityProfileCommand({ securityProfileName, securityProfileTargetArn }));
  }
  const raised = { behaviorName: 'authorization-failures', thingName: 'pump-2', metricValue: { count: 9 } };
  detectId = await cloud.parts.detect!.raise({ securityProfileName: RULES, ...raised });
  await cloud.parts.detect!.raise({ securityProfileName: 'of-somebody-else', ...raised });
}, 60_000);
afterAll(async () => {
  ssm?.destroy();
  await at?.stop();
});

/** What the monitor writes when it raises, and when it gives up. */
async function flood(violationEventType: 'in-alarm' | 'alarm-invalidated'): Promise<void> {
  const standings = dynamoStandings({ client: at.desk.documents, table: at.ledgerTable }, wallClock);
  const criteria = { comparisonOperator: 'less-than-equals', value: { count: 600 }, durationSeconds: 300 };
  const before = await standings.get('pump-1', 'messages-sent');
  const standing: Standing = {
    clientId: 'pump-1',
    thingName: 'pump-1',
    behaviour: 'messages-sent',
    criteria: 'c',
    lastWindowEndMs: Date.now(),
    abnormalInRow: 1,
    normalInRow: 0,
    violationId: MONITOR_ID,
    startedAtMs: Date.now(),
    metricValue: { count: 900 },
    updatedAtMs: Date.now(),
  };
  const pending = {
    violationEventTime: Date.now(),
    thingName: 'pump-1',
    behavior: { name: 'messages-sent', metric: 'aws:num-messages-sent', criteria },
    violationEventType,
    metricValue: { count: 900 },
    violationId: MONITOR_ID,
    securityProfileName: BUILT_IN,
    ...(violationEventType === 'alarm-invalidated' ? { verificationState: 'UNKNOWN' } : {}),
  };
  expect(await standings.write(before, { ...standing, pending })).toBe(true);
  const written = (await standings.get('pump-1', 'messages-sent'))!;
  expect(await standings.write(written, standing)).toBe(true); // announced
}

async function switchOn(values: Partial<Record<OptionalParameter, string>>): Promise<void> {
  for (const [name, Value] of Object.entries(values)) {
    const Name = applicationParameterName(DEFAULT_PREFIX, name as OptionalParameter);
    await ssm.send(new PutParameterCommand({ Name, Value, Type: 'String', Overwrite: true }));
  }
}
const of = (violationId: string, thingName: string, securityProfileName: string) => ({ violationId, thingName, securityProfileName });

test('where nobody watches behaviour, both commands say so, and what to do', async () => {
  const off = 'refused: nobody watches behaviour in this installation: set behaviour.detect in its configuration, and deploy\n';
  expect(await at.run('violations')).toMatchObject({ code: 1, out: '', err: off });
  expect(await at.run('mark', MONITOR_ID, 'FALSE_POSITIVE')).toMatchObject({ code: 1, out: '', err: off });
});

describe('where both detect', () => {
  beforeAll(() => switchOn({ detect: 'both', detectProfiles: RULES }));

  test('violations lists what is in alarm by either, those of this installation alone', async () => {
    const { code, json } = await at.run('violations', '--json');
    expect(code).toBe(0);
    expect(json()).toEqual({
      violations: [
        expect.objectContaining({
          violationId: MONITOR_ID,
          thingName: 'pump-1',
          behavior: 'messages-sent',
          origin: 'built-in',
          metricValue: { count: 900 },
          verificationState: 'UNKNOWN',
        }),
        expect.objectContaining({ violationId: detectId, thingName: 'pump-2', origin: 'device-defender', securityProfileName: RULES }),
      ],
    });
    const shown = (await at.run('violations')).out;
    for (const word of [MONITOR_ID, detectId, 'pump-1', 'messages-sent', '900', 'device-defender', 'fleetwarden mark'])
      expect(shown).toContain(word);
  });

  test('violations --thing lists those of one thing, and says so when there are none', async () => {
    const { violations } = (await at.run('violations', '--thing', 'pump-2', '--json')).json<{ violations: { violationId: string }[] }>();
    expect(violations.map(({ violationId }) => violationId)).toEqual([detectId]);
    expect(await at.run('violations', '--thing', 'pump-9')).toMatchObject({ code: 0, out: 'Nothing is in alarm for pump-9.\n' });
  });

  test('what is marked stands at its source, whoever detected it, with who said it and why on record', async () => {
    const marked = await at.run('mark', MONITOR_ID, 'FALSE_POSITIVE', '--description', 'new firmware', '--json');
    expect([marked.code, marked.json()]).toMatchObject([
      0,
      { violationId: MONITOR_ID, thingName: 'pump-1', verificationState: 'FALSE_POSITIVE' },
    ]);
    expect((await at.run('mark', detectId, 'benign_positive')).out).toContain('BENIGN_POSITIVE');
    expect(await monitor.read(of(MONITOR_ID, 'pump-1', BUILT_IN))).toMatchObject({ verificationState: 'FALSE_POSITIVE', isOpen: true });
    expect(await detect.read(of(detectId, 'pump-2', RULES))).toMatchObject({ verificationState: 'BENIGN_POSITIVE', isOpen: true });
    const { violations } = (await at.run('violations', '--json')).json<{ violations: { verificationState: string }[] }>();
    expect(violations.map(({ verificationState }) => verificationState)).toEqual(['FALSE_POSITIVE', 'BENIGN_POSITIVE']);
    for (const [source, thing] of [
      [monitor, 'pump-1'],
      [detect, 'pump-2'],
    ] as const)
      for await (const { violationId } of source.openOf(thing)) throw new Error(`${violationId} would keep ${thing} contained`);
    const rows: unknown[] = [];
    for await (const { step, act, by, detail } of at.decisions.of('THING#pump-1')) rows.push({ step, act, by, ...detail });
    const row = { act: 'mark', by: expect.stringMatching(/^arn:aws:/), verificationState: 'FALSE_POSITIVE', description: 'new firmware' };
    expect(rows).toEqual([expect.objectContaining({ step: 'intent', ...row }), expect.objectContaining({ step: 'outcome', ...row })]);
  });

  test('the last word counts, and outlives the violation', async () => {
    await at.run('mark', MONITOR_ID, 'TRUE_POSITIVE');
    const open: string[] = [];
    for await (const { violationId } of monitor.openOf('pump-1')) open.push(violationId);
    expect(open).toEqual([MONITOR_ID]);
    await flood('alarm-invalidated');
    expect(await monitor.read(of(MONITOR_ID, 'pump-1', BUILT_IN))).toMatchObject({ verificationState: 'TRUE_POSITIVE', isOpen: false });
    await at.desk.desk.cloud.parts.detect!.clear(detectId);
    expect(await at.run('mark', detectId, 'UNKNOWN')).toMatchObject({ code: 0, out: expect.stringContaining('over') });
    expect(await detect.read(of(detectId, 'pump-2', RULES))).toMatchObject({ verificationState: 'UNKNOWN', isOpen: false });
  });

  test.each([
    ['a word that is no state', ['mark', MONITOR_ID, 'FINE'], 2, /got "FINE", expected FALSE_POSITIVE, BENIGN_POSITIVE/],
    ['something that is no id', ['mark', 'pump 1', 'UNKNOWN'], 2, /got "pump 1", expected an id/],
    ['a description of two lines', ['mark', MONITOR_ID, 'UNKNOWN', '--description', 'a\nb'], 2, /expected 1 to 1000 in one line/],
    ['no state at all', ['mark', MONITOR_ID], 2, /missing required argument/],
    ['a violation that no source knows', ['mark', 'f'.repeat(32), 'UNKNOWN'], 1, /no violation f+ is known/],
  ])('mark refuses %s', async (_what, given, code, words) => {
    const ran = await at.run(...given);
    expect([ran.code, ran.out]).toEqual([code, '']);
    expect(ran.err).toMatch(words);
  });
});
