/**
 * Certificates of devices in the registry.
 * Status rules: https://docs.aws.amazon.com/iot/latest/apireference/API_UpdateCertificate.html, deletion: API_DeleteCertificate.html.
 */
import { randomUUID } from 'node:crypto';
import { AwsError, type Operation } from '../../models/service.js';
import { alreadyExists, deleteConflict, invalidRequest, notFound } from './errors.js';
import { checkCertificateId } from './names.js';
import { page } from './paging.js';
import type { CertificateStatus, IotState, RegisteredCa, RegisteredCertificate } from './state.js';
import { readCertificate, signedBy, type ReadCertificate } from './x509.js';

const DEFAULT_STATUS_DELAY_MS = 3 * 60_000;

export function certificateById(state: IotState, id: unknown): RegisteredCertificate {
  const certificateId = checkCertificateId(id);
  const found = state.certificates.get(certificateId);
  if (!found) throw notFound(`The certificate given in the request does not exist: ${certificateId}`);
  return found;
}

/** Puts a certificate into the registry. Used by every operation that creates one, and by just-in-time registration. */
export function addCertificate(
  state: IotState,
  read: ReadCertificate,
  status: CertificateStatus,
  ca?: RegisteredCa,
  mode?: 'DEFAULT' | 'SNI_ONLY',
): RegisteredCertificate {
  const arn = state.arn(`cert/${read.certificateId}`);
  if (state.certificates.has(read.certificateId)) {
    throw alreadyExists('The certificate is already provisioned or registered', read.certificateId, arn);
  }
  const now = state.now();
  const certificate: RegisteredCertificate = {
    ...read,
    arn,
    status,
    ...(ca ? { caCertificateId: ca.certificateId } : {}),
    certificateMode: mode ?? ca?.certificateMode ?? 'SNI_ONLY',
    createdAtMs: now,
    modifiedAtMs: now,
    customerVersion: 1,
    generationId: randomUUID(),
  };
  state.certificates.set(read.certificateId, certificate);
  return certificate;
}

/** The registered CA that signed a certificate; the newest first where several share a key. */
export function issuingCa(state: IotState, read: ReadCertificate): RegisteredCa | undefined {
  return [...state.cas.values()].reverse().find((ca) => signedBy(read.x509, ca.x509));
}

/** `setAsActive` is the older word for `status` (API_RegisterCertificate: "deprecated"). Without either, the certificate is INACTIVE. */
function initialStatus(input: { status?: string; setAsActive?: boolean }): CertificateStatus {
  const status = input.status ?? (input.setAsActive ? 'ACTIVE' : 'INACTIVE');
  if (status === 'REVOKED' || status === 'ACTIVE' || status === 'INACTIVE') return status;
  throw invalidRequest(`Certificates cannot be registered with status ${status}`);
}

function caFor(state: IotState, read: ReadCertificate, caCertificatePem: string | undefined): RegisteredCa {
  const bySubject = [...state.cas.values()].filter((ca) => ca.x509.subject === read.x509.issuer);
  if (caCertificatePem === undefined && bySubject.length > 1) {
    throw new AwsError(
      'CertificateConflictException',
      'Multiple CA certificates with the same subject are registered: caCertificatePem is required',
      409,
    );
  }
  const wanted = caCertificatePem === undefined ? undefined : readCertificate(caCertificatePem).certificateId;
  const ca = wanted === undefined ? bySubject[0] : state.cas.get(wanted);
  if (!ca) throw new AwsError('CertificateValidationException', 'CA certificate is not registered');
  if (!signedBy(read.x509, ca.x509))
    throw new AwsError('CertificateValidationException', 'The certificate was not signed by the CA certificate');
  if (ca.status !== 'ACTIVE') throw new AwsError('CertificateStateException', 'The CA certificate is not ACTIVE', 406);
  return ca;
}

const date = (ms: number): Date => new Date(ms);

const listed = (certificate: RegisteredCertificate): Record<string, unknown> => ({
  certificateArn: certificate.arn,
  certificateId: certificate.certificateId,
  status: certificate.status,
  certificateMode: certificate.certificateMode,
  creationDate: date(certificate.createdAtMs),
});

/** AWS lists newest first unless `ascendingOrder` (API_ListCertificates). */
function list(
  certificates: readonly RegisteredCertificate[],
  input: { marker?: string; pageSize?: number; ascendingOrder?: boolean },
): Record<string, unknown> {
  const ordered = input.ascendingOrder ? certificates : certificates.toReversed();
  const { items, token } = page(ordered, (certificate) => certificate.certificateId, input.marker, input.pageSize);
  return { certificates: items.map(listed), ...(token ? { nextMarker: token } : {}) };
}

