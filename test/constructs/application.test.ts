/** `bin/app.ts` as a program: started without the CDK's command line, as the desk starts it. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { CREATED, ofType, synthesise } from './support.js';

const REPOSITORY = path.resolve(__dirname, '..', '..');

function start(
  configuration: unknown,
  directory: string,
): { readonly status: number | null; readonly said: string; readonly assembly: string } {
  const [file, assembly] = [path.join(directory, 'fleetwarden.json'), path.join(directory, 'cdk.out')];
  writeFileSync(file, JSON.stringify(configuration));
  // Nothing of the caller's environment: no account, no region, no credentials, no home.
  const { status, stderr, stdout } = spawnSync(
    process.execPath,
    ['--require', require.resolve('tsx/cjs'), path.join(REPOSITORY, 'bin', 'app.ts')],
    {
      cwd: directory,
      env: {
        PATH: process.env['PATH'],
        HOME: path.join(directory, 'nowhere'),
        CDK_OUTDIR: assembly,
        FLEETWARDEN_CONFIG: file,
        CDK_VALIDATION: 'false',
      },
      encoding: 'utf8',
    },
  );
  return { status, said: `${stdout}${stderr}`, assembly };
}

describe('the application', () => {
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(path.join(tmpdir(), 'application-'));
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  it('refuses a bad configuration in one sentence, without a stack trace', () => {
    const { status, said } = start({ trustAnchors: [CREATED], revocation: { mode: 'on' } }, directory);
    expect({ status, said: said.replace(directory, '') }).toEqual({
      status: 1,
      said: '/fleetwarden.json: revocation.mode: got "on", expected one of "off", "observe", "enforce"\n',
    });
  });

  it('writes the same templates as a test does, with a bundle for each function, offline and from anywhere', () => {
    const { status, said, assembly } = start({ trustAnchors: [CREATED] }, directory);
    expect({ status, said }).toEqual({ status: 0, said: '' });
    const template = (name: string) =>
      JSON.parse(readFileSync(path.join(assembly, `fleetwarden-${name}.template.json`), 'utf8')) as { Resources: Record<string, unknown> };
    const inTest = synthesise();
    expect(template('state')).toEqual(inTest.stateTemplate.toJSON());
    expect(Object.keys(template('app').Resources)).toEqual(Object.keys(inTest.appTemplate.toJSON()['Resources'] as object));
    const { files } = JSON.parse(readFileSync(path.join(assembly, 'fleetwarden-app.assets.json'), 'utf8')) as {
      files: Record<string, { source: { path: string; packaging: string } }>;
    };
    const bundles = Object.values(files).filter(({ source }) => source.packaging === 'zip');
    expect(bundles).toHaveLength(Object.keys(ofType(inTest.appTemplate, 'AWS::Lambda::Function')).length);
    for (const { source } of bundles) {
      const bundle = path.join(assembly, source.path, 'index.mjs');
      expect(existsSync(bundle) && statSync(bundle).size < 1_000_000).toBe(true);
      expect(existsSync(`${bundle}.map`)).toBe(false);
    }
  });

  it('is deterministic: two syntheses are equal to the last character', () => {
    const [one, other] = [synthesise(), synthesise()];
    expect(JSON.stringify(one.appTemplate.toJSON())).toBe(JSON.stringify(other.appTemplate.toJSON()));
    expect(JSON.stringify(one.stateTemplate.toJSON())).toBe(JSON.stringify(other.stateTemplate.toJSON()));
  });
});
