/**
 * 100,000 findings of one audit, read by the bundled function in a process of its own, over HTTP from the desk’s Device Defender, DynamoDB and SQS: peak
 * memory, time, and the time that AWS’s quota alone would take. `BENCH_QUICK=1`: 10,000. Alone: `npx tsx bench/findings.ts`.
 */
import '../local/quiet-sdk.js';
import { spawn, type ChildProcess } from 'node:child_process';
import { createHash } from 'node:crypto';
import path from 'node:path';
import { createInterface } from 'node:readline';
import Table from 'cli-table3';
import { AUDIT_CHECKS } from '../domain/fleet/audit-checks.js';
import { createCloud, type RunningCloud } from '../local/create-cloud.js';
import { createDynamoDb } from '../local/services/dynamodb/service.js';
import type { AuditTask } from '../local/services/iot/audit/audit.js';
import { AuditRunner } from '../local/services/iot/audit/audit-runner.js';
import { auditTaskOperations } from '../local/services/iot/audit/task-operations.js';
import { IotState } from '../local/services/iot/state.js';
import { startSqs } from '../local/services/sqs/service.js';
import { createWorld } from '../local/world/world.js';
import { assemblyOf } from '../test/scenarios/support/assembly.js';

export interface FindingsResults {
  readonly findings: number;
  readonly pages: number;
  readonly seconds: number;
  /** Ten pages of 250 a second: the quota of ListAuditFindings (FACTS C3). */
  readonly quotaBoundSeconds: number;
  /** The same at the pace that the function keeps to. */
  readonly paceBoundSeconds: number;
  readonly invocations: number;
  readonly peakMiB: number;
  readonly limitMiB: number;
  readonly throttled: number;
  readonly calls: Readonly<Record<string, number>>;
  readonly handedOver: number;
  readonly onRecord: number;
}

const FINDINGS = process.env['BENCH_QUICK'] === '1' ? 10_000 : 100_000;
const PAGE = 250;
const QUOTA_PER_SECOND = 10;
/** As lib/audit/audit.ts sets it. */
const PAGES_PER_SECOND = 9.6;
const LIMIT_MIB = 512;
const TASK = 'a'.repeat(32);
const SCHEDULE = 'fleetwarden-audit';
const BUNDLE = path.resolve(__dirname, '..', 'build', 'lambda', 'audit-collect', 'index.mjs');

export async function run(): Promise<FindingsResults> {
  await assemblyOf(); // bundles
  const world = createWorld({});
  const cloud = await createCloud(world);
  const stopSqs = startSqs(cloud);
  const dynamodb = createDynamoDb(cloud);
  cloud.addService(dynamodb);
  addDeviceDefender(cloud);
  world.faults.set({ quotas: true });
  let child: ChildProcess | undefined;
  try {
    const queues = await createStores(cloud);
    child = startFunction(cloud, queues);
    const results = await measure(cloud, queues, child);
    process.stdout.write(`${printed(results)}\n`);
    if (results.onRecord !== FINDINGS || results.handedOver !== FINDINGS || results.throttled > 0 || results.peakMiB > LIMIT_MIB)
      throw new Error('findings: got a run that lost, repeated or overran something, expected none');
    return results;
  } finally {
    child?.kill();
    stopSqs();
    await cloud.stop();
  }
}

