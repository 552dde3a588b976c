/** One page of findings: what is known of them → decide → why, on record → who acts is asked → the rows that say so. */
import { auditCheck, auditCheckNamed, type AuditResponse } from '../../../domain/fleet/audit-checks.js';
import { METRICS } from '../../../domain/fleet/metrics.js';
import type { Reason } from '../../../domain/fleet/reasons.js';
import { findingKey, type CheckRecord, type FindingRecord, type RecordedCheck } from '../../ports/audit-record.js';
import type { AuditFinding, AuditFindingsPage, AuditTask } from '../../ports/audits.js';
import { recordedCheck } from './recorded-check.js';
import { decideFinding } from './decide.js';
import { BY, type CollectPorts, type CollectSettings } from './ports.js';

interface Judged {
  readonly finding: AuditFinding;
  readonly record: FindingRecord;
  readonly reason: Reason;
  readonly asks: boolean;
}

/** AWS IoT lists no more than this a page, and the start queue of rotation takes no more in one message. */
const MAX_CERTIFICATES = 250;

export async function takePage(
  ports: CollectPorts,
  settings: CollectSettings,
  task: AuditTask,
  checks: ReadonlyMap<RecordedCheck, CheckRecord>,
  { findings, unreadable }: Omit<AuditFindingsPage, 'nextToken'>,
): Promise<void> {
  const { records, signals } = ports;
  if (unreadable.length > 0) {
    signals.count(METRICS.auditFindingsUnreadable, unreadable.length);
    signals.warn('findings not understood', { taskId: task.taskId, findingIds: unreadable.slice(0, 20) });
  }
  const known = await records.known(
    findings.map((finding) => ({ checkName: recordedCheck(finding.checkName), resource: finding.resource })),
  );
  const judged = judge(ports, settings, task, checks, known, findings);
  await explain(ports, task, judged);
  await ask(ports, task, judged);
  await records.put(judged.map(({ record }) => record));
  tell(ports, judged);
}

function judge(
  { clock, responses, signals }: CollectPorts,
  settings: CollectSettings,
  { taskId, startedAtMs }: AuditTask,
  checks: ReadonlyMap<RecordedCheck, CheckRecord>,
  known: ReadonlyMap<string, FindingRecord>,
  findings: readonly AuditFinding[],
): readonly Judged[] {
  const nowMs = clock.nowMs();
  // Two reasons about one resource are two findings for AWS; here they are one row, and the first says why.
  const judged = new Map<string, Judged>();
  for (const finding of findings) {
    const { checkName: spelled, resource, resourceType, severity, reasonCode, isSuppressed, findingId } = finding;
    const name = auditCheckNamed(spelled);
    const checkName = recordedCheck(spelled);
    const key = findingKey({ checkName, resource });
    const before = known.get(key);
    const check = checks.get(checkName);
    const policy = {
      response: responseTo(settings, finding),
      rotationIsOn: responses.rotate !== undefined,
      quarantineIsOn: responses.contain !== undefined,
    };
    const facts = { isSuppressed, taskStartedMs: startedAtMs, ...(before && { known: before }), ...(check && { check }) };
    const decision = decideFinding(facts, policy, nowMs);
    if (name === undefined) signals.warn('audit check is not known', { taskId, checkName: spelled, findingId });
    if (decision.do === 'leave' || judged.has(key)) continue;
    const { reason, response, asks } = decision;
    const isMachine = response !== 'notify' && response !== 'revoke';
    // A request that was made before still stands, unless this is another time that it was found.
    const askedAtMs = asks && isMachine ? nowMs : reason === 'finding-again' ? before?.askedAtMs : undefined;
    const firstSeenAtMs = reason === 'finding-again' ? (before?.firstSeenAtMs ?? startedAtMs) : startedAtMs;
    const record = {
      checkName,
      resource,
      resourceType,
      severity,
      reasonCode,
      firstSeenAtMs,
      seenAtMs: startedAtMs,
      taskId,
      findingId,
      response,
    };
    judged.set(key, { finding, reason, asks, record: { ...record, ...(askedAtMs !== undefined && { askedAtMs }) } });
  }
  return [...judged.values()];
}

