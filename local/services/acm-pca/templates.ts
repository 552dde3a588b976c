/**
 * Certificate templates (ACM PCA user guide, "Understanding certificate templates"; FACTS A5). What the template defines wins over the request; then
 * the API's values, then the CSR's, as far as the variant lets them through.
 */
import { AwsError } from '../../models/service.js';
import type { Csr } from './csr.js';
import { tlv, sequence, oid, octetString, boolean, type Der } from './der.js';
import {
  basicConstraints,
  extension,
  extKeyUsage,
  EXTENDED_KEY_USAGES,
  KEY_USAGE_BITS,
  keyUsage,
  OID,
  type Extension,
  type KeyUsageBit,
} from './extensions.js';
import { generalName, nameOf, type Asn1Subject, type GeneralName } from './names.js';

export interface ApiPassthrough {
  readonly Subject?: Asn1Subject;
  readonly Extensions?: {
    readonly KeyUsage?: Readonly<Partial<Record<KeyUsageBit, boolean>>>;
    readonly ExtendedKeyUsage?: readonly { readonly ExtendedKeyUsageType?: string; readonly ExtendedKeyUsageObjectIdentifier?: string }[];
    readonly SubjectAlternativeNames?: readonly GeneralName[];
    readonly CertificatePolicies?: readonly {
      readonly CertPolicyId: string;
      readonly PolicyQualifiers?: readonly { readonly Qualifier: { readonly CpsUri: string } }[];
    }[];
    readonly CustomExtensions?: readonly { readonly ObjectIdentifier: string; readonly Value: string; readonly Critical?: boolean }[];
  };
}

export interface Template {
  readonly arn: string;
  readonly kind: 'root' | 'subordinate' | 'end-entity';
  readonly fixed: readonly Extension[];
  readonly api: boolean;
  readonly csr: boolean;
  /** Blank templates take key usages from the request. */
  readonly blank: boolean;
}

const END_ENTITY: readonly KeyUsageBit[] = ['DigitalSignature', 'KeyEncipherment'];
const AUTHORITY: readonly KeyUsageBit[] = ['DigitalSignature', 'KeyCertSign', 'CRLSign'];
const usages = (...names: readonly string[]): Extension => extKeyUsage(names.map((name) => EXTENDED_KEY_USAGES[name] ?? name));
const leaf = (...names: readonly string[]): readonly Extension[] => [
  basicConstraints(false, undefined, false),
  keyUsage(END_ENTITY),
  usages(...names),
];

const BASES: Readonly<Record<string, Pick<Template, 'kind' | 'fixed'>>> = {
  RootCACertificate: { kind: 'root', fixed: [basicConstraints(true, undefined, true), keyUsage(AUTHORITY)] },
  ...Object.fromEntries(
    [0, 1, 2, 3].map((depth) => [
      `SubordinateCACertificate_PathLen${depth}`,
      { kind: 'subordinate' as const, fixed: [basicConstraints(true, depth, true), keyUsage(AUTHORITY)] },
    ]),
  ),
  EndEntityCertificate: { kind: 'end-entity', fixed: leaf('SERVER_AUTH', 'CLIENT_AUTH') },
  EndEntityClientAuthCertificate: { kind: 'end-entity', fixed: leaf('CLIENT_AUTH') },
  EndEntityServerAuthCertificate: { kind: 'end-entity', fixed: leaf('SERVER_AUTH') },
  BlankEndEntityCertificate: { kind: 'end-entity', fixed: [basicConstraints(false, undefined, false)] },
};
export const DEFAULT_TEMPLATE = 'arn:aws:acm-pca:::template/EndEntityCertificate/V1';
const ARN = /^arn:aws[a-z-]*:acm-pca:::template\/(?<base>[A-Za-z]+(?:_PathLen\d)?)(?:_(?<variant>API|CSR|APICSR)Passthrough)?\/V1$/;

