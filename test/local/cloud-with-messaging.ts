/** A cloud with the services that move messages and run functions, and SDK clients for it: what the tests in this folder talk to. */
import type { World } from '../../local/cloud.js';
import { type RunningCloud, createCloud } from '../../local/create-cloud.js';
import { startCloudwatch } from '../../local/services/cloudwatch/service.js';
import { startEvents } from '../../local/services/events/service.js';
import { startKinesis } from '../../local/services/kinesis/service.js';
import { startLambda } from '../../local/services/lambda/service.js';
import { startLogs } from '../../local/services/logs/service.js';
import { startSns } from '../../local/services/sns/service.js';
import { startSqs } from '../../local/services/sqs/service.js';
import { createWorld } from '../../local/world/world.js';

export interface MessagingCloud {
  readonly cloud: RunningCloud;
  readonly world: World;
  /** Configuration of an SDK client as the administrator. */
  readonly client: {
    readonly region: string;
    readonly endpoint: string;
    readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
  };
  stop(): Promise<void>;
}

export async function messagingCloud(startAt?: Date): Promise<MessagingCloud> {
  const world = createWorld(startAt ? { startAt } : {});
  const cloud = await createCloud(world);
  const stopSqs = startSqs(cloud);
  startSns(cloud);
  startKinesis(cloud);
  const stopEvents = startEvents(cloud);
  const stopCloudwatch = startCloudwatch(cloud);
  startLogs(cloud);
  const stopLambda = startLambda(cloud);
  return {
    cloud,
    world,
    client: { region: world.region, endpoint: cloud.endpoint, credentials: cloud.administratorCredentials },
    stop: async () => {
      await stopLambda();
      for (const stop of [stopEvents, stopCloudwatch, stopSqs]) stop();
      await cloud.stop();
    },
  };
}

/** Waits in wall time until `holds`; what is asked for happens in other processes. Fails after a while, saying what it waited for. */
export async function until(what: string, holds: () => boolean | Promise<boolean>, limitMs = 20_000): Promise<void> {
  const endMs = Date.now() + limitMs;
  while (!(await holds())) {
    if (Date.now() > endMs) throw new Error(`waited ${limitMs} ms for: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
