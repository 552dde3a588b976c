/** Several sources of violations as one: each knows its own, and none can be left out when it is asked what is open. */
import type { Containment } from '../ports/containment-records.js';
import type { SourcedViolation, ViolationSource } from '../ports/violations.js';

/** In the evidence of a trigger: the name by which the source has the violation, where it is not that of the thing. */
export const VIOLATOR = 'violator';

export function anySource(sources: readonly ViolationSource[]): ViolationSource {
  return {
    async read(notified) {
      for (const source of sources) {
        const found = await source.read(notified);
        if (found !== undefined) return found;
      }
      return undefined;
    },
    async *openOf(thingName) {
      for (const source of sources) yield* source.openOf(thingName);
    },
  };
}

/** The violation that set a containment off, as its source has it now. */
export function violationOf(
  violations: Pick<ViolationSource, 'read'>,
  trigger: Pick<Containment['trigger'], 'kind' | 'id' | 'evidence'>,
  thingName: string,
): Promise<SourcedViolation | undefined> {
  const securityProfileName = String(trigger.evidence['securityProfileName'] ?? '');
  return violations.read({ violationId: trigger.id, thingName: violatorOf(trigger, thingName), securityProfileName });
}

/** The name by which the source has it. What another detector calls evidence is its own, and no name of ours. */
export const violatorOf = ({ kind, evidence }: Pick<Containment['trigger'], 'kind' | 'evidence'>, thingName: string): string =>
  kind === 'violation' ? String(evidence[VIOLATOR] ?? thingName) : thingName;

/**
 * What is in alarm for a contained thing: under its own name, and under the one by which its trigger was counted. Not under those of its certificates: that a
 * certificate is refused which the containment keeps INACTIVE is no news.
 */
export async function* openViolationsOf(
  violations: Pick<ViolationSource, 'openOf'>,
  { thingName, trigger }: Pick<Containment, 'thingName' | 'trigger'>,
): AsyncGenerator<SourcedViolation> {
  for (const name of new Set([thingName, violatorOf(trigger, thingName)])) yield* violations.openOf(name);
}
