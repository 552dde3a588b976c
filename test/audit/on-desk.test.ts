/**
 * The whole of it on the desk: the synthesised templates with audit and rotation on, the bundled functions under their roles, Device Defender with the
 * rights of the audit role, and an account that somebody else has configured before. What an audit finds is rotated, or told.
 */
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  CreateAuditSuppressionCommand,
  CreatePolicyCommand,
  DeletePolicyCommand,
  DescribeAccountAuditConfigurationCommand,
  DescribeAuditTaskCommand,
  DescribeScheduledAuditCommand,
  StartOnDemandAuditTaskCommand,
} from '@aws-sdk/client-iot';
import { startDesk, type Desk } from '../../local/desk.js';
import { enrol, type EnrolledDevice } from '../../local/fleet/enrol.js';
import { startFleet, type Fleet } from '../../local/fleet/fleet.js';
import { clientsFor } from '../../local/scenes/stage.js';
import { synthesise } from '../../local/synth.js';
import { fleetwarden as commandLine } from '../operations/installation.js';

const DAY = 86_400_000;
const MINUTE = 60_000;
/** The desk does not evaluate these: they end as FAILED (local/services/iot/README.md). One is left on, to see that it is told. */
const NOT_AT_THE_DESK = ['REVOKED_CA_CERTIFICATE_STILL_ACTIVE_CHECK', 'INTERMEDIATE_CA_REVOKED_FOR_ACTIVE_DEVICE_CERTIFICATES_CHECK'];
const FAILING = 'REVOKED_DEVICE_CERTIFICATE_STILL_ACTIVE_CHECK';

const directory = mkdtempSync(path.join(tmpdir(), 'audit-on-desk-'));
const denied: string[] = [];
let desk: Desk;
let fleet: Fleet;
let devices: EnrolledDevice[];
let iot: ReturnType<typeof clientsFor>['iot'];

const fleetwarden = (...given: string[]) => commandLine({ ...desk.env }, ...given);
const queueUrl = (name: string) => `${desk.endpoint}/${desk.world.accountId}/fleetwarden-${name}`;
const send = (queue: string, message: object) =>
  desk.cloud.call('sqs', 'SendMessage', { QueueUrl: queueUrl(queue), MessageBody: JSON.stringify(message) });
interface Found {
  readonly open: number;
  readonly findings: readonly {
    readonly checkName: string;
    readonly resource: string;
    readonly thingName?: string;
    readonly response: string;
    readonly advice: string;
  }[];
}
const findings = async () => (await fleetwarden('findings', '--json')).json<Found>();
async function until(what: string, holds: () => Promise<boolean>, patienceMs = 60_000): Promise<void> {
  const end = performance.now() + patienceMs;
  while (!(await holds())) {
    if (performance.now() > end) throw new Error(`not within ${patienceMs} ms: ${what}`);
    await sleep(200);
  }
}
const certificateStatus = async (certificateId: string) =>
  (await desk.cloud.call<{ certificateDescription: { status: string } }>('iot', 'DescribeCertificate', { certificateId }))
    .certificateDescription.status;
/** Log lines of the function with this message. */
async function logLines(message: string): Promise<readonly Record<string, unknown>[]> {
  const { events = [] } = await desk.cloud.call<{ events?: { message: string }[] }>('logs', 'FilterLogEvents', {
    logGroupName: '/aws/lambda/fleetwarden-audit-collect',
  });
  return events.flatMap(({ message: line }) => {
    if (!line.startsWith('{')) return [];
    const read = JSON.parse(line) as Record<string, unknown>;
    return read['message'] === message ? [read] : [];
  });
}

/** Two hours before the next scheduled audit: the desk takes its time of the day from its name. A whole day would be hundreds of sweeps and rounds. */
function beforeTheAudit(): Date {
  const auditMs = (createHash('sha256').update('fleetwarden-audit').digest().readUInt32BE(0) % 1440) * MINUTE;
  const startMs = Math.floor(Date.now() / DAY) * DAY + auditMs - 120 * MINUTE;
  return new Date(startMs < Date.now() ? startMs + DAY : startMs);
}

