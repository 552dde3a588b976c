import type { CertificateStatus } from '../../domain/fleet/certificate-status.js';
import type { CertificateId } from '../../domain/fleet/certificate-id.js';
import type { ThingName } from '../../domain/fleet/thing-name.js';

export interface RegisteredCertificate {
  readonly certificateId: CertificateId;
  readonly status: CertificateStatus;
  readonly certificatePem: string;
  readonly caCertificateId?: string;
}

export interface RegistryPage {
  readonly certificates: readonly { readonly certificateId: CertificateId; readonly status: CertificateStatus }[];
  /** Opaque marker of the next page; absent on the last one. */
  readonly nextMarker?: string;
}

/**
 * The AWS IoT certificate registry. `undefined` only ever means "does not exist" (ResourceNotFoundException); every other failure throws.
 */
export interface Registry {
  /** DescribeCertificate: 10 a second. */
  describe(id: CertificateId): Promise<RegisteredCertificate | undefined>;
  /** UpdateCertificate: 10 a second. REVOKED is for ever. Resolves to `false` when the certificate was deleted meanwhile. */
  setStatus(id: CertificateId, status: 'ACTIVE' | 'INACTIVE' | 'REVOKED'): Promise<boolean>;
  /** ListCertificates: 10 a second, at most 250 a page. */
  page(marker?: string): Promise<RegistryPage>;
  /** ListPrincipalThingsV2: 10 a second. */
  thingsOf(id: CertificateId): Promise<readonly ThingName[]>;
  /** DeleteConnection of the IoT data plane. Resolves to `false` when no such client is connected. */
  deleteConnection(clientId: string): Promise<boolean>;
}
