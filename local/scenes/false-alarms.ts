/**
 * Scene: alarms that must contain nobody. A storm over half the fleet is held by the brake; a gateway that no machine may touch misbehaves; somebody forges an
 * alarm, and somebody plays an old one again.
 */
import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { DynamoDBDocumentClient, paginateScan } from '@aws-sdk/lib-dynamodb';
import { UpdateThingCommand } from '@aws-sdk/client-iot';
import { PublishCommand, SNSClient } from '@aws-sdk/client-sns';
import { CUSTOM_VIOLATION_DETAIL_TYPE } from '../../domain/protocol/containment.js';
import { DEFAULT_PREFIX } from '../../domain/protocol/application-parameters.js';
import { DESK_DETECTOR, NEVER_CONTAINED } from '../desk-configuration.js';
import { alarmed, enrolled, runAgents } from './agents.js';
import { connected, connectedCount } from './fleet-view.js';
import { connectedWith, statusOf } from './registry-view.js';
import { until } from './report.js';
import type { Scene } from './scene.js';
import { containmentOf, isSame, standingOf } from './standing.js';
import type { Member, Stage } from './stage.js';

const GATEWAY = 'gateway-0001';

export const falseAlarms: Scene = {
  id: '11',
  title: 'false alarms',
  story: [
    'A detector goes mad and reports half the fleet. A gateway on the never-list floods.',
    'Somebody forges an alarm, and somebody plays an old one again.',
  ],
  async run(stage) {
    await storm(stage);
    await gateway(stage);
    await forged(stage);
    await replayed(stage);
  },
};

const clientOf = (stage: Stage) => ({
  endpoint: stage.desk.endpoint,
  region: stage.desk.env.AWS_REGION,
  credentials: { accessKeyId: stage.desk.env.AWS_ACCESS_KEY_ID, secretAccessKey: stage.desk.env.AWS_SECRET_ACCESS_KEY },
});
const EVENTS_AT_ONCE = 10;

/** A list over the brake, as `fleetwarden holds --json` has it. */
interface Hold {
  readonly hash: string;
  readonly state: string;
  readonly count: number;
}

async function storm(stage: Stage): Promise<void> {
  const before = connectedCount(stage);
  const since = stage.desk.world.clock.date();
  const living = stage.members.filter((member) => connected(stage, member));
  const half = living.slice(0, Math.ceil(living.length / 2));
  const bridge = new EventBridgeClient(clientOf(stage));
  for (let start = 0; start < half.length; start += EVENTS_AT_ONCE) {
    const Entries = half.slice(start, start + EVENTS_AT_ONCE).map(({ thingName }) => ({
      Source: DESK_DETECTOR,
      DetailType: CUSTOM_VIOLATION_DETAIL_TYPE,
      Detail: JSON.stringify({ thingName, violationId: `storm-${thingName}`, behavior: 'anomaly', violationEventType: 'in-alarm' }),
    }));
    await bridge.send(new PutEventsCommand({ Entries }));
  }
  stage.screen.say(`${half.length} alarms at once, by a detector of the account's own`);
  let held: Hold | undefined;
  const isHeld = await until(async () => {
    const { containments } = JSON.parse((await stage.fleetwarden('holds', '--json')).output) as { containments: readonly Hold[] };
    held = containments.find(({ state }) => state === 'HELD');
    return held !== undefined;
  }, 60_000);
  stage.expect(
    'the brake holds: the whole list waits for a person',
    isHeld && held?.count === half.length,
    `${held?.count} of ${half.length} on it`,
  );
  stage.expect('the alarm containments-held went off: one page, not one for each device', await alarmed(stage, 'containments-held', since));
  stage.expect('nothing is contained', await noneContained(stage, half));
  stage.expect('and everybody is connected', connectedCount(stage) === before);
  const rejected = await stage.fleetwarden('reject', held?.hash ?? '');
  stage.expect('the operator rejects the list', rejected.status === 0, rejected.status === 0 ? undefined : rejected.output.slice(0, 200));
}

async function noneContained(stage: Stage, members: readonly Pick<Member, 'thingName'>[]): Promise<boolean> {
  return (await Promise.all(members.map(({ thingName }) => containmentOf(stage, thingName)))).every((row) => row === undefined);
}

