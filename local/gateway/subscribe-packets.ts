/** SUBSCRIBE and UNSUBSCRIBE: at most eight filters a request and fifty a connection; a filter that is not allowed is refused alone. */
import type { ISubscribePacket, IUnsubscribePacket } from 'mqtt-packet';
import type { DeviceConnection } from './context.js';
import { REASON } from './reason-codes.js';
import { MAX_FILTERS_PER_SUBSCRIBE, MAX_SUBSCRIPTIONS } from './limits.js';
import type { Session } from './session.js';
import { isTopicFilter, parseShared } from './topic-filter.js';

const FAILURE_3_1_1 = 0x80;

/** The reason code of a refusal, or undefined when the filter may be subscribed. */
function refusal(connection: DeviceConnection, session: Session, filter: string): number | undefined {
  const shared = parseShared(filter);
  if (filter.startsWith('$share/') && !shared) return REASON.topicFilterInvalid;
  if (!isTopicFilter(shared?.filter ?? filter)) return REASON.topicFilterInvalid;
  if (!session.subscriptions.has(filter) && session.subscriptions.size >= MAX_SUBSCRIPTIONS) return REASON.quotaExceeded;
  return connection.may('iot:Subscribe', 'topicfilter', filter) ? undefined : REASON.notAuthorized;
}

export function acceptSubscribe(connection: DeviceConnection, session: Session, packet: ISubscribePacket): void {
  const { gateway } = connection;
  if (packet.subscriptions.length > MAX_FILTERS_PER_SUBSCRIBE) return connection.close('CLIENT_ERROR', REASON.quotaExceeded);
  if (packet.properties?.subscriptionIdentifier !== undefined)
    return connection.close('CLIENT_ERROR', REASON.subscriptionIdentifiersNotSupported);
  if (packet.subscriptions.some(({ topic }) => !gateway.broker.reserved.offers(topic)))
    return connection.close('CLIENT_ERROR', REASON.topicFilterInvalid);
  const accepted: (() => void)[] = [];
  const topics: string[] = [];
  const granted = packet.subscriptions.map(({ topic: filter, qos, nl, rap, rh }) => {
    const refused = refusal(connection, session, filter);
    if (refused !== undefined) {
      const { clientId, sourceIp } = connection;
      const of = refused === REASON.notAuthorized ? { clientId, sourceIp, topic: filter } : undefined;
      gateway.count('Subscribe.AuthError', { Protocol: 'Mqtt' }, of);
      gateway.log({
        eventType: 'Subscribe',
        logLevel: 'ERROR',
        ...connection.logFields(),
        topicName: filter,
        reason: 'AUTHORIZATION_FAILURE',
        details: 'Authorization Failure',
      });
      return connection.version === 5 ? refused : FAILURE_3_1_1;
    }
    // QoS 2 is granted as 1: AWS IoT knows no more.
    const grantedQos = qos === 0 ? 0 : 1;
    // Retain handling (MQTT 5.0 §3.8.3.1): 0 always, 1 only for a new subscription, 2 never.
    const sendRetained = rh === 2 ? false : rh === 1 ? !session.subscriptions.has(filter) : true;
    accepted.push(() =>
      gateway.broker.subscribe(session, { filter, qos: grantedQos, noLocal: nl === true, retainAsPublished: rap === true }, sendRetained),
    );
    topics.push(filter);
    gateway.log({ eventType: 'Subscribe', logLevel: 'INFO', ...connection.logFields(), topicName: filter });
    return grantedQos;
  });
  connection.send({ cmd: 'suback', messageId: packet.messageId!, granted });
  for (const subscribe of accepted) subscribe();
  gateway.events.subscribed(connection.identity(), topics);
}

export function acceptUnsubscribe(connection: DeviceConnection, session: Session, packet: IUnsubscribePacket): void {
  const { gateway } = connection;
  if (packet.unsubscriptions.length > MAX_FILTERS_PER_SUBSCRIBE) return connection.close('CLIENT_ERROR', REASON.quotaExceeded);
  // 0x11: "no subscription existed" (MQTT 5.0 §3.11.3).
  const granted = packet.unsubscriptions.map((filter) => (gateway.broker.unsubscribe(session, filter) ? 0 : 0x11));
  for (const topicName of packet.unsubscriptions)
    gateway.log({ eventType: 'Unsubscribe', logLevel: 'INFO', ...connection.logFields(), topicName });
  connection.send({ cmd: 'unsuback', messageId: packet.messageId!, granted });
  gateway.events.unsubscribed(connection.identity(), packet.unsubscriptions);
}
