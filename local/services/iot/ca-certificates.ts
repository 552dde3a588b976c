/**
 * CA certificates in the registry. A deactivated CA only stops new registrations, its certificates go on working
 * (https://docs.aws.amazon.com/iot/latest/developerguide/manage-your-CA-certs.html).
 */
import { randomBytes, randomUUID } from 'node:crypto';
import { AwsError, type Operation } from '../../models/service.js';
import { alreadyExists, invalidRequest, notFound } from './errors.js';
import { checkCertificateId } from './names.js';
import { page } from './paging.js';
import type { IotState, RegisteredCa } from './state.js';
import { setTags } from './tags.js';
import { readCertificate, signedBy } from './x509.js';

const MAX_CAS_WITH_ONE_SUBJECT = 10;

function caById(state: IotState, id: unknown): RegisteredCa {
  const certificateId = checkCertificateId(id);
  const found = state.cas.get(certificateId);
  if (!found) throw notFound(`The CA certificate given in the request does not exist: ${certificateId}`);
  return found;
}

/** The code that a verification certificate must carry as its common name in DEFAULT mode: one per account and region. */
function registrationCode(state: IotState): string {
  return (state.settings.registrationCode ??= randomBytes(32).toString('hex'));
}

/** SNI_ONLY takes no verification certificate, DEFAULT needs one that the CA signed for this account's registration code (API_RegisterCACertificate). */
function checkVerification(state: IotState, ca: ReturnType<typeof readCertificate>, mode: string, verification: string | undefined): void {
  if (mode === 'SNI_ONLY') {
    if (verification !== undefined) throw invalidRequest('verificationCertificate must not be given when certificateMode is SNI_ONLY');
    return;
  }
  if (verification === undefined) throw invalidRequest('verificationCertificate is required when certificateMode is DEFAULT');
  const read = readCertificate(verification);
  if (!signedBy(read.x509, ca.x509))
    throw new AwsError('CertificateValidationException', 'The verification certificate was not signed by the CA certificate');
  const commonName = /(?:^|\n)CN=([^\n]+)/.exec(read.x509.subject)?.[1];
  if (commonName !== registrationCode(state)) {
    throw new AwsError(
      'RegistrationCodeValidationException',
      'The common name of the verification certificate is not the registration code',
    );
  }
}

const summary = (ca: RegisteredCa): Record<string, unknown> => ({
  certificateArn: ca.arn,
  certificateId: ca.certificateId,
  status: ca.status,
  creationDate: new Date(ca.createdAtMs),
});

export function caCertificateOperations(state: IotState): Record<string, Operation> {
  return {
    GetRegistrationCode: () => ({ registrationCode: registrationCode(state) }),
    RegisterCACertificate: (input) => {
      const read = readCertificate(input.caCertificate);
      if (!read.x509.ca) throw new AwsError('CertificateValidationException', 'The certificate is not a CA certificate');
      const mode = (input.certificateMode ?? 'DEFAULT') as 'DEFAULT' | 'SNI_ONLY';
      const arn = state.arn(`cacert/${read.certificateId}`);
      if (state.cas.has(read.certificateId)) throw alreadyExists('CA certificate already registered', read.certificateId, arn);
      checkVerification(state, read, mode, input.verificationCertificate);
      const sameSubject = [...state.cas.values()].filter((ca) => ca.x509.subject === read.x509.subject).length;
      if (sameSubject >= MAX_CAS_WITH_ONE_SUBJECT)
        throw new AwsError('LimitExceededException', `At most ${MAX_CAS_WITH_ONE_SUBJECT} CA certificates may have the same subject`, 410);
      const now = state.now();
      state.cas.set(read.certificateId, {
        ...read,
        arn,
        status: input.setAsActive ? 'ACTIVE' : 'INACTIVE',
        autoRegistration: input.allowAutoRegistration === true,
        ...(input.registrationConfig ? { registrationConfig: input.registrationConfig } : {}),
        certificateMode: mode,
        createdAtMs: now,
        modifiedAtMs: now,
        customerVersion: 1,
        generationId: randomUUID(),
      });
      setTags(state, arn, input.tags);
      return { certificateArn: arn, certificateId: read.certificateId };
    },
    DescribeCACertificate: (input) => {
      const ca = caById(state, input.certificateId);
      return {
        certificateDescription: {
          ...summary(ca),
          certificatePem: ca.pem,
          ownedBy: state.cloud.world.accountId,
          autoRegistrationStatus: ca.autoRegistration ? 'ENABLE' : 'DISABLE',
          lastModifiedDate: new Date(ca.modifiedAtMs),
          customerVersion: ca.customerVersion,
          generationId: ca.generationId,
          validity: { notBefore: new Date(ca.notBeforeMs), notAfter: new Date(ca.notAfterMs) },
          certificateMode: ca.certificateMode,
        },
        ...(ca.registrationConfig ? { registrationConfig: ca.registrationConfig } : {}),
      };
    },
    UpdateCACertificate: (input) => {
      const ca = caById(state, input.certificateId);
      if (input.newStatus) ca.status = input.newStatus;
      if (input.newAutoRegistrationStatus) ca.autoRegistration = input.newAutoRegistrationStatus === 'ENABLE';
      if (input.registrationConfig) ca.registrationConfig = input.registrationConfig;
      if (input.removeAutoRegistration) {
        ca.autoRegistration = false;
        delete ca.registrationConfig;
      }
      ca.modifiedAtMs = state.now();
      ca.customerVersion += 1;
      return {};
    },
    ListCACertificates: (input) => {
      const all = [...state.cas.values()].filter(
        (ca) => input.templateName === undefined || ca.registrationConfig?.templateName === input.templateName,
      );
      const { items, token } = page(input.ascendingOrder ? all : all.toReversed(), (ca) => ca.certificateId, input.marker, input.pageSize);
      return { certificates: items.map(summary), ...(token ? { nextMarker: token } : {}) };
    },
    DeleteCACertificate: (input) => {
      const ca = caById(state, input.certificateId);
      if (ca.status === 'ACTIVE')
        throw new AwsError('CertificateStateException', 'A CA certificate must be INACTIVE before it is deleted', 406);
      state.cas.delete(ca.certificateId);
      state.tags.delete(ca.arn);
      return {};
    },
  };
}
