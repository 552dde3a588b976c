import mqtt, { type MqttClient } from 'mqtt';
import type { Device, Scene } from './scene.js';

/** Clients of plain MQTT 3.1.1 that connect once, with the certificate of a device and under any client id; `end` ends all of them. */
export class MqttClients {
  private readonly clients: MqttClient[] = [];

  /** Rejects where it is not let in. */
  async connect(scene: Scene, { certificatePem, privateKeyPem, thingName }: Device, clientId = thingName): Promise<MqttClient> {
    const { desk } = scene;
    const client = await mqtt.connectAsync(
      `mqtts://127.0.0.1:${desk.env.DESK_MQTT_PORT}`,
      {
        ca: desk.serverCaPem,
        cert: certificatePem,
        key: privateKeyPem,
        clientId,
        protocolVersion: 4,
        reconnectPeriod: 0,
        rejectUnauthorized: false,
      },
      false,
    );
    client.on('error', () => undefined);
    this.clients.push(client);
    return client;
  }

  end(): void {
    for (const client of this.clients.splice(0)) client.end(true);
  }
}
