import { DescribeCertificateCommand } from '@aws-sdk/client-iot';
import type { Member, Stage } from './stage.js';

/** What the AWS IoT registry says of a certificate now. */
export async function statusOf({ clients }: Stage, certificateId: string): Promise<string | undefined> {
  return (await clients.iot.send(new DescribeCertificateCommand({ certificateId }))).certificateDescription?.status;
}

export async function expectRevoked(stage: Stage, devices: readonly Member[]): Promise<void> {
  for (const { certificateId, thingName } of devices) {
    const status = await statusOf(stage, certificateId);
    stage.expect(`the AWS IoT registry says REVOKED for ${thingName}`, status === 'REVOKED', status);
  }
}
