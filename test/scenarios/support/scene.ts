/**
 * A desk with the application deployed and a few devices enrolled: what every scenario starts from. Actions go through real SDK clients over
 * HTTP; what came of them is read in process, past IAM and faults.
 */
import { X509Certificate } from 'node:crypto';
import { RevokeCertificateCommand, type RevocationReason } from '@aws-sdk/client-acm-pca';
import { DescribeCertificateCommand } from '@aws-sdk/client-iot';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { applicationParameterName, DEFAULT_PREFIX, type ApplicationParameter } from '../../../domain/protocol/application-parameters.js';
import { startDesk, type Desk, type DeskOptions } from '../../../local/desk.js';
import { enrol, type EnrolledDevice } from '../../../local/fleet/enrol.js';
import { startFleet, type DeviceStatus, type Fleet } from '../../../local/fleet/fleet.js';
import { clientsFor, commandLine, type Clients, type Stage } from '../../../local/scenes/stage.js';
import type { Assembly } from './assembly.js';
import { Environments } from './environments.js';
import { canonical, type FactoryCa, type Listed } from './factory.js';
import { Ledger } from './ledger.js';
import { depthOf, QUEUES, queueUrlOf, quiet, settle, type QueueName } from './quiet.js';

export interface Device extends EnrolledDevice {
  /** Canonical hex. */
  readonly serialNumber: string;
}

export interface SceneOptions extends Pick<DeskOptions, 'seed' | 'pca'> {
  /** Devices with a certificate of the factory CA. @default 0 */
  readonly factory?: number;
  /** Devices with a certificate of the Private CA. @default 0 */
  readonly privateCa?: number;
  /** Are they to be connected, by mutual TLS? @default false */
  readonly connected?: boolean;
}

export const HOUR = 3_600_000;
export const MINUTE = 60_000;

export class Scene {
  readonly factoryDevices: Device[] = [];
  readonly privateDevices: Device[] = [];
  readonly ledger: Ledger;
  readonly clients: Clients;
  readonly fleetwarden: Stage['fleetwarden'];
  private fleet: Fleet | undefined;
  private readonly environments = new Environments();
  private readonly unread = new Set<string>();
  private crlNumber = 0;

  private constructor(
    readonly desk: Desk,
    readonly factory: FactoryCa,
    readonly depot: FactoryCa,
    readonly crlBucket: string,
    /** ARN of the Private CA of the anchor `fleet`. */
    readonly privateCaArn: string,
    tables: { readonly inventory: string; readonly ledger: string },
  ) {
    this.clients = clientsFor(desk);
    this.ledger = new Ledger(desk, tables);
    this.fleetwarden = commandLine(desk);
  }

  static async open(assembly: Assembly, options: SceneOptions = {}): Promise<Scene> {
    const { seed, pca, factory = 0, privateCa = 0, connected = false } = options;
    const desk = await startDesk({
      assembly: assembly.directory,
      ...(seed === undefined ? {} : { seed }),
      ...(pca === undefined ? {} : { pca }),
    });
    try {
      const parameter = async (name: string): Promise<string> =>
        (await desk.cloud.call<{ Parameter: { Value: string } }>('ssm', 'GetParameter', { Name: name })).Parameter.Value;
      const settings = JSON.parse(await parameter('/fleetwarden/trust/fleet/settings')) as { certificateAuthorityArn: string };
      const ours = (name: ApplicationParameter) => parameter(applicationParameterName(DEFAULT_PREFIX, name));
      const tables = { inventory: await ours('inventoryTable'), ledger: await ours('ledgerTable') };
      const crlBucket = await ours('crlBucket');
      const scene = new Scene(desk, assembly.factory, assembly.depot, crlBucket, settings.certificateAuthorityArn, tables);
      await scene.people({ factory, privateCa }, connected);
      return scene;
    } catch (error) {
      await desk.stop();
      throw error;
    }
  }

  async close(): Promise<void> {
    this.environments.stop();
    await this.fleet?.stop();
    for (const client of Object.values(this.clients) as { destroy(): void }[]) client.destroy();
    await this.desk.stop();
  }

  /** Enrols, connects, and lets the inventory read the registry, so that the brake knows the fleet. */
  async people(counts: { readonly factory: number; readonly privateCa: number }, connected = false): Promise<void> {
    const names = (count: number, of: string, from: number) => Array.from({ length: count }, (_, i) => `${of}-${from + i + 1}`);
    const byFactory = await this.enrol(names(counts.factory, 'pump', this.factoryDevices.length), (csrPem) =>
      this.factory.sign(csrPem, this.desk.world.clock.date()),
    );
    const byPrivateCa = await this.enrolByPrivateCa(...names(counts.privateCa, 'valve', this.privateDevices.length));
    this.factoryDevices.push(...byFactory);
    this.privateDevices.push(...byPrivateCa);
    if (connected) await this.connect([...byFactory, ...byPrivateCa]);
    await this.reconcile();
  }