/** Device Defender with one audit that is over: FINDINGS certificates that end. A registry of as many would take longer to make than to audit. */
function addDeviceDefender(cloud: RunningCloud): void {
  const state = new IotState(cloud, {});
  const checkName = 'DEVICE_CERTIFICATE_EXPIRING_CHECK';
  const task: AuditTask = {
    taskId: TASK,
    taskType: 'SCHEDULED_AUDIT_TASK',
    scheduledAuditName: SCHEDULE,
    startedAtMs: cloud.world.clock.nowMs(),
    checks: new Map([[checkName, { status: 'COMPLETED_NON_COMPLIANT', total: FINDINGS, nonCompliant: FINDINGS, suppressed: 0 }]]),
    status: 'COMPLETED',
  };
  state.audit.tasks.set(TASK, task);
  for (let index = 0; index < FINDINGS; index += 1) {
    const [findingId, deviceCertificateId] = [idOf('finding', index).slice(0, 32), idOf('certificate', index)];
    state.audit.findings.set(findingId, {
      findingId,
      task,
      checkName,
      foundAtMs: task.startedAtMs,
      isSuppressed: false,
      resource: {
        resourceType: 'DEVICE_CERTIFICATE',
        resourceIdentifier: { deviceCertificateId },
        additionalInfo: { EXPIRATION_TIME: '1797000000000' },
      },
      reason: 'Certificate is approaching its expiration.',
      reasonCode: 'CERTIFICATE_APPROACHING_EXPIRATION',
    });
  }
  cloud.addService({
    name: 'iot',
    signingNames: ['iot'],
    operations: auditTaskOperations(state.audit, new AuditRunner(state, state.audit)),
    access: (operation) => [{ action: `iot:${operation}`, resource: '*' }],
  });
}

const idOf = (what: string, index: number): string => createHash('sha256').update(`${what} ${index}`).digest('hex');

interface Stores {
  readonly collect: string;
  readonly start: string;
  readonly sync: string;
}

async function createStores(cloud: RunningCloud): Promise<Stores> {
  await cloud.call('dynamodb', 'CreateTable', {
    TableName: 'ledger',
    BillingMode: 'PAY_PER_REQUEST',
    AttributeDefinitions: ['pk', 'sk'].map((AttributeName) => ({ AttributeName, AttributeType: 'S' })),
    KeySchema: [
      { AttributeName: 'pk', KeyType: 'HASH' },
      { AttributeName: 'sk', KeyType: 'RANGE' },
    ],
  });
  const queue = async (QueueName: string) => (await cloud.call<{ QueueUrl: string }>('sqs', 'CreateQueue', { QueueName })).QueueUrl;
  return { collect: await queue('collect'), start: await queue('start'), sync: await queue('sync') };
}

function startFunction(cloud: RunningCloud, { collect, start, sync }: Stores): ChildProcess {
  const { accessKeyId, secretAccessKey } = cloud.administratorCredentials;
  return spawn(process.execPath, [path.join(__dirname, 'findings-child.mjs'), BUNDLE], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: {
      AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
      AWS_ENDPOINT_URL: cloud.endpoint,
      AWS_REGION: cloud.world.region,
      AWS_ACCESS_KEY_ID: accessKeyId,
      AWS_SECRET_ACCESS_KEY: secretAccessKey,
      APPLICATION: 'fleetwarden',
      LEDGER_TABLE: 'ledger',
      COLLECT_QUEUE_URL: collect,
      START_QUEUE_URL: start,
      INTAKE_QUEUE_URL: 'off',
      SYNC_QUEUE_URL: sync,
      SCHEDULED_AUDIT_NAME: SCHEDULE,
      AUDIT_PERIOD_DAYS: '1',
      PAGES_PER_SECOND: String(PAGES_PER_SECOND),
      RESPONSES: JSON.stringify(Object.fromEntries(Object.entries(AUDIT_CHECKS).map(([name, { response }]) => [name, response]))),
    },
  });
}

