import {
  AddThingToThingGroupCommand,
  AttachPolicyCommand,
  CreateDynamicThingGroupCommand,
  CreatePolicyCommand,
  CreateThingCommand,
  CreateThingGroupCommand,
  CreateThingTypeCommand,
  DeleteDynamicThingGroupCommand,
  DeleteThingGroupCommand,
  DescribeThingGroupCommand,
  IoTClient,
  ListThingGroupsCommand,
  ListThingGroupsForThingCommand,
  ListThingsInThingGroupCommand,
  RemoveThingFromThingGroupCommand,
  UpdateDynamicThingGroupCommand,
  UpdateIndexingConfigurationCommand,
  UpdateThingCommand,
  UpdateThingGroupsForThingCommand,
} from '@aws-sdk/client-iot';
import { type Desk, startDesk } from '../../local/desk.js';
import { parseFleetQuery } from '../../local/services/iot/fleet-query.js';

describe('the fleet query language', () => {
  const pump = { thingName: 'pump-17', thingTypeName: 'Pump', attributes: { site: 'north', pressure: '75', hall: '3' } };
  test.each<[string, boolean]>([
    ['thingName:pump-17', true],
    ['thingName:PUMP-17', true],
    ['thingName:pump-1', false],
    ['thingName:pump*', true],
    ['thingName:*17', true],
    ['thingName:pump-1?', true],
    ['thingTypeName:pump', true],
    ['attributes.site:north', true],
    ['attributes.site:"north"', true],
    ['attributes.Site:north', false],
    ['attributes.none:*', false],
    ['attributes.site:*', true],
    ['*', true],
    ['north', true],
    ['thingName:pump* AND attributes.site:south', false],
    ['thingName:pump* attributes.site:north', true],
    ['thingName:valve* OR attributes.site:north', true],
    ['thingName:pump* AND NOT attributes.site:north', false],
    ['thingName:(pump* AND -pump-18)', true],
    ['thingName:(pump* AND -pump-17)', false],
    ['NOT thingName:valve*', true],
    ['(thingName:valve* OR thingName:pump*) AND attributes.hall:(1 OR 3)', true],
    ['attributes.pressure:[70 TO 75]', true],
    ['attributes.pressure:{75 TO 80]', false],
    ['attributes.pressure:>9', true],
    ['attributes.pressure:<9', false],
  ])('%s: %s', (query, matches) => {
    expect(parseFleetQuery(query).matches(pump)).toBe(matches);
  });

  test.each([
    '',
    'thingName:',
    'thingName:(a',
    'thingName:a)',
    'AND thingName:a AND',
    'thingName:*a AND thingTypeName:*b',
    "thingName:a'b",
  ])('refuses %j', (query) => {
    expect(() => parseFleetQuery(query)).toThrow(expect.objectContaining({ code: 'InvalidQueryException' }));
  });

  test('says which fields it does not have', () => {
    expect(() => parseFleetQuery('connectivity.connected:true')).toThrow('does not serve the query field connectivity.connected');
  });
});