  async enrol(thingNames: readonly string[], sign: (csrPem: string) => Promise<string>): Promise<Device[]> {
    const issuer = { kind: 'software', sign: ({ csrPem }: { csrPem: string }) => sign(csrPem) } as const;
    const devices = await enrol({ thingNames, iot: this.clients.iot, issuer, policyName: 'fleetwarden-device' });
    return devices.map(withSerial);
  }

  async enrolByPrivateCa<Names extends readonly string[]>(...thingNames: Names): Promise<{ [I in keyof Names]: Device }> {
    const issuer = { kind: 'acm-pca', client: this.clients.pca, certificateAuthorityArn: this.privateCaArn, validityDays: 90 } as const;
    const devices = await enrol({ thingNames, iot: this.clients.iot, issuer, policyName: 'fleetwarden-device' });
    return devices.map(withSerial) as { [I in keyof Names]: Device };
  }

  /** Takes a certificate out of the registry, as a person may. */
  async delete({ certificateId, certificateArn, thingName }: Device): Promise<void> {
    const iot = (operation: string, input: Record<string, unknown>) => this.desk.cloud.call('iot', operation, input);
    await iot('DetachThingPrincipal', { thingName, principal: certificateArn });
    await iot('DetachPolicy', { policyName: 'fleetwarden-device', target: certificateArn });
    await iot('UpdateCertificate', { certificateId, newStatus: 'INACTIVE' });
    await iot('DeleteCertificate', { certificateId });
  }

  async connect(devices: readonly Device[]): Promise<void> {
    const { desk } = this;
    if (this.fleet) this.fleet.add(devices);
    else
      this.fleet = await startFleet({
        host: desk.env.DESK_MQTT_HOST,
        port: Number(desk.env.DESK_MQTT_PORT),
        serverCaPem: desk.serverCaPem,
        devices,
        backoff: { firstMs: 100, longestMs: 500 },
      });
    await this.until(devices, 'connected');
  }

  /** Resolves when each of these devices says this of its own connection. */
  async until(devices: readonly Device[], state: DeviceStatus['state']): Promise<void> {
    const patienceMs = 60_000 + 200 * devices.length;
    await this.fleet!.waitFor((states) => devices.every(({ thingName }) => states.get(thingName)?.state === state), patienceMs);
  }

  /** Names of the things that are not connected. */
  out(): string[] {
    return [...this.fleet!.states()].flatMap(([name, { state }]) => (state === 'connected' ? [] : [name])).toSorted();
  }

  async reconcile(): Promise<void> {
    await this.send('reconcile', { kind: 'start' });
    await this.rest();
  }

  async sweep(): Promise<void> {
    await this.send('sync', { kind: 'sweep' });
    await this.rest();
  }

  async send(queue: QueueName, message: unknown): Promise<void> {
    await this.desk.cloud.call('sqs', 'SendMessage', {
      QueueUrl: queueUrlOf(this.desk, QUEUES[queue]),
      MessageBody: JSON.stringify(message),
    });
  }

  /** The next number of the factory's CRLs. */
  nextNumber(): number {
    return ++this.crlNumber;
  }

  /** A CRL of the factory with the next number. */
  nextCrl(listed: readonly (Device | Listed)[], reason?: Listed['reason']): Buffer {
    return this.factory.crl(this.nextNumber(), listed.map(entry(reason)), this.desk.world.clock.date());
  }

  /** Puts an object into the CRL bucket and waits until all that follows has been done. */
  async put(body: Uint8Array, key = 'external/factory/factory.crl'): Promise<void> {
    await this.clients.s3.send(new PutObjectCommand({ Bucket: this.crlBucket, Key: key, Body: body }));
    await this.rest();
  }

  /** Publishes the factory's next CRL with these entries. */
  async publish(listed: readonly (Device | Listed)[], reason?: Listed['reason']): Promise<void> {
    await this.put(this.nextCrl(listed, reason));
  }

  async revokeAtCa(device: Device, reason: RevocationReason = 'KEY_COMPROMISE'): Promise<void> {
    const input = { CertificateAuthorityArn: this.privateCaArn, CertificateSerial: device.serialNumber, RevocationReason: reason };
    await this.clients.pca.send(new RevokeCertificateCommand(input));
  }

  async stateBucket(): Promise<string> {
    const Name = applicationParameterName(DEFAULT_PREFIX, 'stateBucket');
    return (await this.desk.cloud.call<{ Parameter: { Value: string } }>('ssm', 'GetParameter', { Name })).Parameter.Value;
  }

  /** While `work` goes on, this function takes no messages; afterwards it takes what has come meanwhile. */
  async idle(queue: QueueName, work: () => Promise<void>): Promise<void> {
    await this.stopReading(queue);
    try {
      await work();
    } finally {
      await this.reads(queue, true);
      this.unread.delete(QUEUES[queue]);
    }
    await this.rest();
  }

