/** CreateCertificateAuthorityAuditReport: everything the CA ever issued and revoked, as JSON or CSV in a bucket (FACTS A6). */
import { randomUUID } from 'node:crypto';

import { AwsError, type Operation } from '../../models/service.js';
import {
  authorityOf,
  colonHex,
  inState,
  PCA_SERVICE,
  putEvent,
  type AuditReport,
  type Authority,
  type IssuedCertificate,
  type PcaState,
} from './authority.js';
import { readableName } from './names.js';

/** One report in thirty minutes. */
const SPACING_MS = 30 * 60 * 1000;
/** A report is not there at once; the SDK's waiter asks every three seconds. */
const WRITING_MS = 2_000;

interface CreateInput {
  readonly CertificateAuthorityArn: string;
  readonly S3BucketName: string;
  readonly AuditReportResponseFormat: string;
}

export function auditReportOperations(state: PcaState): Readonly<Record<string, Operation>> {
  const { clock } = state.cloud.world;

  const create = (input: CreateInput): Record<string, unknown> => {
    const authority = authorityOf(state, input.CertificateAuthorityArn);
    inState(authority, clock.date(), 'ACTIVE', 'DISABLED', 'EXPIRED');
    const format = input.AuditReportResponseFormat;
    if (format !== 'JSON' && format !== 'CSV')
      throw new AwsError('InvalidArgsException', `AuditReportResponseFormat: got '${format}', expected JSON or CSV.`);
    if (authority.lastReportAtMs !== undefined && clock.nowMs() - authority.lastReportAtMs < SPACING_MS) {
      throw new AwsError('RequestInProgressException', 'An audit report can be created every 30 minutes.');
    }
    authority.lastReportAtMs = clock.nowMs();
    const id = randomUUID();
    const report: AuditReport = {
      id,
      bucket: input.S3BucketName,
      key: `audit-report/${authority.id}/${id}.${format.toLowerCase()}`,
      createdAt: clock.date(),
      status: 'CREATING',
    };
    authority.reports.set(id, report);
    clock.after(WRITING_MS, () => write(state, authority, report, format));
    return { AuditReportId: id, S3Key: report.key };
  };

  return {
    CreateCertificateAuthorityAuditReport: create,
    DescribeCertificateAuthorityAuditReport: (input: { CertificateAuthorityArn: string; AuditReportId: string }) => {
      const report = authorityOf(state, input.CertificateAuthorityArn).reports.get(input.AuditReportId);
      if (!report) throw new AwsError('ResourceNotFoundException', `Could not find audit report ${input.AuditReportId}.`);
      return { AuditReportStatus: report.status, S3BucketName: report.bucket, S3Key: report.key, CreatedAt: report.createdAt };
    },
  };
}

async function write(state: PcaState, authority: Authority, report: AuditReport, format: 'JSON' | 'CSV'): Promise<void> {
  const rows = [...authority.issued.values()].map((certificate) => row(authority, certificate));
  const body = format === 'JSON' ? JSON.stringify(rows, null, 2) : csv(rows);
  const service = { kind: 'service', service: PCA_SERVICE, sourceArn: authority.arn, accountId: state.cloud.world.accountId } as const;
  try {
    const ContentType = format === 'JSON' ? 'application/json' : 'text/csv';
    await state.cloud.callAs(service, 's3', 'PutObject', { Bucket: report.bucket, Key: report.key, Body: Buffer.from(body), ContentType });
    report.status = 'SUCCESS';
    putEvent(state, 'ACM Private CA Audit Report Generation', [authority.arn, report.id]);
  } catch (error) {
    if (!(error instanceof AwsError)) throw error;
    report.status = 'FAILED';
    putEvent(state, 'ACM Private CA Audit Report Generation', [authority.arn, report.id], 'Failed to write audit report to S3.');
  }
}

const timestamp = (date: Date): string => date.toISOString().replace(/\.\d{3}Z$/, '+0000');

function row(authority: Authority, certificate: IssuedCertificate): Readonly<Record<string, string>> {
  const { revocation } = certificate;
  return {
    awsAccountId: authority.arn.split(':')[4] ?? '',
    requestedByServicePrincipal: '',
    certificateArn: certificate.arn,
    serial: colonHex(certificate.serialNumber),
    subject: readableName(certificate.subject),
    notBefore: timestamp(certificate.notBefore),
    notAfter: timestamp(certificate.notAfter),
    issuedAt: timestamp(certificate.issuedAt),
    ...(revocation ? { revokedAt: timestamp(revocation.at), revocationReason: revocation.reason } : {}),
    templateArn: certificate.templateArn,
  };
}

const COLUMNS = [
  'awsAccountId',
  'requestedByServicePrincipal',
  'certificateArn',
  'serial',
  'subject',
  'notBefore',
  'notAfter',
  'issuedAt',
  'revokedAt',
  'revocationReason',
  'templateArn',
];

function csv(rows: readonly Readonly<Record<string, string>>[]): string {
  const quoted = (text: string): string => (/[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  return [COLUMNS.join(','), ...rows.map((values) => COLUMNS.map((column) => quoted(values[column] ?? '')).join(','))].join('\n') + '\n';
}
