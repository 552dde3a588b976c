/**
 * What a person at the desk sees: plain words, one live table, ticks and crosses; or, with --json, the same as lines of JSON.
 * Two implementations of one interface; nothing else of the desk writes to standard output.
 */
import cliProgress from 'cli-progress';
import Table from 'cli-table3';
import pc from 'picocolors';

export interface Expectation {
  readonly text: string;
  readonly ok: boolean;
  readonly detail?: string;
}

export interface SceneVerdict {
  readonly id: string;
  readonly title: string;
  readonly expectations: readonly Expectation[];
  readonly seconds: number;
}

export interface LiveRow {
  readonly cells: readonly string[];
  readonly tone?: 'good' | 'bad' | 'quiet';
}

export interface Screen {
  intro(lines: readonly string[]): void;
  /** One line of what has been done, with how long it took. */
  done(text: string, ms?: number, data?: Readonly<Record<string, unknown>>): void;
  progress(text: string, total: number): { update(value: number): void; stop(): void };
  scene(id: string, title: string, story: readonly string[]): void;
  say(text: string, data?: Readonly<Record<string, unknown>>): void;
  /** Redraws the live table in place; `settle` leaves its last state on the screen. */
  live(head: readonly string[], rows: readonly LiveRow[]): void;
  settle(): void;
  expectation(expectation: Expectation): void;
  verdict(scenes: readonly SceneVerdict[], closing: readonly string[]): void;
  error(text: string): void;
}

const seconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`;

/** Lines of JSON: `type` is intro, done, progress, scene, say, expectation, verdict or error. The live table is not repeated there. */
export function jsonScreen(write: (line: string) => void): Screen {
  const line = (type: string, data: Readonly<Record<string, unknown>>) => write(`${JSON.stringify({ type, ...data })}\n`);
  return {
    intro: (lines) => line('intro', { text: lines.join(' ') }),
    done: (text, ms, data) => line('done', { text, ...(ms === undefined ? {} : { ms: Math.round(ms) }), ...data }),
    progress: (text, total) => ({ update: () => undefined, stop: () => line('progress', { text, total }) }),
    scene: (id, title, story) => line('scene', { id, title, story: story.join(' ') }),
    say: (text, data) => line('say', { text, ...data }),
    live: () => undefined,
    settle: () => undefined,
    expectation: (expectation) => line('expectation', { ...expectation }),
    verdict: (scenes, closing) =>
      line('verdict', {
        ok: scenes.length > 0 && scenes.every(held),
        scenes: scenes.map((s) => ({
          id: s.id,
          title: s.title,
          ok: held(s),
          seconds: s.seconds,
          expectations: s.expectations.length,
          failed: s.expectations.filter((e) => !e.ok),
        })),
        closing: closing.join(' '),
      }),
    error: (text) => line('error', { text }),
  };
}

/** A scene holds where it expected something and every expectation held: a scene that expected nothing has shown nothing. */
export const held = (scene: SceneVerdict) => scene.expectations.length > 0 && scene.expectations.every((e) => e.ok);

/** The table library colours frames by rules of its own, also in a file and against NO_COLOR: one rule decides for all. */
const FRAME = { head: [], border: pc.isColorSupported ? ['gray'] : [] };

const tone = (row: LiveRow, cell: string) =>
  row.tone === 'good' ? pc.green(cell) : row.tone === 'bad' ? pc.red(cell) : row.tone === 'quiet' ? pc.dim(cell) : cell;

/** In a terminal the table is redrawn in place; where output is not a terminal only its last state is printed. */
export async function terminalScreen(out: NodeJS.WriteStream): Promise<Screen> {
  const { createLogUpdate } = await import('log-update');
  const inPlace = createLogUpdate(out, { showCursor: true });
  let last: string | undefined;
  const print = (text: string) => {
    settle();
    out.write(`${text}\n`);
  };
  const settle = () => {
    if (last === undefined) return;
    if (out.isTTY) inPlace.done();
    else out.write(`${last}\n`);
    last = undefined;
  };
  return {
    intro: (lines) =>
      print(
        `\n${pc.bold(lines[0] ?? '')}\n${lines
          .slice(1)
          .map((l) => pc.dim(l))
          .join('\n')}\n`,
      ),
    done: (text, ms) => print(`  ${pc.green('✔')} ${text}${ms === undefined ? '' : pc.dim(`  ${seconds(ms)}`)}`),
    progress(text, total) {
      settle();
      if (!out.isTTY) return { update: () => undefined, stop: () => undefined };
      const bar = new cliProgress.SingleBar(
        {
          format: `  ${text} {bar} {value}/{total}  {eta_formatted} left`,
          stream: out,
          hideCursor: true,
          clearOnComplete: true,
          barsize: 30,
        },
        cliProgress.Presets.rect,
      );
      bar.start(total, 0);
      return { update: (value) => bar.update(value), stop: () => bar.stop() };
    },
    scene: (id, title, story) => print(`\n${pc.bold(pc.cyan(`Scene ${id} · ${title}`))}\n${story.map((l) => `  ${l}`).join('\n')}`),
    say: (text) => print(`  ${pc.dim('·')} ${text}`),
    live(head, rows) {
      const table = new Table({ head: head.map((h) => pc.dim(h)), style: { ...FRAME, compact: true } });
      for (const row of rows) table.push(row.cells.map((cell) => tone(row, cell)));
      last = table
        .toString()
        .split('\n')
        .map((l) => `  ${l}`)
        .join('\n');
      if (out.isTTY) inPlace(last);
    },
    settle,
    expectation: (e) => print(`  ${e.ok ? pc.green('✔') : pc.red('✘')} ${e.text}${e.detail ? pc.dim(`  (${e.detail})`) : ''}`),
    verdict(scenes, closing) {
      const table = new Table({
        head: ['scene', 'expected', 'held', 'verdict', 'time'].map((h) => pc.dim(h)),
        style: FRAME,
      });
      for (const s of scenes) {
        const ok = s.expectations.filter((e) => e.ok).length;
        table.push([
          `${s.id} · ${s.title}`,
          String(s.expectations.length),
          String(ok),
          held(s) ? pc.green('held') : pc.red('FAILED'),
          `${s.seconds.toFixed(1)} s`,
        ]);
      }
      print(`\n${table.toString()}`);
      for (const s of scenes)
        for (const e of s.expectations) if (!e.ok) print(`  ${pc.red('✘')} ${s.title}: ${e.text}${e.detail ? ` (${e.detail})` : ''}`);
      print(`\n${closing.join('\n')}`);
    },
    error: (text) => print(`${pc.red('error:')} ${text}`),
  };
}
