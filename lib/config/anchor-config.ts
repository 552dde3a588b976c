/**
 * One trust anchor in the configuration: a CA whose certificates the fleet accepts. Three ways, told apart by their keys:
 *
 *     {id, type: 'acm-pca', create: {…}}                    a root CA made by this application
 *     {id, type: 'acm-pca', arn, certificatePem, crl}       an AWS Private CA that exists
 *     {id, type: 'external', certificatePem, crl}           any other CA: its certificate is pinned, its CRL is put into the bucket
 *     {…, type: 'external', signer}                         the same, and its key is ours, in KMS: it issues, and its CRL is written here
 */
import { z } from 'zod';
import { caSignatureOf } from '../../domain/pki/ca-signature.js';
import { Certificate } from '../../domain/pki/certificate.js';
import { KMS_KEY_ARN } from '../../domain/protocol/signer.js';
import { caCertificatePem } from './ca-certificate-pem.js';
import { wholeNumber } from './field.js';

/** FACTS A3. ML-DSA and SM2 are left out: AWS IoT Core does not document them for device certificates. */
const KEY_FAMILIES = {
  RSA_2048: 'RSA',
  RSA_3072: 'RSA',
  RSA_4096: 'RSA',
  EC_prime256v1: 'ECDSA',
  EC_secp384r1: 'ECDSA',
  EC_secp521r1: 'ECDSA',
} as const;
const SIGNING_ALGORITHMS = [
  'SHA256WITHRSA',
  'SHA384WITHRSA',
  'SHA512WITHRSA',
  'SHA256WITHECDSA',
  'SHA384WITHECDSA',
  'SHA512WITHECDSA',
] as const;
type KeyAlgorithm = keyof typeof KEY_FAMILIES;
type SigningAlgorithm = (typeof SIGNING_ALGORITHMS)[number];

/** The digest that matches the strength of the key (NIST SP 800-57: P-384 with SHA-384, P-521 with SHA-512). */
const DEFAULT_SIGNING: Readonly<Record<KeyAlgorithm, SigningAlgorithm>> = {
  RSA_2048: 'SHA256WITHRSA',
  RSA_3072: 'SHA256WITHRSA',
  RSA_4096: 'SHA256WITHRSA',
  EC_prime256v1: 'SHA256WITHECDSA',
  EC_secp384r1: 'SHA384WITHECDSA',
  EC_secp521r1: 'SHA512WITHECDSA',
};

const anchorId = z
  .string()
  .regex(/^[a-z][a-z0-9-]{0,30}[a-z0-9]$/, 'expected 2 to 32 of a-z 0-9 -, beginning with a letter')
  .describe('Name of the anchor in parameters, logs and reports. Part of resource ids: changing it makes new resources.');
const crlType = z
  .enum(['COMPLETE', 'PARTITIONED'])
  .describe('`COMPLETE`: one CRL for the whole CA, at most a million certificates. `PARTITIONED`: many CRLs, 100 million certificates.');
const pem = z
  .string()
  .superRefine(caCertificatePem)
  .describe('PEM of the CA certificate, pinned: nothing that arrives with a CRL can change it.');
const prefix = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9!_.*'()/-]{0,252}\/$/, 'expected a key prefix that ends with a slash and does not begin with one');

/** RegisterCACertificate refuses a certificate that is registered already (ResourceAlreadyExistsException), and with it the whole deployment. */
const registerWithIot = z
  .boolean()
  .default(true)
  .describe(
    'Register the CA with AWS IoT. `false` where the fleet exists and its CA is registered already: AWS IoT refuses to do it twice, and the registration stays as it is.',
  );

