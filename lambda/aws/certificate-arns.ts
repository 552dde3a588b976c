/**
 * ARNs of certificates from their ids. All of an account and region begin alike, `arn:<partition>:iot:<region>:<account>:cert/`: learned from the first ARN
 * that AWS IoT itself gives, so that neither partition nor account need be configured, and DescribeCertificate (ten a second, FACTS B12) is not asked for what
 * is known.
 */
import type { CertificateId } from '../../domain/fleet/certificate-id.js';

export interface CertificateArns {
  /** `undefined`, and ARNs of anything else (a Cognito identity), teach nothing. */
  learn(arn: string | undefined): void;
  /** `undefined`: no ARN has been seen yet. */
  of(id: CertificateId): string | undefined;
}

const ARN_OF_A_CERTIFICATE = /^(arn:[^:]+:iot:[^:]+:[^:]+:cert\/)[0-9a-f]{64}$/i;

export function certificateArns(): CertificateArns {
  let prefix: string | undefined;
  return {
    learn(arn = '') {
      prefix ??= ARN_OF_A_CERTIFICATE.exec(arn)?.[1];
    },
    of: (id) => (prefix === undefined ? undefined : `${prefix}${id}`),
  };
}
