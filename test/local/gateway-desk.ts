/** AWS IoT of the desk alone: world, endpoint, registry, gateway; real SDK clients and real MQTT clients for tests. */
import {
  IoTClient,
  AttachPolicyCommand,
  AttachThingPrincipalCommand,
  CreatePolicyCommand,
  CreateThingCommand,
  RegisterCACertificateCommand,
  RegisterCertificateCommand,
} from '@aws-sdk/client-iot';
import { IoTDataPlaneClient } from '@aws-sdk/client-iot-data-plane';
import mqtt, { type IClientOptions, type MqttClient } from 'mqtt';
import { createCloud, type RunningCloud } from '../../local/create-cloud.js';
import { startGateway, type DeskGateway, type GatewayOptions } from '../../local/gateway/gateway.js';
import { iotJobsDataService } from '../../local/services/iot-jobs-data/service.js';
import { iotService } from '../../local/services/iot/service.js';
import type { IotOptions } from '../../local/services/iot/state.js';
import { iotDataService } from '../../local/services/iotdata/service.js';
import { createWorld } from '../../local/world/world.js';
import { createCa, type IssuedCertificate, type TestCa } from '../builders/ca.js';

export const ARN = (resource: string): string => `arn:aws:iot:eu-west-1:000000000000:${resource}`;

/** The device policy of the tests: connect as itself when attached, own topics only. */
export const DEVICE_POLICY = {
  Version: '2012-10-17',
  Statement: [
    {
      Effect: 'Allow',
      Action: 'iot:Connect',
      Resource: ARN('client/${iot:Connection.Thing.ThingName}'),
      Condition: { Bool: { 'iot:Connection.Thing.IsAttached': ['true'] } },
    },
    {
      Effect: 'Allow',
      Action: ['iot:Publish', 'iot:Receive', 'iot:RetainPublish'],
      Resource: ARN('topic/fleet/${iot:Connection.Thing.ThingName}/*'),
    },
    {
      Effect: 'Allow',
      Action: 'iot:Subscribe',
      Resource: [
        ARN('topicfilter/fleet/${iot:Connection.Thing.ThingName}/*'),
        ARN('topicfilter/$share/*/fleet/${iot:Connection.Thing.ThingName}/*'),
      ],
    },
    { Effect: 'Allow', Action: ['iot:Publish', 'iot:Receive'], Resource: ARN('topic/$aws/things/${iot:Connection.Thing.ThingName}/*') },
    { Effect: 'Allow', Action: 'iot:Subscribe', Resource: ARN('topicfilter/$aws/things/${iot:Connection.Thing.ThingName}/*') },
  ],
};

/** A policy that allows everything: for listeners of the tests. */
export const OPEN_POLICY = { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: 'iot:*', Resource: '*' }] };

export interface Device extends IssuedCertificate {
  readonly thingName: string;
  readonly certificateId: string;
  readonly certificateArn: string;
}

export interface GatewayDesk {
  readonly cloud: RunningCloud;
  readonly gateway: DeskGateway;
  readonly iot: IoTClient;
  readonly data: IoTDataPlaneClient;
  readonly ca: TestCa;
  /** Issues, registers, creates the thing, attaches policy and thing. */
  enrol(thingName: string, options?: { readonly policy?: string; readonly exclusive?: boolean; readonly notAfter?: Date }): Promise<Device>;
  connect(
    device: Pick<IssuedCertificate, 'certificatePem' | 'privateKeyPem'>,
    clientId: string,
    options?: IClientOptions,
  ): Promise<MqttClient>;
  /** Begins to connect: for listeners that must not miss what comes right after the CONNACK. */
  begin(device: Pick<IssuedCertificate, 'certificatePem' | 'privateKeyPem'>, clientId: string, options?: IClientOptions): MqttClient;
  /** Connects and expects not to be let in: resolves to what the client saw. */
  refused(device: Pick<IssuedCertificate, 'certificatePem' | 'privateKeyPem'>, clientId: string, options?: IClientOptions): Promise<string>;
  stop(): Promise<void>;
}

