/**
 * The cloud's side of a rotation, reduced to a script: what the functions issue and prove answer, with a real registry, real certificates and the
 * principal of the connection. It can be told to misbehave.
 */
import 'reflect-metadata';
import {
  AttachPolicyCommand,
  AttachThingPrincipalCommand,
  CreateJobCommand,
  DescribeCertificateCommand,
  DescribeJobExecutionCommand,
  ListThingPrincipalsCommand,
  RegisterCertificateCommand,
  UpdateCertificateCommand,
} from '@aws-sdk/client-iot';
import * as x509 from '@peculiar/x509';
import { webcrypto } from 'node:crypto';
import { RotationProof, RotationRequest, type RotationRefusal, type RotationResponse } from '../../domain/protocol/rotation.js';
import { deviceTopic } from '../../domain/protocol/topics.js';
import type { IotRegistry } from '../../local/cloud.js';
import { ARN, type Device, type GatewayDesk } from '../local/gateway-desk.js';

export interface Heard {
  readonly thingName: string;
  readonly principal: string;
  readonly message: { readonly jobId: string; readonly csr?: string };
}

export interface Script {
  /** Called for each request; what it returns is done instead of issuing. */
  readonly onRequest?: (heard: Heard, count: number) => Twist | undefined;
  readonly onProof?: (heard: Heard, count: number) => Twist | undefined;
}
export type Twist =
  | { readonly kind: 'silent' }
  | { readonly kind: 'lose-answer' }
  | { readonly kind: 'answer-twice' }
  | { readonly kind: 'refuse'; readonly reason: RotationRefusal | 'unheard-of'; readonly final: boolean }
  | { readonly kind: 'issue-inactive' }
  | { readonly kind: 'send'; readonly response: RotationResponse | string };

export interface Issued {
  readonly csr: string;
  readonly certificatePem: string;
  readonly certificateId: string;
}

export class ScriptedCloud {
  readonly requests: Heard[] = [];
  readonly proofs: Heard[] = [];
  /** All certificates issued, by thing. */
  readonly issued = new Map<string, Issued[]>();
  readonly errors: unknown[] = [];
  private readonly scripts = new Map<string, Script>();
  private jobs = 0;
  private queue: Promise<unknown> = Promise.resolve();

  constructor(private readonly desk: GatewayDesk) {
    const { parts } = desk.cloud;
    const rules = parts.rules;
    parts.rules = (message) => {
      rules?.(message);
      const [, thingName, kind] = /^fleet\/([^/]+)\/rotation\/(request|proof)$/.exec(message.topic) ?? [];
      if (thingName === undefined) return;
      const heard = { thingName, principal: message.principal ?? '', text: Buffer.from(message.payload).toString() };
      // One after the other, as a queue with one consumer would: the same request twice is answered the same.
      this.queue = this.queue.then(() => this.hear(kind!, heard)).catch((error: unknown) => this.errors.push(error));
    };
  }

  script(thingName: string, script: Script): void {
    this.scripts.set(thingName, script);
  }

  /** Resolves to the id of the new job. */
  async offer(
    device: Pick<Device, 'thingName'>,
    document: object = {},
    jobId = `rotate-${++this.jobs}-${device.thingName}`,
  ): Promise<string> {
    await this.desk.iot.send(
      new CreateJobCommand({
        jobId,
        targets: [ARN(`thing/${device.thingName}`)],
        document: JSON.stringify({
          operation: 'rotate-certificate',
          version: 1,
          campaignId: 'test',
          reason: 'expires-soon',
          deadline: '2027-01-01T00:00:00Z',
          ...document,
        }),
      }),
    );
    return jobId;
  }

  async execution(jobId: string, thingName: string): Promise<{ readonly status: string; readonly details: Record<string, string> }> {
    const { execution } = await this.desk.iot.send(new DescribeJobExecutionCommand({ jobId, thingName }));
    return { status: execution!.status!, details: execution?.statusDetails?.detailsMap ?? {} };
  }

  /** Status of every certificate that is attached to a thing, by its id. */
  async certificatesOf(thingName: string): Promise<Record<string, string>> {
    const { principals } = await this.desk.iot.send(new ListThingPrincipalsCommand({ thingName }));
    const ids = (principals ?? []).map((arn) => arn.slice(arn.indexOf('cert/') + 5));
    const described = await Promise.all(ids.map((certificateId) => this.desk.iot.send(new DescribeCertificateCommand({ certificateId }))));
    return Object.fromEntries(
      described.map(({ certificateDescription }) => [certificateDescription!.certificateId!, certificateDescription!.status!]),
    );
  }