describe('a dynamic thing group', () => {
  let desk: Desk;
  let iot: IoTClient;
  const create = (thingGroupName: string, queryString: string) =>
    iot.send(new CreateDynamicThingGroupCommand({ thingGroupName, queryString }));
  const things = async (thingGroupName: string) => (await iot.send(new ListThingsInThingGroupCommand({ thingGroupName }))).things;
  const groups = async (thingName: string) =>
    (await iot.send(new ListThingGroupsForThingCommand({ thingName }))).thingGroups!.map(({ groupName }) => groupName);
  const refused = (name: string, message?: string) => ({
    name,
    ...(message === undefined ? {} : { message: expect.stringContaining(message) }),
  });

  beforeAll(async () => {
    desk = await startDesk();
    iot = new IoTClient({ endpoint: desk.endpoint, region: 'eu-west-1', credentials: desk.adminCredentials });
    await iot.send(new CreateThingTypeCommand({ thingTypeName: 'pump' }));
    for (const [thingName, site] of [
      ['p-1', 'north'],
      ['p-2', 'south'],
      ['p-3', 'north'],
    ] as const)
      await iot.send(new CreateThingCommand({ thingName, thingTypeName: 'pump', attributePayload: { attributes: { site } } }));
  });
  afterAll(async () => {
    iot.destroy();
    await desk.stop();
  });

  test('needs the thing index', async () => {
    await expect(create('north', 'attributes.site:north')).rejects.toMatchObject(refused('ResourceNotFoundException', 'AWS_Things'));
    await iot.send(new UpdateIndexingConfigurationCommand({ thingIndexingConfiguration: { thingIndexingMode: 'REGISTRY' } }));
    const made = await create('north', 'attributes.site:north');
    expect(made).toMatchObject({
      indexName: 'AWS_Things',
      queryVersion: '2017-09-30',
      thingGroupArn: 'arn:aws:iot:eu-west-1:000000000000:thinggroup/north',
    });
    await expect(
      iot.send(new UpdateIndexingConfigurationCommand({ thingIndexingConfiguration: { thingIndexingMode: 'OFF' } })),
    ).rejects.toMatchObject(refused('InvalidRequestException'));
  });

  test('has the things that its query finds, and is among the groups of each', async () => {
    expect(await things('north')).toEqual(['p-1', 'p-3']);
    expect(await groups('p-1')).toEqual(['north']);
    expect(await groups('p-2')).toEqual([]);
    await iot.send(new UpdateThingCommand({ thingName: 'p-2', attributePayload: { attributes: { site: 'north' } } }));
    await iot.send(new UpdateThingCommand({ thingName: 'p-1', attributePayload: { attributes: { site: 'east' } } }));
    await iot.send(
      new CreateThingCommand({ thingName: 'p-4', thingTypeName: 'pump', attributePayload: { attributes: { site: 'north' } } }),
    );
    expect(new Set(await things('north'))).toEqual(new Set(['p-2', 'p-3', 'p-4']));
  });

  test('is described and listed as such', async () => {
    expect(await iot.send(new DescribeThingGroupCommand({ thingGroupName: 'north' }))).toMatchObject({
      queryString: 'attributes.site:north',
      indexName: 'AWS_Things',
      queryVersion: '2017-09-30',
      status: 'ACTIVE',
      version: 1,
    });
    expect((await iot.send(new ListThingGroupsCommand({}))).thingGroups!.map(({ groupName }) => groupName)).toContain('north');
  });

  test('is changed by hand in no way: no members, no policies, no place in a hierarchy', async () => {
    const Statement = [{ Effect: 'Allow', Action: 'iot:Connect', Resource: '*' }];
    await iot.send(new CreatePolicyCommand({ policyName: 'any', policyDocument: JSON.stringify({ Version: '2012-10-17', Statement }) }));
    const target = 'arn:aws:iot:eu-west-1:000000000000:thinggroup/north';
    for (const command of [
      new AddThingToThingGroupCommand({ thingGroupName: 'north', thingName: 'p-1' }),
      new RemoveThingFromThingGroupCommand({ thingGroupName: 'north', thingName: 'p-3' }),
      new UpdateThingGroupsForThingCommand({ thingName: 'p-1', thingGroupsToAdd: ['north'] }),
      new AttachPolicyCommand({ policyName: 'any', target }),
      new CreateThingGroupCommand({ thingGroupName: 'below', parentGroupName: 'north' }),
      new DeleteThingGroupCommand({ thingGroupName: 'north' }),
    ])
      await expect(iot.send(command as AttachPolicyCommand)).rejects.toMatchObject(
        refused('InvalidRequestException', 'dynamic thing group north'),
      );
  });

  test('with another query has other members; a stale version and a wrong query change nothing', async () => {
    const update = (more: object) =>
      iot.send(new UpdateDynamicThingGroupCommand({ thingGroupName: 'north', thingGroupProperties: {}, ...more }));
    await expect(update({ queryString: 'thingName:p-1', expectedVersion: 7 })).rejects.toMatchObject(refused('VersionConflictException'));
    await expect(update({ queryString: 'thingName:(' })).rejects.toMatchObject(refused('InvalidQueryException'));
    await expect(update({ queryString: 'a b c d e f' })).rejects.toMatchObject(refused('InvalidQueryException', 'at most 5 terms'));
    expect((await update({ queryString: 'thingName:p-1', expectedVersion: 1 })).version).toBe(2);
    expect(await things('north')).toEqual(['p-1']);
    await update({ queryString: 'attributes.site:north' });
  });

  test('gives way to a static group at ten groups, if asked to, and takes its place again when there is room', async () => {
    const add = (thingGroupName: string, overrideDynamicGroups?: boolean) =>
      iot.send(
        new AddThingToThingGroupCommand({ thingGroupName, thingName: 'p-3', ...(overrideDynamicGroups ? { overrideDynamicGroups } : {}) }),
      );
    for (let index = 1; index <= 10; index++) await iot.send(new CreateThingGroupCommand({ thingGroupName: `s-${index}` }));
    for (let index = 1; index <= 9; index++) await add(`s-${index}`);
    await expect(add('s-10')).rejects.toMatchObject(refused('InvalidRequestException', 'at most 10 groups'));
    await add('s-10', true);
    expect(await groups('p-3')).not.toContain('north');
    await iot.send(new RemoveThingFromThingGroupCommand({ thingGroupName: 's-10', thingName: 'p-3' }));
    expect(await groups('p-3')).toContain('north');
  });

  test('is deleted by its own operation, which leaves static groups alone', async () => {
    await expect(iot.send(new DeleteDynamicThingGroupCommand({ thingGroupName: 's-1' }))).rejects.toMatchObject(
      refused('InvalidRequestException'),
    );
    await iot.send(new DeleteDynamicThingGroupCommand({ thingGroupName: 'north' }));
    expect(await groups('p-2')).toEqual([]);
    await iot.send(new DeleteDynamicThingGroupCommand({ thingGroupName: 'north' }));
  });
});
