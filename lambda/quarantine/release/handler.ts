import { sqsClient } from '../../aws/clients.js';
import { dynamoRevocationHolds } from '../../aws/revocation-holds.js';
import { sqsStartQueue } from '../../aws/rotation-queues.js';
import { readEnvironment } from '../../runtime/environment.js';
import { ReleaseCall, type StepAnswer } from '../../../domain/protocol/containment-workflow.js';
import { stepPorts, stepSettings } from '../composed.js';
import type { ReleasePorts } from '../ports.js';
import { ReleaseEnv } from './env.js';
import { rotateBy } from './rekey.js';
import { run } from './run.js';

const env = readEnvironment(ReleaseEnv);
const { signals, ...shared } = stepPorts(env);
const startQueue = env.START_QUEUE_URL === 'off' ? undefined : sqsStartQueue(sqsClient(), env.START_QUEUE_URL);
const revocationHolds = dynamoRevocationHolds(shared.ledger.client, env.INVENTORY_TABLE);
const ports: ReleasePorts = { ...shared, signals, revocationHolds, ...rotateBy(startQueue) };
const settings = stepSettings(env);

/** One step of the workflow that gives back. What throws is tried again by the state machine. */
export const handler = async (event: unknown): Promise<StepAnswer> => {
  try {
    return await run(ports, settings, ReleaseCall.parse(event));
  } finally {
    signals.flush();
  }
};