beforeAll(async () => {
  const assembly = await synthesise(
    {
      trustAnchors: [{ id: 'fleet', type: 'acm-pca', create: { commonName: 'Fleet Root CA' } }],
      revocation: { mode: 'enforce', ratePerSecond: 100, quotaPerSecond: 100 },
      inventory: { ratePerSecond: 100 },
      rotation: { mode: 'enforce', windowDays: 5, validityDays: 90, graceDays: 1, ratePerSecond: 100 },
      devices: { autoRegistration: true },
      audit: {
        mode: 'on',
        manage: { accountConfiguration: true, eventConfigurations: true },
        checks: Object.fromEntries(NOT_AT_THE_DESK.map((name) => [name, { enabled: false }])),
      },
    },
    directory,
  );
  desk = await startDesk({ assembly, seed: 7, startAt: beforeTheAudit() });
  desk.world.journal.on(({ kind, who, what, detail }) => void (kind === 'denied' && denied.push(`${who} ${what} ${detail}`)));
  const clients = clientsFor(desk);
  iot = clients.iot;
  const { Parameter } = await desk.cloud.call<{ Parameter: { Value: string } }>('ssm', 'GetParameter', {
    Name: '/fleetwarden/trust/fleet/settings',
  });
  const { certificateAuthorityArn } = JSON.parse(Parameter.Value) as { certificateAuthorityArn: string };
  const people = (thingNames: string[], validityDays: number) =>
    enrol({
      thingNames,
      iot,
      issuer: { kind: 'acm-pca', client: clients.pca, certificateAuthorityArn, validityDays },
      policyName: 'fleetwarden-device',
    });
  // The expiry query looks five days ahead: only the audit finds these.
  devices = [...(await people(['pump-1', 'pump-2', 'pump-3'], 20)), ...(await people(['pump-10'], 200))];
  fleet = await startFleet({
    host: desk.env.DESK_MQTT_HOST,
    port: Number(desk.env.DESK_MQTT_PORT),
    serverCaPem: desk.serverCaPem,
    devices,
    agent: true,
    backoff: { firstMs: 100, longestMs: 500 },
  });
  await fleet.waitFor((states) => [...states.values()].filter(({ state }) => state === 'connected').length === devices.length);
  await send('inventory-reconcile', { kind: 'start' });
  await until('the inventory knows every device', async () => {
    const { json } = await fleetwarden('status', '--json');
    return json<{ inventory: { active?: number } }>().inventory.active === devices.length;
  });
}, 180_000);

afterAll(async () => {
  await fleet?.stop();
  await desk?.stop();
  rmSync(directory, { recursive: true, force: true });
});

describe('the account, after the deployment', () => {
  test('has role, target, checks and thresholds; a check that is not wanted is as it was', async () => {
    const { roleArn, auditNotificationTargetConfigurations, auditCheckConfigurations } = await iot.send(
      new DescribeAccountAuditConfigurationCommand({}),
    );
    expect(roleArn).toMatch(/AuditRole/);
    expect(auditNotificationTargetConfigurations?.SNS).toMatchObject({
      enabled: true,
      targetArn: expect.stringMatching(/AuditTopic/) as string,
    });
    expect(auditCheckConfigurations?.['DEVICE_CERTIFICATE_EXPIRING_CHECK']).toEqual({
      enabled: true,
      configuration: { CERT_EXPIRATION_THRESHOLD_IN_DAYS: '30' },
    });
    for (const name of NOT_AT_THE_DESK) expect(auditCheckConfigurations?.[name]).toEqual({ enabled: false });
    expect(await iot.send(new DescribeScheduledAuditCommand({ scheduledAuditName: 'fleetwarden-audit' }))).toMatchObject({
      frequency: 'DAILY',
    });
  });

  test('tells of certificates that turn up', async () => {
    const { eventConfigurations } = await desk.cloud.call<{ eventConfigurations: Record<string, unknown> }>(
      'iot',
      'DescribeEventConfigurations',
      {},
    );
    expect(eventConfigurations['CA_CERTIFICATE']).toEqual({ Enabled: true });
    expect(eventConfigurations['JOB']).toEqual({ Enabled: false });
  });
});