  /** From now on this function takes no messages. */
  async stopReading(queue: QueueName): Promise<void> {
    this.leaveUnread(queue);
    await this.reads(queue, false);
  }

  /** Messages of these queues are no sign of work to come. */
  leaveUnread(...queues: readonly QueueName[]): void {
    for (const queue of queues) this.unread.add(QUEUES[queue]);
  }

  private async reads(queue: QueueName, Enabled: boolean): Promise<void> {
    const { EventSourceMappings = [] } = await this.desk.cloud.call<{ EventSourceMappings?: { UUID: string }[] }>(
      'lambda',
      'ListEventSourceMappings',
      { FunctionName: QUEUES[queue] },
    );
    for (const { UUID } of EventSourceMappings) await this.desk.cloud.call('lambda', 'UpdateEventSourceMapping', { UUID, Enabled });
  }

  rest = () => quiet(this.desk, this.unread);
  /** Lets time pass until no message is left. */
  settle = () => settle(this.desk);

  async pass(ms: number): Promise<void> {
    await this.desk.world.clock.advance(ms);
    await this.rest();
  }

  /** What the registry says of each. */
  async statuses(devices: readonly Device[]): Promise<(string | undefined)[]> {
    return Promise.all(
      devices.map(async ({ certificateId }) => {
        const { certificateDescription } = await this.clients.iot.send(new DescribeCertificateCommand({ certificateId }));
        return certificateDescription?.status;
      }),
    );
  }

  /** Mutations of the registry that functions have tried so far: `iot:UpdateCertificate`, `iotdata:DeleteConnection`. */
  mutations(): string[] {
    return this.callsOfFunctions().filter((what) => MUTATING.test(what));
  }

  /** Calls that functions have made so far, denied ones among them. */
  callsOfFunctions(service = ''): string[] {
    return this.desk.world.journal
      .entries()
      .filter(({ kind, who, what }) => (kind === 'call' || kind === 'denied') && who.startsWith('fleetwarden-') && what.startsWith(service))
      .map(({ what }) => what);
  }

  /**
   * Takes the power from all functions after a function has made this call, and before it has its answer: each time, or at the `nth` only.
   * The answer ends it.
   */
  killAt(what: string, nth?: number): () => void {
    let calls = 0;
    return this.desk.world.journal.on((call) => {
      if (call.kind !== 'call' || call.what !== what || !call.who.startsWith('fleetwarden-')) return;
      calls++;
      if (nth === undefined || calls === nth) this.environments.kill();
    });
  }

  /** What a function has logged, line by line, without Lambda's own lines. */
  async log(name: string): Promise<Record<string, unknown>[]> {
    const { events = [] } = await this.desk.cloud.call<{ events?: { message: string }[] }>('logs', 'FilterLogEvents', {
      logGroupName: `/aws/lambda/fleetwarden-${name}`,
    });
    return events.flatMap(({ message }) => (message.startsWith('{') ? [JSON.parse(message) as Record<string, unknown>] : []));
  }

  /** How many messages lie in the dead-letter queue. */
  async deadLetters(queue: QueueName): Promise<number> {
    return (await depthOf(this.desk, `${QUEUES[queue]}-dead`)).visible;
  }

  /** ARNs of the execution roles of all functions. */
  async roles(): Promise<string[]> {
    const { Functions = [] } = await this.desk.cloud.call<{ Functions?: { Role: string }[] }>('lambda', 'ListFunctions', {});
    return Functions.map(({ Role }) => Role);
  }

  /** Names of alarms in state ALARM, without the prefix of the installation. */
  async alarms(): Promise<string[]> {
    const { MetricAlarms = [] } = await this.desk.cloud.call<{ MetricAlarms?: { AlarmName: string; StateValue: string }[] }>(
      'cloudwatch',
      'DescribeAlarms',
      {},
    );
    return MetricAlarms.filter(({ StateValue }) => StateValue === 'ALARM').map(({ AlarmName }) => AlarmName.replace('fleetwarden-', ''));
  }
}

const MUTATING =
  /^(iot:(Update|Delete|Detach|Attach|Register|Create|Set|Put|Remove|Replace)|iotdata:(Delete|Publish|Update)|acm-pca:(Revoke|Issue|Update|Delete))/;

const withSerial = (device: EnrolledDevice): Device => ({
  ...device,
  serialNumber: canonical(new X509Certificate(device.certificatePem).serialNumber),
});

const entry =
  (reason: Listed['reason']) =>
  (one: Device | Listed): Listed => ({
    serialNumber: one.serialNumber,
    ...(reason ? { reason } : 'reason' in one && one.reason ? { reason: one.reason } : {}),
  });
