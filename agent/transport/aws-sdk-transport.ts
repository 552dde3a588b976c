/** The transport over the AWS IoT Device SDK v2 (its MQTT 5 client, s2n for TLS), for firmware that has it. Keys are PEM: for PKCS #11 the SDK has a builder of its own. */
import type { AwsIotDeviceSdk, Mqtt5Client } from './aws-iot-device-sdk.js';
import type { MqttTransportOptions } from './mqtt-transport.js';
import { ConnectFailed, type Connection, type Transport } from './transport.js';

/** DNS and sockets: nobody judged the certificate. Names of aws-c-io. */
const UNREACHABLE = /^AWS_IO_(DNS_|SOCKET_(?!CLOSED)|NO_ROUTE|CONNECT)/;
const FAILURE = 0x80;

export function awsSdkTransport(sdk: AwsIotDeviceSdk, options: Omit<MqttTransportOptions, 'protocolVersion'>): Transport {
  const { host, port, serverCaPem, keepAliveSeconds = 300 } = options;
  return {
    connect: ({ clientId, identity: { cert, key }, timeoutMs }) => {
      if (typeof key !== 'string') throw new ConnectFailed('refused', 'this transport takes keys as PEM only');
      const builder = sdk.iot.AwsIotMqtt5ClientConfigBuilder.newDirectMqttBuilderWithMtlsFromMemory(host, cert, key);
      if (serverCaPem !== undefined) builder.withCertificateAuthority(serverCaPem);
      builder.withPort(port);
      builder.withConnectProperties({ clientId, keepAliveIntervalSeconds: keepAliveSeconds });
      builder.withConnackTimeoutMs(timeoutMs);
      const client = new sdk.mqtt5.Mqtt5Client(builder.build());
      const connection = connectionOver(client);
      return new Promise((resolve, reject) => {
        client.on('connectionSuccess', () => resolve(connection));
        client.on('connectionFailure', ({ error }) => {
          // The client would try again by itself, with the same certificate: whether that is right is the agent's to decide.
          client.stop();
          reject(new ConnectFailed(UNREACHABLE.test(error.error_name ?? '') ? 'unreachable' : 'refused', error.message));
        });
        client.start();
      });
    },
  };
}

function connectionOver(client: Mqtt5Client): Connection {
  let listener: (topic: string, payload: Buffer) => void = () => undefined;
  let why = 'closed';
  const closed = new Promise<string>((resolve) => {
    client.on('disconnection', ({ error }) => {
      why = error.message;
      client.stop();
    });
    client.on('stopped', () => {
      client.close();
      resolve(why);
    });
  });
  const lost = closed.then((reason) => Promise.reject(new Error(`the connection is lost: ${reason}`)));
  lost.catch(() => undefined);
  client.on('error', () => undefined);
  client.on('messageReceived', ({ message }) => listener(message.topicName, Buffer.from((message.payload ?? '') as Uint8Array)));
  return {
    closed,
    subscribe: async (filters) => {
      const { reasonCodes } = await Promise.race([
        client.subscribe({ subscriptions: filters.map((topicFilter) => ({ topicFilter, qos: 1 })) }),
        lost,
      ]);
      const refused = filters.filter((_, index) => (reasonCodes[index] ?? FAILURE) >= FAILURE);
      if (refused.length > 0) throw new Error(`may not subscribe to ${refused.join(', ')}`);
    },
    publish: async (topicName, payload, qos) => {
      await Promise.race([client.publish({ topicName, qos, payload }), lost]);
    },
    onMessage: (wanted) => (listener = wanted),
    close: async () => {
      client.stop();
      await closed;
    },
  };
}
