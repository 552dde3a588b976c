/**
 * One TLS connection of one device: reads packets, keeps time, ends with a reason. What the packets mean is in connect-packet.ts,
 * publish-packet.ts and subscribe-packets.ts.
 */
import { randomUUID, type X509Certificate } from 'node:crypto';
import { generate, parser, type IConnackPacket, type IConnectPacket, type Packet } from 'mqtt-packet';
import type { TLSSocket } from 'node:tls';
import type { DeviceConnection, GatewayContext } from './context.js';
import { acceptConnect } from './connect-packet.js';
import type { Connected, DisconnectReason } from './lifecycle-events.js';
import { CONNECT_TIMEOUT_TICKS, MAX_PACKET_BYTES, MAX_SOCKET_BACKLOG_BYTES, RECEIVE_MAXIMUM } from './limits.js';
import type { Message } from './message.js';
import { decide, type IotAction } from './policy/evaluate.js';
import { certificateVariables, connectedThing, connectionVariables } from './policy/variables.js';
import { acceptPublish } from './publish-packet.js';
import { REASON } from './reason-codes.js';
import type { Outlet, Session } from './session.js';
import { acceptSubscribe, acceptUnsubscribe } from './subscribe-packets.js';

export class Connection implements DeviceConnection {
  readonly sessionIdentifier = randomUUID().replaceAll('-', '');
  readonly sourceIp: string;
  readonly sourcePort: number;
  readonly topicAliases = new Map<number, string>();
  connectedAtMs = 0;
  /** Set by CONNECT. */
  clientId = '';
  version: 4 | 5 = 4;
  session: Session | undefined;
  will: Message | undefined;
  keepAliveSeconds = 0;
  receiveMaximum = RECEIVE_MAXIMUM;
  private readonly attributes: ReadonlyMap<string, readonly string[]>;
  private lastHeardTick: number;
  private closed = false;

  constructor(
    readonly gateway: GatewayContext,
    private readonly socket: TLSSocket,
    readonly certificateId: string,
    certificate: X509Certificate,
  ) {
    this.sourceIp = socket.remoteAddress ?? '';
    this.sourcePort = socket.remotePort ?? 0;
    this.attributes = certificateVariables(certificate, certificateId);
    this.lastHeardTick = gateway.tick();
    const reader = parser();
    reader.on('packet', (packet) => this.receive(packet));
    reader.on('error', () => this.close('CLIENT_ERROR', REASON.protocolError));
    socket.on('data', (chunk: Buffer) => {
      this.lastHeardTick = gateway.tick();
      // `parse` gives back what waits for the rest of its packet: more than a packet may hold is an attack or an error.
      if (!this.closed && reader.parse(chunk) > MAX_PACKET_BYTES) this.close('CLIENT_ERROR', REASON.packetTooLarge);
    });
    socket.on('drain', () => this.session?.drain());
    socket.on('error', () => this.close('CONNECTION_LOST'));
    socket.on('close', () => this.close('CONNECTION_LOST'));
  }

  get open(): boolean {
    return !this.closed;
  }

  private receive(packet: Packet): void {
    if (this.closed) return;
    if (packet.cmd === 'connect') {
      if (this.session) this.close('CLIENT_ERROR', REASON.protocolError);
      else acceptConnect(this, packet as IConnectPacket);
      return;
    }
    // Packet identifiers are never 0 (MQTT 5.0 §2.2.1).
    if (!this.session || packet.messageId === 0) {
      this.close('CLIENT_ERROR', REASON.protocolError);
      return;
    }
    switch (packet.cmd) {
      case 'publish':
        return acceptPublish(this, packet);
      case 'puback':
        return this.session.acknowledge(packet.messageId!);
      case 'subscribe':
        return acceptSubscribe(this, this.session, packet);
      case 'unsubscribe':
        return acceptUnsubscribe(this, this.session, packet);
      case 'pingreq':
        return this.send({ cmd: 'pingresp' });
      case 'disconnect': {
        const expiry = packet.properties?.sessionExpiryInterval;
        if (expiry !== undefined && this.session.expirySeconds > 0) this.session.expirySeconds = this.gateway.broker.boundedExpiry(expiry);
        // 0x04: "disconnect with will message" (MQTT 5.0 §3.14.2.1).
        return this.close('CLIENT_INITIATED_DISCONNECT', undefined, { sendWill: packet.reasonCode === 0x04 });
      }
      // Packets of QoS 2 and AUTH are not part of AWS IoT; the rest only a server sends.
      case 'auth':
      case 'connack':
      case 'pingresp':
      case 'pubcomp':
      case 'pubrec':
      case 'pubrel':
      case 'suback':
      case 'unsuback':
        return this.close('CLIENT_ERROR', REASON.protocolError);
    }
  }

  /** Called once a second: nothing heard for one and a half keep-alive times ends the connection (MQTT 3.1.1 §3.1.2.10). */
  checkKeepAlive(tick: number): void {
    const silent = tick - this.lastHeardTick;
    if (!this.session) {
      if (silent > CONNECT_TIMEOUT_TICKS) this.close('CLIENT_ERROR');
    } else if (silent > this.keepAliveSeconds * 1.5) this.close('MQTT_KEEP_ALIVE_TIMEOUT', REASON.keepAliveTimeout);
  }

