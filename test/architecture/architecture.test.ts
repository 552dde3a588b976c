/** What nobody should have to remember: who may import whom, how large a file may grow, who reads the clock, what must never be written down. */
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { REPOSITORY, contentOf, projectFiles } from './tree.js';

const CODE = ['agent', 'bin', 'domain', 'lambda', 'lib', 'local'];
const isCode = (file: string): boolean => /\.(ts|cts|mts|js|cjs|mjs)$/.test(file);
/** Without comments, where a clock may be talked about; good enough for a search, not for a compiler. */
const withoutComments = (source: string): string => source.replaceAll(/\/\*[\s\S]*?\*\//g, '').replaceAll(/(^|[^:'"`])\/\/.*$/gm, '$1');

function lookFor(pattern: RegExp, files: readonly string[], read: (source: string) => string = (source) => source): string[] {
  return files.flatMap((file) =>
    read(contentOf(file))
      .split('\n')
      .flatMap((line) => (pattern.test(line) ? [`${file}: ${line.trim().slice(0, 120)}`] : [])),
  );
}

describe('the architecture', () => {
  it('imports as .dependency-cruiser.cjs says', () => {
    const cruise = path.join(REPOSITORY, 'node_modules', 'dependency-cruiser', 'bin', 'dependency-cruise.mjs');
    const folders = [...CODE, 'test', 'bench'].filter((folder) => projectFiles(folder).length > 0);
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      [cruise, '--config', '.dependency-cruiser.cjs', '--output-type', 'err', ...folders],
      {
        cwd: REPOSITORY,
        encoding: 'utf8',
      },
    );
    expect({ status, said: status === 0 ? '' : `${stdout}${stderr}` }).toEqual({ status: 0, said: '' });
  });

  it('has no file of more than 400 lines', () => {
    const long = projectFiles(...CODE)
      .filter(isCode)
      .map((file) => ({ file, lines: contentOf(file).split('\n').length - 1 }))
      .filter(({ lines }) => lines > 400);
    expect(long).toEqual([]);
  });

  it('has a composition root that fits on a screen', () => {
    expect(contentOf('bin/app.ts').split('\n').length).toBeLessThanOrEqual(60);
  });

  describe('reads the wall clock in one place', () => {
    const timeOfDay = /\bDate\.now\(|\bnew Date\(\)/;
    const timers = /(?<![.\w])(setTimeout|setInterval)\(/;
    const sources = (below: readonly string[], allowed: RegExp) =>
      projectFiles(...below).filter((file) => isCode(file) && !allowed.test(file));

    it('at run time: lambda/runtime/clock.ts, which is also the only one that waits', () => {
      const others = sources(['domain', 'lambda', 'lib'], /^lambda\/runtime\/clock\.ts$/);
      expect(lookFor(timeOfDay, others, withoutComments)).toEqual([]);
      expect(lookFor(timers, others, withoutComments)).toEqual([]);
    });

    it('on the device: agent/clock.ts', () => {
      const others = sources(['agent'], /^agent\/clock\.ts$/);
      expect(lookFor(timeOfDay, others, withoutComments)).toEqual([]);
      expect(lookFor(timers, others, withoutComments)).toEqual([]);
    });

    // Not of the simulated world: devices and execution environments, which are processes of their own, and the scenes' CA, which is there before the desk.
    const outside = /^local\/(world\/|fleet\/device-process\.ts$|functions\/[\w-]+\.cjs$|scenes\/set-up\.ts$)/;
    it('at the desk: local/world, so that thirty days pass in a second', () => {
      const others = sources(['local'], outside);
      expect(lookFor(timeOfDay, others, withoutComments)).toEqual([]);
    });

    it('so that no AWS service of the desk waits in real time', () => {
      expect(lookFor(timers, sources(['local/services'], /^$/), withoutComments)).toEqual([]);
    });
  });

  it('synthesises without chance: no random number in lib', () => {
    expect(lookFor(/\bMath\.random\(|\brandom(UUID|Bytes|Int)\(/, projectFiles('lib').filter(isCode), withoutComments)).toEqual([]);
  });

  it('names nothing after what it happens to do', () => {
    const vague = /(^|[-/.])(manager|helper|helpers|util|utils|processor|common|misc|data|info)([-.]|$)/i;
    expect(projectFiles(...CODE).filter((file) => isCode(file) && vague.test(path.basename(file)))).toEqual([]);
  });
});

describe('no file of the project', () => {
  const files = projectFiles().filter((file) => !/\.(png|jpg|der|crl|pem|ico)$/.test(file));

  it('has a path of somebody’s own machine in it', () => {
    expect(
      lookFor(
        /(?<![\w.$}/-])\/(work|home|Users|root)\/[\w.-]+/,
        files.filter((file) => file !== 'test/architecture/architecture.test.ts'),
      ),
    ).toEqual([]);
  });

  it('has the host of a private package registry in it', () => {
    expect(
      lookFor(
        /"resolved":|registry=|_authToken/,
        files.filter((file) => file !== 'test/architecture/architecture.test.ts'),
      ),
    ).toEqual([]);
  });

  it('has unfinished business in it', () => {
    expect(
      lookFor(
        /\b(TODO|FIXME|XXX|HACK)\b/,
        files.filter((file) => file !== 'test/architecture/architecture.test.ts'),
      ),
    ).toEqual([]);
  });
});
