/**
 * The code of the functions: all `lambda/<capability>/<entry>/handler.ts` bundled by ONE esbuild call (one call per function costs about
 * 1.5 s each), minified, tree-shaken, as ES modules. Function `<capability>-<entry>` lies in `build/lambda/<capability>-<entry>/index.mjs`,
 * the metafile of all of them in `build/lambda/meta.json`.
 */
import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { Code } from 'aws-cdk-lib/aws-lambda';
import { type OutputFile, type Plugin, build } from 'esbuild';
import type { HandlerName } from './installation.js';

const ROOT = path.resolve(__dirname, '..', '..');
export const BUNDLE_DIRECTORY = path.join(ROOT, 'build', 'lambda');

/** CommonJS dependencies call `require` for Node's own modules; an ES module has none. */
const REQUIRE_FOR_ESM = "import{createRequire as __cr}from'node:module';const require=__cr(import.meta.url);";

/**
 * A function has its credentials in the environment, on AWS and at the desk alike. The SDK's default chain (SSO, profiles, web identity,
 * instance metadata) would be a hundred kilobytes in every bundle that nothing ever calls.
 */
const CREDENTIALS_FROM_ENVIRONMENT = path.join(ROOT, 'lib', 'shared', 'credentials-from-environment.mjs');

/**
 * `z` of zod is a namespace that esbuild keeps whole, with the error texts of fifty languages in it: 250 KB in every bundle. English, the
 * one that zod itself sets, comes by another import and stays.
 */
const ONE_LANGUAGE: Plugin = {
  name: 'one-language',
  setup(bundler) {
    bundler.onResolve({ filter: /\/locales\/index\.js$/ }, ({ importer }) =>
      /[\\/]node_modules[\\/]zod[\\/]/.test(importer) ? { path: 'locales', namespace: 'nothing' } : undefined,
    );
    bundler.onLoad({ filter: /.*/, namespace: 'nothing' }, () => ({ contents: 'export {};' }));
  },
};

/** Bundles and resolves to the code of each function. Rejects when a handler does not bundle; the result throws for one that does not exist. */
export async function bundleHandlers(): Promise<(name: HandlerName) => Code> {
  const names = await bundle();
  return (name) => {
    if (!names.has(name)) throw new Error(`function "${name}": got no lambda/${name.replace('-', '/')}/handler.ts, expected one`);
    return Code.fromAsset(path.join(BUNDLE_DIRECTORY, name), { exclude: ['*.map'] });
  };
}

async function bundle(): Promise<ReadonlySet<string>> {
  const entryPoints = Object.fromEntries(handlerFiles().map(([name, file]) => [`${name}/index`, file]));
  const result = await build({
    absWorkingDir: ROOT,
    entryPoints,
    outdir: BUNDLE_DIRECTORY,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    platform: 'node',
    target: 'node24',
    format: 'esm',
    minify: true,
    mainFields: ['module', 'main'],
    alias: { '@aws-sdk/credential-provider-node': CREDENTIALS_FROM_ENVIRONMENT },
    sourcemap: 'external',
    sourcesContent: false,
    legalComments: 'none',
    charset: 'utf8',
    banner: { js: REQUIRE_FOR_ESM },
    plugins: [ONE_LANGUAGE],
    metafile: true,
    write: false,
    logLevel: 'warning',
  });
  result.outputFiles.forEach(writeIfChanged);
  writeIfChanged({ path: path.join(BUNDLE_DIRECTORY, 'meta.json'), contents: Buffer.from(JSON.stringify(result.metafile)) });
  return new Set(Object.keys(entryPoints).map((entry) => path.dirname(entry)));
}

function handlerFiles(): [name: string, file: string][] {
  const folders = (directory: string) =>
    readdirSync(path.join(ROOT, directory), { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => name)
      .toSorted();
  return folders('lambda').flatMap((capability) =>
    folders(path.join('lambda', capability))
      .map((entry): [string, string] => [`${capability}-${entry}`, path.join('lambda', capability, entry, 'handler.ts')])
      .filter(([, file]) => existsSync(path.join(ROOT, file))),
  );
}

/** Two syntheses may run at once (tests, the desk): an unchanged file is left alone, a changed one is put in place in one step. */
function writeIfChanged({ path: file, contents }: Pick<OutputFile, 'path' | 'contents'>): void {
  if (existsSync(file) && readFileSync(file).equals(contents)) return;
  mkdirSync(path.dirname(file), { recursive: true });
  const temporary = `${file}.${process.pid}`;
  writeFileSync(temporary, contents);
  renameSync(temporary, file);
}
