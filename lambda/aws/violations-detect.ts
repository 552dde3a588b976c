/**
 * Violations as Device Defender Detect has them. Whether one is open now is asked of ListActiveViolations; one that is not active any more is looked for among
 * the events of the last thirty days, which is as long as Detect keeps them (FACTS C3).
 */
import {
  ListActiveViolationsCommand,
  ListViolationEventsCommand,
  type ActiveViolation,
  type IoTClient,
  type MetricValue as IotMetricValue,
  type ViolationEvent,
} from '@aws-sdk/client-iot';
import { MetricValue, VIOLATION_EVENT_TYPES, type ViolationEventType } from '../../domain/protocol/violation.js';
import type { Clock } from '../ports/clock.js';
import type { SourcedViolation, WholeViolationSource } from '../ports/violations.js';
import { notBenign } from './violations-benign.js';

const KEPT_MS = 30 * 86_400_000;
const PAGE = 250;

/** `profileNames`: the security profiles of this installation; those of others are not ours to act upon. */
export function detectViolations(client: IoTClient, profileNames: ReadonlySet<string>, clock: Clock): WholeViolationSource {
  async function* active(thingName: string): AsyncGenerator<SourcedViolation> {
    let nextToken: string | undefined;
    do {
      const page = await client.send(new ListActiveViolationsCommand({ thingName, maxResults: PAGE, nextToken }));
      for (const violation of page.activeViolations ?? []) {
        const read = fromActive(violation);
        if (read !== undefined && profileNames.has(read.securityProfileName)) yield read;
      }
      nextToken = page.nextToken;
    } while (nextToken !== undefined);
  }

  /** The latest event of a violation that is over. */
  async function past(violationId: string, thingName: string, securityProfileName: string): Promise<SourcedViolation | undefined> {
    const endTime = new Date(clock.nowMs());
    let events: ViolationEvent[] = [];
    let nextToken: string | undefined;
    do {
      const startTime = new Date(clock.nowMs() - KEPT_MS);
      const page = await client.send(
        new ListViolationEventsCommand({ startTime, endTime, thingName, securityProfileName, maxResults: PAGE, nextToken }),
      );
      events = [...events, ...(page.violationEvents ?? []).filter((event) => event.violationId === violationId)];
      nextToken = page.nextToken;
    } while (nextToken !== undefined);
    return fromEvents(events);
  }

  return {
    async read({ violationId, thingName, securityProfileName }) {
      if (!profileNames.has(securityProfileName)) return undefined;
      for await (const violation of active(thingName)) if (violation.violationId === violationId) return violation;
      return past(violationId, thingName, securityProfileName);
    },
    allOpenOf: active,
    openOf: (thingName) => notBenign(active(thingName)),
  };
}

function fromActive(violation: ActiveViolation): SourcedViolation | undefined {
  const {
    violationId,
    thingName,
    securityProfileName,
    behavior,
    violationStartTime,
    lastViolationTime,
    lastViolationValue,
    verificationState,
  } = violation;
  if (violationId === undefined || thingName === undefined || securityProfileName === undefined || behavior?.name === undefined)
    return undefined;
  const startedAtMs = violationStartTime?.getTime() ?? 0;
  return {
    violationId,
    thingName,
    securityProfileName,
    behavior: behavior.name,
    ...(behavior.metric === undefined ? {} : { metric: behavior.metric }),
    isOpen: true,
    lastEventType: 'in-alarm',
    startedAtMs,
    updatedAtMs: lastViolationTime?.getTime() ?? startedAtMs,
    ...(lastViolationTime === undefined ? {} : { seenAtMs: lastViolationTime.getTime() }),
    ...valueOf(lastViolationValue),
    ...(verificationState === undefined ? {} : { verificationState }),
  };
}

function fromEvents(events: readonly ViolationEvent[]): SourcedViolation | undefined {
  const time = ({ violationEventTime }: ViolationEvent): number => violationEventTime?.getTime() ?? 0;
  const sorted = events.toSorted((one, other) => time(one) - time(other));
  const [first, last] = [sorted[0], sorted.at(-1)];
  if (first === undefined || last?.violationId === undefined || last.thingName === undefined || last.behavior?.name === undefined)
    return undefined;
  const lastEventType = VIOLATION_EVENT_TYPES.find((type): type is ViolationEventType => type === last.violationEventType);
  if (lastEventType === undefined || last.securityProfileName === undefined) return undefined;
  return {
    violationId: last.violationId,
    thingName: last.thingName,
    securityProfileName: last.securityProfileName,
    behavior: last.behavior.name,
    // It is not among the active ones: whatever its last event says, it is over.
    isOpen: false,
    lastEventType,
    startedAtMs: time(first),
    updatedAtMs: time(last),
    ...valueOf(last.metricValue),
    ...(last.verificationState === undefined ? {} : { verificationState: last.verificationState }),
  };
}

function valueOf(value: IotMetricValue | undefined): { readonly metricValue?: MetricValue } {
  const read = MetricValue.safeParse(value);
  return read.success ? { metricValue: read.data } : {};
}
