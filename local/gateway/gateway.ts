/**
 * The MQTT gateway of the desk: mutual TLS on loopback, a device's identity is its certificate's fingerprint in the registry.
 *
 *   TLS handshake → certificate registered, ACTIVE, in its validity? → CONNECT → iot:Connect? → CONNACK
 *                     no: closed without a CONNACK, log line Connection.AuthNError
 */
import { createServer, type TLSSocket } from 'node:tls';
import type { AddressInfo } from 'node:net';
import { constants } from 'node:crypto';
import type { Cloud, Gateway } from '../cloud.js';
import { authenticate } from './authenticate.js';
import { Broker } from './broker.js';
import { Connection } from './connection.js';
import type { DeviceConnection, GatewayContext } from './context.js';
import { createIotLog, type AuthNReason, type LogPlan } from './iot-log.js';
import { LifecycleEvents, type DisconnectReason } from './lifecycle-events.js';
import { createIotMetrics } from './metrics.js';
import { REASON } from './reason-codes.js';
import type { RetainedMessages } from './retained-messages.js';
import type { ShadowStore } from './reserved/shadow-store.js';
import type { Responder } from './reserved/responder.js';
import { createServerIdentity } from './server-identity.js';

export interface GatewayOptions {
  /** @default 0: chosen by the system */
  readonly port?: number;
  /** Refuse clients whose SNI is not the gateway's host, as AWS does for SNI_ONLY certificates. @default false: mosquitto and others send none to an IP address. */
  readonly requireSni?: boolean;
  /** Longest life of a persistent session. @default 3600, AWS's default quota */
  readonly maxSessionExpirySeconds?: number;
  /** Which log lines are written. @default none */
  readonly logging?: LogPlan;
  /** Features of AWS IoT that answer on reserved topics, besides device shadows. */
  readonly responders?: readonly Responder[];
}

/** The gateway as the services of AWS IoT see it. */
export interface DeskGateway extends Gateway {
  readonly retained: RetainedMessages;
  readonly shadows: ShadowStore;
  /** DeleteConnection of the data plane. `false`: not connected. */
  deleteConnection(clientId: string, options: { readonly cleanSession?: boolean; readonly preventWillMessage?: boolean }): boolean;
  publishFromApi(message: Parameters<Broker['publish']>[0]): void;
  close(): Promise<void>;
}

const HOST = 'localhost';
const ADDRESS = '127.0.0.1';
const API_REASON_CODES: Readonly<Record<string, number>> = {
  AUTH_ERROR: REASON.notAuthorized,
  API_INITIATED_DISCONNECT: REASON.administrativeAction,
};

/** What a Disconnect line says beside its disconnectReason (cwl-format.html). */
const TOLD: Readonly<Partial<Record<DisconnectReason, { readonly reason: string; readonly details: string }>>> = {
  DUPLICATE_CLIENTID: { reason: 'DUPLICATE_CLIENT_ID', details: 'A new connection was established with the same client ID' },
};

