/** Everything before the first scene: CA, synthesis, desk, templates, enrolment, connections, inventory. */
import { X509Certificate } from 'node:crypto';
import { ListCertificateAuthoritiesCommand } from '@aws-sdk/client-acm-pca';
import { GetItemCommand } from '@aws-sdk/client-dynamodb';
import { GetParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import {
  applicationParameterName,
  DEFAULT_PREFIX,
  type ApplicationParameter,
  type RotationParameter,
} from '../../domain/protocol/application-parameters.js';
import { deskConfiguration, OWN_CA_KEY_ID } from '../desk-configuration.js';
import { startDesk, type Desk } from '../desk.js';
import { enrol, type EnrolledDevice, type Issuer } from '../fleet/enrol.js';
import { startFleet, type Fleet } from '../fleet/fleet.js';
import { synthesise } from '../synth.js';
import { createExternalCa, type ExternalCa } from './external-ca.js';
import { until } from './report.js';
import type { Screen } from './screen.js';
import { clientsFor, commandLine, type Clients, type Member, type Stage } from './stage.js';

/** Four in ten devices have a certificate of AWS Private CA, the others one of the factory CA. */
const PRIVATE_CA_SHARE = 0.4;

export interface Opened {
  readonly desk: Desk;
  readonly externalCa: ExternalCa;
  /** Its key is in AWS KMS; the application keeps its books and writes its CRL. */
  readonly ownCa: ExternalCa;
}

export interface OpenOptions {
  /** Where keys, configuration and the cloud assembly go. */
  readonly directory: string;
  readonly seed?: number;
  readonly port?: number;
  readonly mqttPort?: number;
  readonly revocation?: Readonly<Record<string, unknown>>;
  readonly signal?: AbortSignal;
}

/** Synthesises, starts the desk, and applies the templates to it. */
export async function openDesk(screen: Screen, options: OpenOptions): Promise<Opened> {
  const { directory, seed, port, mqttPort, revocation, signal } = options;
  let startedAt = performance.now();
  const lap = () => {
    const ms = performance.now() - startedAt;
    startedAt = performance.now();
    return ms;
  };
  const externalCa = await createExternalCa(`${directory}/factory-ca`, 'Factory CA', new Date());
  screen.done(`a CA that is not AWS's: "Factory CA", made by ${externalCa.madeBy}`, lap());
  const ownCa = await createExternalCa(`${directory}/plant-ca`, 'Plant CA', new Date());
  const assembly = await synthesise(
    deskConfiguration({ externalCaPem: externalCa.certificatePem, ownCaPem: ownCa.certificatePem, ...(revocation ? { revocation } : {}) }),
    directory,
    signal,
  );
  screen.done('the CDK application is synthesised: the very templates that `cdk deploy` would send', lap());
  const desk = await startDesk({
    assembly,
    kms: { keys: [{ keyId: OWN_CA_KEY_ID, privateKeyPem: await ownCa.privateKeyPem() }] },
    // AWS IoT takes six to eight minutes to let a change of policies count (IG iot-policies.html).
    iot: { policyDelayMs: 7 * 60_000 },
    ...(seed === undefined ? {} : { seed }),
    ...(port === undefined ? {} : { port }),
    ...(mqttPort === undefined ? {} : { mqttPort }),
  });
  screen.done(
    `the desk is up at ${desk.endpoint}, MQTT at ${desk.env.DESK_MQTT_HOST}:${desk.env.DESK_MQTT_PORT}; ${Object.keys(desk.outputs).length} stacks applied`,
    lap(),
    {
      endpoint: desk.endpoint,
      mqttPort: Number(desk.env.DESK_MQTT_PORT),
      seed: desk.world.faults.seed,
    },
  );
  return { desk, externalCa, ownCa };
}

/** Enrols and connects the fleet, and waits until the inventory knows it. */
export async function peopled(
  screen: Screen,
  { desk, externalCa, ownCa }: Opened,
  devices: number,
  onFleet: (fleet: Fleet) => void,
): Promise<Stage> {
  const clients = clientsFor(desk);
  const parameter = parametersOf(desk);
  const privateCaArn = await privateCa(clients);
  const startedAt = performance.now();
  const names = Array.from({ length: devices }, (_, i) => `pump-${String(i + 1).padStart(4, '0')}`);
  const byPrivateCa = Math.max(3, Math.round(devices * PRIVATE_CA_SHARE));
  const bar = screen.progress(`enrolling ${devices} devices`, devices);
  let done = 0;
  const enrolBy = (issuer: Issuer, thingNames: readonly string[]) =>
    enrol({ thingNames, iot: clients.iot, issuer, policyName: `${DEFAULT_PREFIX}-device`, onProgress: () => bar.update(++done) });
  const [first, second] = await Promise.all([
    enrolBy({ kind: 'acm-pca', client: clients.pca, certificateAuthorityArn: privateCaArn, validityDays: 90 }, names.slice(0, byPrivateCa)),
    enrolBy({ kind: 'software', sign: ({ csrPem }) => externalCa.sign(csrPem, desk.world.clock.date()) }, names.slice(byPrivateCa)),
  ]).finally(() => bar.stop());
  screen.done(
    `${devices} devices enrolled: ${first.length} by AWS Private CA, ${second.length} by the factory CA`,
    performance.now() - startedAt,
  );

  const connectedAt = performance.now();
  const fleet = await startFleet({
    host: desk.env.DESK_MQTT_HOST!,
    port: Number(desk.env.DESK_MQTT_PORT),
    serverCaPem: desk.serverCaPem,
    devices: [...first, ...second],
  });
  onFleet(fleet);
  await fleet.waitFor((states) => [...states.values()].every(({ state }) => state === 'connected'), 60_000 + devices * 100);
  screen.done(`all ${devices} connected by mutual TLS; telemetry is flowing`, performance.now() - connectedAt);

  const members = [...first.map((d) => member(d, 'private-ca')), ...second.map((d) => member(d, 'external'))];
  const fleetwarden = commandLine(desk);
  const ledgerTable = await parameter('ledgerTable');
  await inventoryKnows(screen, clients, await parameter('inventoryTable'), devices, fleetwarden);
  const stage: Stage = {
    desk,
    fleet,
    clients,
    screen,
    externalCa,
    ownCa,
    members,
    untouched: [...members],
    privateCaArn,
    crlBucket: await parameter('crlBucket'),
    ledgerTable,
    parameter,
    expectations: [],
    expect(text, ok, detail) {
      const expectation = { text, ok, ...(detail === undefined ? {} : { detail }) };
      stage.expectations.push(expectation);
      screen.expectation(expectation);
    },
    fleetwarden,
  };
  return stage;
}

const member = ({ thingName, certificateId, certificatePem }: EnrolledDevice, anchor: Member['anchor']): Member => ({
  thingName,
  certificateId,
  serialNumber: new X509Certificate(certificatePem).serialNumber.toLowerCase(),
  anchor,
});

async function privateCa({ pca }: Clients): Promise<string> {
  const { CertificateAuthorities = [] } = await pca.send(new ListCertificateAuthoritiesCommand({}));
  const arn = CertificateAuthorities.find(({ Status }) => Status === 'ACTIVE')?.Arn;
  if (arn === undefined) throw new Error('the application has created no ACTIVE private CA');
  return arn;
}

function parametersOf(desk: Desk): (name: ApplicationParameter | RotationParameter) => Promise<string> {
  const ssm = new SSMClient({
    endpoint: desk.endpoint,
    region: desk.env.AWS_REGION!,
    credentials: { accessKeyId: desk.env.AWS_ACCESS_KEY_ID!, secretAccessKey: desk.env.AWS_SECRET_ACCESS_KEY! },
  });
  return async (name) => {
    const { Parameter } = await ssm.send(new GetParameterCommand({ Name: applicationParameterName(DEFAULT_PREFIX, name) }));
    return Parameter!.Value!;
  };
}

/** The reconciliation has read the whole registry: from now on the brake knows how large the fleet is. */
async function inventoryKnows(
  screen: Screen,
  { dynamodb }: Clients,
  table: string,
  devices: number,
  fleetwarden: Stage['fleetwarden'],
): Promise<void> {
  const startedAt = performance.now();
  const asked = await fleetwarden('reconcile');
  if (asked.status !== 0) throw new Error(`fleetwarden reconcile: ${asked.output}`);
  const counted = await until(
    async () => {
      const { Item } = await dynamodb.send(
        new GetItemCommand({ TableName: table, Key: { pk: { S: 'COUNT' }, sk: { S: 'ACTIVE' } }, ConsistentRead: true }),
      );
      return Object.values(Item ?? {}).some((value) => value.N === String(devices));
    },
    60_000 + devices * 400,
  );
  if (!counted) throw new Error(`the inventory did not count ${devices} ACTIVE certificates`);
  screen.done(
    `the inventory knows all ${devices} certificates: reconciled with the registry at its quota of 10 calls a second`,
    performance.now() - startedAt,
  );
}
