import { thingName } from '../../../domain/fleet/thing-name.js';
import { stepFunctions } from '../../aws/containment-work.js';
import { readEnvironment } from '../../runtime/environment.js';
import { sqsHandler } from '../../runtime/sqs-handler.js';
import { WatchMessage } from '../../../domain/protocol/containment-workflow.js';
import { stepPorts, stepSettings } from '../composed.js';
import { WatchEnv } from './env.js';
import { run } from './run.js';

const env = readEnvironment(WatchEnv);
const ports = { ...stepPorts(env), workflows: stepFunctions(env.STATE_MACHINE_ARN) };
const settings = stepSettings(env);

/** Every few minutes, and for one thing at once: what is contained, and whether it still is. */
export const handler = sqsHandler(WatchMessage, ports.signals, ({ thingName: only }) =>
  run(ports, settings, only === undefined ? undefined : thingName(only)),
);
