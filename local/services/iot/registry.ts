/** The registry as the gateway asks it: status, attachments and the policies in force. */
import { X509Certificate } from 'node:crypto';
import type { IotRegistry } from '../../cloud.js';
import type { PolicyDocument } from '../../iam/principal.js';
import { addCertificate, issuingCa } from './certificates.js';
import type { IotPolicy, IotState, RegisteredCertificate } from './state.js';
import { lineage } from './group-membership.js';
import { describe } from './x509.js';

/** The text of a policy that is in force now. What it replaced is forgotten then. */
function documentInForce(policy: IotPolicy, nowMs: number): PolicyDocument | undefined {
  while (policy.effective.length > 1 && policy.effective[1]!.fromMs <= nowMs) policy.effective.shift();
  return policy.effective[0]?.document;
}

function documentsOn(state: IotState, targetArn: string): PolicyDocument[] {
  const held = state.attachments.get(targetArn);
  if (!held) return [];
  const now = state.now();
  const documents: PolicyDocument[] = [];
  for (const [name, attachment] of held) {
    if (attachment.untilMs !== undefined && attachment.untilMs <= now) held.delete(name);
    else if (attachment.fromMs <= now) {
      const policy = state.policies.get(name);
      const document = policy && documentInForce(policy, now);
      if (document) documents.push(document);
    }
  }
  return documents;
}

/** `$aws/events/certificates/registered/<caCertificateId>`: on the first connection, and on each later one while it is pending. */
function announce(state: IotState, certificate: RegisteredCertificate): void {
  const message = {
    certificateId: certificate.certificateId,
    caCertificateId: certificate.caCertificateId,
    timestamp: state.now(),
    certificateStatus: certificate.status,
    awsAccountId: state.cloud.world.accountId,
    certificateRegistrationTimestamp: String(certificate.createdAtMs),
  };
  state.cloud.parts.gateway?.publish(`$aws/events/certificates/registered/${certificate.caCertificateId}`, JSON.stringify(message), {
    qos: 1,
  });
}

export function createRegistry(state: IotState): IotRegistry {
  return {
    certificate: (certificateId) => state.certificates.get(certificateId),
    thingsOf: (certificateId) =>
      [...(state.thingsOfCertificate.get(certificateId) ?? [])].map(([thingName, exclusive]) => {
        const thing = state.things.get(thingName);
        return {
          thingName,
          exclusive,
          ...(thing?.thingTypeName ? { thingTypeName: thing.thingTypeName } : {}),
          attributes: thing?.attributes ?? {},
        };
      }),
    /**
     * Group policies apply when the clientId is the name of an attached thing, or when the attachment is exclusive; a group's children
     * inherit its policies (https://docs.aws.amazon.com/iot/latest/developerguide/thing-groups.html).
     */
    policiesOf: (certificateId, clientId) => {
      state.seenByGateway.add(certificateId);
      const documents = documentsOn(state, state.arn(`cert/${certificateId}`));
      for (const [thingName, exclusive] of state.thingsOfCertificate.get(certificateId) ?? []) {
        if (thingName !== clientId && !exclusive) continue;
        for (const groupName of state.groupsOfThing.get(thingName) ?? []) {
          const group = state.groups.get(groupName);
          if (group) for (const ancestor of lineage(state, group)) documents.push(...documentsOn(state, ancestor.arn));
        }
      }
      return documents;
    },
    registerJustInTime: (pem) => {
      const read = describe(new X509Certificate(pem));
      let certificate = state.certificates.get(read.certificateId);
      if (!certificate) {
        const ca = issuingCa(state, read);
        if (!ca || ca.status !== 'ACTIVE' || !ca.autoRegistration) return false;
        certificate = addCertificate(state, read, 'PENDING_ACTIVATION', ca);
      }
      if (certificate.status !== 'PENDING_ACTIVATION') return false;
      announce(state, certificate);
      return true;
    },
    connected: (certificateId, clientId) => state.connections.connected(certificateId, clientId, state.now()),
    disconnected: (certificateId, clientId, reason) => state.connections.disconnected(certificateId, clientId, reason, state.now()),
  };
}
