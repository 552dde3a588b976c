/**
 * An installation as its stacks would leave it behind, on a desk of its own, and the command line as a child process against it: what the
 * people on call type is what is tested.
 */
import { execFile } from 'node:child_process';
import path from 'node:path';
import { CreateBucketCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { CreateQueueCommand, DeleteMessageCommand, ReceiveMessageCommand, SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { PutParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { writeHeldList, type HeldEntry } from '../../domain/fleet/held-list.js';
import { Certificate } from '../../domain/pki/certificate.js';
import {
  APPLICATION_PARAMETER_NAMES,
  applicationParameterName,
  DEFAULT_PREFIX,
  ROTATION_PARAMETER_NAMES,
  type ApplicationParameter,
  type RotationParameter,
} from '../../domain/protocol/application-parameters.js';
import { dynamoDecisionLog } from '../../lambda/aws/decision-log.js';
import { dynamoHighWaterMarks } from '../../lambda/aws/high-water.js';
import { dynamoHolds } from '../../lambda/aws/holds.js';
import { dynamoInventory } from '../../lambda/aws/inventory.js';
import { dynamoReconciliation } from '../../lambda/aws/reconciliation.js';
import type { Hold } from '../../lambda/ports/holds.js';
import { wallClock } from '../../lambda/runtime/clock.js';
import type { TestCa } from '../builders/ca.js';
import { startTestDesk } from '../inventory/desk.js';
import { fleetCa } from '../inventory/fleet.js';

const REPOSITORY = path.resolve(__dirname, '..', '..');

export interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
  /** Standard output as JSON. */
  readonly json: <T = Record<string, unknown>>() => T;
}

/** Runs `fleetwarden …` with exactly this environment beside PATH. */
export function fleetwarden(environment: Readonly<Record<string, string>>, ...given: readonly string[]): Promise<Ran> {
  return new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      [path.join(REPOSITORY, 'bin', 'fleetwarden.cjs'), ...given],
      { cwd: REPOSITORY, env: { PATH: process.env['PATH'], HOME: '/nonexistent', NO_COLOR: '1', ...environment } },
      (error, out, err) => resolve({ code: error === null ? 0 : Number(error.code), out, err, json: () => JSON.parse(out) }),
    );
    child.stdin?.end();
  });
}

export type Installation = Awaited<ReturnType<typeof startInstallation>>;

/** `rotation`: its mode. @default rotation is off */
export async function startInstallation({ rotation }: { readonly rotation?: string } = {}) {
  const desk = await startTestDesk();
  const settings = { region: desk.desk.env.AWS_REGION, endpoint: desk.desk.endpoint, credentials: desk.desk.adminCredentials };
  const sqs = new SQSClient(settings);
  const s3 = new S3Client({ ...settings, forcePathStyle: true });
  const ssm = new SSMClient(settings);
  const ca: TestCa = await fleetCa();
  const [inventoryTable, ledgerTable] = [await desk.table('inventory'), await desk.table('ledger')];
  const values: Partial<Record<ApplicationParameter | RotationParameter, string>> = {
    inventoryTable,
    ledgerTable,
    stateBucket: 'state',
    crlBucket: 'crls',
    trustParameterPath: `/${DEFAULT_PREFIX}/trust`,
    mode: 'enforce',
    brakeFloor: '5',
    brakeShare: '0.01',
    brakeWindowMinutes: '60',
    ...(rotation === undefined ? {} : { rotationMode: rotation }),
  };
  const names = [...APPLICATION_PARAMETER_NAMES, ...(rotation === undefined ? [] : ROTATION_PARAMETER_NAMES)];
  for (const name of names.filter((each) => each.endsWith('QueueUrl'))) {
    values[name] = (await sqs.send(new CreateQueueCommand({ QueueName: name }))).QueueUrl!;
  }
  const put = (Name: string, Value: string) => ssm.send(new PutParameterCommand({ Name, Value, Type: 'String' }));
  for (const name of names) await put(applicationParameterName(DEFAULT_PREFIX, name), values[name]!);
  await put(`/${DEFAULT_PREFIX}/trust/factory/certificate`, ca.certificatePem);
  const anchorSettings = { type: 'external', crl: { type: 'COMPLETE', prefix: 'external/factory/', distributionPoints: [] } };
  await put(`/${DEFAULT_PREFIX}/trust/factory/settings`, JSON.stringify(anchorSettings));
  await s3.send(new CreateBucketCommand({ Bucket: 'state', CreateBucketConfiguration: { LocationConstraint: 'eu-west-1' } }));

  const ledger = { client: desk.documents, table: ledgerTable };
  const holds = dynamoHolds(ledger);
  const issuerKeyId = Certificate.read(ca.certificatePem).issuerKeyId;
  return {
    ca,
    issuerKeyId,
    holds,
    desk,
    environment: { ...desk.desk.env } as Readonly<Record<string, string>>,
    inventory: dynamoInventory(desk.documents, inventoryTable, wallClock),
    decisions: dynamoDecisionLog(ledger),
    marks: dynamoHighWaterMarks(ledger),
    reconciliation: dynamoReconciliation(ledger),
    run: (...given: readonly string[]) => fleetwarden(desk.desk.env as unknown as Record<string, string>, ...given),
    /** A list over the brake, as sync leaves it: the list in the bucket, the hold in the ledger. */
    async hold(crlNumber: string, entries: readonly HeldEntry[]): Promise<Hold> {
      const header = {
        version: 1,
        kind: 'revoke',
        anchorId: 'factory',
        issuerKeyId,
        partition: 'COMPLETE',
        crlNumber,
        digest: 'd'.repeat(64),
      } as const;
      const { hash, count, parts } = await writeHeldList(header, entries);
      const listKey = `holds/${hash}.json`;
      await s3.send(new PutObjectCommand({ Bucket: 'state', Key: listKey, Body: Buffer.concat(parts) }));
      const { version: _version, digest: _digest, ...rest } = header;
      const hold: Hold = { ...rest, hash, state: 'HELD', count, limit: 5, reason: 'over-the-brake', listKey, createdAtMs: Date.now() };
      await holds.put(hold);
      return hold;
    },
    alterList: (hold: Hold) => s3.send(new PutObjectCommand({ Bucket: 'state', Key: hold.listKey, Body: '{}' })),
    ledgerTable,
    async received(name: ApplicationParameter | RotationParameter): Promise<readonly unknown[]> {
      const { Messages = [] } = await sqs.send(new ReceiveMessageCommand({ QueueUrl: values[name], MaxNumberOfMessages: 10 }));
      for (const { ReceiptHandle } of Messages) await sqs.send(new DeleteMessageCommand({ QueueUrl: values[name], ReceiptHandle }));
      return Messages.map(({ Body }) => JSON.parse(Body ?? '') as unknown);
    },
    send: (name: ApplicationParameter, body: string) => sqs.send(new SendMessageCommand({ QueueUrl: values[name], MessageBody: body })),
    async stop() {
      for (const client of [sqs, s3, ssm]) client.destroy();
      await desk.stop();
    },
  };
}