/** Throws InvalidArgsException for a template that AWS or the desk does not have. */
export function templateOf(arn: string): Template {
  const groups = ARN.exec(arn)?.groups ?? {};
  const base = BASES[groups['base'] ?? ''];
  const variant = groups['variant'];
  const blank = groups['base']?.startsWith('Blank') ?? false;
  // RootCACertificate has only the API variant, the blank ones have no plain form.
  if (!base || (blank && variant === undefined) || (base.kind === 'root' && (variant ?? 'API') !== 'API')) {
    throw new AwsError('InvalidArgsException', `TemplateArn: got '${arn}', which the desk does not have.`);
  }
  return { arn, ...base, blank, api: variant === 'API' || variant === 'APICSR', csr: variant === 'CSR' || variant === 'APICSR' };
}

/** Passthrough values are ignored by templates without API passthrough (FACTS A5). */
export function subjectOf(template: Template, csr: Csr, passthrough: ApiPassthrough | undefined): Der {
  return template.api && passthrough?.Subject !== undefined ? nameOf(passthrough.Subject) : csr.subject;
}

/** Extensions apart from the ones that come from the issuer and the keys: first come, first kept. */
export function extensionsOf(template: Template, csr: Csr, passthrough: ApiPassthrough | undefined): readonly Extension[] {
  const fromApi = template.api ? apiExtensions(passthrough?.Extensions ?? {}, template.blank) : [];
  const fromCsr = csr.extensions.filter(({ oid: identifier }) =>
    template.csr ? !RESERVED.has(identifier) : identifier === OID.subjectAltName,
  );
  const chosen = new Map<string, Extension>();
  for (const candidate of [...template.fixed, ...fromApi, ...fromCsr]) if (!chosen.has(candidate.oid)) chosen.set(candidate.oid, candidate);
  return [...chosen.values()];
}

/** Set by the CA alone, whatever a CSR asks for. */
const RESERVED: ReadonlySet<string> = new Set([
  OID.basicConstraints,
  OID.subjectKeyIdentifier,
  OID.authorityKeyIdentifier,
  OID.cRLDistributionPoints,
]);

function apiExtensions(extensions: NonNullable<ApiPassthrough['Extensions']>, blank: boolean): readonly Extension[] {
  const found: Extension[] = [];
  if (blank && extensions.KeyUsage) found.push(keyUsage(KEY_USAGE_BITS.filter((bit) => extensions.KeyUsage?.[bit])));
  if (blank && extensions.ExtendedKeyUsage) {
    found.push(
      usages(...extensions.ExtendedKeyUsage.map((usage) => usage.ExtendedKeyUsageType ?? usage.ExtendedKeyUsageObjectIdentifier ?? '')),
    );
  }
  if (extensions.SubjectAlternativeNames)
    found.push(extension(OID.subjectAltName, sequence(...extensions.SubjectAlternativeNames.map(generalName))));
  if (extensions.CertificatePolicies)
    found.push(extension(OID.certificatePolicies, sequence(...extensions.CertificatePolicies.map(policyInformation))));
  for (const custom of extensions.CustomExtensions ?? []) {
    const value = octetString(Buffer.from(custom.Value, 'base64'));
    found.push({
      oid: custom.ObjectIdentifier,
      der: sequence(oid(custom.ObjectIdentifier), ...(custom.Critical ? [boolean(true)] : []), value),
    });
  }
  return found;
}

/** RFC 5280 §4.2.1.4, with the CPS qualifier, the only one of the API. */
function policyInformation(policy: NonNullable<NonNullable<ApiPassthrough['Extensions']>['CertificatePolicies']>[number]): Der {
  const qualifiers = (policy.PolicyQualifiers ?? []).map(({ Qualifier }) =>
    sequence(oid('1.3.6.1.5.5.7.2.1'), tlv(0x16, Buffer.from(Qualifier.CpsUri, 'latin1'))),
  );
  return sequence(oid(policy.CertPolicyId), ...(qualifiers.length > 0 ? [sequence(...qualifiers)] : []));
}
