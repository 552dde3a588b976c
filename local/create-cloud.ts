import { randomUUID } from 'node:crypto';

import type { Cloud, World } from './cloud.js';
import { Deliveries } from './deliveries.js';
import { Pipeline } from './endpoint/pipeline.js';
import { Endpoint } from './endpoint/server.js';
import { ServiceTable } from './endpoint/service-table.js';
import type { Credentials } from './iam/credentials.js';
import { DeskIam } from './iam/desk-iam.js';
import { modelOf } from './models/catalog.js';
import type { OperationModel, ServiceModel } from './models/model.js';

export interface CloudOptions {
  /** Port of the endpoint on 127.0.0.1. @default chosen by the system */
  readonly port?: number;
}

/** A cloud that listens. Services are added afterwards, in any order. */
export interface RunningCloud extends Cloud {
  readonly iam: DeskIam;
  readonly administratorCredentials: Credentials;
  /** A page for a browser at this computer: GET of exactly this path, without a signature. */
  addPage(path: string, type: string, body: () => string | Promise<string>): void;
  /** Closes the endpoint and stops the clock. */
  stop(): Promise<void>;
}

export async function createCloud(world: World, options: CloudOptions = {}): Promise<RunningCloud> {
  const iam = new DeskIam(world);
  const services = new ServiceTable();
  const pipeline = new Pipeline(world, iam, services);
  const deliveries = new Deliveries(world, iam, services);
  const endpoint = new Endpoint(world, iam, services, pipeline);
  const port = await endpoint.listen(options.port ?? 0);
  return {
    world,
    iam,
    administratorCredentials: iam.administratorCredentials,
    endpoint: `http://127.0.0.1:${port}`,
    parts: {},
    addService: (service) => services.add(service),
    addPage: (path, type, body) => endpoint.addPage(path, { type, body }),
    addTarget: (arnService, accept, access) => deliveries.add(arnService, accept, access),
    deliver: (delivery) => deliveries.deliver(delivery),
    mayDeliver: (delivery) => deliveries.mayDeliver(delivery),
    call: async <T>(service: string, operation: string, input: Record<string, unknown>) => {
      const { model, operation: found } = await find(service, operation);
      return (await pipeline.performAsAdministrator(model, found, input, randomUUID())) as T;
    },
    callAs: async <T>(
      principal: Parameters<Cloud['callAs']>[0],
      service: string,
      operation: string,
      input: Record<string, unknown>,
      lostAnswer?: () => Error,
    ) => {
      const { model, operation: found } = await find(service, operation);
      const { output, answerLost } = await pipeline.perform(model, found, input, principal, randomUUID());
      if (answerLost && lostAnswer) throw lostAnswer();
      return output as T;
    },
    stop: async () => {
      world.clock.stop();
      await endpoint.close();
    },
  };
}

async function find(service: string, operation: string): Promise<{ model: ServiceModel; operation: OperationModel }> {
  const model = await modelOf(service);
  const found = model.operations.get(operation);
  if (!found) throw new Error(`operation of ${service}: got '${operation}', which its model does not have`);
  return { model, operation: found };
}
