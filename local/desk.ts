/**
 * Starts the embedded AWS: world → cloud (endpoint, IAM) → services → gateway → the synthesised application, in this order, and stops them in
 * the reverse one. After `stop` there is no socket, no child process and no timer left.
 */
import type { Cloud, World } from './cloud.js';
import { createCloud, type RunningCloud } from './create-cloud.js';
import { deployAssembly, type DeployProgress, type StackOutputs } from './deploy/deploy-assembly.js';
import { startGateway } from './gateway/gateway.js';
import type { Credentials } from './iam/credentials.js';
import type { PcaOptions } from './services/acm-pca/authority.js';
import { addPage } from './page/page.js';
import { createAcmPca } from './services/acm-pca/service.js';
import { startCloudwatch } from './services/cloudwatch/service.js';
import { createDynamoDb } from './services/dynamodb/service.js';
import { startEvents } from './services/events/service.js';
import { iotService } from './services/iot/service.js';
import type { IotOptions } from './services/iot/state.js';
import { iotDataService } from './services/iotdata/service.js';
import { iotJobsDataService } from './services/iot-jobs-data/service.js';
import { startKinesis } from './services/kinesis/service.js';
import { createKms, type KmsOptions } from './services/kms/service.js';
import { startLambda } from './services/lambda/service.js';
import { startLogs } from './services/logs/service.js';
import { createS3 } from './services/s3/service.js';
import { startSns } from './services/sns/service.js';
import { startSqs } from './services/sqs/service.js';
import { startStates } from './services/states/service.js';
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
  /** In force once the application is applied: a deployment is not what they are to try. */
  readonly faults?: Partial<FaultSettings>;
  /** Folder of a CDK cloud assembly (`cdk.out`) to apply. @default an empty account */
  readonly assembly?: string;
  readonly onProgress?: (progress: DeployProgress) => void;
  readonly pca?: PcaOptions;
  readonly kms?: KmsOptions;
  readonly iot?: IotOptions;
}

/** What a tool must have in its environment to talk to the desk. */
export interface DeskEnvironment {
  readonly AWS_ENDPOINT_URL: string;
  readonly AWS_REGION: string;
  /** The name that boto3 and older tools read. */
  readonly AWS_DEFAULT_REGION: string;
  readonly AWS_ACCESS_KEY_ID: string;
  readonly AWS_SECRET_ACCESS_KEY: string;
  readonly DESK_MQTT_HOST: string;
  readonly DESK_MQTT_PORT: string;
}

export interface Desk {
  /** `http://127.0.0.1:<port>` */
  readonly endpoint: string;
  readonly world: World;
  readonly cloud: Cloud;
  readonly adminCredentials: Credentials;
  readonly env: DeskEnvironment;
  /** PEM of the CA of the MQTT gateway's server certificate. */
  readonly serverCaPem: string;
  /** Outputs of the applied stacks by stack name. */
  readonly outputs: StackOutputs;
  stop(): Promise<void>;
}

type Stop = () => void | Promise<void>;

export async function startDesk(options: DeskOptions = {}): Promise<Desk> {
  const world = createWorld({
    ...(options.seed === undefined ? {} : { seed: options.seed }),
    ...(options.startAt === undefined ? {} : { startAt: options.startAt }),
  });
  const cloud = await createCloud(world, options.port === undefined ? {} : { port: options.port });
  const stops: Stop[] = [() => cloud.stop()];
  const stop = async (): Promise<void> => {
    for (let next = stops.pop(); next; next = stops.pop()) await next();
  };
  try {
    const gateway = await startServices(cloud, options, stops);
    addPage(cloud);
    const outputs = options.assembly === undefined ? {} : await deployAssembly(cloud, options.assembly, options.onProgress);
    if (options.faults) world.faults.set(options.faults);
    const { accessKeyId, secretAccessKey } = cloud.administratorCredentials;
    return {
      endpoint: cloud.endpoint,
      world,
      cloud,
      adminCredentials: cloud.administratorCredentials,
      env: {
        AWS_ENDPOINT_URL: cloud.endpoint,
        AWS_REGION: world.region,
        AWS_DEFAULT_REGION: world.region,
        AWS_ACCESS_KEY_ID: accessKeyId,
        AWS_SECRET_ACCESS_KEY: secretAccessKey,
        DESK_MQTT_HOST: gateway.host,
        DESK_MQTT_PORT: String(gateway.port),
      },
      serverCaPem: gateway.serverCaPem,
      outputs,
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** All services, those first that others reach through `cloud.parts` when they start. `stops` takes what is to be stopped, last first. */
async function startServices(
  cloud: RunningCloud,
  options: DeskOptions,
  stops: Stop[],
): Promise<{ readonly host: string; readonly port: number; readonly serverCaPem: string }> {
  cloud.addService(createSts(cloud));
  cloud.addService(createSsm(cloud));
  cloud.addService(createKms(cloud, options.kms));
  startLogs(cloud);
  stops.push(startCloudwatch(cloud), startEvents(cloud), startSqs(cloud));
  startSns(cloud);
  startKinesis(cloud);
  cloud.addService(createS3(cloud));
  cloud.addService(createDynamoDb(cloud));
  cloud.addService(createAcmPca(cloud, options.pca));
  stops.push(startLambda(cloud), startStates(cloud));
  const { service: iot, logging, responders, jobsData } = iotService(cloud, options.iot);
  cloud.addService(iot);
  const gateway = await startGateway(cloud, { logging, responders, ...(options.mqttPort === undefined ? {} : { port: options.mqttPort }) });
  cloud.parts.gateway = gateway;
  stops.push(() => gateway.close());
  cloud.addService(iotDataService(cloud, gateway));
  cloud.addService(iotJobsDataService(cloud, jobsData));
  return gateway;
}