/** A check that is not known here is for people. So is one whose machine works on certificates, where the finding names none. */
function responseTo({ response }: CollectSettings, { checkName, certificateId }: AuditFinding): AuditResponse {
  const name = auditCheckNamed(checkName);
  const wanted = name === undefined ? 'notify' : response[name];
  return wanted === 'rotate' && certificateId === undefined ? 'notify' : wanted;
}

/** Why a machine is asked, or a person told: once for each time that a finding comes up. A rotation writes its own reason for each certificate. */
async function explain({ decisions, clock }: CollectPorts, { taskId }: AuditTask, judged: readonly Judged[]): Promise<void> {
  const atMs = clock.nowMs();
  const news = judged.filter(({ reason, record }) => reason !== 'finding-again' && record.response !== 'rotate');
  for (let start = 0; start < news.length; start += AT_ONCE) {
    await Promise.all(
      news.slice(start, start + AT_ONCE).map(({ finding, reason, record }) =>
        decisions.append({
          subject: finding.certificateId === undefined ? `FINDING#${findingKey(record)}` : `CERT#${finding.certificateId}`,
          step: 'intent',
          act: record.response,
          reason,
          runId: taskId,
          by: BY,
          atMs,
          detail: { check: finding.checkName, resource: record.resource, reasonCode: record.reasonCode, severity: record.severity },
        }),
      ),
    );
  }
}

/** Rows that are written at the same time. */
const AT_ONCE = 20;

async function ask({ responses, signals }: CollectPorts, { taskId }: AuditTask, judged: readonly Judged[]): Promise<void> {
  const asking = (response: AuditResponse): readonly Judged[] => judged.filter(({ asks, record }) => asks && record.response === response);
  const certificateIds = [...new Set(asking('rotate').flatMap(({ finding }) => finding.certificateId ?? []))];
  for (let start = 0; start < certificateIds.length; start += MAX_CERTIFICATES)
    await responses.rotate?.(certificateIds.slice(start, start + MAX_CERTIFICATES), taskId);
  const toContain = asking('contain');
  if (toContain.length > 0)
    await responses.contain?.(
      toContain.map(({ finding, record }) => ({
        kind: 'audit-finding',
        taskId,
        findingId: finding.findingId,
        checkName: record.checkName,
      })),
    );
  if (asking('revoke').length > 0) await responses.sweepCrls();
  if (certificateIds.length + toContain.length > 0)
    signals.info('findings handed over', { taskId, rotate: certificateIds.length, contain: toContain.length });
}

function tell({ signals }: CollectPorts, judged: readonly Judged[]): void {
  const count = (metric: string, of: (one: Judged) => boolean): void => {
    const found = judged.filter(of);
    if (found.length > 0) signals.count(metric, found.length);
  };
  const isForPeople = ({ record: { response } }: Judged): boolean => response === 'notify' || response === 'revoke';
  const isAboutDevice = ({ record: { checkName } }: Judged): boolean => checkName !== 'UNKNOWN' && auditCheck(checkName).about === 'device';
  count(METRICS.auditFindings, () => true);
  count(METRICS.auditFindingsNew, ({ reason }) => reason !== 'finding-again');
  count(METRICS.auditDeviceFinding, (one) => isForPeople(one) && isAboutDevice(one));
  count(METRICS.auditAccountFinding, (one) => isForPeople(one) && !isAboutDevice(one));
  for (const { reason, record } of judged.filter((one) => isForPeople(one) && one.reason !== 'finding-again').slice(0, AT_ONCE)) {
    const { checkName, resource, severity, reasonCode } = record;
    const advice =
      checkName === 'UNKNOWN'
        ? 'A check that this version does not know: see its page in the AWS IoT console.'
        : auditCheck(checkName).advice;
    signals.warn('finding for people', { checkName, resource, severity, reasonCode, reason, advice });
  }
}
