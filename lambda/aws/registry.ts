import {
  DescribeCertificateCommand,
  ListCertificatesCommand,
  ListPrincipalThingsV2Command,
  UpdateCertificateCommand,
  type IoTClient,
} from '@aws-sdk/client-iot';
import { DeleteConnectionCommand, type IoTDataPlaneClient } from '@aws-sdk/client-iot-data-plane';
import { certificateId, type CertificateId } from '../../domain/fleet/certificate-id.js';
import { thingName, type ThingName } from '../../domain/fleet/thing-name.js';
import type { CertificateStatus } from '../../domain/fleet/certificate-status.js';
import type { Registry } from '../ports/registry.js';
import { certificateArns } from './certificate-arns.js';
import { errorName } from './retry.js';

/** The most that ListCertificates and ListPrincipalThingsV2 give in one answer. */
const PAGE_SIZE = 250;

const STATUSES: ReadonlySet<string> = new Set<CertificateStatus>([
  'ACTIVE',
  'INACTIVE',
  'REVOKED',
  'PENDING_TRANSFER',
  'REGISTER_INACTIVE',
  'PENDING_ACTIVATION',
]);

/** A status that AWS adds one day is an error here, not a guess: what it allows the device to do is unknown. */
function statusFrom(text: string | undefined, id: string | undefined): CertificateStatus {
  if (text === undefined || !STATUSES.has(text))
    throw new Error(`certificate ${id}: got status "${text}", expected one of ${[...STATUSES].join(', ')}`);
  return text as CertificateStatus;
}

const isAbsent = (error: unknown): boolean => errorName(error) === 'ResourceNotFoundException';

/**
 * The AWS IoT registry. Only ResourceNotFoundException means "does not exist". A throttled call is repeated by the client once and then
 * thrown, to be repeated in another slot of the pace that all workers share.
 */
export function iotRegistry(iot: IoTClient, iotData: IoTDataPlaneClient, arns = certificateArns()): Registry {
  async function describe(id: CertificateId) {
    try {
      const { certificateDescription } = await iot.send(new DescribeCertificateCommand({ certificateId: id }));
      if (certificateDescription === undefined) throw new Error(`DescribeCertificate ${id}: got no description`);
      arns.learn(certificateDescription.certificateArn);
      return certificateDescription;
    } catch (error) {
      if (isAbsent(error)) return undefined;
      throw error;
    }
  }

  return {
    async describe(id) {
      const description = await describe(id);
      if (description === undefined) return undefined;
      if (description.certificatePem === undefined) throw new Error(`DescribeCertificate ${id}: got no certificatePem`);
      return {
        certificateId: certificateId(description.certificateId ?? ''),
        status: statusFrom(description.status, id),
        certificatePem: description.certificatePem,
        ...(description.caCertificateId === undefined ? {} : { caCertificateId: description.caCertificateId }),
      };
    },

    async setStatus(id, newStatus) {
      try {
        await iot.send(new UpdateCertificateCommand({ certificateId: id, newStatus }));
        return true;
      } catch (error) {
        if (isAbsent(error)) return false;
        throw error;
      }
    },

    async page(marker) {
      // Oldest first: what is registered while a run is under way comes after its marker, and is not missed.
      const answer = await iot.send(new ListCertificatesCommand({ pageSize: PAGE_SIZE, ascendingOrder: true, marker }));
      const certificates = (answer.certificates ?? []).map((listed) => {
        arns.learn(listed.certificateArn);
        return { certificateId: certificateId(listed.certificateId ?? ''), status: statusFrom(listed.status, listed.certificateId) };
      });
      return { certificates, ...(answer.nextMarker === undefined ? {} : { nextMarker: answer.nextMarker }) };
    },

    async thingsOf(id) {
      if (arns.of(id) === undefined && (await describe(id)) === undefined) return [];
      const principal = arns.of(id);
      const names: ThingName[] = [];
      let nextToken: string | undefined;
      do {
        try {
          const answer = await iot.send(new ListPrincipalThingsV2Command({ principal, maxResults: PAGE_SIZE, nextToken }));
          names.push(...(answer.principalThingObjects ?? []).map((attached) => thingName(attached.thingName ?? '')));
          nextToken = answer.nextToken;
        } catch (error) {
          // The certificate was deleted meanwhile: then no thing has it.
          if (isAbsent(error)) return [];
          throw error;
        }
      } while (nextToken !== undefined);
      return names;
    },

    async deleteConnection(clientId) {
      // AWS IoT takes no other client ids (FACTS B4), so no such client can be connected; asked for, they would be an InvalidRequestException.
      if (clientId === '' || clientId.length > 128 || clientId.startsWith('$')) return false;
      try {
        await iotData.send(new DeleteConnectionCommand({ clientId }));
        return true;
      } catch (error) {
        if (isAbsent(error)) return false;
        throw error;
      }
    },
  };
}
