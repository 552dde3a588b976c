/**
 * The adapters of `issue` and `prove` against the desk: real SDK clients, a real Private CA, a real registry, real Jobs, and devices on MQTT over
 * mutual TLS. Old certificates come from a factory CA, new ones from the Private CA.
 */
import { randomUUID } from 'node:crypto';
import {
  CreateCertificateAuthorityCommand,
  GetCertificateAuthorityCsrCommand,
  GetCertificateCommand,
  ImportCertificateAuthorityCertificateCommand,
  IssueCertificateCommand,
} from '@aws-sdk/client-acm-pca';
import { CreatePolicyCommand, CreateThingCommand, RegisterCACertificateCommand } from '@aws-sdk/client-iot';
import { PutParameterCommand } from '@aws-sdk/client-ssm';
import mqtt, { type MqttClient } from 'mqtt';
import type { CertificateId } from '../../domain/fleet/certificate-id.js';
import { thingName, type ThingName } from '../../domain/fleet/thing-name.js';
import { Certificate } from '../../domain/pki/certificate.js';
import { RotationResponse } from '../../domain/protocol/rotation.js';
import { documentClient, iotClient, iotDataClient, privateCaClient, ssmClient } from '../../lambda/aws/clients.js';
import { dynamoCampaigns } from '../../lambda/aws/campaigns.js';
import { dynamoContainments } from '../../lambda/aws/containments.js';
import { dynamoDecisionLog } from '../../lambda/aws/decision-log.js';
import { dynamoEmergencyStop } from '../../lambda/aws/emergency-stop.js';
import { iotEnrolling } from '../../lambda/aws/enrolling.js';
import { dynamoInventory } from '../../lambda/aws/inventory.js';
import { acmIssuingCa } from '../../lambda/aws/issuing-ca.js';
import { iotCampaignGroups, iotJobs } from '../../lambda/aws/jobs.js';
import { dynamoPace } from '../../lambda/aws/pace.js';
import { iotRegistry } from '../../lambda/aws/registry.js';
import { dynamoRotations } from '../../lambda/aws/rotations.js';
import { ssmTrustAnchors } from '../../lambda/aws/trust-anchors.js';
import { wallClock } from '../../lambda/runtime/clock.js';
import type { Clock } from '../../lambda/ports/clock.js';
import type { Desk } from '../../local/desk.js';
import { createCa, type IssuedCertificate } from '../builders/ca.js';
import { deskWithStores, TABLES } from '../revocation/desk-ports.js';
import { MemorySignals } from '../revocation/memory/world.js';
import { DEVICE_POLICY } from '../local/gateway-desk.js';

const TRUST = '/fleet/trust';
export const POLICY = 'fleet-device';

/** Waiting takes real time; the CA, which lives in the desk's time, is given as much of it. */
const clockOf = (desk: Desk): Clock => ({
  nowMs: () => desk.world.clock.nowMs(),
  async sleepUntil(atMs) {
    const waitMs = atMs - desk.world.clock.nowMs();
    if (waitMs > 0) await desk.world.clock.advance(waitMs);
  },
});