export function certificateOperations(state: IotState): Record<string, Operation> {
  const reference = (certificate: RegisteredCertificate): Record<string, unknown> => ({
    certificateArn: certificate.arn,
    certificateId: certificate.certificateId,
  });
  return {
    RegisterCertificate: (input) => {
      const read = readCertificate(input.certificatePem);
      return reference(addCertificate(state, read, initialStatus(input), caFor(state, read, input.caCertificatePem)));
    },
    RegisterCertificateWithoutCA: (input) => reference(addCertificate(state, readCertificate(input.certificatePem), initialStatus(input))),
    DescribeCertificate: (input) => {
      const certificate = certificateById(state, input.certificateId);
      return {
        certificateDescription: {
          ...listed(certificate),
          ...(certificate.caCertificateId ? { caCertificateId: certificate.caCertificateId } : {}),
          certificatePem: certificate.pem,
          ownedBy: state.cloud.world.accountId,
          lastModifiedDate: date(certificate.modifiedAtMs),
          customerVersion: certificate.customerVersion,
          transferData: {},
          generationId: certificate.generationId,
          validity: { notBefore: date(certificate.notBeforeMs), notAfter: date(certificate.notAfterMs) },
        },
      };
    },
    UpdateCertificate: (input) => {
      setStatus(state, certificateById(state, input.certificateId), input.newStatus as CertificateStatus);
      return {};
    },
    ListCertificates: (input) => list([...state.certificates.values()], input),
    ListCertificatesByCA: (input) => {
      const caId = checkCertificateId(input.caCertificateId);
      return list(
        [...state.certificates.values()].filter((certificate) => certificate.caCertificateId === caId),
        input,
      );
    },
    DeleteCertificate: (input) => {
      const certificate = certificateById(state, input.certificateId);
      if (certificate.status === 'ACTIVE')
        throw new AwsError('CertificateStateException', 'Certificate must be deactivated (not ACTIVE) before deletion', 406);
      if ((state.thingsOfCertificate.get(certificate.certificateId)?.size ?? 0) > 0) {
        throw deleteConflict(`Things must be detached before deletion (arn: ${certificate.arn})`);
      }
      const attached = [...(state.attachments.get(certificate.arn)?.values() ?? [])].some((attachment) => attachment.untilMs === undefined);
      if (attached && !input.forceDelete)
        throw deleteConflict(`Certificate policies must be detached before deletion (arn: ${certificate.arn})`);
      state.attachments.delete(certificate.arn);
      state.certificates.delete(certificate.certificateId);
      state.seenByGateway.delete(certificate.certificateId);
      return {};
    },
  };
}

/**
 * REVOKED is terminal; asking for the status that a certificate has already is a success (the operation is idempotent).
 * Connections of a certificate that leaves ACTIVE are cut some minutes later, not at once: that is what DeleteConnection is for.
 */
function setStatus(state: IotState, certificate: RegisteredCertificate, newStatus: CertificateStatus): void {
  if (newStatus === 'PENDING_TRANSFER' || newStatus === 'PENDING_ACTIVATION')
    throw invalidRequest(`Certificate status cannot be set to ${newStatus}`);
  const target: CertificateStatus = newStatus === 'REGISTER_INACTIVE' ? 'INACTIVE' : newStatus;
  if (certificate.status === target) return;
  if (certificate.status === 'REVOKED') {
    throw new AwsError(
      'CertificateStateException',
      `Certificate ${certificate.certificateId} is REVOKED: its status cannot be changed`,
      406,
    );
  }
  const wasActive = certificate.status === 'ACTIVE';
  certificate.status = target;
  certificate.modifiedAtMs = state.now();
  certificate.customerVersion += 1;
  if (!wasActive) return;
  state.cloud.world.clock.after(state.options.statusDelayMs ?? DEFAULT_STATUS_DELAY_MS, () => {
    // Read again: it may have come back to ACTIVE meanwhile, and then AWS has no reason to cut it.
    if (state.certificates.get(certificate.certificateId)?.status !== 'ACTIVE') {
      state.cloud.parts.gateway?.disconnectCertificate(certificate.certificateId, 'AUTH_ERROR');
    }
  });
}
