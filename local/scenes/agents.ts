/** What the scenes of rotation have in common: devices of their own, orders to the application, and what the application says about them. */
import { CloudWatchClient, DescribeAlarmHistoryCommand } from '@aws-sdk/client-cloudwatch';
import { GetItemCommand } from '@aws-sdk/client-dynamodb';
import { SendMessageCommand } from '@aws-sdk/client-sqs';
import { DEFAULT_PREFIX } from '../../domain/protocol/application-parameters.js';
import type { StartMessage } from '../../domain/protocol/rotation-work.js';
import { enrol, type EnrolledDevice } from '../fleet/enrol.js';
import { startFleet, type Fleet, type FleetOptions } from '../fleet/fleet.js';
import { until } from './report.js';
import type { Stage } from './stage.js';

export const MINUTE = 60_000;
export const DAY = 24 * 60 * MINUTE;
/** Rotations are settled every quarter of an hour. */
export const ROUND = 16 * MINUTE;

export const gatewayOf = ({ desk }: Stage) => ({
  host: desk.env.DESK_MQTT_HOST,
  port: Number(desk.env.DESK_MQTT_PORT),
  serverCaPem: desk.serverCaPem,
});

/** Devices with a certificate of AWS Private CA; resolves when the inventory knows when each of them ends. */
export async function enrolled(stage: Stage, thingNames: readonly string[], validityDays: number): Promise<EnrolledDevice[]> {
  const devices = await enrol({
    thingNames,
    iot: stage.clients.iot,
    issuer: { kind: 'acm-pca', client: stage.clients.pca, certificateAuthorityArn: stage.privateCaArn, validityDays },
    policyName: `${DEFAULT_PREFIX}-device`,
  });
  return devices;
}

/** AWS IoT tells nobody of a registration: the inventory learns of a new certificate when its device connects, or by the next reconciliation. */
export async function inventoryKnows(stage: Stage, devices: readonly EnrolledDevice[]): Promise<boolean> {
  const TableName = await stage.parameter('inventoryTable');
  const known = async ({ certificateId }: EnrolledDevice) => {
    const Key = { pk: { S: `CERT#${certificateId}` }, sk: { S: 'CERT' } };
    const { Item } = await stage.clients.dynamodb.send(new GetItemCommand({ TableName, Key, ConsistentRead: true }));
    return Item?.thingName !== undefined;
  };
  return until(async () => (await Promise.all(devices.map(known))).every(Boolean), 60_000);
}

/** Devices that run the reference agent; resolves when all are connected. */
export async function runAgents(stage: Stage, devices: FleetOptions['devices'], options: Partial<FleetOptions> = {}): Promise<Fleet> {
  const fleet = await startFleet({ ...gatewayOf(stage), agent: true, commands: true, ...options, devices });
  await fleet.waitFor((states) => [...states.values()].every(({ state }) => state === 'connected'));
  return fleet;
}

/** What a schedule, the audit or an operator puts on the start queue of rotation. */
export async function order(stage: Stage, message: StartMessage): Promise<void> {
  await stage.clients.sqs.send(
    new SendMessageCommand({ QueueUrl: await stage.parameter('startQueueUrl'), MessageBody: JSON.stringify(message) }),
  );
}

/** Has this alarm gone off since then (simulated time)? Waits for it a little: a metric takes its way through a log line. */
export function alarmed(stage: Stage, article: string, since: Date): Promise<boolean> {
  const { endpoint, env } = stage.desk;
  const cloudwatch = new CloudWatchClient({
    endpoint,
    region: env.AWS_REGION,
    credentials: { accessKeyId: env.AWS_ACCESS_KEY_ID, secretAccessKey: env.AWS_SECRET_ACCESS_KEY },
  });
  return until(async () => {
    const { AlarmHistoryItems = [] } = await cloudwatch.send(
      new DescribeAlarmHistoryCommand({ AlarmName: `${DEFAULT_PREFIX}-${article}`, HistoryItemType: 'StateUpdate', StartDate: since }),
    );
    return AlarmHistoryItems.some(({ HistorySummary }) => HistorySummary?.endsWith('to ALARM') === true);
  }, 30_000).finally(() => cloudwatch.destroy());
}
