/**
 * A CDK cloud assembly on disk: its stacks in the order of their dependencies, each with its template and its file assets (CDK cloud
 * assembly schema: manifest.json, <stack>.assets.json).
 */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { Template } from './template.js';

export interface AssemblyStack {
  readonly stackName: string;
  readonly template: Template;
  /** Folder or file of an asset by its hash. */
  readonly assets: ReadonlyMap<string, string>;
}

interface Artifact {
  readonly type: string;
  readonly environment?: string;
  readonly dependencies?: readonly string[];
  readonly properties?: { readonly templateFile?: string; readonly stackName?: string; readonly file?: string };
}
interface AssetManifest {
  readonly files?: Readonly<Record<string, { readonly source: { readonly path?: string; readonly executable?: unknown } }>>;
}

/** Reads the assembly. Throws for a stack that was synthesised for another account or region than the desk's. */
export function readAssembly(directory: string, accountId: string, region: string): readonly AssemblyStack[] {
  const { artifacts = {} } = readJson<{ artifacts?: Record<string, Artifact> }>(path.join(directory, 'manifest.json'));
  return inOrder(artifacts).map(([id, artifact]) => {
    checkEnvironment(id, artifact.environment, accountId, region);
    const manifests = (artifact.dependencies ?? []).flatMap((name) =>
      artifacts[name]?.type === 'cdk:asset-manifest' ? [artifacts[name].properties?.file] : [],
    );
    return {
      stackName: artifact.properties?.stackName ?? id,
      template: readJson<Template>(path.join(directory, artifact.properties?.templateFile ?? '')),
      assets: new Map(manifests.flatMap((file) => assetsIn(directory, file))),
    };
  });
}

function assetsIn(directory: string, file: string | undefined): [string, string][] {
  if (file === undefined) return [];
  const { files = {} } = readJson<AssetManifest>(path.join(directory, file));
  return Object.entries(files).flatMap(([hash, { source }]): [string, string][] =>
    source.path === undefined ? [] : [[hash, path.resolve(directory, source.path)]],
  );
}

/** Stacks after those on which they depend. The CDK refuses cycles when it synthesises. */
function inOrder(artifacts: Readonly<Record<string, Artifact>>): [string, Artifact][] {
  const ordered: [string, Artifact][] = [];
  const seen = new Set<string>();
  const visit = (id: string): void => {
    const artifact = artifacts[id];
    if (!artifact || seen.has(id)) return;
    seen.add(id);
    for (const dependency of artifact.dependencies ?? []) visit(dependency);
    if (artifact.type === 'aws:cloudformation:stack') ordered.push([id, artifact]);
  };
  for (const id of Object.keys(artifacts)) visit(id);
  return ordered;
}

function checkEnvironment(id: string, environment: string | undefined, accountId: string, region: string): void {
  const [, account, place] = /^aws:\/\/([^/]+)\/(.+)$/.exec(environment ?? '') ?? [];
  const wrong = (got: string | undefined, unknown: string, here: string): boolean => got !== undefined && got !== unknown && got !== here;
  if (!wrong(account, 'unknown-account', accountId) && !wrong(place, 'unknown-region', region)) return;
  throw new Error(
    `stack ${id} was synthesised for ${environment}: got that, expected no fixed environment or aws://${accountId}/${region}`,
  );
}

function readJson<T>(file: string): T {
  return JSON.parse(readFileSync(file, 'utf8')) as T;
}
