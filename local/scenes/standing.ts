/** What a thing has, as the registry says: what a containment takes and a release gives back. Two standings are equal when they print the same. */
import {
  AddThingToThingGroupCommand,
  AttachPolicyCommand,
  CreatePolicyCommand,
  CreateThingGroupCommand,
  ListAttachedPoliciesCommand,
  ListThingGroupsForThingCommand,
  ListThingPrincipalsCommand,
} from '@aws-sdk/client-iot';
import { GetCommand, DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { statusOf } from './registry-view.js';
import type { Stage } from './stage.js';

export interface Standing {
  readonly groups: readonly string[];
  readonly certificates: readonly {
    readonly certificateId: string;
    readonly status: string | undefined;
    readonly policies: readonly string[];
  }[];
}

export async function standingOf(stage: Stage, thingName: string): Promise<Standing> {
  const { iot } = stage.clients;
  const [{ thingGroups = [] }, { principals = [] }] = await Promise.all([
    iot.send(new ListThingGroupsForThingCommand({ thingName })),
    iot.send(new ListThingPrincipalsCommand({ thingName })),
  ]);
  const certificates = await Promise.all(
    principals.toSorted().map(async (target) => {
      const { policies = [] } = await iot.send(new ListAttachedPoliciesCommand({ target }));
      const certificateId = target.split('/').at(-1)!;
      return {
        certificateId,
        status: await statusOf(stage, certificateId),
        policies: policies.map(({ policyName }) => policyName!).toSorted(),
      };
    }),
  );
  return { groups: thingGroups.map(({ groupName }) => groupName!).toSorted(), certificates };
}

export const isSame = (one: Standing, other: Standing): boolean => JSON.stringify(one) === JSON.stringify(other);

/** A group whose policy lets its things hear the orders of their line, and one without a policy; the things in both. */
export async function intoGroups(stage: Stage, things: readonly string[]): Promise<void> {
  const { iot } = stage.clients;
  const policyDocument = JSON.stringify({
    Version: '2012-10-17',
    Statement: [
      {
        Effect: 'Allow',
        Action: 'iot:Receive',
        Resource: `arn:aws:iot:${stage.desk.world.region}:${stage.desk.world.accountId}:topic/lines/1`,
      },
    ],
  });
  await iot.send(new CreatePolicyCommand({ policyName: 'line-1', policyDocument }));
  for (const thingGroupName of ['line-1', 'hall-7']) {
    const { thingGroupArn } = await iot.send(new CreateThingGroupCommand({ thingGroupName }));
    if (thingGroupName === 'line-1') await iot.send(new AttachPolicyCommand({ policyName: 'line-1', target: thingGroupArn }));
    for (const thingName of things) await iot.send(new AddThingToThingGroupCommand({ thingGroupName, thingName }));
  }
}

export interface ContainmentRow {
  readonly state: string;
  readonly shutOff?: { readonly outcome?: string };
}

/** The row of the ledger that is there exactly while a thing is contained. */
export async function containmentOf(stage: Stage, thingName: string): Promise<ContainmentRow | undefined> {
  const client = DynamoDBDocumentClient.from(stage.clients.dynamodb);
  const Key = { pk: `CONTAINED#${thingName}`, sk: 'CONTAINED' };
  const { Item } = await client.send(new GetCommand({ TableName: stage.ledgerTable, Key, ConsistentRead: true }));
  return Item as ContainmentRow | undefined;
}
