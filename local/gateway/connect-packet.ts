/** CONNECT: MQTT 3.1.1 §3.1, MQTT 5.0 §3.1, with what AWS IoT allows (https://docs.aws.amazon.com/iot/latest/developerguide/mqtt.html). */
import { randomUUID } from 'node:crypto';
import type { IConnackPacket, IConnectPacket } from 'mqtt-packet';
import type { DeviceConnection } from './context.js';
import { REASON } from './reason-codes.js';
import {
  MAX_CLIENT_ID_BYTES,
  MAX_KEEP_ALIVE_SECONDS,
  MAX_PACKET_BYTES,
  MAX_PAYLOAD_BYTES,
  MIN_KEEP_ALIVE_SECONDS,
  RECEIVE_MAXIMUM,
  SESSION_EXPIRY_SECONDS,
  TOPIC_ALIAS_MAXIMUM,
} from './limits.js';
import { passedProperties, type Message } from './message.js';
import { isTopicName } from './topic-filter.js';

/** 0 and too long become the longest, too short the shortest (quotas: 30 to 1200 seconds). */
export function effectiveKeepAlive(requested: number): number {
  if (requested === 0 || requested > MAX_KEEP_ALIVE_SECONDS) return MAX_KEEP_ALIVE_SECONDS;
  return Math.max(requested, MIN_KEEP_ALIVE_SECONDS);
}

export function acceptConnect(connection: DeviceConnection, packet: IConnectPacket): void {
  const { gateway } = connection;
  if (packet.protocolVersion !== 4 && packet.protocolVersion !== 5) {
    connection.refuse(REASON.protocolError, 0x01);
    return;
  }
  connection.version = packet.protocolVersion;
  const assigned = packet.clientId === '';
  // MQTT 3.1.1 §3.1.3.1: without a client id only a clean session can be asked for.
  if (assigned && connection.version === 4 && !packet.clean) return connection.refuse(REASON.clientIdInvalid, 0x02);
  connection.clientId = assigned ? randomUUID() : packet.clientId;
  if (Buffer.byteLength(connection.clientId) > MAX_CLIENT_ID_BYTES || connection.clientId.startsWith('$'))
    return connection.refuse(REASON.clientIdInvalid, 0x02);
  const will = willOf(connection, packet);
  if (typeof will === 'number') return connection.refuse(will);
  if (!isAuthorised(connection, will)) return refuseUnauthorised(connection);
  connection.will = will;
  gateway.connectionOf(connection.clientId)?.close('DUPLICATE_CLIENTID', REASON.sessionTakenOver);
  open(connection, packet, assigned);
}

function open(connection: DeviceConnection, packet: IConnectPacket, assigned: boolean): void {
  const { gateway } = connection;
  const requested = connection.version === 5 ? (packet.properties?.sessionExpiryInterval ?? 0) : packet.clean ? 0 : SESSION_EXPIRY_SECONDS;
  const { session, present } = gateway.broker.openSession(connection.clientId, packet.clean !== false, requested);
  connection.session = session;
  connection.keepAliveSeconds = effectiveKeepAlive(packet.keepalive ?? 0);
  connection.receiveMaximum = Math.min(packet.properties?.receiveMaximum ?? RECEIVE_MAXIMUM, RECEIVE_MAXIMUM);
  const connack: IConnackPacket =
    connection.version === 4
      ? { cmd: 'connack', returnCode: 0, sessionPresent: present }
      : {
          cmd: 'connack',
          reasonCode: 0,
          sessionPresent: present,
          properties: {
            sessionExpiryInterval: session.expirySeconds,
            receiveMaximum: RECEIVE_MAXIMUM,
            maximumQoS: 1,
            retainAvailable: true,
            maximumPacketSize: MAX_PACKET_BYTES,
            ...(assigned ? { assignedClientIdentifier: connection.clientId } : {}),
            topicAliasMaximum: TOPIC_ALIAS_MAXIMUM,
            wildcardSubscriptionAvailable: true,
            subscriptionIdentifiersAvailable: false,
            sharedSubscriptionAvailable: true,
            serverKeepAlive: connection.keepAliveSeconds,
          },
        };
  connection.send(connack);
  gateway.joined(connection);
  session.open(connection.outlet());
}

/** A reason code when the will is not acceptable. */
function willOf(connection: DeviceConnection, { will }: IConnectPacket): Message | number | undefined {
  if (!will) return undefined;
  if (will.qos === 2) return REASON.qosNotSupported;
  if (!isTopicName(will.topic) || will.topic.startsWith('$')) return REASON.topicNameInvalid;
  const payload = Buffer.from(will.payload);
  if (payload.length > MAX_PAYLOAD_BYTES) return REASON.packetTooLarge;
  return {
    topic: will.topic,
    payload,
    qos: will.qos === 1 ? 1 : 0,
    retain: will.retain === true,
    properties: passedProperties(will.properties),
    clientId: connection.clientId,
  };
}

function isAuthorised(connection: DeviceConnection, will: Message | undefined): boolean {
  if (!connection.may('iot:Connect', 'client', connection.clientId)) return false;
  if (!will) return true;
  return connection.may('iot:Publish', 'topic', will.topic) && (!will.retain || connection.may('iot:RetainPublish', 'topic', will.topic));
}

function refuseUnauthorised(connection: DeviceConnection): void {
  const { gateway } = connection;
  gateway.events.connectFailed(connection.identity());
  gateway.count('Connect.AuthError', { Protocol: 'Mqtt' }, { clientId: connection.clientId, sourceIp: connection.sourceIp });
  gateway.log({
    eventType: 'Connect',
    logLevel: 'ERROR',
    ...connection.logFields(),
    reason: 'AUTHORIZATION_FAILURE',
    details: 'Authorization Failure',
  });
  gateway.world.journal.add({ kind: 'connection', what: 'refused', who: connection.clientId, ok: false, detail: 'AUTHORIZATION_FAILED' });
  connection.refuse(REASON.notAuthorized);
}
