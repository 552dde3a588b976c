/**
 * What every scene stands on: the desk, the fleet, real SDK clients with the administrator's credentials, and the words to say what is
 * expected. An expectation is recorded whether it holds or not; a scene that throws has failed.
 */
import { execFile } from 'node:child_process';
import path from 'node:path';
import { ACMPCAClient } from '@aws-sdk/client-acm-pca';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { IoTClient } from '@aws-sdk/client-iot';
import { S3Client } from '@aws-sdk/client-s3';
import { SQSClient } from '@aws-sdk/client-sqs';
import type { ApplicationParameter, RotationParameter } from '../../domain/protocol/application-parameters.js';
import type { Desk } from '../desk.js';
import type { Fleet } from '../fleet/fleet.js';
import { REPOSITORY } from '../synth.js';
import type { ExternalCa } from './external-ca.js';
import type { Expectation, Screen } from './screen.js';

export interface Member {
  readonly thingName: string;
  readonly certificateId: string;
  /** Lower-case hex as the certificate has it. */
  readonly serialNumber: string;
  readonly anchor: 'private-ca' | 'external';
}

export interface Clients {
  readonly pca: ACMPCAClient;
  readonly iot: IoTClient;
  readonly s3: S3Client;
  readonly sqs: SQSClient;
  readonly dynamodb: DynamoDBClient;
}

export interface Stage {
  readonly desk: Desk;
  readonly fleet: Fleet;
  readonly clients: Clients;
  readonly screen: Screen;
  readonly externalCa: ExternalCa;
  /** Its key is in AWS KMS. */
  readonly ownCa: ExternalCa;
  /** Devices not touched by an earlier scene. */
  readonly untouched: Member[];
  readonly members: readonly Member[];
  readonly crlBucket: string;
  readonly ledgerTable: string;
  readonly privateCaArn: string;
  /** Value of one of the application's own parameters. */
  parameter(name: ApplicationParameter | RotationParameter): Promise<string>;
  readonly expectations: Expectation[];
  expect(text: string, ok: boolean, detail?: string): void;
  /** Runs the command line as an operator would, as a child process against the desk. */
  fleetwarden(...args: readonly string[]): Promise<{ readonly status: number; readonly output: string }>;
}

export function clientsFor(desk: Desk): Clients {
  const settings = {
    endpoint: desk.endpoint,
    region: desk.env.AWS_REGION,
    credentials: { accessKeyId: desk.env.AWS_ACCESS_KEY_ID, secretAccessKey: desk.env.AWS_SECRET_ACCESS_KEY },
  };
  return {
    pca: new ACMPCAClient(settings),
    iot: new IoTClient(settings),
    s3: new S3Client({ ...settings, forcePathStyle: true }),
    sqs: new SQSClient(settings),
    dynamodb: new DynamoDBClient(settings),
  };
}

/** `npx fleetwarden …` with the environment that `.desk/env` would give. Its exit status is an answer, not an error. */
export function commandLine(desk: Desk): Stage['fleetwarden'] {
  return (...args) =>
    new Promise((resolve) => {
      execFile(
        process.execPath,
        [path.join(REPOSITORY, 'bin', 'fleetwarden.cjs'), ...args],
        { env: { ...process.env, ...desk.env, NO_COLOR: '1' }, maxBuffer: 16 * 1024 * 1024 },
        (error, stdout, stderr) => resolve({ status: error ? Number(error.code ?? 1) : 0, output: `${stdout}${stderr}` }),
      );
    });
}
