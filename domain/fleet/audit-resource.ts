/** What a finding is about, in the words of the API (`AuditFinding.nonCompliantResource`, FACTS C4), and its name in one line. */
import { z } from 'zod';

/** One member is set, by the type of the resource. Others, which AWS may add, are kept: the name below is made of what is there. */
export const ResourceIdentifier = z.looseObject({
  deviceCertificateId: z.string().optional(),
  /** `…:cert/<certificateId>` */
  deviceCertificateArn: z.string().optional(),
  caCertificateId: z.string().optional(),
  cognitoIdentityPoolId: z.string().optional(),
  clientId: z.string().optional(),
  policyVersionIdentifier: z.looseObject({ policyName: z.string().optional(), policyVersionId: z.string().optional() }).optional(),
  account: z.string().optional(),
  iamRoleArn: z.string().optional(),
  roleAliasArn: z.string().optional(),
  issuerCertificateIdentifier: z
    .looseObject({
      issuerCertificateSubject: z.string().optional(),
      issuerId: z.string().optional(),
      issuerCertificateSerialNumber: z.string().optional(),
    })
    .optional(),
});
export type ResourceIdentifier = z.infer<typeof ResourceIdentifier>;

const CERTIFICATE_ID = /^[0-9a-f]{64}$/;

/** `undefined`: it names no device certificate. The ARN of the same certificate is the same certificate. */
export function deviceCertificateOf({ deviceCertificateId, deviceCertificateArn }: ResourceIdentifier): string | undefined {
  const id = deviceCertificateId ?? /:cert\/([^/]+)$/.exec(deviceCertificateArn ?? '')?.[1];
  return id !== undefined && CERTIFICATE_ID.test(id) ? id : undefined;
}

/**
 * The name by which findings of different audits are the same one, readable: a certificateId, `pump-7`, `policy-name version 3`. `undefined`: the
 * identifier names nothing.
 */
export function resourceName(identifier: ResourceIdentifier): string | undefined {
  const certificate = deviceCertificateOf(identifier);
  if (certificate !== undefined) return certificate;
  const parts = textsOf(identifier);
  return parts.length === 0 ? undefined : parts.join(' ').slice(0, 1000);
}

/** Every text in it, in the order of the names, so that the same resource always has the same name. */
function textsOf(value: unknown): string[] {
  if (typeof value === 'string') return value === '' ? [] : [value];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value)
    .toSorted(([one], [other]) => (one < other ? -1 : 1))
    .flatMap(([, item]) => textsOf(item));
}