export async function startGatewayDesk(
  options: IotOptions & { readonly startAt?: Date; readonly gateway?: GatewayOptions } = {},
): Promise<GatewayDesk> {
  const world = createWorld({ seed: 1, ...(options.startAt ? { startAt: options.startAt } : {}) });
  const cloud = await createCloud(world);
  const { service, logging, responders, jobsData } = iotService(cloud, options);
  cloud.addService(service);
  const gateway = await startGateway(cloud, { logging, responders, ...options.gateway });
  cloud.addService(iotDataService(cloud, gateway));
  cloud.addService(iotJobsDataService(cloud, jobsData));
  const configuration = { endpoint: cloud.endpoint, region: 'eu-west-1', credentials: cloud.administratorCredentials, maxAttempts: 1 };
  const iot = new IoTClient(configuration);
  const data = new IoTDataPlaneClient(configuration);
  const ca = await createCa({ name: 'CN=Fleet CA' });
  await iot.send(
    new RegisterCACertificateCommand({
      caCertificate: ca.certificatePem,
      certificateMode: 'SNI_ONLY',
      setAsActive: true,
      allowAutoRegistration: true,
    }),
  );
  await iot.send(new CreatePolicyCommand({ policyName: 'device', policyDocument: JSON.stringify(DEVICE_POLICY) }));
  await iot.send(new CreatePolicyCommand({ policyName: 'open', policyDocument: JSON.stringify(OPEN_POLICY) }));
  const clients = new Set<MqttClient>();
  const clientOptions = (
    device: Pick<IssuedCertificate, 'certificatePem' | 'privateKeyPem'>,
    clientId: string,
    more: IClientOptions,
  ): IClientOptions => ({
    ca: gateway.serverCaPem,
    cert: device.certificatePem,
    key: device.privateKeyPem,
    clientId,
    protocolVersion: 4,
    reconnectPeriod: 0,
    keepalive: 60,
    ...more,
  });
  const url = `mqtts://localhost:${gateway.port}`;
  return {
    cloud,
    gateway,
    iot,
    data,
    ca,
    enrol: async (thingName, { policy = 'device', exclusive = true, notAfter } = {}) => {
      const issued = await ca.issue({ subject: `CN=${thingName}`, ...(notAfter ? { notAfter } : {}) });
      const { certificateArn, certificateId } = await iot.send(
        new RegisterCertificateCommand({ certificatePem: issued.certificatePem, status: 'ACTIVE' }),
      );
      await iot.send(new CreateThingCommand({ thingName }));
      await iot.send(new AttachPolicyCommand({ policyName: policy, target: certificateArn! }));
      await iot.send(
        new AttachThingPrincipalCommand({
          thingName,
          principal: certificateArn!,
          ...(exclusive ? { thingPrincipalType: 'EXCLUSIVE_THING' } : {}),
        }),
      );
      return { ...issued, thingName, certificateId: certificateId!, certificateArn: certificateArn! };
    },
    connect: async (device, clientId, more = {}) => {
      const client = await mqtt.connectAsync(url, clientOptions(device, clientId, more), false);
      client.on('error', () => undefined);
      clients.add(client);
      return client;
    },
    begin: (device, clientId, more = {}) => {
      const client = mqtt.connect(url, clientOptions(device, clientId, more));
      client.on('error', () => undefined);
      clients.add(client);
      return client;
    },
    refused: (device, clientId, more = {}) =>
      new Promise((resolve, reject) => {
        const client = mqtt.connect(url, clientOptions(device, clientId, more));
        let said = 'closed';
        client.on('connect', () => {
          client.end(true);
          reject(new Error('was let in'));
        });
        client.on('error', (error) => (said = error.message));
        client.on('close', () => {
          client.end(true);
          resolve(said);
        });
      }),
    stop: async () => {
      for (const client of clients) client.end(true);
      await gateway.close();
      iot.destroy();
      data.destroy();
      await cloud.stop();
    },
  };
}

/** The next message of a client that `wanted` accepts. */
export function nextMessage(
  client: MqttClient,
  wanted: (topic: string, text: string) => boolean = () => true,
): Promise<{ topic: string; text: string; packet: mqtt.IPublishPacket }> {
  return new Promise((resolve) => {
    const listener = (topic: string, payload: Buffer, packet: mqtt.IPublishPacket): void => {
      if (!wanted(topic, payload.toString())) return;
      client.off('message', listener);
      resolve({ topic, text: payload.toString(), packet });
    };
    client.on('message', listener);
  });
}

export const closed = (client: MqttClient): Promise<void> => new Promise((resolve) => client.once('close', () => resolve()));