/** The notification first, then whatever the function sends to itself, until nothing is left. */
async function measure(cloud: RunningCloud, { collect, start }: Stores, child: ChildProcess): Promise<FindingsResults> {
  const answers = createInterface({ input: child.stdout! })[Symbol.asyncIterator]();
  const invoke = async (body: string): Promise<number> => {
    const attributes = { ApproximateReceiveCount: '1' };
    child.stdin!.write(`${JSON.stringify({ Records: [{ messageId: '1', body, attributes }] })}\n`);
    for (;;) {
      const { value, done } = (await answers.next()) as { value: string; done?: boolean };
      if (done) throw new Error('the function has ended');
      if (!value.startsWith('answer ')) continue;
      const { failed, peakKib } = JSON.parse(value.slice('answer '.length)) as { failed: number; peakKib: number };
      if (failed > 0) throw new Error('the function has failed');
      return peakKib / 1024;
    }
  };
  const startedAt = performance.now();
  let peakMiB = 0;
  let invocations = 0;
  for (
    let body: string | undefined = JSON.stringify({ taskId: TASK, taskStatus: 'COMPLETED' });
    body !== undefined;
    body = await take(cloud, collect)
  ) {
    peakMiB = await invoke(body);
    invocations += 1;
  }
  const seconds = (performance.now() - startedAt) / 1000;
  const counts = cloud.world.journal.counts();
  const pages = Math.ceil(FINDINGS / PAGE);
  return {
    findings: FINDINGS,
    pages,
    seconds,
    quotaBoundSeconds: pages / QUOTA_PER_SECOND,
    paceBoundSeconds: pages / PAGES_PER_SECOND,
    invocations,
    peakMiB,
    limitMiB: LIMIT_MIB,
    throttled: cloud.world.journal.entries().filter(({ ok, detail = '' }) => !ok && /Throttl|Rate exceeded/.test(detail)).length,
    calls: Object.fromEntries(
      [...counts].filter(
        ([what]) => /^(iot|dynamodb|sqs):/.test(what) && !/CreateTable|CreateQueue|ReceiveMessage|DeleteMessage/.test(what),
      ),
    ),
    handedOver: await certificatesOn(cloud, start),
    onRecord: await rowsOnRecord(cloud),
  };
}

async function take(cloud: RunningCloud, QueueUrl: string): Promise<string | undefined> {
  const { Messages = [] } = await cloud.call<{ Messages?: { Body: string; ReceiptHandle: string }[] }>('sqs', 'ReceiveMessage', {
    QueueUrl,
    MaxNumberOfMessages: 1,
  });
  const [message] = Messages;
  if (message) await cloud.call('sqs', 'DeleteMessage', { QueueUrl, ReceiptHandle: message.ReceiptHandle });
  return message?.Body;
}

async function certificatesOn(cloud: RunningCloud, queueUrl: string): Promise<number> {
  const certificates = new Set<string>();
  for (let body = await take(cloud, queueUrl); body !== undefined; body = await take(cloud, queueUrl))
    for (const id of (JSON.parse(body) as { certificateIds: string[] }).certificateIds) certificates.add(id);
  return certificates.size;
}

async function rowsOnRecord(cloud: RunningCloud): Promise<number> {
  let rows = 0;
  for (const shard of '0123456789abcdef') {
    let ExclusiveStartKey: unknown;
    do {
      const page = await cloud.call<{ Count: number; LastEvaluatedKey?: unknown }>('dynamodb', 'Query', {
        TableName: 'ledger',
        KeyConditionExpression: 'pk = :pk',
        ExpressionAttributeValues: { ':pk': { S: `FINDING#DEVICE_CERTIFICATE_EXPIRING_CHECK#${shard}` } },
        Select: 'COUNT',
        ...(ExclusiveStartKey === undefined ? {} : { ExclusiveStartKey }),
      });
      rows += page.Count;
      ExclusiveStartKey = page.LastEvaluatedKey;
    } while (ExclusiveStartKey !== undefined);
  }
  return rows;
}

function printed(results: FindingsResults): string {
  const { findings, pages, seconds, quotaBoundSeconds, paceBoundSeconds, invocations, peakMiB, throttled, calls } = results;
  const times = new Table({
    head: ['findings', 'pages', 'time', 'quota alone', 'pace alone', 'calls of the function', 'peak memory', 'throttled'],
    style: { head: [] },
  });
  times.push([
    findings,
    pages,
    `${seconds.toFixed(1)} s`,
    `${quotaBoundSeconds.toFixed(1)} s`,
    `${paceBoundSeconds.toFixed(1)} s`,
    invocations,
    `${peakMiB.toFixed(0)} of ${LIMIT_MIB} MiB`,
    throttled,
  ]);
  const byApi = new Table({ head: ['API', 'calls'], style: { head: [] } });
  for (const [what, count] of Object.entries(calls).toSorted(([one], [other]) => (one < other ? -1 : 1))) byApi.push([what, count]);
  return `${times.toString()}\n${byApi.toString()}`;
}

if (require.main === module) void run().then(() => process.exit(0));
