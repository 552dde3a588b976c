/** One message → the things that it is about, and whether its source confirms it. Reads only. */
import { AUDIT_CHECKS } from '../../../domain/fleet/audit-checks.js';
import type { Reason } from '../../../domain/fleet/reasons.js';
import type { Response } from '../../../domain/fleet/responses.js';
import type { AuditContainment, CustomViolation, OperatorContainment } from '../../../domain/protocol/containment.js';
import type { Trigger } from '../../../domain/protocol/containment-workflow.js';
import type { MetricValue, ViolationNotification } from '../../../domain/protocol/violation.js';
import { decideCustom, decideFinding, decideViolation, type OffenderDecision, type SourceDecision } from './decide.js';
import { VIOLATOR } from '../sources.js';
import { offenderOf, offenderOfFinding } from './offender.js';
import { BY, type IntakePorts, type IntakeSettings, type Turns } from './ports.js';

export type TriggerMessage = OperatorContainment | AuditContainment | CustomViolation | ViolationNotification;

export interface Sighting {
  readonly source: SourceDecision;
  readonly thingNames: readonly string[];
  /** It stands, and there is nobody to contain: people are told under this name. */
  readonly nobody?: { readonly name: string; readonly reason: Reason };
  readonly response?: Response;
  readonly trigger: Trigger;
}

export type LookPorts = IntakePorts & { readonly turns: Turns };

/** So many of what another detector says it has seen are kept. */
const MOST_EVIDENCE = 16;

/** What makes two messages the same: everything by which one of them may stand and the other not. */
export function sameness(message: TriggerMessage): string {
  if ('kind' in message)
    return message.kind === 'operator'
      ? `operator ${message.requestId} ${message.thingName} ${message.response}`
      : `finding ${message.findingId} ${message.taskId} ${message.checkName}`;
  if ('detail' in message)
    return `custom ${message.id} ${message.source} ${message.detail.violationId} ${message.detail.thingName} ${message.detail.violationEventType}`;
  return `violation ${message.violationId} ${message.thingName} ${message.behavior.name} ${message.securityProfileName} ${message.violationEventType}`;
}

export async function look(ports: LookPorts, settings: IntakeSettings, message: TriggerMessage): Promise<Sighting> {
  if (!('kind' in message)) return 'detail' in message ? lookAtEvent(ports, settings, message) : lookAtViolation(ports, settings, message);
  return message.kind === 'operator' ? lookAtOrder(ports, message) : lookAtFinding(ports, message);
}

function lookAtOrder({ clock }: IntakePorts, { thingName, response, by, reason, requestId }: OperatorContainment): Sighting {
  const trigger: Trigger = { kind: 'operator', id: requestId, by, reason, atMs: clock.nowMs(), evidence: {} };
  return { source: { stands: true, reason: 'operator' }, thingNames: [thingName], response, trigger };
}

async function lookAtViolation(ports: LookPorts, { responses }: IntakeSettings, message: ViolationNotification): Promise<Sighting> {
  const { violationId, thingName, securityProfileName, behavior, violationEventType, violationEventTime } = message;
  const isAlarm = violationEventType === 'in-alarm';
  const sourced = isAlarm ? await ports.violations.read({ violationId, thingName, securityProfileName }) : undefined;
  const notified = { eventType: violationEventType, thingName, behavior: behavior.name, securityProfileName };
  const source = decideViolation({ notified, sourced }, ports.clock.nowMs());
  const offender = source.stands
    ? await offenderOf(ports, thingName, sourced?.startedAtMs ?? 0, sourced?.clientId)
    : ({ who: 'things', names: [thingName] } as const);
  const { comparisonOperator, value, durationSeconds } = behavior.criteria ?? {};
  const trigger: Trigger = {
    kind: 'violation',
    id: violationId,
    by: BY,
    behavior: behavior.name,
    reason: behavior.name,
    atMs: violationEventTime,
    evidence: {
      securityProfileName,
      ...(isAsNamed(offender, thingName) ? {} : { [VIOLATOR]: thingName }),
      at: new Date(violationEventTime).toISOString(),
      ...(behavior.metric === undefined ? {} : { metric: behavior.metric }),
      ...measured('value', sourced?.metricValue ?? message.metricValue),
      ...measured('normal', value),
      ...(comparisonOperator === undefined ? {} : { comparisonOperator }),
      ...(durationSeconds === undefined ? {} : { windowSeconds: durationSeconds }),
      ...(sourced === undefined ? {} : { since: new Date(sourced.startedAtMs).toISOString() }),
    },
  };
  const response = Object.hasOwn(responses, behavior.name) ? responses[behavior.name] : undefined;
  return { source, ...namesOf(offender), response, trigger };
}