export async function startGateway(cloud: Cloud, options: GatewayOptions = {}): Promise<DeskGateway> {
  const { world } = cloud;
  const registry = cloud.parts.registry;
  if (!registry) throw new Error('The gateway needs the registry of AWS IoT: add the iot service first');
  const identity = await createServerIdentity();
  const broker = new Broker(cloud, options.maxSessionExpirySeconds);
  for (const responder of options.responders ?? []) broker.reserved.add(responder);
  const log = createIotLog(cloud, options.logging ?? (() => undefined));
  const count = createIotMetrics(cloud);
  const byClient = new Map<string, DeviceConnection>();
  const byCertificate = new Map<string, Set<DeviceConnection>>();
  const sockets = new Set<TLSSocket>();
  let seconds = 0;

  const publishAsAws: Gateway['publish'] = (topic, payload, { qos = 0, retain = false, contentType, expiresAtMs } = {}) =>
    broker.publish(
      {
        topic,
        payload: Buffer.from(payload as Uint8Array),
        qos,
        retain,
        properties: contentType === undefined ? {} : { contentType },
        ...(expiresAtMs === undefined ? {} : { expiresAtMs }),
      },
      {},
    );
  const events = new LifecycleEvents(world, (topic, payload) => publishAsAws(topic, payload, { qos: 1 }));

  const context: GatewayContext = {
    world,
    registry,
    broker,
    events,
    log,
    count,
    tick: () => seconds,
    connectionOf: (clientId) => byClient.get(clientId),
    joined: (connection) => {
      connection.connectedAtMs = world.clock.nowMs();
      byClient.set(connection.clientId, connection);
      count('Connect.Success', { Protocol: 'Mqtt' }, { clientId: connection.clientId, sourceIp: connection.sourceIp });
      log({ eventType: 'Connect', logLevel: 'INFO', ...connection.logFields() });
      world.journal.add({ kind: 'connection', what: 'connected', who: connection.clientId, ok: true });
      registry.connected(connection.certificateId, connection.clientId);
      events.connected(connection.identity());
    },
    left: (connection, session, reason) => {
      if (byClient.get(connection.clientId) === connection) byClient.delete(connection.clientId);
      broker.leaveSession(session);
      log({ eventType: 'Disconnect', logLevel: 'INFO', ...connection.logFields(), ...TOLD[reason], disconnectReason: reason });
      world.journal.add({
        kind: 'connection',
        what: 'disconnected',
        who: connection.clientId,
        ok: reason === 'CLIENT_INITIATED_DISCONNECT',
        detail: reason,
      });
      registry.disconnected(connection.certificateId, connection.clientId, reason);
      cloud.parts.traffic?.({ what: 'Disconnect', clientId: connection.clientId, sourceIp: connection.sourceIp });
      events.disconnected(connection.identity(), reason);
    },
    forget: (connection) => {
      const held = byCertificate.get(connection.certificateId);
      held?.delete(connection);
      if (held?.size === 0) byCertificate.delete(connection.certificateId);
    },
  };

  const refuse = (socket: TLSSocket, reason: AuthNReason, details: string, certificateId?: string): void => {
    count('Connection.AuthNError', { Protocol: 'Mqtt' });
    log({
      eventType: 'Connection.AuthNError',
      logLevel: 'ERROR',
      reason,
      details,
      ...(certificateId ? { principalId: certificateId } : {}),
      sourceIp: socket.remoteAddress ?? '',
      sourcePort: socket.remotePort ?? 0,
    });
    world.journal.add({ kind: 'connection', what: 'refused', who: certificateId ?? 'no certificate', ok: false, detail: reason });
    socket.destroy();
  };

  const server = createServer(
    {
      key: identity.keyPem,
      cert: identity.certificatePem,
      minVersion: 'TLSv1.2',
      requestCert: true,
      // Any certificate may come in; whether it is known is the registry's matter, as on AWS IoT, which trusts no chain but its registry.
      rejectUnauthorized: false,
      ALPNProtocols: ['x-amzn-mqtt-ca', 'mqtt'],
      // No resumption: each connection shows its certificate and is checked anew.
      secureOptions: constants.SSL_OP_NO_TICKET,
      handshakeTimeout: 30_000,
    },
    (socket) => {
      socket.setNoDelay(true);
      socket.on('error', () => socket.destroy());
      if (options.requireSni && socket.servername !== HOST)
        return refuse(socket, 'SNI_MISUSED', 'The SNI is missing or not the host of the gateway');
      const checked = authenticate(cloud, socket.getPeerX509Certificate());
      if (!checked.ok) return refuse(socket, checked.reason, checked.details, checked.certificateId);
      const connection = new Connection(context, socket, checked.certificateId, checked.certificate);
      byCertificate.set(checked.certificateId, (byCertificate.get(checked.certificateId) ?? new Set()).add(connection));
    },
  );
  server.on('connection', (socket: TLSSocket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  // A handshake that fails is the client's affair.
  server.on('tlsClientError', (_, socket) => socket.destroy());
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port ?? 0, ADDRESS, resolve);
  });
  const ticker = setInterval(() => {
    seconds += 1;
    for (const held of byCertificate.values()) for (const connection of held) connection.checkKeepAlive(seconds);
  }, 1000);
  ticker.unref();

  const cut = (connection: DeviceConnection, reason: string, closing: { readonly sendWill?: boolean } = {}): void =>
    connection.close(reason as DisconnectReason, API_REASON_CODES[reason] ?? REASON.unspecified, closing);

  const gateway: DeskGateway = {
    host: HOST,
    port: (server.address() as AddressInfo).port,
    serverCaPem: identity.caPem,
    retained: broker.retained,
    shadows: broker.reserved.shadows,
    publish: publishAsAws,
    publishFromApi: (message) => broker.publish(message, { sourceIp: ADDRESS }),
    disconnect: (clientId, reason) => {
      const connection = byClient.get(clientId);
      if (connection) cut(connection, reason);
      return connection !== undefined;
    },
    deleteConnection: (clientId, { cleanSession, preventWillMessage }) => {
      const connection = byClient.get(clientId);
      if (!connection) return false;
      cut(connection, 'API_INITIATED_DISCONNECT', preventWillMessage ? { sendWill: false } : {});
      if (cleanSession) broker.endSessionOf(clientId);
      return true;
    },
    disconnectCertificate: (certificateId, reason) => {
      const held = [...(byCertificate.get(certificateId) ?? [])];
      for (const connection of held) cut(connection, reason);
      return held.length;
    },
    connections: () =>
      [...byClient.values()].map(({ clientId, certificateId, connectedAtMs }) => ({ clientId, certificateId, connectedAtMs })),
    close: async () => {
      clearInterval(ticker);
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const connection of byClient.values())
        connection.close('SERVER_INITIATED_DISCONNECT', REASON.serverShuttingDown, { sendWill: false });
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
  cloud.parts.gateway = gateway;
  return gateway;
}
