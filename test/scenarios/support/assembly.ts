/**
 * The cloud assemblies that the scenarios deploy: synthesised by `bin/app.ts` as `cdk deploy` would have them, once for each configuration and
 * state of the sources, and kept in `build/`. The external CAs belong to the assembly, because their certificates are in its templates.
 */
import { createHash } from 'node:crypto';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { REPOSITORY, synthesise } from '../../../local/synth.js';
import { createFactory, loadFactory, type FactoryCa } from './factory.js';

export interface AssemblyOptions {
  /** Overrides below `revocation` of the configuration. */
  readonly revocation?: Readonly<Record<string, unknown>>;
  /** Type of the CRLs of the Private CA. @default COMPLETE */
  readonly crlType?: 'COMPLETE' | 'PARTITIONED';
  /** Further sections of the configuration. */
  readonly more?: Readonly<Record<string, unknown>>;
}

export interface Assembly {
  readonly directory: string;
  /** Two CAs that are not AWS's: anchors `factory` and `depot`. */
  readonly factory: FactoryCa;
  readonly depot: FactoryCa;
}

const BUILD = path.join(REPOSITORY, 'build');
const PREFIX = 'test-assembly-';
const SOURCES = ['bin', 'domain', 'lambda', 'lib', 'cdk.json', 'package-lock.json', 'test/scenarios/support/assembly.ts'];
/** After its last use; every change of a source makes new ones. */
const KEPT_MS = 3_600_000;

export async function assemblyOf(options: AssemblyOptions = {}): Promise<Assembly> {
  const hash = createHash('sha256').update(JSON.stringify(options)).update(hashOfSources()).digest('hex').slice(0, 16);
  const home = path.join(BUILD, PREFIX + hash);
  if (existsSync(home)) utimesSync(home, new Date(), new Date());
  else await make(home, options);
  return {
    directory: path.join(home, 'cdk.out'),
    factory: await loadFactory(path.join(home, 'factory')),
    depot: await loadFactory(path.join(home, 'depot')),
  };
}

/** Another template, for the tests that take something away: `edit` changes the app stack's template in place. */
export function editedAssembly({ directory, ...cas }: Assembly, edit: (app: Template) => void): Assembly & { remove(): void } {
  mkdirSync(BUILD, { recursive: true });
  const copy = mkdtempSync(path.join(BUILD, 'test-edited-'));
  cpSync(directory, copy, { recursive: true });
  const file = path.join(copy, 'fleetwarden-app.template.json');
  const template = JSON.parse(readFileSync(file, 'utf8')) as Template;
  edit(template);
  writeFileSync(file, JSON.stringify(template));
  return { ...cas, directory: copy, remove: () => rmSync(copy, { recursive: true, force: true }) };
}

export interface Resource {
  readonly Type: string;
  readonly Properties: Record<string, unknown>;
}
export interface Template {
  readonly Resources: Record<string, Resource>;
}

async function make(home: string, { revocation, crlType = 'COMPLETE', more }: AssemblyOptions): Promise<void> {
  mkdirSync(BUILD, { recursive: true });
  forgetOld();
  const work = mkdtempSync(path.join(BUILD, 'test-synth-'));
  try {
    const [factory, depot] = [
      await createFactory(path.join(work, 'factory'), 'CN=Factory CA'),
      await createFactory(path.join(work, 'depot'), 'CN=Depot CA'),
    ];
    await synthesise({ ...configuration(factory, depot, crlType, revocation), ...more }, work);
    // In one step, because another worker of jest may be at the same one.
    renameSync(work, home);
  } catch (error) {
    rmSync(work, { recursive: true, force: true });
    if (!existsSync(home)) throw error;
  }
}

function configuration(
  factory: FactoryCa,
  depot: FactoryCa,
  crlType: string,
  revocation: AssemblyOptions['revocation'],
): Record<string, unknown> {
  const external = (id: string, { certificatePem }: FactoryCa) => ({
    id,
    type: 'external',
    certificatePem,
    crl: { distributionPoints: [] },
  });
  return {
    prefix: 'fleetwarden',
    trustAnchors: [
      { id: 'fleet', type: 'acm-pca', create: { commonName: 'Fleet Root CA', crl: { type: crlType, expirationDays: 7 } } },
      external('factory', factory),
      external('depot', depot),
    ],
    // The pace is tested by the worker's own tests: here it would only be waited for.
    revocation: { mode: 'enforce', ratePerSecond: 100, quotaPerSecond: 100, crlMaxAgeDays: 8, ...revocation },
    inventory: { ratePerSecond: 100 },
  };
}

/** Contents and names of all that goes into an assembly. */
function hashOfSources(): Buffer {
  const hash = createHash('sha256');
  const add = (file: string): void => {
    if (!statSync(file).isDirectory()) {
      hash.update(path.relative(REPOSITORY, file)).update(readFileSync(file));
      return;
    }
    for (const name of readdirSync(file).toSorted()) add(path.join(file, name));
  };
  for (const source of SOURCES) add(path.join(REPOSITORY, source));
  return hash.digest();
}

function forgetOld(): void {
  for (const name of readdirSync(BUILD)) {
    const folder = path.join(BUILD, name);
    if (/^test-(assembly|edited|synth)-/.test(name) && Date.now() - statSync(folder).mtimeMs > KEPT_MS)
      rmSync(folder, { recursive: true, force: true });
  }
}
