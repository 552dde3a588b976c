/** Findings of the Device Defender audit, each read again by its id. */
import { DescribeAuditFindingCommand, type AuditFinding, type IoTClient } from '@aws-sdk/client-iot';
import { certificateId, type CertificateId } from '../../domain/fleet/certificate-id.js';
import type { AuditFindings } from '../ports/containment-work.js';
import { errorName } from './retry.js';

export function iotAuditFindings(iot: IoTClient): AuditFindings {
  return {
    async read(findingId) {
      try {
        const { finding } = await iot.send(new DescribeAuditFindingCommand({ findingId }));
        if (finding === undefined) return undefined;
        const resource = finding.nonCompliantResource?.resourceIdentifier;
        const principals = resource?.clientId === undefined ? [] : principalsOf(finding);
        return {
          findingId,
          taskId: finding.taskId ?? '',
          checkName: finding.checkName ?? '',
          isSuppressed: finding.isSuppressed === true,
          atMs: finding.findingTime?.getTime() ?? 0,
          ...(resource?.deviceCertificateId === undefined ? {} : { certificateId: resource.deviceCertificateId }),
          ...(resource?.clientId === undefined ? {} : { clientId: resource.clientId }),
          ...(principals.length === 0 ? {} : { principals }),
        };
      } catch (error) {
        if (['ResourceNotFoundException', 'InvalidRequestException'].includes(errorName(error))) return undefined;
        throw error;
      }
    },
  };
}

/**
 * "The findings returned by this check also include the client ID used to connect, principal IDs, and disconnect times" (DDG
 * audit-chk-conflicting-client-ids.html): in which member, no page and no sample says. So a certificate is taken from wherever a finding can name one: the
 * identifier of a related resource (ten at most, API_DescribeAuditFinding), or a value beside it that is nothing but a certificate id.
 */
function principalsOf({ nonCompliantResource, relatedResources = [] }: AuditFinding): readonly CertificateId[] {
  const named = [nonCompliantResource, ...relatedResources].flatMap((resource) => [
    resource?.resourceIdentifier?.deviceCertificateId,
    resource?.resourceIdentifier?.deviceCertificateArn?.split(':cert/')[1],
    ...Object.values(resource?.additionalInfo ?? {}),
  ]);
  return [...new Set(named.filter((text) => text !== undefined && /^[0-9a-f]{64}$/i.test(text)).map((text) => certificateId(text!)))];
}
