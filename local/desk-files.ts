/** What `.desk/` holds while a desk runs: an environment to `source`, and the CA file for MQTT clients. Readable by its owner only. */
import { chmodSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Desk } from './desk.js';

export interface DeskFiles {
  readonly envFile: string;
  remove(): void;
}

export function writeDeskFiles(desk: Desk, directory: string): DeskFiles {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const envFile = path.join(directory, 'env');
  const caFile = path.join(directory, 'server-ca.pem');
  writeFileSync(caFile, desk.serverCaPem);
  const variables = { ...desk.env, DESK_SERVER_CA: caFile };
  const lines = Object.entries(variables).map(([name, value]) => `export ${name}='${value.replaceAll("'", `'\\''`)}'`);
  writeFileSync(
    envFile,
    `# An embedded AWS on this computer, for trying and testing. The credentials are worth nothing elsewhere.\n${lines.join('\n')}\n`,
    { mode: 0o600 },
  );
  chmodSync(envFile, 0o600); // also where the file was there before
  return {
    envFile,
    remove: () => {
      rmSync(envFile, { force: true });
      rmSync(caFile, { force: true });
    },
  };
}

/** How to use a desk, in a few lines. */
export function usage(desk: Desk, envFile: string): string[] {
  const relative = path.relative(process.cwd(), envFile);
  return [
    `AWS endpoint   ${desk.endpoint}   (AWS CLI, SDKs, boto3, terraform)`,
    `MQTT gateway   ${desk.env.DESK_MQTT_HOST}:${desk.env.DESK_MQTT_PORT}   (mutual TLS, MQTT 3.1.1 and 5)`,
    `look           ${desk.endpoint}/_desk/`,
    '',
    'In another terminal:',
    `  source ${relative}`,
    '  npx fleetwarden status',
    '  aws iot list-certificates',
  ];
}
