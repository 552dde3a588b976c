import { dynamoPresences } from '../../aws/violations-presences.js';
import { dynamoStandings } from '../../aws/violations-standings.js';
import { snsViolationTopic } from '../../aws/violations-topic.js';
import { documentClient, patientIotClient, snsClient } from '../../aws/clients.js';
import { dynamoDecisionLog } from '../../aws/decision-log.js';
import { iotLoggingOptions } from '../../aws/logging-settings.js';
import { wallClock as clock } from '../../runtime/clock.js';
import { readEnvironment } from '../../runtime/environment.js';
import { lambdaSignals } from '../../runtime/signals.js';
import { sqsHandler } from '../../runtime/sqs-handler.js';
import { settingsOf } from '../settings.js';
import { OfflineEnv } from './env.js';
import { RoundMessage } from './event.js';
import { run, type OfflinePorts } from './run.js';

const env = readEnvironment(OfflineEnv);
const signals = lambdaSignals(env.APPLICATION, clock);
const ledger = { client: documentClient(), table: env.LEDGER_TABLE };
const iot = patientIotClient();
const ports: OfflinePorts = {
  clock,
  decisions: dynamoDecisionLog(ledger),
  logging: { options: () => iotLoggingOptions(iot) },
  presences: dynamoPresences(ledger),
  signals,
  standings: dynamoStandings(ledger, clock),
  topic: snsViolationTopic(snsClient(), env.VIOLATIONS_TOPIC_ARN),
};
const settings = settingsOf(env, 'behaviour-offline');

/** The schedule's round → violations of those of whom nothing arrives. */
export const handler = sqsHandler(RoundMessage, signals, () => run(ports, settings));
