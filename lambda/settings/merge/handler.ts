import { iotAccountSettings } from '../../aws/account-settings.js';
import { cloudFormationAnswers } from '../../aws/cloudformation.js';
import { documentClient, logsClient, patientIotClient } from '../../aws/clients.js';
import { dynamoDecisionLog } from '../../aws/decision-log.js';
import { iotLoggingSettings } from '../../aws/logging-settings.js';
import { dynamoSettingsRecord } from '../../aws/settings-record.js';
import { wallClock as clock } from '../../runtime/clock.js';
import { readEnvironment } from '../../runtime/environment.js';
import { lambdaSignals } from '../../runtime/signals.js';
import { MergeEnv } from './env.js';
import { CustomResourceRequest } from './event.js';
import { run, type MergePorts } from './run.js';

const env = readEnvironment(MergeEnv);
const signals = lambdaSignals(env.APPLICATION, clock);
const ledger = { client: documentClient(), table: env.LEDGER_TABLE };
const iot = patientIotClient();
const ports: MergePorts = {
  account: iotAccountSettings(iot),
  clock,
  cloudFormation: cloudFormationAnswers(clock),
  decisions: dynamoDecisionLog(ledger),
  logging: iotLoggingSettings(iot, logsClient()),
  record: dynamoSettingsRecord(ledger),
  signals,
};

/** A custom resource of CloudFormation → a setting of the account, merged. */
export const handler = async (event: unknown): Promise<void> => {
  try {
    await run(ports, CustomResourceRequest.parse(event));
  } finally {
    signals.flush();
  }
};
