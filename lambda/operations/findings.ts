import { AUDIT_CHECKS, auditCheck, auditCheckNamed, bySeverity, type AuditSeverity } from '../../domain/fleet/audit-checks.js';
import { certificateId } from '../../domain/fleet/certificate-id.js';
import {
  isOpen,
  UNKNOWN_CHECK,
  type AuditRecords,
  type CheckRecord,
  type FindingRecord,
  type RecordedCheck,
} from '../ports/audit-record.js';
import { Misused, Refused, type Answer } from './answer.js';
import type { Application } from './application.js';
import { bad, doubtful, facts, good, quiet, table, time, timeAndAge, title } from './words.js';

export interface FindingsOptions {
  /** Only those of one check, in either spelling. */
  readonly check?: string;
  /** At most so many are shown, the worst first: a whole number. */
  readonly limit: string;
}

const UNKNOWN_ADVICE = 'A check that this version does not know: see its page in the AWS IoT console.';
const AT_ONCE = 20;

/** What the audits have found and no later audit has seen put right. */
export async function listFindings(application: Application, options: FindingsOptions): Promise<Answer> {
  if (application.parameters.auditQueueUrl === undefined)
    throw new Refused('the audit is off in this installation: set audit.mode in its configuration, and deploy');
  const only = options.check === undefined ? undefined : checkOf(options.check);
  if (!/^[1-9]\d{0,6}$/.test(options.limit)) throw new Misused(`limit: got "${options.limit}", expected a whole number from 1`);
  const { auditRecords: records, clock } = application;
  const checks = [...(await records.checks()).values()].filter(({ checkName }) => only === undefined || checkName === only);
  const lastAuditMs = Math.max(0, ...checks.map(({ completedMs }) => completedMs ?? 0));
  const open: FindingRecord[] = [];
  for await (const finding of openFindings(records, checks)) open.push(finding);
  const sorted = open.sort(
    (one, other) =>
      bySeverity(one.severity, other.severity) ||
      one.checkName.localeCompare(other.checkName) ||
      one.resource.localeCompare(other.resource),
  );
  const shown = await withThings(application, sorted.slice(0, Number(options.limit)));
  const found = {
    open: sorted.length,
    lastAudit: lastAuditMs === 0 ? undefined : time(lastAuditMs),
    findings: shown.map(({ firstSeenAtMs, seenAtMs, askedAtMs, ...finding }) => ({
      ...finding,
      firstSeenAt: time(firstSeenAtMs),
      seenAt: time(seenAtMs),
      ...(askedAtMs !== undefined && { askedAt: time(askedAtMs) }),
      advice: adviceOf(finding.checkName),
    })),
  };
  return { json: found, text: () => screen(shown, sorted.length, lastAuditMs, clock.nowMs()) };
}

export async function* openFindings(records: Pick<AuditRecords, 'of'>, checks: Iterable<CheckRecord>): AsyncGenerator<FindingRecord> {
  for (const check of checks) {
    // The newest audit has found nothing: what is on record is closed.
    if (check.nonCompliant === 0) continue;
    for await (const finding of records.of(check.checkName)) if (isOpen(finding, check)) yield finding;
  }
}

function checkOf(text: string): RecordedCheck {
  const name = auditCheckNamed(text.toUpperCase());
  if (name === undefined) throw new Misused(`check: got "${text}", expected one of ${Object.keys(AUDIT_CHECKS).join(', ')}`);
  return name;
}

const adviceOf = (checkName: RecordedCheck): string => (checkName === UNKNOWN_CHECK ? UNKNOWN_ADVICE : auditCheck(checkName).advice);

type Shown = FindingRecord & { readonly thingName?: string };

/** A finding names a certificate; people know things. */
async function withThings({ inventory }: Application, findings: readonly FindingRecord[]): Promise<readonly Shown[]> {
  const shown: Shown[] = [];
  for (let from = 0; from < findings.length; from += AT_ONCE) {
    shown.push(
      ...(await Promise.all(
        findings.slice(from, from + AT_ONCE).map(async (finding): Promise<Shown> => {
          if (finding.resourceType !== 'DEVICE_CERTIFICATE' || !/^[0-9a-f]{64}$/.test(finding.resource)) return finding;
          const thingName = (await inventory.byId(certificateId(finding.resource)))?.thingName;
          return { ...finding, ...(thingName !== undefined && { thingName }) };
        }),
      )),
    );
  }
  return shown;
}

const COLOUR: Readonly<Record<AuditSeverity, (text: string) => string>> = { CRITICAL: bad, HIGH: bad, MEDIUM: doubtful, LOW: String };

function screen(shown: readonly Shown[], open: number, lastAuditMs: number, nowMs: number): string {
  if (lastAuditMs === 0) return doubtful('No audit has been read yet: fleetwarden audit begins one.');
  const head = facts([
    ['newest audit', timeAndAge(lastAuditMs, nowMs)],
    ['open findings', open === 0 ? good('none') : title(String(open))],
  ]);
  if (shown.length === 0) return head;
  const rows = shown.map(({ severity, checkName, resource, thingName, reasonCode, firstSeenAtMs, response }) => [
    COLOUR[severity](severity),
    checkName.replace(/_CHECK$/, ''),
    thingName === undefined ? resource : `${thingName} ${quiet(`${resource.slice(0, 8)}…`)}`,
    reasonCode,
    time(firstSeenAtMs),
    response,
  ]);
  const checks = [...new Set(shown.map(({ checkName }) => checkName))];
  const rest = open > shown.length ? [quiet(`${open - shown.length} more: --limit`)] : [];
  return [
    head,
    '',
    table(['severity', 'check', 'resource', 'reason', 'since', 'response'], rows),
    ...rest,
    '',
    ...checks.flatMap((checkName) => [title(checkName), `  ${adviceOf(checkName)}`]),
  ].join('\n');
}
