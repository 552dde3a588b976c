/**
 * `npm start`: the main job before a newcomer's eyes. Sets everything up, plays the scenes in order, and ends with a verdict; exit status 0 only
 * where every expectation held. Ctrl-C at any time leaves no process and no open port.
 */
import '../quiet-sdk.js';
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import { usage, writeDeskFiles, type DeskFiles } from '../desk-files.js';
import type { Fleet } from '../fleet/fleet.js';
import { REPOSITORY } from '../synth.js';
import { attack } from './attack.js';
import { badFirmware } from './bad-firmware.js';
import { crlOnly } from './crl-only.js';
import { RevokedBook } from './external-crl.js';
import { falseAlarms } from './false-alarms.js';
import { fastPath } from './fast-path.js';
import { Cellar, offline } from './offline.js';
import { otherCa } from './other-ca.js';
import { ownCa } from './own-ca.js';
import { powerLoss } from './power-loss.js';
import { refused } from './refused.js';
import { rotation } from './rotation.js';
import type { Scene } from './scene.js';
import { held, jsonScreen, terminalScreen, type SceneVerdict, type Screen } from './screen.js';
import { openDesk, peopled, type Opened } from './set-up.js';
import type { Stage } from './stage.js';
import { violators } from './violators.js';

const FEWEST = 15; // the scenes use up eight devices, and the attack must name more than half of what is left
const MOST = 5000;
const INTERRUPTED = 130;

const wholeNumber =
  (least: number, most: number) =>
  (text: string): number => {
    const value = Number(text);
    if (!Number.isInteger(value) || value < least || value > most) {
      throw new InvalidArgumentError(`got "${text}", expected a whole number from ${least} to ${most}`);
    }
    return value;
  };

interface Options {
  readonly devices: number;
  readonly scenes?: readonly string[];
  readonly seed?: number;
  readonly keep?: boolean;
  readonly json?: boolean;
}

function readOptions(): Options {
  return new Command('npm start --')
    .description('Shows the main job of Fleetwarden on an embedded AWS: no account, loopback only.')
    .option('--devices <n>', `size of the fleet, ${FEWEST} to ${MOST}`, wholeNumber(FEWEST, MOST), 25)
    .option('--seed <n>', 'seed of whatever is random at the desk', wholeNumber(0, 2 ** 31))
    .option('--scenes <ids>', 'only these, by commas: 1,2 (4 builds on 3, 6 on 5, 11 on 10)', (text: string) => text.split(','))
    .option('--keep', 'leave the desk running at the end')
    .option('--json', 'the same as lines of JSON')
    .parse()
    .opts<Options>();
}

async function play(scenes: readonly Scene[], stage: Stage): Promise<SceneVerdict[]> {
  const verdicts: SceneVerdict[] = [];
  for (const scene of scenes) {
    stage.screen.scene(scene.id, scene.title, scene.story);
    stage.expectations.length = 0;
    const startedAt = performance.now();
    try {
      await scene.run(stage);
    } catch (error) {
      stage.expect('the scene runs to its end', false, error instanceof Error ? error.message : String(error));
    }
    verdicts.push({
      id: scene.id,
      title: scene.title,
      expectations: [...stage.expectations],
      seconds: (performance.now() - startedAt) / 1000,
    });
  }
  return verdicts;
}

async function main(options: Options): Promise<number> {
  const screen: Screen = options.json ? jsonScreen((line) => process.stdout.write(line)) : await terminalScreen(process.stdout);
  const directory = mkdtempSync(path.join(os.tmpdir(), 'fleetwarden-'));
  const interrupted = new AbortController();
  let opening: Promise<Opened> | undefined;
  let fleet: Fleet | undefined;
  let files: DeskFiles | undefined;
  const closeAll = async () => {
    interrupted.abort();
    files?.remove();
    await fleet?.stop();
    // A desk that is still being opened is opened to its end, and then closed: half of one cannot be.
    const opened = await opening?.catch(() => undefined);
    await opened?.desk.stop();
    rmSync(directory, { recursive: true, force: true });
  };
  let closing: Promise<void> | undefined;
  const close = () => (closing ??= closeAll());
  const closed = new Promise<number>((resolve) => {
    // `on`, not `once`: Ctrl-C reaches this process twice, from the terminal and through the launcher, and the second must not cut the closing short.
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => void close().then(() => resolve(INTERRUPTED)));
  });
  const show = async (): Promise<number> => {
    screen.intro([
      'Fleetwarden · a fleet on the desk, and revocations that reach it',
      'No AWS account, loopback only. Real here: the synthesised templates, the bundled functions under their own roles, X.509, TLS, MQTT.',
      'Simulated: AWS itself, and time.',
    ]);
    const startedAt = performance.now();
    opening = openDesk(screen, {
      directory,
      signal: interrupted.signal,
      ...(options.seed === undefined ? {} : { seed: options.seed }),
    });
    const opened = await opening;
    const { desk } = opened;
    const stage = await peopled(screen, opened, options.devices, (started) => (fleet = started));
    const book = new RevokedBook();
    const cellar = new Cellar();
    const revocation = [fastPath, crlOnly, otherCa(book), attack(book, directory)];
    const renewal = [rotation(cellar), offline(cellar), powerLoss(directory), badFirmware, refused];
    const isolation = [violators, falseAlarms];
    const scenes = [...revocation, ...renewal, ...isolation, ownCa].filter(({ id }) => options.scenes?.includes(id) ?? true);
    const verdicts = await play(scenes, stage);
    const ok = verdicts.every(held);
    screen.verdict(verdicts, [
      `${ok ? 'Every expectation held' : 'NOT every expectation held'}, ${options.devices} devices, ${((performance.now() - startedAt) / 1000).toFixed(0)} s, seed ${desk.world.faults.seed}.`,
    ]);
    if (!options.keep) {
      await close();
      return ok ? 0 : 1;
    }
    files = writeDeskFiles(desk, path.join(REPOSITORY, '.desk'));
    screen.say(
      `the desk keeps running; Ctrl-C stops it\n\n${usage(desk, files.envFile)
        .map((line) => `    ${line}`)
        .join('\n')}\n`,
      { envFile: '.desk/env' },
    );
    await closed;
    return ok ? 0 : 1;
  };
  const shown = show().catch(async (error: unknown) => {
    if (interrupted.signal.aborted) return closed; // what broke, broke because it was told to stop
    screen.error(error instanceof Error ? error.message : String(error));
    await close();
    return 1;
  });
  return Promise.race([shown, closed]);
}

void main(readOptions()).then((status) => process.exit(status));
