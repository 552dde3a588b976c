/** The process of one powered device: reads what it is from the first line of its standard input, says what happens as lines of JSON. */
import { createInterface } from 'node:readline';
import { createAgent } from '../../agent/agent.js';
import { RECORD } from '../../agent/rotation/record.js';
import { diskFiles } from '../../agent/storage/disk-files.js';
import type { Files } from '../../agent/storage/files.js';
import { mqttTransport } from '../../agent/transport/mqtt-transport.js';
import type { ChildOptions } from './powered-device.js';

/** The power goes away when this step is on the disk, before anything follows from it. */
function mortal(files: Files, cutAfter: string): Files {
  return {
    ...files,
    replace: async (name, content) => {
      await files.replace(name, content);
      if (name === RECORD && (JSON.parse(String(content)) as { state?: unknown }).state === cutAfter) process.kill(process.pid, 'SIGKILL');
    },
  };
}

function live({ directory, thingName, cutAfter, ...where }: ChildOptions): void {
  const files = diskFiles(directory);
  const agent = createAgent({
    thingName,
    files: cutAfter === undefined ? files : mortal(files, cutAfter),
    transport: mqttTransport(where),
    settings: {
      answerMs: 10_000,
      ask: { firstMs: 500, longestMs: 10_000 },
      settleMs: 5000,
      reconnect: { firstMs: 500, longestMs: 15_000 },
    },
    telemetry: () => ({ uptimeSeconds: Math.round(process.uptime()) }),
    onEvent: (event) => process.stdout.write(`${JSON.stringify(event)}\n`),
  });
  process.on('SIGTERM', () => agent.stop());
  agent.run().then(
    () => process.exit(0),
    (error: unknown) => {
      process.stderr.write(`${thingName}: ${String(error)}\n`);
      process.exit(1);
    },
  );
}

// Ctrl-C goes to the whole process group; the parent decides when the device stops.
process.on('SIGINT', () => undefined);
const input = createInterface({ input: process.stdin });
input.once('line', (line) => live(JSON.parse(line) as ChildOptions));
// Without its parent it has no reason to live.
input.on('close', () => process.exit(0));
