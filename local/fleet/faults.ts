/**
 * Devices as they are in the field: a firmware that makes keys as they must not be, a flash chip that gives back something else than it was given, and
 * devices that have been taken over. The reference agent runs unchanged, as it does on a device that somebody has got into: what surrounds it is at fault.
 */
import { createPublicKey, createPrivateKey, generateKeyPairSync, sign } from 'node:crypto';
import { fileKeyStore } from '../../agent/keys/file-key-store.js';
import type { KeyStore } from '../../agent/keys/key-store.js';
import type { DeviceMetrics } from '../../agent/speech/device-metrics.js';
import type { Files } from '../../agent/storage/files.js';
import type { Connection, Transport } from '../../agent/transport/transport.js';

/**
 * `weak-keys`: P-192, that no CA takes any more. `flipped-bit`: one bit of each certificate that was stored is another when it is read. `floods`: hundreds of
 * messages a second. `strange-address`: calls from another address of this computer. `scans`: tries topics that are not its own. `open-port`: reports telnet,
 * and peers that nobody knows.
 */
export const DEVICE_FAULTS = ['weak-keys', 'flipped-bit', 'floods', 'strange-address', 'scans', 'open-port'] as const;
export type DeviceFault = (typeof DEVICE_FAULTS)[number];

export function weakKeys(files: Files): KeyStore {
  const honest = fileKeyStore(files);
  const keyOf = async (handle: string) => createPrivateKey((await files.read(handle))!.toString('utf8'));
  return {
    ...honest,
    generate: async (label) => {
      const handle = `keys/${label}.pem`;
      const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime192v1' });
      await files.replace(handle, privateKey.export({ type: 'pkcs8', format: 'pem' }));
      return handle;
    },
    publicKey: async (handle) => createPublicKey(await keyOf(handle)).export({ type: 'spki', format: 'der' }),
    sign: async (handle, message) => sign('sha256', message, await keyOf(handle)),
  };
}

/** The bit lies in the signature, at the end: the certificate still parses, and TLS shows it; AWS IoT has never seen it. */
export function flippingFiles(files: Files): Files {
  return {
    ...files,
    read: async (name) => {
      const content = await files.read(name);
      return content && name.startsWith('certificates/') ? flipped(content.toString('utf8')) : content;
    },
  };
}

/** An address of the loopback interface that the other devices do not use. Where a system has only one (macOS), `ifconfig lo0 alias` adds it. */
export const STRANGE_ADDRESS = '127.0.0.66';

/** 203.0.113.0/24 is nobody's (RFC 5737). Simulated time does not pass for devices: they report every few seconds instead of minutes. */
export const OPEN_PORT_EVERY_MS = 3000;
export const openPort = (isClean: boolean): DeviceMetrics =>
  isClean ? { listeningTcpPorts: [8883], peers: [] } : { listeningTcpPorts: [23, 8883], peers: ['203.0.113.9:6667', '203.0.113.44:6667'] };

/** What an intruder does with a connection of the device, as soon as there is one. Ends when somebody has cleaned the device. */
function intruded(transport: Transport, isClean: () => boolean, act: (connection: Connection) => Promise<void>): Transport {
  return {
    connect: async (options) => {
      const connection = await transport.connect(options);
      setTimeout(() => {
        if (!isClean()) void act(connection).catch(() => undefined);
      }, INTRUDER_AFTER_MS);
      return connection;
    },
  };
}
/** The device's own messages come first: Jobs is asked, so that it can be told to shut off. */
const INTRUDER_AFTER_MS = 300;

/** Asks for topics of others, and publishes where it may not: that ends the connection. */
export const scanning = (transport: Transport, isClean: () => boolean): Transport =>
  intruded(transport, isClean, async (connection) => {
    await connection.subscribe(['fleet/+/commands', '$aws/things/+/shadow/#', '#']).catch(() => undefined);
    await connection.publish('fleet/pump-0001/commands', '{"valve":"open"}', 1);
  });

const FLOOD_EVERY_MS = 5;

/** Publishes what it may, hundreds of times a second, as long as the connection lasts. */
export const flooding = (transport: Transport, isClean: () => boolean, topic: string): Transport =>
  intruded(transport, isClean, async (connection) => {
    let isOver = false;
    void connection.closed.then(() => (isOver = true));
    while (!isOver && !isClean()) {
      await connection.publish(topic, '{"flood":true}', 0);
      await new Promise((resolve) => setTimeout(resolve, FLOOD_EVERY_MS));
    }
  });

/** Calls from the other address until somebody has cleaned the device. */
export const roaming = (strange: Transport, usual: Transport, isClean: () => boolean): Transport => ({
  connect: (options) => (isClean() ? usual : strange).connect(options),
});

const BEGIN = '-----BEGIN CERTIFICATE-----';
const END = '-----END CERTIFICATE-----';

function flipped(pem: string): Buffer {
  const der = Buffer.from(pem.slice(pem.indexOf(BEGIN) + BEGIN.length, pem.indexOf(END)), 'base64');
  der[der.length - 1]! ^= 1;
  return Buffer.from(`${BEGIN}\n${der.toString('base64').replace(/.{64}/g, '$&\n').trim()}\n${END}\n`);
}
