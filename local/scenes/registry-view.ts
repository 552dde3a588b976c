import { DescribeCertificateCommand, ListThingPrincipalsCommand } from '@aws-sdk/client-iot';
import type { Member, Stage } from './stage.js';

/** What the AWS IoT registry says of a certificate now. */
export async function statusOf({ clients }: Stage, certificateId: string): Promise<string | undefined> {
  return (await clients.iot.send(new DescribeCertificateCommand({ certificateId }))).certificateDescription?.status;
}

export async function expectRevoked(stage: Stage, devices: readonly Pick<Member, 'thingName' | 'certificateId'>[]): Promise<void> {
  for (const { certificateId, thingName } of devices) {
    const status = await statusOf(stage, certificateId);
    stage.expect(`the AWS IoT registry says REVOKED for ${thingName}`, status === 'REVOKED', status);
  }
}

/** Ids of the ACTIVE certificates of a thing. */
export async function activeOf(stage: Stage, thingName: string): Promise<string[]> {
  const { principals = [] } = await stage.clients.iot.send(new ListThingPrincipalsCommand({ thingName }));
  const ids = principals.map((arn) => arn.split('/').at(-1)!);
  const statuses = await Promise.all(ids.map((id) => statusOf(stage, id)));
  return ids.filter((_, i) => statuses[i] === 'ACTIVE');
}

/** The certificate with which a client is connected now, as the gateway sees it. */
export function connectedWith({ desk }: Stage, clientId: string): string | undefined {
  return desk.cloud.parts.gateway!.connections().find((connection) => connection.clientId === clientId)?.certificateId;
}
