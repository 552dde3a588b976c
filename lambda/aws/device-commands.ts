/**
 * Executions of one AWS IoT command. They are started on the data plane of AWS IoT Jobs, at an endpoint of the account's own, and read on the control
 * plane (IG iot-remote-command-execution-start-monitor.html).
 */
import { DescribeEndpointCommand, GetCommandExecutionCommand, type IoTClient } from '@aws-sdk/client-iot';
import { type IoTJobsDataPlaneClient, StartCommandExecutionCommand } from '@aws-sdk/client-iot-jobs-data-plane';
import { COMMAND_PARAMETERS, COMMAND_TIMEOUT_SECONDS } from '../../domain/protocol/command.js';
import type { ThingName } from '../../domain/fleet/thing-name.js';
import type { DeviceCommands } from '../ports/device-commands.js';
import { errorName } from './retry.js';

/** `jobsData`: made anew at the next call where it could not be made. `commandArn`: `arn:…:command/<name>`. */
export function iotDeviceCommands(iot: IoTClient, jobsData: () => Promise<IoTJobsDataPlaneClient>, commandArn: string): DeviceCommands {
  /** Commands and things of one account and region differ in the last part of their ARNs alone. */
  const targetArn = (thing: ThingName): string => commandArn.replace(/:command\/.*$/, `:thing/${thing}`);
  return {
    async start(thing, parameters, clientToken) {
      const client = await jobsData();
      const { executionId } = await client.send(
        new StartCommandExecutionCommand({
          commandArn,
          targetArn: targetArn(thing),
          clientToken,
          executionTimeoutSeconds: COMMAND_TIMEOUT_SECONDS,
          parameters: Object.fromEntries(COMMAND_PARAMETERS.map((name) => [name, { S: parameters[name] }])),
        }),
      );
      if (executionId === undefined) throw new Error(`StartCommandExecution ${commandArn}: got no executionId`);
      return executionId;
    },

    async execution(executionId, thing) {
      try {
        const call = new GetCommandExecutionCommand({ executionId, targetArn: targetArn(thing), includeResult: true });
        const { status, result = {} } = await iot.send(call);
        if (status === undefined) return undefined;
        return { status, said: Object.fromEntries(Object.entries(result).map(([name, { S = '' }]) => [name, S])) };
      } catch (error) {
        if (errorName(error) === 'ResourceNotFoundException') return undefined;
        throw error;
      }
    },
  };
}

/** Host of the account's own endpoint of AWS IoT Jobs. */
export async function jobsEndpoint(iot: IoTClient): Promise<string> {
  const { endpointAddress } = await iot.send(new DescribeEndpointCommand({ endpointType: 'iot:Jobs' }));
  if (endpointAddress === undefined) throw new Error('DescribeEndpoint iot:Jobs: got no address');
  return endpointAddress;
}

/** Asked for once by those who wait at the same time and by all who come later; a failure is not kept. */
export function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => {
    made ??= make().catch((error: unknown) => {
      made = undefined;
      throw error;
    });
    return made;
  };
}