  setStatus(certificateId: string, newStatus: 'ACTIVE' | 'INACTIVE'): Promise<unknown> {
    return this.desk.iot.send(new UpdateCertificateCommand({ certificateId, newStatus }));
  }

  private get registry(): IotRegistry {
    return this.desk.cloud.parts.registry!;
  }

  private async hear(kind: string, { thingName, principal, text }: { thingName: string; principal: string; text: string }): Promise<void> {
    const body: unknown = JSON.parse(text);
    const message = kind === 'request' ? RotationRequest.parse(body) : RotationProof.parse(body);
    const heard: Heard = { thingName, principal, message };
    const all = kind === 'request' ? this.requests : this.proofs;
    all.push(heard);
    const count = all.filter((one) => one.thingName === thingName).length;
    const script = this.scripts.get(thingName);
    const twist = kind === 'request' ? script?.onRequest?.(heard, count) : script?.onProof?.(heard, count);
    if (twist?.kind === 'silent') return;
    if (twist?.kind === 'send') return this.respond(thingName, twist.response);
    if (twist?.kind === 'refuse')
      return this.respond(thingName, { version: 1, status: 'refused', jobId: message.jobId, reason: twist.reason, final: twist.final });
    const response = kind === 'request' ? await this.issue(heard, twist?.kind === 'issue-inactive') : await this.prove(heard);
    if (twist?.kind === 'lose-answer') return;
    this.respond(thingName, response);
    if (twist?.kind === 'answer-twice') this.respond(thingName, response);
  }

  private respond(thingName: string, response: RotationResponse | string): void {
    const text = typeof response === 'string' ? response : JSON.stringify(response);
    this.desk.gateway.publish(deviceTopic('fleet', thingName, 'rotation/response'), text, { qos: 1 });
  }

  private async issue({ thingName, principal, message }: Heard, inactive: boolean): Promise<RotationResponse> {
    const { jobId, csr } = message;
    const refused = (reason: RotationRefusal): RotationResponse => ({ version: 1, status: 'refused', jobId, reason, final: true });
    if (this.registry.certificate(principal)?.status !== 'ACTIVE') return refused('not-your-certificate');
    const before = this.issued.get(jobId + thingName) ?? [];
    if (before.some((one) => one.csr !== csr)) return refused('another-request');
    const issued = before[0] ?? (await this.issueNew(thingName, csr!, inactive));
    this.issued.set(jobId + thingName, [issued]);
    const { certificatePem, certificateId } = issued;
    return { version: 1, status: 'issued', jobId, certificatePem, certificateId };
  }

  private async issueNew(thingName: string, csr: string, inactive: boolean): Promise<Issued> {
    const certificatePem = await signRequest(this.desk, csr, thingName);
    const { certificateId, certificateArn } = await this.desk.iot.send(
      new RegisterCertificateCommand({ certificatePem, status: inactive ? 'INACTIVE' : 'ACTIVE' }),
    );
    await this.desk.iot.send(new AttachPolicyCommand({ policyName: 'device', target: certificateArn! }));
    await this.desk.iot.send(
      new AttachThingPrincipalCommand({ thingName, principal: certificateArn!, thingPrincipalType: 'EXCLUSIVE_THING' }),
    );
    return { csr, certificatePem, certificateId: certificateId! };
  }

  private async prove({ thingName, principal, message: { jobId } }: Heard): Promise<RotationResponse> {
    const issued = this.issued.get(jobId + thingName)?.[0];
    if (!issued || issued.certificateId !== principal)
      return { version: 1, status: 'refused', jobId, reason: 'not-the-new-certificate', final: true };
    const others = Object.keys(await this.certificatesOf(thingName)).filter((id) => id !== principal);
    for (const id of others) await this.setStatus(id, 'INACTIVE');
    return { version: 1, status: 'proved', jobId, certificateId: principal };
  }
}

async function signRequest({ ca }: GatewayDesk, csrBase64: string, commonName: string): Promise<string> {
  const csr = new x509.Pkcs10CertificateRequest(csrBase64);
  if (!(await csr.verify())) throw new Error('the signature of the request does not verify');
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
  const pkcs8 = ca.privateKey.export({ type: 'pkcs8', format: 'der' });
  const certificate = await x509.X509CertificateGenerator.create({
    subject: [{ CN: [commonName] }],
    issuer: new x509.X509Certificate(ca.certificatePem).subject,
    notBefore: new Date('2026-01-01T00:00:00Z'),
    notAfter: new Date('2030-01-01T00:00:00Z'),
    signingAlgorithm: algorithm,
    signingKey: await webcrypto.subtle.importKey('pkcs8', pkcs8, algorithm, false, ['sign']),
    publicKey: csr.publicKey,
  });
  return certificate.toString('pem');
}
