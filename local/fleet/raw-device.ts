/**
 * A device without the reference agent, that says whatever it is told to: for those who do not keep to the protocol. One connection, no second try.
 */
import { randomUUID } from 'node:crypto';
import mqtt, { type IClientOptions, type MqttClient } from 'mqtt';
import type { DeviceIdentity } from './messages.js';

export interface RawDeviceOptions extends DeviceIdentity {
  readonly host: string;
  readonly port: number;
  readonly serverCaPem: string;
  /** @default the thing name */
  readonly clientId?: string;
  /** The address that it calls from, one of this computer: `127.0.0.66`. On systems with one loopback address only that one can be used. */
  readonly localAddress?: string;
}

const CONNECT_TIMEOUT_MS = 10_000;
const ANSWER_TIMEOUT_MS = 20_000;

export class RawDevice {
  /** Why the connection ended, once it has. */
  ended: string | undefined;
  /** Resolves when the connection has ended. */
  readonly whenEnded: Promise<string>;
  private readonly waiting = new Set<(topic: string, message: unknown) => void>();

  private constructor(
    private readonly client: MqttClient,
    readonly thingName: string,
  ) {
    let reason: string | undefined;
    client.on('disconnect', ({ reasonCode }) => (reason = `DISCONNECT 0x${(reasonCode ?? 0).toString(16)}`));
    client.on('error', (error) => (reason ??= error.message));
    this.whenEnded = new Promise((resolve) => {
      client.on('close', () => {
        this.ended ??= reason ?? 'closed';
        client.end(true);
        resolve(this.ended);
      });
    });
    client.on('message', (topic, payload) => {
      let message: unknown;
      try {
        message = JSON.parse(payload.toString('utf8'));
      } catch {
        return;
      }
      for (const listener of this.waiting) listener(topic, message);
    });
  }

  /** Rejects where it is not let in. */
  static connect(options: RawDeviceOptions): Promise<RawDevice> {
    const { host, port, serverCaPem, certificatePem, privateKeyPem, thingName, clientId, localAddress } = options;
    const settings = {
      protocol: 'mqtts',
      host,
      port,
      servername: host,
      ca: serverCaPem,
      cert: certificatePem,
      key: privateKeyPem,
      ALPNProtocols: ['x-amzn-mqtt-ca'],
      clientId: clientId ?? thingName,
      protocolVersion: 5,
      clean: true,
      reconnectPeriod: 0,
      connectTimeout: CONNECT_TIMEOUT_MS,
      // Passed through to node:tls; mqtt.js has no name for them.
      ...(localAddress === undefined ? {} : { localAddress, family: 4 }),
    } as IClientOptions;
    return new Promise((resolve, reject) => {
      const client = mqtt.connect(settings);
      const device = new RawDevice(client, thingName);
      client.once('connect', () => resolve(device));
      void device.whenEnded.then((reason) => reject(new Error(`${thingName} was not let in: ${reason}`)));
    });
  }

  /** Resolves to which of the filters were granted. */
  async subscribe(...filters: readonly string[]): Promise<readonly string[]> {
    const answered = new Promise<readonly string[]>((resolve) => {
      // The callback, and not a promise: a refused filter comes as an error, together with those that were granted.
      this.client.subscribe([...filters], { qos: 1 }, (_, granted = []) =>
        resolve(granted.filter(({ qos }) => qos < 0x80).map(({ topic }) => topic)),
      );
    });
    return Promise.race([answered, this.whenEnded.then(() => [])]);
  }

  /** `false`: refused, or the connection ended over it. */
  async publish(topic: string, payload: string | object, qos: 0 | 1 = 1): Promise<boolean> {
    const text = typeof payload === 'string' ? payload : JSON.stringify(payload);
    return Promise.race([
      this.client.publishAsync(topic, text, { qos }).then(
        () => true,
        () => false,
      ),
      this.whenEnded.then(() => false),
    ]);
  }

  /** The next message that `wanted` accepts; rejects when none comes, or the connection ends. */
  next<T>(wanted: (topic: string, message: unknown) => T | undefined, timeoutMs = ANSWER_TIMEOUT_MS): Promise<T> {
    return new Promise((resolve, reject) => {
      const settle = (act: () => void): void => {
        clearTimeout(timer);
        this.waiting.delete(listener);
        act();
      };
      const listener = (topic: string, message: unknown): void => {
        const found = wanted(topic, message);
        if (found !== undefined) settle(() => resolve(found));
      };
      const timer = setTimeout(() => settle(() => reject(new Error(`${this.thingName}: no answer within ${timeoutMs} ms`))), timeoutMs);
      this.waiting.add(listener);
      void this.whenEnded.then((reason) => settle(() => reject(new Error(`${this.thingName}: the connection ended: ${reason}`))));
    });
  }

  /** One request of AWS IoT Jobs and its answer. Rejects with the code where it is rejected. */
  async job(suffix: string, body: object): Promise<Record<string, unknown>> {
    const clientToken = randomUUID();
    const topic = `$aws/things/${this.thingName}/jobs/${suffix}`;
    const answered = this.next((said, message) => {
      const answer = message as Record<string, unknown>;
      return answer.clientToken === clientToken ? { said, answer } : undefined;
    });
    await this.publish(topic, { ...body, clientToken });
    const { said, answer } = await answered;
    if (said.endsWith('/rejected')) throw new Error(`${suffix}: ${String(answer.code)}`);
    return answer;
  }

  async end(): Promise<void> {
    this.ended ??= 'closed by the device';
    this.client.end(true);
    await this.whenEnded;
  }
}