async function lookAtFinding(ports: LookPorts, { findingId, taskId, checkName }: AuditContainment): Promise<Sighting> {
  const found = await ports.findings.read(findingId);
  const check = (AUDIT_CHECKS as Readonly<Record<string, { readonly responses: readonly string[] }>>)[checkName];
  const facts = { asked: { taskId, checkName }, found, checkMayContain: check?.responses.includes('contain') === true };
  const source = decideFinding(facts, ports.clock.nowMs());
  const offender: OffenderDecision =
    found === undefined || !source.stands
      ? { who: 'things', names: [] }
      : ((await offenderOfFinding(ports, found)) ?? { who: 'nobody', name: findingId, reason: 'not-a-device' });
  const resource = found?.certificateId ?? found?.clientId;
  const trigger: Trigger = {
    kind: 'audit-finding',
    id: findingId,
    by: BY,
    behavior: checkName,
    reason: checkName,
    atMs: found?.atMs ?? ports.clock.nowMs(),
    evidence: {
      taskId,
      checkName,
      ...(resource === undefined ? {} : { resource }),
      ...(offender.reason === undefined ? {} : { whose: offender.reason }),
    },
  };
  return { source, ...namesOf(offender), response: 'contain', trigger };
}

const isAsNamed = (offender: OffenderDecision, name: string): boolean =>
  offender.who === 'things' && offender.names.length === 1 && offender.names[0] === name;

const namesOf = (offender: OffenderDecision): Pick<Sighting, 'thingNames' | 'nobody'> =>
  offender.who === 'things' ? { thingNames: offender.names } : { thingNames: [], nobody: offender };

async function lookAtEvent(ports: IntakePorts, settings: IntakeSettings, event: CustomViolation): Promise<Sighting> {
  const { source: name, account, time, detail } = event;
  const response = Object.hasOwn(settings.customSources, name) ? settings.customSources[name] : undefined;
  const facts = {
    eventType: detail.violationEventType,
    account,
    ownAccount: settings.accountId,
    atMs: Date.parse(time),
    isConfigured: response !== undefined,
  };
  const trigger: Trigger = {
    kind: 'custom',
    id: `${name} ${detail.violationId}`,
    by: BY,
    behavior: detail.behavior,
    reason: detail.behavior,
    atMs: facts.atMs,
    // A quarter of a megabyte of it would be more than an execution can carry.
    evidence: { ...Object.fromEntries(Object.entries(detail.evidence ?? {}).slice(0, MOST_EVIDENCE)), source: name, at: time },
  };
  return { source: decideCustom(facts, settings.maxEventAgeMs, ports.clock.nowMs()), thingNames: [detail.thingName], response, trigger };
}

/** A metric value in one line, cut where it is long: a set of addresses may have hundreds. */
function measured(name: string, value: MetricValue | undefined): Readonly<Record<string, string | number>> {
  const [only] = Object.values(value ?? {}).filter((member) => member !== undefined);
  if (only === undefined) return {};
  return { [name]: typeof only === 'number' ? only : only.join(' ').slice(0, 512) };
}
