/** What a device is told, what the audit trail keeps of it, and what is counted: the same for a request and a proof. */
import { METRICS, type MetricName } from '../../domain/fleet/metrics.js';
import type { ThingName } from '../../domain/fleet/thing-name.js';
import { ROTATION_REFUSALS, ROTATION_VERSION, type RotationRefusal, type RotationResponse } from '../../domain/protocol/rotation.js';
import { deviceTopic } from '../../domain/protocol/topics.js';
import type { Clock } from '../ports/clock.js';
import type { DecisionLog } from '../ports/decision-log.js';
import type { Enrolling } from '../ports/enrolling.js';
import type { Signals } from '../ports/signals.js';

export interface AnswerPorts {
  readonly enrolling: Pick<Enrolling, 'publish'>;
  readonly decisions: Pick<DecisionLog, 'append'>;
  readonly clock: Clock;
  readonly signals: Signals;
}

/** Who is answered. `principal` is the certificateId of the connection, as AWS IoT says. */
export interface Asker {
  readonly thing: ThingName;
  readonly principal: string;
  readonly jobId: string;
  readonly act: 'issue' | 'prove';
  readonly topicPrefix: string;
  /** Is the certificate of the connection known to be this thing's? Else nothing is sent: a stranger's message must not make a device give up. */
  readonly isTheirs: boolean;
}

/** Refusals that an honest device never meets: somebody is trying something, or firmware is badly wrong. */
const SUSPICIOUS: ReadonlySet<RotationRefusal> = new Set(['not-your-certificate', 'foreign-name', 'asks-for-ca', 'key-reused', 'weak-key']);
/** Refusals that a person has to resolve: the device alone cannot. */
const FOR_A_PERSON: Readonly<Partial<Record<RotationRefusal, MetricName>>> = {
  'not-permitted': METRICS.rotationNotPermitted,
  'two-already': METRICS.rotationNotPermitted,
  'not-as-ordered': METRICS.issuedNotAsOrdered,
};

export async function send({ enrolling }: AnswerPorts, { topicPrefix, thing }: Asker, response: RotationResponse): Promise<void> {
  await enrolling.publish(deviceTopic(topicPrefix, thing, 'rotation/response'), JSON.stringify(response));
}

/** One row of the audit trail, about the certificate of the connection. */
export async function record(
  { decisions, clock }: AnswerPorts,
  { principal, thing, jobId, act }: Asker,
  step: 'intent' | 'outcome',
  reason: string,
  detail: Readonly<Record<string, string | number | boolean>> = {},
): Promise<void> {
  await decisions.append({
    subject: `CERT#${principal}`,
    step,
    act,
    reason,
    runId: jobId,
    by: act,
    atMs: clock.nowMs(),
    detail: { thingName: thing, ...detail },
  });
}

/** Resolves when the refusal is on record and told: bad input, no retry. */
export async function refuse(ports: AnswerPorts, asker: Asker, reason: RotationRefusal, differs?: string): Promise<RotationRefusal> {
  const { thing, principal, jobId, act, isTheirs } = asker;
  ports.signals.count(METRICS.rotationRefused);
  if (SUSPICIOUS.has(reason)) ports.signals.count(METRICS.rotationSuspicious);
  const forAPerson = FOR_A_PERSON[reason];
  if (forAPerson !== undefined) ports.signals.count(forAPerson);
  ports.signals.warn('rotation refused', { thingName: thing, certificateId: principal, jobId, act, reason, differs, answered: isTheirs });
  await record(ports, asker, 'outcome', reason, differs === undefined ? {} : { differs });
  if (isTheirs)
    await send(ports, asker, { version: ROTATION_VERSION, status: 'refused', jobId, reason, final: ROTATION_REFUSALS[reason].final });
  return reason;
}
