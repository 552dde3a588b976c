/**
 * Starts the embedded AWS: world → cloud (endpoint, IAM) → services → gateway → the synthesised application, in this order, and stops them in
 * the reverse one. After `stop` there is no socket, no child process and no timer left.
 */
import type { Cloud, World } from './cloud.js';
import { createCloud } from './create-cloud.js';
import type { Credentials } from './iam/credentials.js';
import { createSsm } from './services/ssm/service.js';
import { createSts } from './services/sts/service.js';
import type { FaultSettings } from './world/faults.js';
import { createWorld } from './world/world.js';

export interface DeskOptions {
  /** Seed of the faults. @default drawn */
  readonly seed?: number;
  /** Simulated time at the start. @default now */
  readonly startAt?: Date;
  /** Port of the HTTP endpoint. @default chosen by the system */
  readonly port?: number;
  /** Port of the MQTT gateway. @default chosen by the system */
  readonly mqttPort?: number;
  readonly faults?: Partial<FaultSettings>;
}

export interface Desk {
  /** `http://127.0.0.1:<port>` */
  readonly endpoint: string;
  readonly world: World;
  readonly cloud: Cloud;
  readonly adminCredentials: Credentials;
  /** What a tool must have in its environment to talk to the desk. */
  readonly env: Readonly<Record<string, string>>;
  stop(): Promise<void>;
}

export async function startDesk(options: DeskOptions = {}): Promise<Desk> {
  const world = createWorld({
    ...(options.seed === undefined ? {} : { seed: options.seed }),
    ...(options.startAt === undefined ? {} : { startAt: options.startAt }),
  });
  const cloud = await createCloud(world, options.port === undefined ? {} : { port: options.port });
  for (const create of [createSts, createSsm]) cloud.addService(create(cloud));
  if (options.faults) world.faults.set(options.faults);
  const credentials = cloud.administratorCredentials;
  return {
    endpoint: cloud.endpoint,
    world,
    cloud,
    adminCredentials: credentials,
    env: {
      AWS_ENDPOINT_URL: cloud.endpoint,
      AWS_REGION: world.region,
      AWS_ACCESS_KEY_ID: credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    },
    stop: () => cloud.stop(),
  };
}
