/** CertificateStatus of AWS IoT, verbatim; a decision sees words only. */
export type CertificateStatusWord = 'ACTIVE' | 'INACTIVE' | 'REVOKED' | 'PENDING_TRANSFER' | 'REGISTER_INACTIVE' | 'PENDING_ACTIVATION';
