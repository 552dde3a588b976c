/** The application as it is deployed where the only CA is one of our own in KMS: templates, bundled functions and roles, on the desk. */
import { createPrivateKey, createPublicKey } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { GetObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { IoTClient } from '@aws-sdk/client-iot';
import { Certificate } from '../../domain/pki/certificate.js';
import { CertificateRequest } from '../../domain/pki/certificate-request.js';
import { deviceCertificateTbs } from '../../domain/pki/certificate-writer.js';
import { derToPem, pemToDer } from '../../domain/pki/pem.js';
import { serialNumberFromBytes } from '../../domain/pki/serial-number.js';
import { applicationParameterName, DEFAULT_PREFIX } from '../../domain/protocol/application-parameters.js';
import { signedCrlKey } from '../../domain/protocol/signer.js';
import { startDesk, type Desk } from '../../local/desk.js';
import { enrol, type EnrolledDevice } from '../../local/fleet/enrol.js';
import { synthesise } from '../../local/synth.js';
import { ownCa, type OwnCa } from '../builders/own-ca.js';
import type { Template } from '../scenarios/support/assembly.js';

const KEY_ID = '5e1f51a0-0000-4000-8000-000000000001';
export const KEY_ARN = `arn:aws:kms:eu-west-1:000000000000:key/${KEY_ID}`;
const DAY_MS = 86_400_000;
let serials = 0;

export interface OwnApplication {
  readonly desk: Desk;
  readonly ca: OwnCa;
  parameter(name: string): Promise<string>;
  send(queue: string, message: unknown): Promise<void>;
  enrol(thingNames: readonly string[], daysLeft: number): Promise<EnrolledDevice[]>;
  crl(): Promise<Buffer>;
  stop(): Promise<void>;
}

/** `edit` changes the template of the app stack before it is deployed. */
export async function startApplication(edit: (template: Template) => void): Promise<OwnApplication> {
  const ca = ownCa();
  const folder = mkdtempSync(path.join(tmpdir(), 'fleetwarden-signer-'));
  const configuration = {
    prefix: DEFAULT_PREFIX,
    trustAnchors: [{ id: 'own', type: 'external', certificatePem: ca.certificatePem, signer: { type: 'kms', keyArn: KEY_ARN }, crl: {} }],
    revocation: { mode: 'enforce', ratePerSecond: 100, quotaPerSecond: 100 },
    rotation: { mode: 'enforce', windowDays: 30, validityDays: 90, graceDays: 0, ratePerSecond: 100 },
    inventory: { ratePerSecond: 100 },
  };
  let desk: Desk;
  try {
    const assembly = await synthesise(configuration, folder);
    const file = path.join(assembly, `${DEFAULT_PREFIX}-app.template.json`);
    const template = JSON.parse(readFileSync(file, 'utf8')) as Template;
    edit(template);
    writeFileSync(file, JSON.stringify(template));
    desk = await startDesk({ assembly, kms: { keys: [{ keyId: KEY_ID, privateKeyPem: ca.privateKeyPem }] } });
  } finally {
    rmSync(folder, { recursive: true });
  }
  const settings = {
    region: desk.env.AWS_REGION,
    endpoint: desk.endpoint,
    credentials: { accessKeyId: desk.env.AWS_ACCESS_KEY_ID, secretAccessKey: desk.env.AWS_SECRET_ACCESS_KEY },
  };
  const [iot, s3] = [new IoTClient(settings), new S3Client({ ...settings, forcePathStyle: true })];
  const parameter = async (name: string): Promise<string> => {
    const Name = name.startsWith('/') ? name : applicationParameterName(DEFAULT_PREFIX, name as 'crlBucket');
    return (await desk.cloud.call<{ Parameter: { Value: string } }>('ssm', 'GetParameter', { Name })).Parameter.Value;
  };
  return {
    desk,
    ca,
    parameter,
    async send(queue, message) {
      const QueueUrl = `${desk.endpoint}/${desk.world.accountId}/${DEFAULT_PREFIX}-${queue}`;
      await desk.cloud.call('sqs', 'SendMessage', { QueueUrl, MessageBody: JSON.stringify(message) });
    },
    /** With certificates of the same CA, as a factory line may have made them: not in its books. */
    enrol: (thingNames, daysLeft) =>
      enrol({
        thingNames,
        iot,
        issuer: {
          kind: 'software',
          sign: ({ csrPem, commonName }) => byFactory(ca, csrPem, commonName, desk.world.clock.nowMs(), daysLeft),
        },
        policyName: `${DEFAULT_PREFIX}-device`,
      }),
    async crl() {
      const { Body } = await s3.send(new GetObjectCommand({ Bucket: await parameter('crlBucket'), Key: signedCrlKey('own') }));
      return Buffer.from(await Body!.transformToByteArray());
    },
    async stop() {
      for (const client of [iot, s3]) client.destroy();
      await desk.stop();
    },
  };
}

async function byFactory(ca: OwnCa, csrPem: string, commonName: string, nowMs: number, daysLeft: number): Promise<string> {
  const { spkiDer } = CertificateRequest.read(pemToDer(csrPem, 'CERTIFICATE REQUEST'));
  const seconds = Math.floor(nowMs / 1000) * 1000;
  const times = { notBeforeMs: seconds - 60 * DAY_MS, notAfterMs: seconds + daysLeft * DAY_MS };
  const serialNumber = serialNumberFromBytes(Buffer.of(0x0f, (serials += 1)));
  const issuer = Certificate.read(ca.certificatePem);
  const der = await ca.signer.sign(createPublicKey(createPrivateKey(ca.privateKeyPem)), (algorithm) =>
    deviceCertificateTbs({ serialNumber, commonName, spkiDer, ...times }, issuer, algorithm),
  );
  return derToPem(der, 'CERTIFICATE');
}
