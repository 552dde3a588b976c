/**
 * One simulated device: connects by mutual TLS with its thing name as client id, publishes telemetry, and comes back after it was cut, with
 * jittered exponential back-off, as AWS advises devices to do. It knows no more than a device would.
 */
import mqtt, { type MqttClient } from 'mqtt';
import type { DeviceIdentity, DeviceState, FleetSettings } from './messages.js';
import type { Gate } from './gate.js';

export class Device {
  private client: MqttClient | undefined;
  private attempt = 0;
  private retry: NodeJS.Timeout | undefined;
  private telemetry: NodeJS.Timeout | undefined;
  private stopped = false;
  private sequence = 0;

  constructor(
    private readonly identity: DeviceIdentity,
    private readonly settings: FleetSettings,
    private readonly gate: Gate,
    private readonly report: (thingName: string, state: DeviceState, detail?: string) => void,
    private readonly published: () => void,
  ) {}

  async connect(): Promise<void> {
    const release = await this.gate.enter();
    if (this.stopped) return release();
    const { host, port, serverCaPem, protocolVersion } = this.settings;
    let wasConnected = false;
    let detail: string | undefined;
    const client = mqtt.connect({
      protocol: 'mqtts',
      host,
      port,
      servername: host,
      ca: serverCaPem,
      cert: this.identity.certificatePem,
      key: this.identity.privateKeyPem,
      ALPNProtocols: ['x-amzn-mqtt-ca'],
      clientId: this.identity.thingName,
      protocolVersion,
      clean: true,
      keepalive: 300,
      reconnectPeriod: 0,
      connectTimeout: 30_000,
      resubscribe: false,
      queueQoSZero: false,
    });
    this.client = client;
    client.on('connect', () => {
      release();
      wasConnected = true;
      this.attempt = 0;
      this.report(this.identity.thingName, 'connected');
      this.startTelemetry();
    });
    client.on('error', (error) => (detail = error.message));
    client.on('disconnect', ({ reasonCode }) => (detail = `DISCONNECT 0x${(reasonCode ?? 0).toString(16)}`));
    client.on('close', () => {
      release();
      client.removeAllListeners('close');
      clearInterval(this.telemetry);
      client.end(true);
      if (this.stopped) return;
      this.report(this.identity.thingName, wasConnected ? 'cut' : 'refused', detail);
      this.retryLater();
    });
  }

  stop(): void {
    this.stopped = true;
    clearTimeout(this.retry);
    clearInterval(this.telemetry);
    this.client?.end(true);
  }

  private retryLater(): void {
    const { firstMs, longestMs } = this.settings.backoff;
    const ceiling = Math.min(longestMs, firstMs * 2 ** this.attempt++);
    // "Full jitter": a fleet that was cut together must not come back together.
    this.retry = setTimeout(() => void this.connect(), firstMs / 2 + Math.random() * ceiling);
  }

  private startTelemetry(): void {
    const { telemetryEveryMs, telemetryTopic } = this.settings;
    const topic = telemetryTopic.replaceAll('{thing}', this.identity.thingName);
    const publish = (): void => {
      const reading = {
        sequence: (this.sequence += 1),
        temperature: Number((20 + Math.random() * 5).toFixed(2)),
        uptimeSeconds: Math.round(process.uptime()),
      };
      this.client?.publish(topic, JSON.stringify(reading), { qos: 0 }, (error) => {
        if (!error) this.published();
      });
    };
    this.telemetry = setInterval(publish, telemetryEveryMs * (0.8 + Math.random() * 0.4));
    publish();
  }
}
