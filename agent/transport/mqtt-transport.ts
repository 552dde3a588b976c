/** The transport over mqtt.js: node:tls, MQTT 5 or 3.1.1. */
import { isIPv6 } from 'node:net';
import mqtt, { type IClientOptions, type MqttClient } from 'mqtt';
import { ConnectFailed, type Connection, type Transport } from './transport.js';

export interface MqttTransportOptions {
  readonly host: string;
  readonly port: number;
  /** PEM of the CA of the server's certificate. @default those that Node knows */
  readonly serverCaPem?: string;
  /** @default 5 */
  readonly protocolVersion?: 4 | 5;
  /** @default 300, AWS IoT allows 30 to 1200 */
  readonly keepAliveSeconds?: number;
  /** The address to call from, on a device with several. @default the system's choice */
  readonly localAddress?: string;
}

const UNREACHABLE = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENETDOWN',
  'EADDRNOTAVAIL',
]);
/** First reason code that is an error, in SUBACK of both versions. */
const FAILURE = 0x80;

export function mqttTransport(options: MqttTransportOptions): Transport {
  const { host, port, serverCaPem, protocolVersion = 5, keepAliveSeconds = 300, localAddress } = options;
  return {
    connect: ({ clientId, identity, timeoutMs }) => {
      // node:tls knows `localAddress`, mqtt.js passes on what it does not know.
      const settings: IClientOptions & { readonly localAddress?: string; readonly family?: number } = {
        protocol: 'mqtts',
        host,
        port,
        servername: host,
        // Lets AWS IoT tell MQTT from HTTPS on port 443, and says that a client certificate follows (IG protocols.html).
        ALPNProtocols: ['x-amzn-mqtt-ca'],
        ...identity,
        ...(serverCaPem === undefined ? {} : { ca: serverCaPem }),
        clientId,
        protocolVersion,
        clean: true,
        keepalive: keepAliveSeconds,
        connectTimeout: timeoutMs,
        reconnectPeriod: 0,
        resubscribe: false,
        queueQoSZero: false,
        ...(localAddress === undefined ? {} : { localAddress, family: isIPv6(localAddress) ? 6 : 4 }),
      };
      return new Promise((resolve, reject) => {
        let failure: (Error & { readonly code?: unknown }) | undefined;
        const client = mqtt.connect(settings);
        const refused = (): void => {
          client.removeAllListeners();
          client.on('error', () => undefined);
          client.end(true);
          reject(
            new ConnectFailed(
              UNREACHABLE.has(String(failure?.code)) ? 'unreachable' : 'refused',
              failure?.message ?? 'closed without a CONNACK',
            ),
          );
        };
        client.on('error', (error) => (failure = error));
        client.on('close', refused);
        client.on('connect', () => {
          client.off('close', refused);
          resolve(connectionOver(client));
        });
      });
    },
  };
}

function connectionOver(client: MqttClient): Connection {
  let why: string | undefined;
  client.on('disconnect', ({ reasonCode }) => (why = `DISCONNECT 0x${(reasonCode ?? 0).toString(16)}`));
  client.on('error', (error) => (why ??= error.message));
  const closed = new Promise<string>((resolve) => {
    client.on('close', () => {
      resolve(why ?? 'closed');
      // Ends mqtt.js's own timers, and rejects what waits for an acknowledgement.
      client.end(true);
    });
  });
  const lost = closed.then((reason) => Promise.reject(new Error(`the connection is lost: ${reason}`)));
  lost.catch(() => undefined);
  return {
    closed,
    subscribe: async (filters) => {
      const granted = await Promise.race([client.subscribeAsync([...filters], { qos: 1 }), lost]);
      const refused = granted.filter(({ qos }) => qos >= FAILURE).map(({ topic }) => topic);
      if (refused.length > 0) throw new Error(`may not subscribe to ${refused.join(', ')}`);
    },
    publish: async (topic, payload, qos) => {
      await Promise.race([client.publishAsync(topic, payload, { qos }), lost]);
    },
    onMessage: (listener) => client.on('message', (topic, payload) => listener(topic, payload)),
    close: async () => {
      why ??= 'closed by the device';
      client.end(false);
      await closed;
    },
  };
}
