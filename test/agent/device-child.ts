/** A device in a process of its own, which may lose its power: `node device-child.cjs '{"directory": …}'`. */
import { createAgent } from '../../agent/agent.js';
import { diskFiles } from '../../agent/storage/disk-files.js';
import { mqttTransport } from '../../agent/transport/mqtt-transport.js';
import { mortalFiles, type Death } from './mortal-files.js';
import { QUICK } from './quick.js';

export interface ChildOptions {
  readonly directory: string;
  readonly thingName: string;
  readonly host: string;
  readonly port: number;
  readonly serverCaPem: string;
  readonly dieAt?: number;
  readonly death?: Death;
}

const { directory, thingName, dieAt, death = 'after', ...where } = JSON.parse(process.argv[2]!) as ChildOptions;
const files = diskFiles(directory);
const agent = createAgent({
  thingName,
  files: dieAt === undefined ? files : mortalFiles(files, directory, dieAt, death),
  transport: mqttTransport(where),
  settings: QUICK,
  onEvent: (event) => process.stdout.write(`${JSON.stringify(event)}\n`),
});
process.on('SIGTERM', () => agent.stop());
agent.run().catch((error: unknown) => {
  process.stderr.write(`${String(error)}\n`);
  process.exit(1);
});
