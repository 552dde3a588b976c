/**
 * Synthesises the CDK application for the desk: the same `bin/app.ts`, the same constructs, another configuration document.
 * It runs in a child process because the CDK keeps state per process, and so that Ctrl-C can end it.
 */
import { spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';

export const REPOSITORY = path.resolve(__dirname, '..');

/** Writes the configuration and the cloud assembly below `directory`; resolves to the assembly's folder. Rejects with what the CDK said. */
export async function synthesise(
  configuration: Readonly<Record<string, unknown>>,
  directory: string,
  signal?: AbortSignal,
): Promise<string> {
  mkdirSync(directory, { recursive: true });
  const assembly = path.join(directory, 'cdk.out');
  const file = path.join(directory, 'fleetwarden.json');
  writeFileSync(file, JSON.stringify(configuration, null, 2));
  const child = spawn(process.execPath, ['--require', require.resolve('tsx/cjs'), path.join(REPOSITORY, 'bin', 'app.ts')], {
    cwd: REPOSITORY,
    // The desk checks the templates by applying them; the CDK's own rule engine runs in `npm run synth` and in the tests, and takes seconds.
    env: { ...process.env, CDK_OUTDIR: assembly, FLEETWARDEN_CONFIG: file, CDK_VALIDATION: 'false' },
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(signal ? { signal } : {}),
  });
  const said: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => said.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => said.push(chunk));
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  if (code !== 0) throw new Error(`the CDK application did not synthesise (exit ${code}):\n${Buffer.concat(said).toString('utf8')}`);
  return assembly;
}
