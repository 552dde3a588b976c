/**
 * Scene: a device that has been taken over asks for what it must not get. It has a certificate that works and a rotation that is open, which is the
 * best position to ask from; each request is refused with its reason, and the honest one that follows is granted.
 */
import { DeleteItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { ROTATION_REFUSALS, RotationResponse } from '../../domain/protocol/rotation.js';
import { DEFAULT_TOPIC_PREFIX, deviceTopic } from '../../domain/protocol/topics.js';
import { alternativeName, caFlag, madeRequest, weakRequest } from '../fleet/certificate-requests.js';
import type { EnrolledDevice } from '../fleet/enrol.js';
import { RawDevice } from '../fleet/raw-device.js';
import { alarmed, enrolled, gatewayOf, inventoryKnows } from './agents.js';
import { activeOf } from './registry-view.js';
import { until } from './report.js';
import type { Scene } from './scene.js';
import type { LiveRow } from './screen.js';
import type { Stage } from './stage.js';

const CROOK = 'crook-0001';
const DAYS_LEFT = 200;

export const refused: Scene = {
  id: '9',
  title: 'a device that asks for too much',
  story: [
    'A device has been taken over. An operator rotates it, and it asks: in the name of',
    'another, with keys that it must not have, for the rights of a CA, while it is contained.',
  ],
  async run(stage) {
    const [crook] = await enrolled(stage, [CROOK], DAYS_LEFT);
    const since = stage.desk.world.clock.date();
    await anothersTopic(stage, crook!);
    const device = await RawDevice.connect({ ...gatewayOf(stage), ...crook! });
    try {
      await inventoryKnows(stage, [crook!]);
      const jobId = await begin(stage, device);
      const asking = new Asking(stage, device, jobId);
      await askForTooMuch(stage, asking, crook!);
      await honest(stage, asking, crook!);
      asking.show();
    } finally {
      await device.end();
    }
    stage.expect('the alarm rotation-suspicious went off', await alarmed(stage, 'rotation-suspicious', since));
  },
};

/** A request under another's name never reaches the application: the policy of the device ends the connection. */
async function anothersTopic(stage: Stage, crook: EnrolledDevice): Promise<void> {
  const victim = stage.members.find(({ thingName }) => stage.fleet.states().get(thingName)?.state === 'connected')!;
  const device = await RawDevice.connect({ ...gatewayOf(stage), ...crook });
  const { csr } = await madeRequest({ commonName: victim.thingName });
  const sent = await device.publish(requestTopic(victim.thingName), { version: 1, jobId: 'any', csr });
  const reason = await device.whenEnded;
  stage.expect(`a request on the topic of ${victim.thingName}: the connection was ended at once`, !sent, reason);
}

/** `fleetwarden rotate`; then the job is accepted, as the protocol wants it. */
async function begin(stage: Stage, device: RawDevice): Promise<string> {
  const topics = ['jobs/notify-next', 'jobs/+/get/+', 'jobs/+/update/+'].map((suffix) => `$aws/things/${CROOK}/${suffix}`);
  await device.subscribe(deviceTopic(DEFAULT_TOPIC_PREFIX, CROOK, 'rotation/response'), ...topics);
  const announced = device.next((topic, message) => {
    const { execution } = message as { execution?: { jobId: string; versionNumber: number } };
    return topic.endsWith('/notify-next') ? execution : undefined;
  });
  const asked = await stage.fleetwarden('rotate', CROOK);
  stage.expect(
    `\`fleetwarden rotate ${CROOK}\` opens its rotation`,
    asked.status === 0,
    asked.status === 0 ? undefined : asked.output.slice(0, 200),
  );
  const { jobId, versionNumber } = await announced;
  await device.job(`${jobId}/update`, { status: 'IN_PROGRESS', expectedVersion: String(versionNumber) });
  return jobId;
}

const requestTopic = (thing: string): string => deviceTopic(DEFAULT_TOPIC_PREFIX, thing, 'rotation/request');

class Asking {
  private readonly rows: LiveRow[] = [];

  constructor(
    private readonly stage: Stage,
    private readonly device: RawDevice,
    readonly jobId: string,
  ) {}

  /** One message and its answer. */
  async say(topic: 'rotation/request' | 'rotation/proof', body: object, device = this.device): Promise<RotationResponse> {
    const responses = deviceTopic(DEFAULT_TOPIC_PREFIX, CROOK, 'rotation/response');
    const answered = device.next((said, message) => {
      const parsed = RotationResponse.safeParse(message);
      return said === responses && parsed.success ? parsed.data : undefined;
    });
    await device.publish(deviceTopic(DEFAULT_TOPIC_PREFIX, CROOK, topic), { version: 1, jobId: this.jobId, ...body });
    return answered;
  }

  async refusedWith(wanted: keyof typeof ROTATION_REFUSALS, what: string, csr: string): Promise<void> {
    this.judge(wanted, what, await this.say('rotation/request', { csr }));
  }

  judge(wanted: keyof typeof ROTATION_REFUSALS, what: string, answer: RotationResponse): void {
    const word = answer.status === 'refused' ? answer.reason : answer.status;
    this.rows.push({ cells: [what, word], tone: word === wanted ? 'good' : 'bad' });
    this.stage.expect(`${what}: ${answer.status}`, word === wanted, word);
  }

  /** The whole exchange, in one table. */
  show(): void {
    this.stage.screen.live(['asked for', 'answer'], this.rows);
    this.stage.screen.settle();
  }
}

async function askForTooMuch(stage: Stage, asking: Asking, { privateKeyPem }: EnrolledDevice): Promise<void> {
  const victim = stage.members[0]!.thingName;
  const commonName = CROOK;
  await asking.refusedWith('foreign-name', `a certificate in the name of ${victim}`, (await madeRequest({ commonName: victim })).csr);
  const alternative = await madeRequest({ commonName, extensions: [alternativeName(`${victim}.example.com`)] });
  await asking.refusedWith('foreign-name', 'an alternative name of somebody else', alternative.csr);
  await asking.refusedWith('asks-for-ca', 'the rights of a CA', (await madeRequest({ commonName, extensions: [caFlag()] })).csr);
  await asking.refusedWith('weak-key', 'a key on the curve P-192', await weakRequest(commonName));
  await asking.refusedWith('key-reused', 'the key that it has already', (await madeRequest({ commonName, privateKeyPem })).csr);
  const TableName = stage.ledgerTable;
  const Key = { pk: { S: `CONTAINED#${CROOK}` }, sk: { S: 'CONTAINED' } };
  await stage.clients.dynamodb.send(new PutItemCommand({ TableName, Item: Key }));
  try {
    await asking.refusedWith('contained', 'anything, while the thing is contained', (await madeRequest({ commonName })).csr);
  } finally {
    await stage.clients.dynamodb.send(new DeleteItemCommand({ TableName, Key }));
  }
}

/** An ordinary request; then the old certificate claims that the new one works. */
async function honest(stage: Stage, asking: Asking, crook: EnrolledDevice): Promise<void> {
  const request = await madeRequest({ commonName: CROOK });
  const issued = await asking.say('rotation/request', { csr: request.csr });
  stage.expect('an ordinary request is granted: the rotation was not harmed', issued.status === 'issued');
  if (issued.status !== 'issued') return;
  await asking.refusedWith('another-request', 'a second certificate for the same job', (await madeRequest({ commonName: CROOK })).csr);
  asking.judge('not-the-new-certificate', 'a proof, over the old certificate', await asking.say('rotation/proof', {}));
  stage.expect('and the old certificate stays ACTIVE', (await activeOf(stage, CROOK)).includes(crook.certificateId));

  const fresh = await RawDevice.connect({
    ...gatewayOf(stage),
    thingName: CROOK,
    certificatePem: issued.certificatePem,
    privateKeyPem: request.privateKeyPem,
  });
  try {
    await fresh.subscribe(deviceTopic(DEFAULT_TOPIC_PREFIX, CROOK, 'rotation/response'));
    const proved = await asking.say('rotation/proof', {}, fresh);
    stage.expect('the proof over the new certificate is taken', proved.status === 'proved', proved.status);
    const done = await until(async () => (await activeOf(stage, CROOK)).join() === issued.certificateId, 20_000);
    stage.expect('then the new certificate alone is ACTIVE', done);
  } finally {
    await fresh.end();
  }
}