async function gateway(stage: Stage): Promise<void> {
  const [device] = await enrolled(stage, [GATEWAY], 200);
  const [attribute, value] = NEVER_CONTAINED.split('=');
  await stage.clients.iot.send(new UpdateThingCommand({ thingName: GATEWAY, attributePayload: { attributes: { [attribute!]: value! } } }));
  const since = stage.desk.world.clock.date();
  const fleet = await runAgents(stage, [{ ...device!, fault: 'floods' }]);
  try {
    stage.expect(
      `${GATEWAY} floods; a person is paged: the alarm never-listed-violates went off`,
      await alarmed(stage, 'never-listed-violates', since),
    );
    const status = await statusOf(stage, device!.certificateId);
    stage.expect(
      'and nothing is done to it: ACTIVE, connected, not contained',
      status === 'ACTIVE' && connectedWith(stage, GATEWAY) === device!.certificateId && (await noneContained(stage, [device!])),
    );
  } finally {
    await fleet.stop();
  }
}

/** Who may publish to the topic of violations can write what he likes. */
async function announce(stage: Stage, thingName: string, behavior: string, violationId: string): Promise<void> {
  const { region, accountId } = stage.desk.world;
  const notification = {
    violationEventTime: stage.desk.world.clock.nowMs(),
    thingName,
    behavior: { name: behavior },
    violationEventType: 'in-alarm',
    violationId,
    securityProfileName: `${DEFAULT_PREFIX}-built-in`,
  };
  const TopicArn = `arn:aws:sns:${region}:${accountId}:${DEFAULT_PREFIX}-violations`;
  await new SNSClient(clientOf(stage)).send(new PublishCommand({ TopicArn, Message: JSON.stringify(notification) }));
}

async function forged(stage: Stage): Promise<void> {
  const victim = stage.members.find((member) => connected(stage, member))!;
  const since = stage.desk.world.clock.date();
  await announce(stage, victim.thingName, 'messages-sent', '00000000-0000-4000-8000-000000000000');
  stage.expect(
    'a forged alarm: nobody knows that violation; the alarm violation-forged went off',
    await alarmed(stage, 'violation-forged', since),
  );
  stage.expect(`${victim.thingName} is connected, and not contained`, connected(stage, victim) && (await noneContained(stage, [victim])));
}

/** The alarm of the flood of the scene before, word for word, after it is over. */
async function replayed(stage: Stage): Promise<void> {
  const thingName = 'drone-flood';
  const violationId = await pastViolation(stage, thingName);
  if (violationId === undefined) return stage.expect(`there is an old alarm of ${thingName} to play again`, false);
  const before = await standingOf(stage, thingName);
  await announce(stage, thingName, 'messages-sent', violationId);
  const read = await until(() => isLeft(stage, violationId), 30_000);
  stage.expect('an old alarm, played again: its source says that it is over', read);
  stage.expect('and nothing happens', (await noneContained(stage, [{ thingName }])) && isSame(before, await standingOf(stage, thingName)));
}

async function* ledger(stage: Stage, prefix: string): AsyncGenerator<Readonly<Record<string, unknown>>> {
  const client = DynamoDBDocumentClient.from(stage.clients.dynamodb);
  const input = {
    TableName: stage.ledgerTable,
    FilterExpression: 'begins_with(pk, :prefix)',
    ExpressionAttributeValues: { ':prefix': prefix },
  };
  for await (const { Items = [] } of paginateScan({ client }, input)) yield* Items as Readonly<Record<string, unknown>>[];
}

async function pastViolation(stage: Stage, thingName: string): Promise<string | undefined> {
  for await (const row of ledger(stage, 'VIOLATION#'))
    if (row.thingName === thingName || row.clientId === thingName) return String(row.pk).slice('VIOLATION#'.length);
  return undefined;
}

/** Has the intake looked at it, and left it? */
async function isLeft(stage: Stage, violationId: string): Promise<boolean> {
  for await (const row of ledger(stage, '')) if (row.reason === 'alarm-over' && JSON.stringify(row).includes(violationId)) return true;
  return false;
}
