/**
 * A simulated device that runs the reference agent: it changes its certificate when AWS IoT Jobs asks for it. Its storage is memory, so it forgets
 * everything with its process; its times are short, because people wait for it.
 */
import { createAgent, type Agent } from '../../agent/agent.js';
import type { AgentEvent } from '../../agent/device.js';
import type { AgentSettings } from '../../agent/settings.js';
import { memoryFiles } from '../../agent/storage/memory-files.js';
import { POINTER, type Pair } from '../../agent/storage/identities.js';
import { mqttTransport } from '../../agent/transport/mqtt-transport.js';
import type { Transport } from '../../agent/transport/transport.js';
import { flippingFiles, flooding, OPEN_PORT_EVERY_MS, openPort, roaming, scanning, STRANGE_ADDRESS, weakKeys } from './faults.js';
import type { Gate } from './gate.js';
import type { DeviceIdentity, DeviceState, FleetSettings, OrderChange, RotationChange } from './messages.js';

const FACTORY_PAIR: Pair = { certificate: 'certificate.pem', key: 'key.pem' };
const SHORT: Partial<AgentSettings> = {
  // Many devices share the gateway's one thread: a refusal comes quickly, an answer may not.
  answerMs: 10_000,
  ask: { firstMs: 500, longestMs: 10_000 },
  refused: { firstMs: 2000, longestMs: 15_000 },
  settleMs: 5000,
  quiet: { firstMs: 5000, longestMs: 20_000 },
};

export interface Reports {
  readonly state: (thingName: string, state: DeviceState, detail?: string) => void;
  readonly rotation: (change: RotationChange) => void;
  readonly order: (change: OrderChange) => void;
  readonly published: () => void;
}

export class AgentDevice {
  private readonly agent: Agent;
  private sequence = 0;
  /** It was shut off: somebody has been there since, and has thrown the intruder out. */
  private isClean = false;

  constructor(
    private readonly identity: DeviceIdentity,
    settings: FleetSettings,
    gate: Gate,
    private readonly reports: Reports,
  ) {
    const { thingName, certificatePem, privateKeyPem, fault } = identity;
    const { telemetryEveryMs, telemetryTopic, backoff, commands } = settings;
    const files = memoryFiles({
      [FACTORY_PAIR.certificate]: certificatePem,
      [FACTORY_PAIR.key]: privateKeyPem,
      [POINTER]: JSON.stringify(FACTORY_PAIR),
    });
    this.agent = createAgent({
      thingName,
      commands,
      topicPrefix: telemetryTopic.slice(0, telemetryTopic.indexOf('/{thing}/')),
      files: fault === 'flipped-bit' ? flippingFiles(files) : files,
      ...(fault === 'weak-keys' ? { keys: weakKeys(files) } : {}),
      ...(fault === 'open-port' ? { metrics: () => openPort(this.isClean) } : {}),
      transport: throughGate(this.transport(settings), gate),
      settings: {
        ...SHORT,
        telemetryEveryMs,
        reportEveryMs: OPEN_PORT_EVERY_MS,
        reconnect: backoff,
        ...settings.agent,
      },
      actuation: { stop: () => Promise.resolve(), resume: () => Promise.resolve() },
      telemetry: () => ({
        sequence: (this.sequence += 1),
        temperature: Number((20 + Math.random() * 5).toFixed(2)),
        uptimeSeconds: Math.round(process.uptime()),
      }),
      onEvent: (event) => this.tell(event),
    });
  }

  private transport(settings: FleetSettings): Transport {
    const { fault, thingName } = this.identity;
    const usual = mqttTransport(settings);
    const isClean = (): boolean => this.isClean;
    switch (fault) {
      case 'scans':
        return scanning(usual, isClean);
      case 'floods':
        return flooding(usual, isClean, settings.telemetryTopic.replaceAll('{thing}', thingName));
      case 'strange-address':
        return roaming(mqttTransport({ ...settings, localAddress: STRANGE_ADDRESS }), usual, isClean);
      // What these do does not lie in their connections.
      case 'weak-keys':
      case 'flipped-bit':
      case 'open-port':
      case undefined:
        return usual;
    }
  }

  async connect(): Promise<void> {
    await this.agent.run();
  }

  stop(): void {
    this.agent.stop();
  }

  private tell(event: AgentEvent): void {
    const { reports } = this;
    const { thingName } = this.identity;
    switch (event.kind) {
      case 'connected':
        return reports.state(thingName, 'connected');
      case 'refused':
        return reports.state(thingName, 'refused', event.detail);
      case 'disconnected':
        // A device that changes its certificate ends its connection itself.
        return reports.state(thingName, event.isOwn ? 'connecting' : 'cut', event.detail);
      case 'published':
        return reports.published();
      case 'rotation': {
        const { jobId, step, reason } = event;
        return reports.rotation({ thingName, jobId, step, ...(reason === undefined ? {} : { reason }) });
      }
      case 'order':
        this.isClean = true;
        return reports.order({
          thingName,
          operation: event.operation,
          status: event.status,
          by: 'jobId' in event ? 'job' : 'command',
        });
      case 'warning':
      case 'quiet':
      case 'reported':
        return;
    }
  }
}

/** A bounded number of handshakes of the whole fleet at a time. */
function throughGate(transport: Transport, gate: Gate): Transport {
  return {
    connect: async (options) => {
      const leave = await gate.enter();
      try {
        return await transport.connect(options);
      } finally {
        leave();
      }
    },
  };
}
