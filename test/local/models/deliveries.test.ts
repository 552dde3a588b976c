import type { RunningCloud } from '../../../local/create-cloud.js';
import { createCloud } from '../../../local/create-cloud.js';
import { startSqs } from '../../../local/services/sqs/service.js';
import { createWorld } from '../../../local/world/world.js';

const RULE = 'arn:aws:events:eu-west-1:000000000000:rule/r';
const QUEUE = 'arn:aws:sqs:eu-west-1:000000000000:target';

describe('a delivery from one service to another', () => {
  let cloud: RunningCloud;
  let url: string;
  let stopSqs: () => void;

  beforeEach(async () => {
    cloud = await createCloud(createWorld({ seed: 11 }));
    stopSqs = startSqs(cloud);
    const statement = {
      Effect: 'Allow',
      Principal: { Service: 'events.amazonaws.com' },
      Action: 'sqs:SendMessage',
      Resource: QUEUE,
      Condition: { ArnEquals: { 'aws:SourceArn': RULE } },
    };
    const Policy = JSON.stringify({ Version: '2012-10-17', Statement: [statement] });
    ({ QueueUrl: url } = await cloud.call<{ QueueUrl: string }>('sqs', 'CreateQueue', { QueueName: 'target', Attributes: { Policy } }));
  });
  afterEach(async () => {
    stopSqs();
    await cloud.stop();
  });

  const waiting = async (): Promise<number> => {
    const { Attributes } = await cloud.call<{ Attributes: Record<string, string> }>('sqs', 'GetQueueAttributes', {
      QueueUrl: url,
      AttributeNames: ['ApproximateNumberOfMessages'],
    });
    return Number(Attributes['ApproximateNumberOfMessages']);
  };
  const deliver = (sourceArn = RULE, more: { roleArn?: string } = {}) =>
    cloud.deliver({ service: 'events.amazonaws.com', sourceArn, targetArn: QUEUE, payload: { a: 1 }, ...more });

  it('arrives where the resource policy lets that very source in', async () => {
    expect(await deliver()).toMatchObject({ allowed: true });
    expect(await waiting()).toBe(1);
    expect(cloud.world.journal.entries()).toContainEqual(
      expect.objectContaining({ kind: 'delivery', what: 'events → sqs', who: RULE, ok: true }),
    );
  });

  it('is denied from another source, and the journal says so', async () => {
    expect(await deliver(`${RULE}2`)).toMatchObject({ allowed: false });
    expect(await waiting()).toBe(0);
    expect(cloud.world.journal.entries()).toContainEqual(expect.objectContaining({ kind: 'denied', what: 'events → sqs' }));
  });

  it('goes by the role where AWS assumes one: its trust and its own policies', async () => {
    const trust = (service: string) =>
      ({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: 'sts:AssumeRole', Principal: { Service: service } }] }) as const;
    const send = { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: 'sqs:SendMessage', Resource: QUEUE }] } as const;
    const good = cloud.iam.createRole('good', trust('events.amazonaws.com'), [send], []);
    const powerless = cloud.iam.createRole('powerless', trust('events.amazonaws.com'), [], []);
    const foreign = cloud.iam.createRole('foreign', trust('iot.amazonaws.com'), [send], []);
    expect((await deliver(`${RULE}2`, { roleArn: good.arn })).allowed).toBe(true);
    expect((await deliver(RULE, { roleArn: powerless.arn })).allowed).toBe(false);
    expect((await deliver(RULE, { roleArn: foreign.arn })).allowed).toBe(false);
  });

  it('arrives twice when duplicates are drawn', async () => {
    cloud.world.faults.set({ duplicate: 1 });
    await deliver();
    expect(await waiting()).toBe(2);
  });

  it('arrives later when reordering is drawn', async () => {
    cloud.world.faults.set({ reorder: 1 });
    await deliver();
    expect(await waiting()).toBe(0);
    await cloud.world.clock.advance(2_001);
    expect(await waiting()).toBe(1);
  });
});
