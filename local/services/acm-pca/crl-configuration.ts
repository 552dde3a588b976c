import { AwsError } from '../../models/service.js';
import { PCA_SERVICE, type Authority, type CrlConfiguration, type PcaState, type RevocationConfiguration } from './authority.js';

const invalid = (message: string): AwsError => new AwsError('InvalidArgsException', message);

/** The rules of CrlConfiguration and OcspConfiguration (API reference; FACTS A1, A2). Fills in the defaults. */
export function checkRevocationConfiguration(given: RevocationConfiguration | undefined): RevocationConfiguration {
  const { CrlConfiguration: crl = { Enabled: false }, OcspConfiguration: ocsp } = given ?? {};
  for (const [name, block] of [
    ['CrlConfiguration', crl],
    ['OcspConfiguration', ocsp],
  ] as const) {
    if (block && !block.Enabled && Object.keys(block).length > 1)
      throw invalid(`${name}: a disabled configuration may hold only Enabled = false.`);
  }
  if (crl.Enabled) checkCrl(crl);
  const defaults = crl.Enabled ? { S3ObjectAcl: 'PUBLIC_READ', CrlType: 'COMPLETE' } : {};
  return { CrlConfiguration: { ...defaults, ...crl }, ...(ocsp ? { OcspConfiguration: ocsp } : {}) };
}

function checkCrl(crl: CrlConfiguration): void {
  const {
    ExpirationInDays: days = 0,
    S3BucketName: bucket = '',
    CustomCname: cname,
    CustomPath: path,
    S3ObjectAcl: acl,
    CrlType: type,
  } = crl;
  if (!Number.isInteger(days) || days < 1 || days > 5000)
    throw invalid(`ExpirationInDays: got ${crl.ExpirationInDays}, expected 1 to 5000.`);
  if (!/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(bucket)) throw invalid(`S3BucketName: got '${bucket}', expected the name of a bucket.`);
  if (cname !== undefined && /:\/\//.test(cname)) throw invalid(`CustomCname: got '${cname}', expected a host name without a scheme.`);
  if (cname !== undefined && crl.CrlDistributionPointExtensionConfiguration?.OmitExtension)
    throw invalid('CustomCname cannot be combined with OmitExtension.');
  if (path !== undefined && (path.length > 253 || /^\/|\/$/.test(path)))
    throw invalid(`CustomPath: got '${path}', expected at most 253 characters, no slash at either end.`);
  if (acl !== undefined && !['PUBLIC_READ', 'BUCKET_OWNER_FULL_CONTROL'].includes(acl)) throw invalid(`S3ObjectAcl: got '${acl}'.`);
  if (type !== undefined && !['COMPLETE', 'PARTITIONED'].includes(type)) throw invalid(`CrlType: got '${type}'.`);
}

/** Where a CRL lies: `crl/<CA-ID>.crl`, or `crl/<random GUID>.crl` for a partition (FACTS A1). */
export function objectKey(authority: Authority, crl: CrlConfiguration, partition: string): string {
  return `${crl.CustomPath ?? 'crl'}/${partition === 'COMPLETE' ? authority.id : partition}.crl`;
}

/** The URI in the certificates' distribution point and in a partition's IDP. */
export function distributionPoint(state: PcaState, authority: Authority, crl: CrlConfiguration, partition: string): string {
  const host = crl.CustomCname ?? `${crl.S3BucketName}.s3.${state.cloud.world.region}.amazonaws.com`;
  return `http://${host}/${objectKey(authority, crl, partition)}`;
}

/** Writes into the CRL bucket as the service, under the bucket's policy with aws:SourceArn = the CA. */
export async function putAsService(
  state: PcaState,
  authority: Pick<Authority, 'arn'>,
  crl: CrlConfiguration,
  key: string,
  body: Uint8Array,
  contentType: string,
): Promise<void> {
  await state.cloud.callAs(
    { kind: 'service', service: PCA_SERVICE, sourceArn: authority.arn, accountId: state.cloud.world.accountId },
    's3',
    'PutObject',
    {
      Bucket: crl.S3BucketName,
      Key: key,
      Body: body,
      ContentType: contentType,
      ACL: crl.S3ObjectAcl === 'BUCKET_OWNER_FULL_CONTROL' ? 'bucket-owner-full-control' : 'public-read',
    },
  );
}

/**
 * What AWS tries before it accepts a CRL configuration: the bucket must take an object from the service with the configured ACL. PUBLIC_READ fails
 * where Block Public Access is on.
 */
export async function testPermission(
  state: PcaState,
  authority: Pick<Authority, 'arn'>,
  configuration: RevocationConfiguration,
): Promise<void> {
  const crl = configuration.CrlConfiguration;
  if (!crl?.Enabled) return;
  const service = { kind: 'service', service: PCA_SERVICE, sourceArn: authority.arn, accountId: state.cloud.world.accountId } as const;
  try {
    await state.cloud.callAs(service, 's3', 'GetBucketAcl', { Bucket: crl.S3BucketName });
    await state.cloud.callAs(service, 's3', 'GetBucketLocation', { Bucket: crl.S3BucketName });
    await putAsService(state, authority, crl, 'acm-pca-permission-test-key', new Uint8Array(0), 'application/octet-stream');
  } catch (error) {
    if (!(error instanceof AwsError)) throw error;
    throw invalid(
      `The ACM Private CA service account/principal does not have the required permissions on bucket ${crl.S3BucketName}: ${error.message}`,
    );
  }
}