export const CreatedAnchor = z
  .strictObject({
    id: anchorId,
    type: z.literal('acm-pca').describe('A CA at AWS Private CA.'),
    create: z
      .strictObject({
        commonName: z.string().min(1).max(64).describe('Common name of the CA. RFC 5280 allows 64 characters.'),
        organization: z.string().min(1).max(64).optional().describe('Organization of the CA.'),
        keyAlgorithm: z
          .enum(Object.keys(KEY_FAMILIES) as [KeyAlgorithm, ...KeyAlgorithm[]])
          .default('EC_prime256v1')
          .describe('Key of the CA. Cannot be changed later: a change makes a new CA.'),
        signingAlgorithm: z.enum(SIGNING_ALGORITHMS).optional().describe('Default: the one that matches the strength of the key.'),
        validityYears: wholeNumber(1, 100).default(10).describe('Validity of the root certificate.'),
        crl: z
          .strictObject({
            type: crlType.default('COMPLETE'),
            expirationDays: wholeNumber(1, 5000).default(7).describe('nextUpdate − thisUpdate of its CRLs.'),
          })
          .default({ type: 'COMPLETE', expirationDays: 7 }),
      })
      .superRefine((create, context) => {
        const family = KEY_FAMILIES[create.keyAlgorithm];
        if (create.signingAlgorithm === undefined || create.signingAlgorithm.endsWith(`WITH${family}`)) return;
        const message = `expected an algorithm of the family of ${create.keyAlgorithm}: ${SIGNING_ALGORITHMS.filter((name) => name.endsWith(`WITH${family}`)).join(', ')}`;
        context.addIssue({ code: 'custom', path: ['signingAlgorithm'], input: create.signingAlgorithm, message });
      }),
  })
  .describe('A root CA that this application creates at AWS Private CA (400 USD a month).');

export const ImportedAnchor = z
  .strictObject({
    id: anchorId,
    type: z.literal('acm-pca').describe('A CA at AWS Private CA.'),
    arn: z
      .string()
      .regex(
        /^arn:aws[a-z-]*:acm-pca:[a-z]{2}[a-z-]*-\d:\d{12}:certificate-authority\/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/,
        'expected arn:<partition>:acm-pca:<region>:<account>:certificate-authority/<uuid>',
      )
      .describe('ARN of an AWS Private CA that exists. Its CRL configuration is not touched: an output of the stack has the command.'),
    certificatePem: pem,
    registerWithIot,
    crl: z.strictObject({
      type: crlType,
      prefix: prefix.default('crl/').describe('Where this CA puts its CRLs in our bucket: its CustomPath, or AWS’s own default.'),
    }),
  })
  .describe('An AWS Private CA that exists already.');

export const ExternalAnchor = z
  .strictObject({
    id: anchorId,
    type: z.literal('external').describe('A CA anywhere else.'),
    certificatePem: pem,
    registerWithIot,
    signer: z
      .strictObject({
        type: z.literal('kms').describe('The CA is ours: its private key is a key of AWS KMS. See docs/signer.md.'),
        keyArn: z
          .string()
          // No alias: whoever may move an alias could change which key the CA signs with.
          .regex(KMS_KEY_ARN, 'expected arn:<partition>:kms:<region>:<account>:key/<id>')
          .describe('The key that `certificatePem` certifies: SIGN_VERIFY, on P-256 or P-384, or RSA. In the region of the installation.'),
        crlValidityDays: wholeNumber(1, 365)
          .default(7)
          .describe('nextUpdate − thisUpdate of its CRLs. A new one is published when half of it is over, and after each revocation.'),
      })
      .optional()
      .describe('Only where we hold the key of this CA: it can issue then, and its CRL is written here.'),
    crl: z.strictObject({
      type: crlType.default('COMPLETE'),
      distributionPoints: z
        .array(z.string().min(1).max(1024))
        .default([])
        .describe(
          'URIs under which a CRL may say that it is published (IDP distributionPoint); `{key}` and `{name}` stand for the object’s key and its last segment. A CRL that names another is refused. Empty: no CRL may name one.',
        ),
    }),
  })
  .superRefine(({ certificatePem, signer, crl }, context) => {
    if (signer === undefined) return;
    const refuse = (path: string[], input: unknown, message: string): void => context.addIssue({ code: 'custom', path, input, message });
    if (crl.type !== 'COMPLETE') refuse(['crl', 'type'], crl.type, 'expected COMPLETE where there is a signer');
    if (!isSigningCa(certificatePem))
      refuse(
        ['certificatePem'],
        `${certificatePem.slice(0, 40)}…`,
        'expected the certificate of a CA on P-256 or P-384, or RSA of 2048 bits or more, that may sign CRLs',
      );
  })
  .describe('Any other CA. Its CRL is put into the bucket under `external/<id>/`, by you, or where it has a signer, by this application.');

