/** The process in which the devices live: one for the whole fleet, apart from the desk, so that the two do not share an event loop. */
import { AgentDevice } from './agent-device.js';
import { Device } from './device.js';
import { Gate } from './gate.js';
import type { DeviceIdentity, FleetSettings, FromDevices, RotationChange, StateChange, ToDevices } from './messages.js';

const REPORT_EVERY_MS = 20;
const COUNT_EVERY_MS = 1000;

const devices: (Device | AgentDevice)[] = [];
let settings: FleetSettings | undefined;
let gate: Gate | undefined;
let pending: StateChange[] = [];
let steps: RotationChange[] = [];
let messages = 0;

const say = (message: FromDevices): void => {
  // A parent that is gone needs no report, also when it goes at this very moment: the callback takes the error that would end this process loudly.
  if (process.connected) process.send?.(message, undefined, undefined, () => undefined);
};

function report(thingName: string, state: StateChange['state'], detail?: string): void {
  // Changes are gathered for a moment: a thousand devices that are cut together are a few messages, not a thousand.
  if (pending.length === 0) {
    setTimeout(() => {
      say({ kind: 'changes', changes: pending });
      pending = [];
    }, REPORT_EVERY_MS);
  }
  pending.push({ thingName, state, atMs: Date.now(), ...(detail === undefined ? {} : { detail }) });
}

function reportStep(change: RotationChange): void {
  if (steps.length === 0) {
    setTimeout(() => {
      say({ kind: 'rotations', changes: steps });
      steps = [];
    }, REPORT_EVERY_MS);
  }
  steps.push(change);
}

function deviceOf(identity: DeviceIdentity): Device | AgentDevice {
  const published = (): void => {
    messages += 1;
  };
  return settings!.agent
    ? new AgentDevice(identity, settings!, gate!, {
        state: report,
        rotation: reportStep,
        order: (change) => say({ kind: 'order', change }),
        published,
      })
    : new Device(identity, settings!, gate!, report, published);
}

process.on('message', (message: ToDevices) => {
  switch (message.kind) {
    case 'start':
      settings = message.settings;
      gate = new Gate(settings.parallelConnects);
      setInterval(() => {
        if (messages > 0) say({ kind: 'published', messages });
        messages = 0;
      }, COUNT_EVERY_MS);
      say({ kind: 'ready' });
      break;
    case 'add':
      for (const identity of message.devices) {
        const device = deviceOf(identity);
        devices.push(device);
        void device.connect();
      }
      break;
    case 'stop':
      for (const device of devices) device.stop();
      process.exit(0);
  }
});
// Without its parent a fleet has no reason to live: no process stays behind, whatever happened to the parent.
process.on('disconnect', () => process.exit(0));
// Ctrl-C goes to the whole process group; the parent decides when the devices stop.
process.on('SIGINT', () => undefined);