describe('an audit on demand', () => {
  test('of somebody else is left alone', async () => {
    const { taskId } = await iot.send(new StartOnDemandAuditTaskCommand({ targetCheckNames: ['DEVICE_CERTIFICATE_EXPIRING_CHECK'] }));
    await until('the function has seen it', async () => (await logLines('audit not read')).some((line) => line['taskId'] === taskId));
    expect((await logLines('audit not read')).find((line) => line['taskId'] === taskId)).toMatchObject({ reason: 'not-our-audit' });
    expect((await findings()).open).toBe(0);
  }, 90_000);

  test('of ours hands over what ends, tells what is for people, and says which check failed', async () => {
    await iot.send(
      new CreatePolicyCommand({
        policyName: 'open',
        policyDocument: JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: 'iot:*', Resource: '*' }] }),
      }),
    );
    await iot.send(
      new CreateAuditSuppressionCommand({
        checkName: 'DEVICE_CERTIFICATE_EXPIRING_CHECK',
        resourceIdentifier: { deviceCertificateId: devices[2]!.certificateId },
        suppressIndefinitely: true,
        clientRequestToken: '00000000-0000-4000-8000-000000000001',
      }),
    );
    const { taskId } = (await fleetwarden('audit', '--json')).json<{ taskId: string }>();
    await until('its findings are on record', async () => (await logLines('audit read')).some((line) => line['taskId'] === taskId));
    const found = await findings();
    expect(
      found.findings
        .filter(({ checkName }) => checkName === 'DEVICE_CERTIFICATE_EXPIRING_CHECK')
        .map(({ thingName, response }) => `${thingName} ${response}`)
        .toSorted(),
    ).toEqual(['pump-1 rotate', 'pump-2 rotate']);
    expect(found.findings.find(({ checkName }) => checkName === 'IOT_POLICY_OVERLY_PERMISSIVE_CHECK')).toMatchObject({
      resource: 'open 1',
      response: 'notify',
    });
    expect(found.findings.map(({ checkName }) => checkName)).toContain('LOGGING_DISABLED_CHECK');
    for (const { advice } of found.findings) expect(advice.length).toBeGreaterThan(20);
    expect(await logLines('audit check did not complete')).toMatchObject([{ checkName: FAILING, status: 'FAILED' }]);
  }, 120_000);

  test('has the devices that it found rotated, over the air, and no others', async () => {
    await until('both have proved themselves', async () => {
      await desk.world.clock.advance(MINUTE);
      const old = await Promise.all(devices.slice(0, 2).map(({ certificateId }) => certificateStatus(certificateId)));
      return old.every((status) => status === 'INACTIVE');
    });
    expect(await Promise.all(devices.slice(2).map(({ certificateId }) => certificateStatus(certificateId)))).toEqual(['ACTIVE', 'ACTIVE']);
    const why = (await fleetwarden('why', devices[0]!.certificateId, '--json')).json<{
      found: { rotations: { reason: string; foundBy: string }[] }[];
    }>();
    expect(why.found[0]!.rotations).toMatchObject([
      { reason: 'audit-finding', foundBy: expect.stringMatching(/^audit task [0-9a-f]{32}$/) as string },
    ]);
  }, 120_000);

  test('of one check closes what it does not find again, and leaves the others as they are', async () => {
    await iot.send(new DeletePolicyCommand({ policyName: 'open' }));
    const { taskId } = (await fleetwarden('audit', '--check', 'IOT_POLICY_OVERLY_PERMISSIVE_CHECK', '--json')).json<{ taskId: string }>();
    await until('it is read', async () => (await logLines('audit read')).some((line) => line['taskId'] === taskId));
    const checks = (await findings()).findings.map(({ checkName }) => checkName);
    expect(checks).not.toContain('IOT_POLICY_OVERLY_PERMISSIVE_CHECK');
    expect(checks).toContain('DEVICE_CERTIFICATE_EXPIRING_CHECK');
  }, 90_000);
});

describe('the scheduled audit', () => {
  test('runs on its day, is read, and closes what was put right', async () => {
    const before = (await logLines('audit read')).length;
    await until(
      'it is read',
      async () => {
        await desk.world.clock.advance(10 * MINUTE);
        return (await logLines('audit read')).length > before;
      },
      200_000,
    );
    const read = (await logLines('audit read')).at(-1)!;
    expect(await iot.send(new DescribeAuditTaskCommand({ taskId: String(read['taskId']) }))).toMatchObject({
      scheduledAuditName: 'fleetwarden-audit',
    });
    const checks = (await findings()).findings.map(({ checkName }) => checkName);
    // Rotated since, or suppressed.
    expect(checks).not.toContain('DEVICE_CERTIFICATE_EXPIRING_CHECK');
    expect(checks).toContain('LOGGING_DISABLED_CHECK');
  }, 240_000);

  test('shows a person a table, and what to do', async () => {
    const { code, out } = await fleetwarden('findings');
    expect(code).toBe(0);
    expect(out).toMatch(/newest audit\s+\d{4}-/);
    expect(out).toContain('LOGGING_DISABLED');
    expect(out).toContain('Switch AWS IoT logging on');
  });
});

test('nothing was denied to any function', () => {
  expect(denied).toEqual([]);
});
