import type { IPublishPacket } from 'mqtt-packet';

export type Qos = 0 | 1;
/** Properties of MQTT 5 that AWS IoT passes on from publisher to subscriber. */
export type PassedProperties = Pick<
  NonNullable<IPublishPacket['properties']>,
  'payloadFormatIndicator' | 'contentType' | 'responseTopic' | 'correlationData' | 'userProperties'
>;

/** A message in the broker. */
export interface Message {
  readonly topic: string;
  readonly payload: Buffer;
  readonly qos: Qos;
  readonly retain: boolean;
  readonly properties: PassedProperties;
  /** Simulated time after which it is not delivered any more (MQTT 5 message expiry). */
  readonly expiresAtMs?: number;
  /** Publisher, for subscriptions with "no local". Absent: AWS IoT itself. */
  readonly clientId?: string;
}

export function passedProperties(properties: IPublishPacket['properties']): PassedProperties {
  const { payloadFormatIndicator, contentType, responseTopic, correlationData, userProperties } = properties ?? {};
  return {
    ...(payloadFormatIndicator === undefined ? {} : { payloadFormatIndicator }),
    ...(contentType === undefined ? {} : { contentType }),
    ...(responseTopic === undefined ? {} : { responseTopic }),
    ...(correlationData === undefined ? {} : { correlationData }),
    ...(userProperties === undefined ? {} : { userProperties }),
  };
}
