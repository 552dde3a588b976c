import { readEnvironment } from '../../runtime/environment.js';
import { ContainCall, type StepAnswer } from '../../../domain/protocol/containment-workflow.js';
import { commandsBy, repairRightsOf, stepPorts, stepSettings } from '../composed.js';
import { ContainEnv } from './env.js';
import { run } from './run.js';

const env = readEnvironment(ContainEnv);
const ports = { ...stepPorts(env), ...commandsBy(env) };
const settings = { ...stepSettings(env), ...repairRightsOf(env) };

/** One step of the workflow that takes. What throws is tried again by the state machine. */
export const handler = async (event: unknown): Promise<StepAnswer> => {
  try {
    return await run(ports, settings, ContainCall.parse(event));
  } finally {
    ports.signals.flush();
  }
};
