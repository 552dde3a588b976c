import {
  AttachPolicyCommand,
  AttachThingPrincipalCommand,
  DescribeCertificateCommand,
  DetachPolicyCommand,
  DetachThingPrincipalCommand,
  ListAttachedPoliciesCommand,
  ListThingPrincipalsV2Command,
  RegisterCertificateCommand,
  type IoTClient,
} from '@aws-sdk/client-iot';
import { PublishCommand, type IoTDataPlaneClient } from '@aws-sdk/client-iot-data-plane';
import { certificateId, type CertificateId } from '../../domain/fleet/certificate-id.js';
import type { Enrolling } from '../ports/enrolling.js';
import { errorName } from './retry.js';

const PAGE_SIZE = 250;
/** A thing may have principals of other kinds (a Cognito identity): those are no certificates. */
const CERTIFICATE_ARN = /:cert\/([0-9a-f]{64})$/i;

/** RegisterCertificate of a certificate that is there: the error carries its id (IAPI ResourceAlreadyExistsException). */
function existingId(error: unknown): string | undefined {
  return errorName(error) === 'ResourceAlreadyExistsException' ? (error as { readonly resourceId?: string }).resourceId : undefined;
}

async function ignoringAbsence(call: Promise<unknown>): Promise<void> {
  try {
    await call;
  } catch (error) {
    if (errorName(error) !== 'ResourceNotFoundException') throw error;
  }
}

export function iotEnrolling(iot: IoTClient, iotData: IoTDataPlaneClient): Enrolling {
  /** `arn:aws:iot:<region>:<account>:cert/`, learned from an ARN that the registry gave: partition and account need no configuration. */
  let arnPrefix: string | undefined;
  const learn = (arn: string | undefined): string => {
    if (arn === undefined || !CERTIFICATE_ARN.test(arn)) throw new Error(`registry: got "${arn}", expected the ARN of a certificate`);
    return (arnPrefix = arn.slice(0, arn.lastIndexOf('/') + 1));
  };
  async function arnOf(id: CertificateId): Promise<string> {
    if (arnPrefix !== undefined) return `${arnPrefix}${id}`;
    const { certificateDescription } = await iot.send(new DescribeCertificateCommand({ certificateId: id }));
    return `${learn(certificateDescription?.certificateArn)}${id}`;
  }

  return {
    async register(certificatePem, caCertificatePem, status) {
      try {
        const answer = await iot.send(new RegisterCertificateCommand({ certificatePem, caCertificatePem, status }));
        learn(answer.certificateArn);
        return certificateId(answer.certificateId ?? '');
      } catch (error) {
        const id = existingId(error);
        if (id === undefined) throw error;
        return certificateId(id);
      }
    },

    async policiesOf(id) {
      const target = await arnOf(id);
      const names: string[] = [];
      let marker: string | undefined;
      do {
        const answer = await iot.send(new ListAttachedPoliciesCommand({ target, pageSize: PAGE_SIZE, marker }));
        for (const { policyName } of answer.policies ?? []) {
          if (policyName === undefined) throw new Error(`ListAttachedPolicies ${id}: got a policy without a name`);
          names.push(policyName);
        }
        marker = answer.nextMarker;
      } while (marker !== undefined);
      return names;
    },

    async attachPolicy(id, policyName) {
      await iot.send(new AttachPolicyCommand({ policyName, target: await arnOf(id) }));
    },

    async detachPolicy(id, policyName) {
      await ignoringAbsence(iot.send(new DetachPolicyCommand({ policyName, target: await arnOf(id) })));
    },

    async attachThing(id, thing) {
      await iot.send(
        new AttachThingPrincipalCommand({ thingName: thing, principal: await arnOf(id), thingPrincipalType: 'EXCLUSIVE_THING' }),
      );
    },

    async detachThing(id, thing) {
      await ignoringAbsence(iot.send(new DetachThingPrincipalCommand({ thingName: thing, principal: await arnOf(id) })));
    },

    async certificatesOf(thing) {
      const ids: CertificateId[] = [];
      let nextToken: string | undefined;
      do {
        const answer = await iot.send(new ListThingPrincipalsV2Command({ thingName: thing, maxResults: PAGE_SIZE, nextToken }));
        for (const { principal = '' } of answer.thingPrincipalObjects ?? []) {
          const id = CERTIFICATE_ARN.exec(principal)?.[1];
          if (id !== undefined) ids.push(certificateId(id));
        }
        nextToken = answer.nextToken;
      } while (nextToken !== undefined);
      return ids;
    },

    async publish(topic, payload) {
      await iotData.send(new PublishCommand({ topic, qos: 1, payload: Buffer.from(payload, 'utf8') }));
    },
  };
}
