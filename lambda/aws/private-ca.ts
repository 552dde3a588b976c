import { type ACMPCAClient, GetCertificateCommand, ResourceNotFoundException } from '@aws-sdk/client-acm-pca';
import type { PrivateCa } from '../ports/private-ca.js';

export function acmPrivateCa(client: ACMPCAClient): PrivateCa {
  return {
    async getCertificate(certificateAuthorityArn, certificateArn) {
      try {
        const { Certificate } = await client.send(
          new GetCertificateCommand({ CertificateAuthorityArn: certificateAuthorityArn, CertificateArn: certificateArn }),
        );
        if (Certificate === undefined) throw new Error(`GetCertificate ${certificateArn}: no certificate in the answer`);
        return Certificate;
      } catch (error) {
        // Only this one means "never issued that". InvalidArn, InvalidState and RequestInProgress are trouble, and trouble throws.
        if (error instanceof ResourceNotFoundException) return undefined;
        throw error;
      }
    },
  };
}
