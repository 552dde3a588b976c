/** `npm run desk`: only the desk, with the application applied. Ends with Ctrl-C, and leaves nothing behind but this run's `.desk` folder. */
import './quiet-sdk.js';
import path from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import { usage, writeDeskFiles, type DeskFiles } from './desk-files.js';
import type { Desk } from './desk.js';
import { terminalScreen } from './scenes/screen.js';
import { openDesk, type Opened } from './scenes/set-up.js';
import { REPOSITORY } from './synth.js';

const port = (text: string): number => {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > 65_535)
    throw new InvalidArgumentError(`got "${text}", expected a port from 1 to 65535`);
  return value;
};

async function main(): Promise<void> {
  const options = new Command('npm run desk --')
    .description('Starts the embedded AWS with Fleetwarden applied, on loopback.')
    .option('--port <port>', 'port of the AWS endpoint (default: chosen by the system)', port)
    .option('--mqtt-port <port>', 'port of the MQTT gateway (default: chosen by the system)', port)
    .parse()
    .opts<{ port?: number; mqttPort?: number }>();
  const screen = await terminalScreen(process.stdout);
  const interrupted = new AbortController();
  let opening: Promise<Opened> | undefined;
  let files: DeskFiles | undefined;
  let stopping = false;
  const stop = async (status: number): Promise<void> => {
    // Ctrl-C reaches this process twice, from the terminal and through the launcher: the second must not cut the first short.
    if (stopping) return;
    stopping = true;
    interrupted.abort();
    files?.remove();
    const opened = await opening?.catch(() => undefined); // half a desk cannot be closed
    await opened?.desk.stop();
    process.exit(status);
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => void stop(0));
  const directory = path.join(REPOSITORY, '.desk');
  screen.intro([
    'Fleetwarden · the desk',
    'An embedded AWS on this computer: no account, loopback only, nothing leaves this machine. AWS and time are simulated.',
  ]);
  let desk: Desk;
  try {
    opening = openDesk(screen, { directory, signal: interrupted.signal, ...options });
    ({ desk } = await opening);
  } catch (error) {
    if (interrupted.signal.aborted) return;
    throw error;
  }
  files = writeDeskFiles(desk, directory);
  screen.say(
    `ready. Ctrl-C stops it.\n\n${usage(desk, files.envFile)
      .map((line) => `    ${line}`)
      .join('\n')}\n`,
  );
}

function words(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { code, port: taken } = error as NodeJS.ErrnoException & { readonly port?: number };
  if (code === 'EADDRINUSE') return `port ${taken} is taken: give another one, or none and the system chooses`;
  if (code === 'EACCES' && taken !== undefined) return `port ${taken} may not be used by this user: give one above 1023, or none`;
  return error.message;
}

main().catch((error: unknown) => {
  process.stderr.write(`${words(error)}\n`);
  process.exit(1);
});
