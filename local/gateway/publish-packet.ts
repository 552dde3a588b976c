/** PUBLISH from a device: limits, rights, then the broker. A publish that is not allowed ends the connection, as on AWS IoT. */
import type { IPublishPacket } from 'mqtt-packet';
import type { DeviceConnection } from './context.js';
import { REASON } from './reason-codes.js';
import { MAX_PAYLOAD_BYTES, TOPIC_ALIAS_MAXIMUM } from './limits.js';
import { passedProperties } from './message.js';
import { isTopicName } from './topic-filter.js';

/** The topic of a packet by its alias (MQTT 5.0 §3.3.2.3.4); undefined: an alias out of range, or not known. */
function topicOf(connection: DeviceConnection, packet: IPublishPacket): string | undefined {
  const alias = packet.properties?.topicAlias;
  if (alias === undefined) return packet.topic;
  if (alias < 1 || alias > TOPIC_ALIAS_MAXIMUM) return undefined;
  if (packet.topic !== '') connection.topicAliases.set(alias, packet.topic);
  return connection.topicAliases.get(alias);
}

export function acceptPublish(connection: DeviceConnection, packet: IPublishPacket): void {
  const { gateway } = connection;
  if (packet.qos === 2) return connection.close('CLIENT_ERROR', REASON.qosNotSupported);
  const topic = topicOf(connection, packet);
  if (topic === undefined) return connection.close('CLIENT_ERROR', REASON.topicAliasInvalid);
  const payload = Buffer.from(packet.payload);
  if (payload.length > MAX_PAYLOAD_BYTES) return connection.close('CLIENT_ERROR', REASON.packetTooLarge);
  if (!isTopicName(topic) || !gateway.broker.reserved.accepts(topic)) return connection.close('CLIENT_ERROR', REASON.topicNameInvalid);
  if (packet.retain && topic.startsWith('$')) return connection.close('CLIENT_ERROR', REASON.retainNotSupported);
  if (!connection.may('iot:Publish', 'topic', topic) || (packet.retain && !connection.may('iot:RetainPublish', 'topic', topic)))
    return refuse(connection, packet, topic);
  const expiry = packet.properties?.messageExpiryInterval;
  gateway.broker.publish(
    {
      topic,
      payload,
      qos: packet.qos,
      retain: packet.retain,
      properties: passedProperties(packet.properties),
      clientId: connection.clientId,
      ...(expiry === undefined ? {} : { expiresAtMs: gateway.world.clock.nowMs() + expiry * 1000 }),
    },
    { clientId: connection.clientId, certificateId: connection.certificateId, sourceIp: connection.sourceIp },
  );
  const { clientId, sourceIp } = connection;
  gateway.count('PublishIn.Success', { Protocol: 'Mqtt' }, { clientId, sourceIp, topic, bytes: payload.length });
  gateway.log({ eventType: 'Publish-In', logLevel: 'INFO', ...connection.logFields(), topicName: topic });
  if (packet.qos === 1) connection.send({ cmd: 'puback', messageId: packet.messageId!, reasonCode: REASON.normal });
}

function refuse(connection: DeviceConnection, packet: IPublishPacket, topic: string): void {
  const { gateway } = connection;
  gateway.count('PublishIn.AuthError', { Protocol: 'Mqtt' }, { clientId: connection.clientId, sourceIp: connection.sourceIp, topic });
  gateway.log({
    eventType: 'Publish-In',
    logLevel: 'ERROR',
    ...connection.logFields(),
    topicName: topic,
    reason: 'AUTHORIZATION_FAILURE',
    details: 'Authorization Failure',
  });
  if (packet.qos === 1 && connection.version === 5)
    connection.send({ cmd: 'puback', messageId: packet.messageId!, reasonCode: REASON.notAuthorized });
  connection.close('AUTH_ERROR', REASON.notAuthorized);
}
