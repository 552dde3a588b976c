/**
 * Scene: a device that has been taken over asks for what it must not get. It has a certificate that works and a rotation that is open, which is the
 * best position to ask from; each request is refused with its reason, and the honest one that follows is granted.
 */
import { ROTATION_REFUSALS, RotationResponse } from '../../domain/protocol/rotation.js';
import { DEFAULT_TOPIC_PREFIX, deviceTopic } from '../../domain/protocol/topics.js';
import { alternativeName, caFlag, madeRequest, weakRequest } from '../fleet/certificate-requests.js';
import type { EnrolledDevice } from '../fleet/enrol.js';
import { RawDevice } from '../fleet/raw-device.js';
import { alarmed, enrolled, gatewayOf, inventoryKnows, MINUTE } from './agents.js';
import { activeOf } from './registry-view.js';
import { until } from './report.js';
import type { Scene } from './scene.js';
import type { LiveRow } from './screen.js';
import { containmentOf } from './standing.js';
import type { Stage } from './stage.js';

const CROOK = 'crook-0001';
const CONTAINED = 'crook-0002';
const DAYS_LEFT = 200;

export const refused: Scene = {
  id: '9',
  title: 'a device that asks for too much',
  story: [
    'A device has been taken over. An operator rotates it, and it asks: in the name of',
    'another, with keys that it must not have, for the rights of a CA.',
    'A second one is contained in the middle of its rotation.',
  ],
  async run(stage) {
    const [crook, contained] = await enrolled(stage, [CROOK, CONTAINED], DAYS_LEFT);
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
    await whileContained(stage, contained!);
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
  const { thingName } = device;
  const topics = ['jobs/notify-next', 'jobs/+/get/+', 'jobs/+/update/+'].map((suffix) => `$aws/things/${thingName}/${suffix}`);
  await device.subscribe(responseTopic(thingName), ...topics);
  const announced = device.next((topic, message) => {
    const { execution } = message as { execution?: { jobId: string; versionNumber: number } };
    return topic.endsWith('/notify-next') ? execution : undefined;
  });
  const asked = await stage.fleetwarden('rotate', thingName);
  stage.expect(
    `\`fleetwarden rotate ${thingName}\` opens its rotation`,
    asked.status === 0,
    asked.status === 0 ? undefined : asked.output.slice(0, 200),
  );
  const { jobId, versionNumber } = await announced;
  await device.job(`${jobId}/update`, { status: 'IN_PROGRESS', expectedVersion: String(versionNumber) });
  return jobId;
}

const requestTopic = (thing: string): string => deviceTopic(DEFAULT_TOPIC_PREFIX, thing, 'rotation/request');
const responseTopic = (thing: string): string => deviceTopic(DEFAULT_TOPIC_PREFIX, thing, 'rotation/response');

class Asking {
  private readonly rows: LiveRow[] = [];

  constructor(
    private readonly stage: Stage,
    private readonly device: RawDevice,
    readonly jobId: string,
  ) {}

  /** One message and its answer. */
  async say(topic: 'rotation/request' | 'rotation/proof', body: object, device = this.device): Promise<RotationResponse> {
    const responses = responseTopic(device.thingName);
    const answered = device.next((said, message) => {
      const parsed = RotationResponse.safeParse(message);
      return said === responses && parsed.success ? parsed.data : undefined;
    });
    await device.publish(deviceTopic(DEFAULT_TOPIC_PREFIX, device.thingName, topic), { version: 1, jobId: this.jobId, ...body });
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
    await fresh.subscribe(responseTopic(CROOK));
    const proved = await asking.say('rotation/proof', {}, fresh);
    stage.expect('the proof over the new certificate is taken', proved.status === 'proved', proved.status);
    const done = await until(async () => (await activeOf(stage, CROOK)).join() === issued.certificateId, 20_000);
    stage.expect('then the new certificate alone is ACTIVE', done);
  } finally {
    await fresh.end();
  }
}

/**
 * Containment takes the open rotation with it. Back for repair alone, the device may still write to its request topic, and gets nothing there.
 */
async function whileContained(stage: Stage, crook: EnrolledDevice): Promise<void> {
  const before = await RawDevice.connect({ ...gatewayOf(stage), ...crook });
  await inventoryKnows(stage, [crook]);
  const jobId = await begin(stage, before);
  const ordered = await stage.fleetwarden('contain', CONTAINED, '--reason', 'suspicious');
  stage.expect(
    `\`fleetwarden contain ${CONTAINED}\``,
    ordered.status === 0,
    ordered.status === 0 ? undefined : ordered.output.slice(0, 200),
  );
  stage.expect('its connection ended', (await before.whenEnded) !== '');
  const inState = (state: string | undefined) => async () => {
    if ((await containmentOf(stage, CONTAINED))?.state === state) return true;
    await stage.desk.world.clock.advance(MINUTE);
    return false;
  };
  stage.screen.say('… simulated: minutes pass, in which AWS IoT takes in the change of policies');
  stage.expect('it may come back, for repair alone', await until(inState('reopened'), 60_000));
  const device = await RawDevice.connect({ ...gatewayOf(stage), ...crook });
  try {
    await device.subscribe(responseTopic(CONTAINED));
    const asking = new Asking(stage, device, jobId);
    await asking.refusedWith('not-due', 'a certificate, while it is contained', (await madeRequest({ commonName: CONTAINED })).csr);
  } finally {
    await device.end();
  }
  const released = await stage.fleetwarden('release', CONTAINED, '--reason', 'checked');
  stage.expect('it is released', released.status === 0 && (await until(inState(undefined), 60_000)));
  // What a person contains counts against the brake too, for an hour.
  await stage.desk.world.clock.advance(61 * MINUTE);
}
