/**
 * Enrols devices as a factory line would: keys and request → certificate (ACM PCA, or a software CA) → registry → thing → policy → attachment.
 * Real SDK clients over HTTP: what works here works against AWS.
 */
import { GetCertificateCommand, IssueCertificateCommand, RequestInProgressException, type ACMPCAClient } from '@aws-sdk/client-acm-pca';
import {
  AttachPolicyCommand,
  AttachThingPrincipalCommand,
  CreateThingCommand,
  RegisterCertificateCommand,
  RegisterCertificateWithoutCACommand,
  type IoTClient,
} from '@aws-sdk/client-iot';
import { setTimeout as sleep } from 'node:timers/promises';
import { Gate } from './gate.js';
import type { DeviceIdentity } from './messages.js';
import { createSigningRequest } from './signing-request.js';

/** Who signs: a CA of ACM PCA by its ARN, or a function that turns a request into a certificate. */
export type Issuer =
  | {
      readonly kind: 'acm-pca';
      readonly client: ACMPCAClient;
      readonly certificateAuthorityArn: string;
      readonly validityDays: number;
      readonly signingAlgorithm?: 'SHA256WITHECDSA' | 'SHA256WITHRSA' | 'SHA384WITHECDSA';
    }
  | { readonly kind: 'software'; readonly sign: (request: { readonly csrPem: string; readonly commonName: string }) => Promise<string> };

export interface EnrolOptions {
  readonly thingNames: readonly string[];
  readonly iot: IoTClient;
  readonly issuer: Issuer;
  readonly policyName: string;
  /** Register with the CA that is in the registry, or by the certificate alone. @default with-ca */
  readonly registration?: 'with-ca' | 'without-ca';
  /** Needed where several registered CAs have the same subject. */
  readonly caCertificatePem?: string;
  /** Devices at a time. @default 16 */
  readonly parallel?: number;
  readonly onProgress?: (done: number, total: number) => void;
}

export interface EnrolledDevice extends DeviceIdentity {
  readonly certificateId: string;
  readonly certificateArn: string;
  /** Of the Private CA, where it issued. */
  readonly pcaCertificateArn?: string;
}

const CLIENT_TEMPLATE = 'arn:aws:acm-pca:::template/EndEntityClientAuthCertificate/V1';
const ISSUE_WAIT_MS = 50;
const ISSUE_ATTEMPTS = 1200;

/** Resolves to the devices in the order of their names; rejects with the first error. */
export async function enrol(options: EnrolOptions): Promise<EnrolledDevice[]> {
  const gate = new Gate(options.parallel ?? 16);
  let done = 0;
  return Promise.all(
    options.thingNames.map(async (thingName) => {
      const leave = await gate.enter();
      try {
        const device = await enrolOne(thingName, options);
        options.onProgress?.(++done, options.thingNames.length);
        return device;
      } finally {
        leave();
      }
    }),
  );
}

async function enrolOne(thingName: string, options: EnrolOptions): Promise<EnrolledDevice> {
  const { iot, policyName } = options;
  // A common name has at most 64 characters (X.520), a thing name 128: the registry does not need them equal.
  const commonName = thingName.slice(0, 64);
  const { csrPem, privateKeyPem } = await createSigningRequest(commonName);
  const issued = await issue(options.issuer, csrPem, commonName);
  // The thing does not depend on the certificate: both at once.
  const [registered] = await Promise.all([register(issued.certificatePem, options), iot.send(new CreateThingCommand({ thingName }))]);
  const { certificateArn, certificateId } = registered;
  if (!certificateArn || !certificateId) throw new Error(`${thingName}: the registry gave no certificate id`);
  await Promise.all([
    iot.send(new AttachPolicyCommand({ policyName, target: certificateArn })),
    iot.send(new AttachThingPrincipalCommand({ thingName, principal: certificateArn, thingPrincipalType: 'EXCLUSIVE_THING' })),
  ]);
  return { thingName, privateKeyPem, certificateId, certificateArn, ...issued };
}

async function register(
  certificatePem: string,
  { iot, registration, caCertificatePem }: EnrolOptions,
): Promise<{ certificateArn?: string; certificateId?: string }> {
  if (registration === 'without-ca') return iot.send(new RegisterCertificateWithoutCACommand({ certificatePem, status: 'ACTIVE' }));
  return iot.send(new RegisterCertificateCommand({ certificatePem, status: 'ACTIVE', ...(caCertificatePem ? { caCertificatePem } : {}) }));
}

async function issue(issuer: Issuer, csrPem: string, commonName: string): Promise<{ certificatePem: string; pcaCertificateArn?: string }> {
  if (issuer.kind === 'software') return { certificatePem: await issuer.sign({ csrPem, commonName }) };
  const { client, certificateAuthorityArn: CertificateAuthorityArn, validityDays, signingAlgorithm } = issuer;
  const { CertificateArn } = await client.send(
    new IssueCertificateCommand({
      CertificateAuthorityArn,
      Csr: Buffer.from(csrPem),
      SigningAlgorithm: signingAlgorithm ?? 'SHA256WITHECDSA',
      TemplateArn: CLIENT_TEMPLATE,
      Validity: { Type: 'DAYS', Value: validityDays },
    }),
  );
  for (let attempt = 1; ; attempt++) {
    try {
      const { Certificate } = await client.send(new GetCertificateCommand({ CertificateAuthorityArn, CertificateArn }));
      return { certificatePem: Certificate!, pcaCertificateArn: CertificateArn! };
    } catch (error) {
      if (!(error instanceof RequestInProgressException) || attempt >= ISSUE_ATTEMPTS) throw error;
      await sleep(ISSUE_WAIT_MS);
    }
  }
}