  may(action: IotAction, kind: 'client' | 'topic' | 'topicfilter', name: string): boolean {
    const { registry } = this.gateway;
    const { partition, region, accountId } = this.gateway.world;
    const variables = connectionVariables(registry, this.attributes, this.certificateId, this.clientId, this.sourceIp);
    const resource = `arn:${partition}:iot:${region}:${accountId}:${kind}/${name}`;
    const decision = decide(registry.policiesOf(this.certificateId, this.clientId), action, resource, variables);
    if (!decision.allowed && action !== 'iot:Receive') {
      this.gateway.world.journal.add({
        kind: 'denied',
        what: action,
        who: this.clientId,
        ok: false,
        detail: `${resource}: ${decision.why}`,
      });
    }
    return decision.allowed;
  }

  identity(): Connected {
    const thing = connectedThing(this.gateway.registry, this.certificateId, this.clientId);
    return {
      clientId: this.clientId,
      ...(thing?.exclusive ? { thingName: thing.thingName } : {}),
      certificateId: this.certificateId,
      sessionIdentifier: this.sessionIdentifier,
      ipAddress: this.sourceIp,
    };
  }

  logFields(): { clientId: string; principalId: string; sourceIp: string; sourcePort: number } {
    return { clientId: this.clientId, principalId: this.certificateId, sourceIp: this.sourceIp, sourcePort: this.sourcePort };
  }

  /** A message that iot:Receive does not allow; the connection stays. Of a message it is asked once, unless the rights change while it waits. */
  private undelivered(topicName: string): void {
    const { gateway, clientId, sourceIp } = this;
    gateway.count('PublishOut.AuthError', { Protocol: 'Mqtt' }, { clientId, sourceIp, topic: topicName });
    const refused = { reason: 'AUTHORIZATION_FAILURE', details: 'Authorization Failure' };
    gateway.log({ eventType: 'Publish-Out', logLevel: 'ERROR', ...this.logFields(), topicName, ...refused });
  }

  outlet(): Outlet {
    return {
      mayReceive: (topic) => {
        const allowed = this.may('iot:Receive', 'topic', topic);
        if (!allowed) this.undelivered(topic);
        return allowed;
      },
      isCongested: () => this.socket.writableLength > MAX_SOCKET_BACKLOG_BYTES,
      receiveMaximum: this.receiveMaximum,
      send: (message, { messageId, duplicate, retain }) => {
        const { clientId, sourceIp } = this;
        const of = { clientId, sourceIp, topic: message.topic, bytes: message.payload.length };
        if (!duplicate) this.gateway.count('PublishOut.Success', { Protocol: 'Mqtt' }, of);
        this.gateway.log({ eventType: 'Publish-Out', logLevel: 'INFO', ...this.logFields(), topicName: message.topic });
        const left =
          message.expiresAtMs === undefined
            ? {}
            : { messageExpiryInterval: Math.max(0, Math.ceil((message.expiresAtMs - this.gateway.world.clock.nowMs()) / 1000)) };
        this.send({
          cmd: 'publish',
          topic: message.topic,
          payload: message.payload,
          qos: message.qos,
          dup: duplicate,
          retain,
          ...(messageId === undefined ? {} : { messageId }),
          ...(this.version === 5 ? { properties: { ...message.properties, ...left } } : {}),
        });
      },
    };
  }

  send(packet: Packet): void {
    if (!this.closed && this.socket.writable) this.socket.write(generate(packet, { protocolVersion: this.version }));
  }

  /** Refuses CONNECT: MQTT 5 clients are told why, MQTT 3.1.1 clients find the connection closed, unless the code is one of 3.1.1's own. */
  refuse(reasonCode: number, returnCode?: number): void {
    if (this.version === 5) this.send({ cmd: 'connack', sessionPresent: false, reasonCode } satisfies IConnackPacket);
    else if (returnCode !== undefined) this.send({ cmd: 'connack', sessionPresent: false, returnCode } satisfies IConnackPacket);
    this.end();
  }

  close(reason: DisconnectReason, reasonCode?: number, options: { readonly sendWill?: boolean } = {}): void {
    if (this.closed) return;
    if (this.version === 5 && this.session && reasonCode !== undefined) this.send({ cmd: 'disconnect', reasonCode });
    const { session, will } = this;
    this.end();
    if (!session) return;
    this.session = undefined;
    this.gateway.left(this, session, reason);
    const sendWill = options.sendWill ?? reason !== 'CLIENT_INITIATED_DISCONNECT';
    if (will && sendWill)
      this.gateway.broker.publish(will, { clientId: this.clientId, certificateId: this.certificateId, sourceIp: this.sourceIp });
  }

  private end(): void {
    if (this.closed) return;
    this.closed = true;
    this.gateway.forget(this);
    // What was written last (CONNACK, DISCONNECT) still goes out; a peer that does not answer the FIN is cut.
    this.socket.end();
    this.socket.setTimeout(2000, () => this.socket.destroy());
  }
}
