/** Limits of the message broker of AWS IoT Core (https://docs.aws.amazon.com/general/latest/gr/iot-core.html#message-broker-limits, FACTS B12). */
export const MAX_PAYLOAD_BYTES = 128 * 1024;
/** A packet is a payload with its topic and properties: 146 KB in the CONNACK of AWS. */
export const MAX_PACKET_BYTES = 149_504;
export const MAX_CLIENT_ID_BYTES = 128;
export const MAX_FILTERS_PER_SUBSCRIBE = 8;
export const MAX_SUBSCRIPTIONS = 50;
export const MIN_KEEP_ALIVE_SECONDS = 30;
export const MAX_KEEP_ALIVE_SECONDS = 1200;
/** Unacknowledged QoS 1 messages in one direction of a connection. */
export const RECEIVE_MAXIMUM = 100;
export const TOPIC_ALIAS_MAXIMUM = 8;
export const SESSION_EXPIRY_SECONDS = 3600;
/** Stored messages of one persistent session; what comes above is dropped, as AWS does beyond the account's limit. */
export const MAX_QUEUED = 1000;
/** A client that does not read: what waits in its socket before QoS 0 messages are dropped for it. */
export const MAX_SOCKET_BACKLOG_BYTES = 1024 * 1024;
/** A connection without a CONNECT packet is closed after this long. */
export const CONNECT_TIMEOUT_TICKS = 30;
/** After this long offline the version number of lifecycle events starts again (FACTS B5). */
export const PRESENCE_VERSION_RESET_MS = 3_600_000;
