/** The story of one thing, in the audit trail: `fleetwarden why THING` tells it. One row before an act, one after it. */
import type { Reason } from '../../domain/fleet/reasons.js';
import type { Clock } from '../ports/clock.js';
import type { Containment } from '../ports/containment-records.js';
import type { Decision, DecisionLog } from '../ports/decision-log.js';
import { BY } from './ports.js';

type Detail = NonNullable<Decision['detail']>;

interface EvidencePorts {
  readonly clock: Clock;
  readonly decisions: Pick<DecisionLog, 'append'>;
}

export const subjectOf = (thingName: string): string => `THING#${thingName}`;

export async function note(
  { clock, decisions }: EvidencePorts,
  { thingName, containmentId, by = BY }: Pick<Containment, 'containmentId'> & { readonly thingName: string; readonly by?: string },
  step: Decision['step'],
  act: string,
  reason: Reason,
  detail: Detail = {},
): Promise<void> {
  await decisions.append({ subject: subjectOf(thingName), step, act, reason, runId: containmentId, by, atMs: clock.nowMs(), detail });
}

/** A list in one field: names only, cut where it grows too long for a row that people read. */
export const listed = (names: readonly string[]): string => {
  const text = names.join(' ');
  return text.length > 1000 ? `${text.slice(0, 1000)} …` : text;
};
