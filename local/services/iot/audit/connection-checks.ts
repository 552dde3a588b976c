/** What the connections of the last 31 days tell: certificates used by several clients at once, client ids used by several at once (FACTS C2). */
import type { IotState } from '../state.js';
import { deviceCertificate } from './certificate-checks.js';
import type { Evaluation, NonCompliance, Resource } from './non-compliance.js';
import type { Use } from './connection-history.js';

const LOOK_BACK_MS = 31 * 24 * 60 * 60_000;

const times = ({ connectedAtMs, disconnectedAtMs }: Use): Readonly<Record<string, string>> => ({
  CONNECTION_TIME: String(connectedAtMs),
  ...(disconnectedAtMs === undefined ? {} : { DISCONNECTION_TIME: String(disconnectedAtMs) }),
});

const client = (clientId: string, use: Use): Resource => ({
  resourceType: 'CLIENT_ID',
  resourceIdentifier: { clientId },
  additionalInfo: times(use),
});

export function sharedCertificates(state: IotState): Evaluation {
  state.connections.forgetOlderThan(state.now() - LOOK_BACK_MS);
  const active = [...state.certificates.values()].filter(({ status }) => status === 'ACTIVE' || status === 'PENDING_TRANSFER');
  const nonCompliant = active.flatMap((certificate): NonCompliance[] => {
    const uses = state.connections.shared.get(certificate.certificateId);
    if (!uses) return [];
    return [
      {
        resource: deviceCertificate(certificate),
        related: [...uses].map(([clientId, use]) => client(clientId, use)),
        reason: 'Certificate shared by one or more devices.',
        reasonCode: 'CERTIFICATE_SHARED_BY_MULTIPLE_DEVICES',
      },
    ];
  });
  return { total: active.length, nonCompliant };
}

export function conflictingClientIds(state: IotState): Evaluation {
  state.connections.forgetOlderThan(state.now() - LOOK_BACK_MS);
  const nonCompliant = [...state.connections.conflicts].map(([clientId, sides]): NonCompliance => ({
    resource: { resourceType: 'CLIENT_ID', resourceIdentifier: { clientId } },
    // "also … principal IDs, and disconnect times. The most recent results are listed first" (audit-chk-conflicting-client-ids.html); its members are not documented.
    related: [...sides]
      .toReversed()
      .map(([certificateId, use]) => ({ ...deviceCertificate({ certificateId }), additionalInfo: times(use) })),
    reason: 'Client ID is used by multiple connections.',
    reasonCode: 'DUPLICATE_CLIENT_ID_ACROSS_CONNECTIONS',
  }));
  return { total: nonCompliant.length, nonCompliant };
}