export async function startRotationDesk() {
  const desk = await deskWithStores();
  const factory = await createCa({ name: 'CN=Factory CA' });
  const { arn: caArn, pem: caPem } = await createPrivateCa(desk);
  const put = (name: string, Value: string) =>
    ssmClient().send(new PutParameterCommand({ Name: `${TRUST}/${name}`, Value, Type: 'String' }));
  await put('fleet-ca/certificate', caPem);
  await put(
    'fleet-ca/settings',
    JSON.stringify({ type: 'acm-pca', certificateAuthorityArn: caArn, crl: { type: 'COMPLETE', prefix: 'crl/', distributionPoints: [] } }),
  );
  const iot = iotClient();
  for (const caCertificate of [caPem, factory.certificatePem])
    await iot.send(new RegisterCACertificateCommand({ caCertificate, certificateMode: 'SNI_ONLY', setAsActive: true }));
  await iot.send(new CreatePolicyCommand({ policyName: POLICY, policyDocument: JSON.stringify(DEVICE_POLICY) }));

  const clock = clockOf(desk);
  const dynamo = documentClient();
  const ledger = { client: dynamo, table: TABLES.ledger };
  const anchors = ssmTrustAnchors(ssmClient(), TRUST, wallClock);
  const ports = {
    anchors,
    ca: acmIssuingCa(privateCaClient(), anchors, 'fleet-ca'),
    campaigns: dynamoCampaigns(ledger, clock),
    clock,
    containments: dynamoContainments(ledger),
    decisions: dynamoDecisionLog(ledger),
    enrolling: iotEnrolling(iot, iotDataClient()),
    groups: iotCampaignGroups(iot),
    inventory: dynamoInventory(dynamo, TABLES.inventory, clock),
    jobs: iotJobs(iot),
    pace: dynamoPace(ledger),
    registry: iotRegistry(iot, iotDataClient()),
    rotations: dynamoRotations(ledger, clock),
    signals: new MemorySignals(),
    stop: dynamoEmergencyStop(ledger),
  };
  const clients: MqttClient[] = [];
  return {
    desk,
    caPem,
    ports,
    ledger,
    /** A thing with a certificate of the factory, ACTIVE, with the device policy, in the inventory. */
    async enrol(name: string): Promise<DeskDevice> {
      const issued = await factory.issue({ subject: `CN=${name}` });
      const thing = thingName(name);
      await iot.send(new CreateThingCommand({ thingName: name }));
      const id = await ports.enrolling.register(issued.certificatePem, factory.certificatePem, 'ACTIVE');
      await ports.enrolling.attachPolicy(id, POLICY);
      await ports.enrolling.attachThing(id, thing);
      const { issuerId, serialNumber, notBeforeMs, notAfterMs } = Certificate.read(issued.certificatePem);
      await ports.inventory.record({
        certificateId: id,
        issuerId,
        serialNumber,
        notBeforeMs,
        notAfterMs,
        thingName: thing,
        status: 'ACTIVE',
        source: 'registration',
      });
      return { thing, id, issued };
    },
    /** A certificate of the factory that is not registered, two things, and the policy. */
    async unregistered() {
      const name = `t-${randomUUID()}`;
      const { certificatePem: pem } = await factory.issue({ subject: `CN=${name}` });
      for (const suffix of ['', '0']) await iot.send(new CreateThingCommand({ thingName: `${name}${suffix}` }));
      return { pem, caPem: factory.certificatePem, thing: name, other: `${name}0`, policy: POLICY };
    },
    /** Connects by mutual TLS; hears the answers of the cloud. */
    async connect(name: string, certificatePem: string, privateKeyPem: string): Promise<Connection> {
      const client = await mqtt.connectAsync(
        `mqtts://localhost:${desk.env.DESK_MQTT_PORT}`,
        { ca: desk.serverCaPem, cert: certificatePem, key: privateKeyPem, clientId: name, protocolVersion: 4, reconnectPeriod: 0 },
        false,
      );
      client.on('error', () => undefined);
      clients.push(client);
      const heard: RotationResponse[] = [];
      client.on('message', (topic, payload) => {
        if (topic === `fleet/${name}/rotation/response`) heard.push(RotationResponse.parse(JSON.parse(payload.toString())));
      });
      await client.subscribeAsync([`fleet/${name}/rotation/response`, `$aws/things/${name}/jobs/start-next/accepted`], { qos: 1 });
      return { client, heard };
    },
    async stop() {
      for (const client of clients) client.end(true);
      await desk.stop();
    },
  };
}

export type RotationDesk = Awaited<ReturnType<typeof startRotationDesk>>;
export interface DeskDevice {
  readonly thing: ThingName;
  readonly id: CertificateId;
  readonly issued: IssuedCertificate;
}
export interface Connection {
  readonly client: MqttClient;
  readonly heard: readonly RotationResponse[];
}

async function createPrivateCa(desk: Desk): Promise<{ arn: string; pem: string }> {
  const pca = privateCaClient();
  const { CertificateAuthorityArn: arn = '' } = await pca.send(
    new CreateCertificateAuthorityCommand({
      CertificateAuthorityType: 'ROOT',
      CertificateAuthorityConfiguration: {
        KeyAlgorithm: 'EC_prime256v1',
        SigningAlgorithm: 'SHA256WITHECDSA',
        Subject: { CommonName: 'Fleet CA' },
      },
    }),
  );
  const { Csr = '' } = await pca.send(new GetCertificateAuthorityCsrCommand({ CertificateAuthorityArn: arn }));
  const { CertificateArn = '' } = await pca.send(
    new IssueCertificateCommand({
      CertificateAuthorityArn: arn,
      Csr: Buffer.from(Csr),
      SigningAlgorithm: 'SHA256WITHECDSA',
      TemplateArn: 'arn:aws:acm-pca:::template/RootCACertificate/V1',
      Validity: { Type: 'DAYS', Value: 3650 },
    }),
  );
  await desk.world.clock.advance(1000);
  const { Certificate: pem = '' } = await pca.send(new GetCertificateCommand({ CertificateAuthorityArn: arn, CertificateArn }));
  await pca.send(new ImportCertificateAuthorityCertificateCommand({ CertificateAuthorityArn: arn, Certificate: Buffer.from(pem) }));
  return { arn, pem };
}