export type CreatedAnchor = z.infer<typeof CreatedAnchor>;
export type ImportedAnchor = z.infer<typeof ImportedAnchor>;
export type ExternalAnchor = z.infer<typeof ExternalAnchor>;
export type AnchorConfig = CreatedAnchor | ImportedAnchor | ExternalAnchor;

/** Chosen by the keys that are there and then checked against one schema, so that a slip is reported where it is and not as "no variant fits". */
export const AnchorConfig = z.unknown().transform((value, context): AnchorConfig => {
  const schema = schemaOf(value);
  if (schema === undefined) {
    context.addIssue({ code: 'custom', input: value, message: `expected type 'acm-pca' with one of create and arn, or type 'external'` });
    return z.NEVER;
  }
  const parsed = schema.safeParse(value, { reportInput: true });
  if (parsed.success) return parsed.data;
  for (const issue of parsed.error.issues) context.issues.push({ ...issue, input: issue.input } as (typeof context.issues)[number]);
  return z.NEVER;
});

function schemaOf(value: unknown): typeof CreatedAnchor | typeof ImportedAnchor | typeof ExternalAnchor | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const type = 'type' in value ? value.type : undefined;
  if (type === 'external') return ExternalAnchor;
  if (type !== 'acm-pca' || 'create' in value === 'arn' in value) return undefined;
  return 'create' in value ? CreatedAnchor : ImportedAnchor;
}

export const isCreated = (anchor: AnchorConfig): anchor is CreatedAnchor => 'create' in anchor;
export const isImported = (anchor: AnchorConfig): anchor is ImportedAnchor => 'arn' in anchor;

/** An external anchor whose key we hold. */
export type SignerAnchor = ExternalAnchor & { readonly signer: NonNullable<ExternalAnchor['signer']> };
export const hasSigner = (anchor: AnchorConfig): anchor is SignerAnchor => 'signer' in anchor && anchor.signer !== undefined;

/** Whether this application can have certificates issued under it. */
export const canIssue = (anchor: AnchorConfig): boolean => isCreated(anchor) || isImported(anchor) || hasSigner(anchor);

/** What a pinned certificate must be where we sign for it: a key whose algorithm is known here, and leave to sign CRLs. */
function isSigningCa(certificatePem: string): boolean {
  try {
    const certificate = Certificate.read(certificatePem);
    return caSignatureOf(certificate.publicKey) !== undefined && certificate.maySignCrls;
  } catch {
    return false;
  }
}

/** The one algorithm that an anchor's key signs with, in the words of KMS. The configuration was checked. */
export function kmsAlgorithmOf({ id, certificatePem }: SignerAnchor): string {
  const algorithm = caSignatureOf(Certificate.read(certificatePem).publicKey);
  if (algorithm === undefined)
    throw new Error(`trust anchor ${id}: got a key that does not sign here, expected one on P-256, P-384 or RSA`);
  return algorithm.kmsAlgorithm;
}

/** The key prefix under which an anchor's CRLs lie in the CRL bucket: `crl/` is AWS's own default (FACTS A1). */
export function crlPrefixOf(anchor: AnchorConfig): string {
  if (isCreated(anchor)) return 'crl/';
  return isImported(anchor) ? anchor.crl.prefix : `external/${anchor.id}/`;
}

export function signingAlgorithmOf(create: CreatedAnchor['create']): SigningAlgorithm {
  return create.signingAlgorithm ?? DEFAULT_SIGNING[create.keyAlgorithm];
}
