/** AWS IoT as a whole: registry, rules, gateway and data plane, in the order in which they need each other. */
import type { Cloud } from '../../cloud.js';
import { startGateway, type DeskGateway, type GatewayOptions } from '../../gateway/gateway.js';
import { iotDataService } from '../iotdata/service.js';
import { iotService } from './service.js';
import type { IotOptions } from './state.js';

export interface IotStartOptions extends IotOptions {
  readonly gateway?: Omit<GatewayOptions, 'logging'>;
}

/** Adds both services to the cloud and listens. `close` on the result ends it. */
export async function startIot(cloud: Cloud, options: IotStartOptions = {}): Promise<DeskGateway> {
  const { service, logging } = iotService(cloud, options);
  cloud.addService(service);
  const gateway = await startGateway(cloud, { ...options.gateway, logging });
  cloud.addService(iotDataService(cloud, gateway));
  return gateway;
}
