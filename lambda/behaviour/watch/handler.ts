import { dynamoPresences } from '../../aws/violations-presences.js';
import { dynamoStandings } from '../../aws/violations-standings.js';
import { kinesisFleetStream } from '../../aws/violations-stream.js';
import { snsViolationTopic } from '../../aws/violations-topic.js';
import { documentClient, kinesisClient, snsClient } from '../../aws/clients.js';
import { dynamoDecisionLog } from '../../aws/decision-log.js';
import { wallClock as clock } from '../../runtime/clock.js';
import { readEnvironment } from '../../runtime/environment.js';
import { lambdaSignals } from '../../runtime/signals.js';
import { settingsOf } from '../settings.js';
import { WatchEnv } from './env.js';
import { WindowEvent } from './event.js';
import type { WatchPorts, WatchSettings } from './ports.js';
import { run, type WindowAnswer } from './run.js';

const env = readEnvironment(WatchEnv);
const signals = lambdaSignals(env.APPLICATION, clock);
const ledger = { client: documentClient(), table: env.LEDGER_TABLE };
const ports: WatchPorts = {
  clock,
  decisions: dynamoDecisionLog(ledger),
  presences: dynamoPresences(ledger),
  signals,
  standings: dynamoStandings(ledger, clock),
  stream: kinesisFleetStream(kinesisClient(), env.FLEET_STREAM, clock),
  topic: snsViolationTopic(snsClient(), env.VIOLATIONS_TOPIC_ARN),
};
const settings: WatchSettings = { ...settingsOf(env, 'behaviour-watch'), ignored: env.IGNORED_CLIENTS };

/** The events of one shard and window → violations. */
export const handler = async (event: unknown): Promise<WindowAnswer> => {
  try {
    return await run(ports, settings, WindowEvent.parse(event));
  } finally {
    signals.flush();
  }
};
