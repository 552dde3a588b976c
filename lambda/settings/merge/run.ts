/**
 * One request of CloudFormation. Create and update do the same: read, add what is missing. Delete does nothing: the account’s audits, and whoever else
 * lives on them, go on. CloudFormation is always answered; without an answer it would wait an hour.
 */
import type { AccountSettings, CloudFormation, SettingsRecord } from '../../ports/account-settings.js';
import type { Clock } from '../../ports/clock.js';
import type { DecisionLog } from '../../ports/decision-log.js';
import type { LoggingSettings } from '../../ports/logging-settings.js';
import type { Signals } from '../../ports/signals.js';
import { decideLogging } from './decide-logging.js';
import { decideAudit, missingEvents } from './decide.js';
import { Wanted, type CustomResourceRequest, type WantedAudit, type WantedLogging } from './event.js';

export interface MergePorts {
  readonly account: AccountSettings;
  readonly clock: Clock;
  readonly cloudFormation: CloudFormation;
  readonly decisions: Pick<DecisionLog, 'append'>;
  readonly logging: LoggingSettings;
  readonly record: SettingsRecord;
  readonly signals: Signals;
}

/** Name of the function in the audit trail. */
const BY = 'settings-merge';

/** What AWS IoT or this function says no to: the deployment fails with this sentence. */
class NotMerged extends Error {
  override readonly name = 'NotMerged';
}

export async function run(ports: MergePorts, request: CustomResourceRequest): Promise<void> {
  const { StackId, RequestId, LogicalResourceId, RequestType, PhysicalResourceId, ResourceProperties } = request;
  const of = { StackId, RequestId, LogicalResourceId };
  try {
    if (RequestType === 'Delete')
      return await ports.cloudFormation.answer(request.ResponseURL, {
        ...of,
        Status: 'SUCCESS',
        PhysicalResourceId: PhysicalResourceId ?? LogicalResourceId,
      });
    const wanted = read(ResourceProperties);
    const changed = await merge(ports, wanted, RequestId);
    ports.signals.info(changed ? 'setting merged' : 'setting as wanted', { setting: wanted.Setting, requestType: RequestType });
    // The same id for ever: CloudFormation never takes an update for a replacement, after which it would delete the old one.
    await ports.cloudFormation.answer(request.ResponseURL, {
      ...of,
      Status: 'SUCCESS',
      PhysicalResourceId: wanted.Setting,
      Data: { changed: String(changed) },
    });
  } catch (error) {
    const Reason = (error instanceof Error ? `${error.name}: ${error.message}` : String(error)).slice(0, 500);
    ports.signals.warn('setting not merged', { logicalResourceId: LogicalResourceId, error: Reason });
    // An update that fails keeps its id; a creation that fails is deleted under this one, which does nothing.
    await ports.cloudFormation.answer(request.ResponseURL, {
      ...of,
      Status: 'FAILED',
      Reason,
      PhysicalResourceId: PhysicalResourceId ?? LogicalResourceId,
    });
  }
}

function read(properties: unknown): Wanted {
  const { success, data, error } = Wanted.safeParse(properties);
  if (success) return data;
  throw new NotMerged(`properties: ${error.issues.map(({ path, message }) => `${path.join('.')}: ${message.slice(0, 100)}`).join('; ')}`);
}

/** Resolves to whether anything had to be changed. */
async function merge(ports: MergePorts, wanted: Wanted, runId: string): Promise<boolean> {
  switch (wanted.Setting) {
    case 'account-audit-configuration':
      return mergeAudit(ports, wanted, runId);
    case 'logging-options':
      return mergeLogging(ports, wanted, runId);
    case 'event-configurations': {
      const missing = missingEvents(await ports.account.enabledEvents(), wanted.EventTypes);
      if (missing.length === 0) return false;
      await onRecord(ports, wanted.Setting, runId, { enables: missing.join(' ') }, () => ports.account.enableEvents(missing));
      return true;
    }
  }
}

async function mergeAudit(ports: MergePorts, wanted: WantedAudit, runId: string): Promise<boolean> {
  const { account, record } = ports;
  const facts = { ...(await account.auditConfiguration()), ours: await record.ours(wanted.Setting) };
  const decision = decideAudit(facts, wanted);
  if (decision.do === 'refuse') throw new NotMerged(decision.because);
  if (decision.do === 'nothing') return false;
  const { roleArn, target, checks } = decision.patch;
  // Before they are set: what is on record as ours and was never set costs nothing, the other way round we could never replace it.
  await record.remember(
    wanted.Setting,
    [roleArn, target?.targetArn].filter((arn) => arn !== undefined),
  );
  const detail = { checks: Object.keys(checks).join(' '), ...(roleArn && { roleArn }), ...(target && { targetArn: target.targetArn }) };
  await onRecord(ports, wanted.Setting, runId, detail, () => account.patchAuditConfiguration(decision.patch));
  return true;
}

/** The log group first: a subscription of it is deployed next, and AWS IoT makes it with its first line only. */
async function mergeLogging(ports: MergePorts, wanted: WantedLogging, runId: string): Promise<boolean> {
  const { logging, record } = ports;
  await logging.createGroup(wanted.LogGroupName, Number(wanted.RetentionDays));
  const options = await logging.options();
  const decision = decideLogging({ ...(options && { options }), ours: await record.ours(wanted.Setting) }, wanted.RoleArn);
  if (decision.do === 'nothing') return false;
  await record.remember(wanted.Setting, [wanted.RoleArn]);
  const { roleArn = '', defaultLogLevel = '' } = decision.options;
  await onRecord(ports, wanted.Setting, runId, { roleArn, defaultLogLevel }, () => logging.set(decision.options));
  return true;
}

async function onRecord(
  { decisions, clock }: MergePorts,
  setting: Wanted['Setting'],
  runId: string,
  detail: Readonly<Record<string, string>>,
  act: () => Promise<void>,
): Promise<void> {
  const entry = { subject: `SETTING#${setting}`, act: 'merge', reason: 'setting-incomplete', runId, by: BY, detail } as const;
  await decisions.append({ ...entry, step: 'intent', atMs: clock.nowMs() });
  await act();
  await decisions.append({ ...entry, step: 'outcome', atMs: clock.nowMs() });
}
