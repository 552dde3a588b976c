/** A device in the process of the test: real TLS, real MQTT, storage in memory. */
import { createAgent, type AgentOptions } from '../../agent/agent.js';
import type { AgentEvent } from '../../agent/device.js';
import { memoryFiles } from '../../agent/storage/memory-files.js';
import { mqttTransport } from '../../agent/transport/mqtt-transport.js';
import type { AgentSettings } from '../../agent/settings.js';
import type { Device, GatewayDesk } from '../local/gateway-desk.js';
import { QUICK } from './quick.js';

export const OLD = { certificate: 'certificate.pem', key: 'key.pem' };

export const storageOf = (device: Pick<Device, 'certificatePem' | 'privateKeyPem'>): ReturnType<typeof memoryFiles> =>
  memoryFiles({ 'certificate.pem': device.certificatePem, 'key.pem': device.privateKeyPem, 'active.json': JSON.stringify(OLD) });

export interface RunningDevice {
  readonly events: AgentEvent[];
  readonly files: ReturnType<typeof memoryFiles>;
  /** Steps of rotations so far, with the reason where one fails. */
  steps(): string[];
  /** Resolves at the first event, also of the past, that `wanted` accepts; rejects after ten seconds with what there was. */
  until(wanted: (event: AgentEvent) => boolean): Promise<AgentEvent>;
  /** The pair that the pointer names. */
  active(): Promise<string>;
  stop(): Promise<void>;
}

export function runDevice(
  desk: GatewayDesk,
  device: Pick<Device, 'thingName' | 'certificatePem' | 'privateKeyPem'>,
  options: Partial<Omit<AgentOptions, 'settings'>> & {
    readonly settings?: Partial<AgentSettings>;
    readonly memory?: ReturnType<typeof memoryFiles>;
  } = {},
): RunningDevice {
  const { memory, settings, ...rest } = options;
  const files = memory ?? storageOf(device);
  const events: AgentEvent[] = [];
  const listeners = new Set<(event: AgentEvent) => void>();
  const agent = createAgent({
    thingName: device.thingName,
    files,
    transport: mqttTransport(desk.gateway),
    ...rest,
    settings: { ...QUICK, ...settings },
    onEvent: (event) => {
      events.push(event);
      for (const listener of listeners) listener(event);
    },
  });
  const running = agent.run();
  running.catch(() => undefined);
  return {
    events,
    files,
    steps: () =>
      events.flatMap((event) =>
        event.kind === 'rotation' ? [event.reason === undefined ? event.step : `${event.step}: ${event.reason}`] : [],
      ),
    until: (wanted) =>
      new Promise((resolve, reject) => {
        const found = events.find(wanted);
        if (found) return resolve(found);
        const settle = (act: () => void): void => {
          clearTimeout(timer);
          listeners.delete(listener);
          act();
        };
        const listener = (event: AgentEvent): void => {
          if (wanted(event)) settle(() => resolve(event));
        };
        const timer = setTimeout(
          () =>
            settle(() =>
              reject(new Error(`${device.thingName} did not get there:\n${events.map((event) => JSON.stringify(event)).join('\n')}`)),
            ),
          10_000,
        );
        timer.unref();
        listeners.add(listener);
        running.catch((error: unknown) => settle(() => reject(error as Error)));
      }),
    active: async () => (JSON.parse((await files.read('active.json'))!.toString()) as { certificate: string }).certificate,
    stop: async () => {
      agent.stop();
      await running;
    },
  };
}

export const isStep =
  (step: string) =>
  (event: AgentEvent): boolean =>
    event.kind === 'rotation' && event.step === step;
export const finished = isStep('finished');
