/** Listing violations and judging them (API_ListActiveViolations, API_ListViolationEvents, API_PutVerificationStateOnViolation). */
import type { Operation } from '../../../models/service.js';
import { checkWord, invalidRequest } from '../errors.js';
import { page } from '../paging.js';
import type { IotState } from '../state.js';
import type { Violation } from './detect.js';

const CRITERIA_TYPES = ['STATIC', 'STATISTICAL', 'MACHINE_LEARNING'];
const VERIFICATION_STATES = ['FALSE_POSITIVE', 'BENIGN_POSITIVE', 'TRUE_POSITIVE', 'UNKNOWN'];

interface Wanted {
  readonly thingName?: string;
  readonly securityProfileName?: string;
  readonly behaviorCriteriaType?: string;
  readonly listSuppressedAlerts?: boolean;
  readonly verificationState?: string;
}

export function violationOperations(state: IotState): Record<string, Operation> {
  const { detect } = state;
  return {
    ListActiveViolations: (input) => {
      checkFilters(input);
      const all = [...detect.active.values()].filter((violation) => isWanted(violation, input)).reverse();
      const { items, token } = page(all, ({ violationId }) => violationId, input.nextToken, input.maxResults);
      return {
        activeViolations: items.map((violation) => ({
          ...common(violation),
          ...(violation.lastValue ? { lastViolationValue: violation.lastValue } : {}),
          lastViolationTime: new Date(violation.lastAtMs),
          violationStartTime: new Date(violation.startedAtMs),
        })),
        ...(token ? { nextToken: token } : {}),
      };
    },
    ListViolationEvents: (input) => {
      const [startMs, endMs] = [input.startTime.getTime(), input.endTime.getTime()];
      if (startMs > endMs) throw invalidRequest('startTime must not be after endTime');
      checkFilters(input);
      const all = detect.events
        .map((event, index) => ({ ...event, key: `${event.violation.violationId} ${index}` }))
        .filter(({ violation, atMs }) => atMs >= startMs && atMs <= endMs && isWanted(violation, input))
        .reverse();
      const { items, token } = page(all, ({ key }) => key, input.nextToken, input.maxResults);
      return {
        violationEvents: items.map(({ violation, type, atMs, metricValue }) => ({
          ...common(violation),
          ...(metricValue ? { metricValue } : {}),
          violationEventType: type,
          violationEventTime: new Date(atMs),
        })),
        ...(token ? { nextToken: token } : {}),
      };
    },
    PutVerificationStateOnViolation: (input) => {
      checkWord('verificationState', input.verificationState, VERIFICATION_STATES);
      const violation =
        detect.active.get(input.violationId) ??
        detect.events.findLast(({ violation: { violationId } }) => violationId === input.violationId)?.violation;
      if (!violation) throw invalidRequest(`There is no violation ${input.violationId}`);
      violation.verificationState = input.verificationState;
      violation.verificationStateDescription = input.verificationStateDescription;
      return {};
    },
  };
}

function checkFilters({ behaviorCriteriaType, verificationState }: Wanted): void {
  checkWord('behaviorCriteriaType', behaviorCriteriaType, CRITERIA_TYPES);
  checkWord('verificationState', verificationState, VERIFICATION_STATES);
}

function isWanted(violation: Violation, wanted: Wanted): boolean {
  const { thingName, securityProfileName, behaviorCriteriaType, listSuppressedAlerts, verificationState } = wanted;
  return (
    (thingName === undefined || violation.thingName === thingName) &&
    (securityProfileName === undefined || violation.securityProfileName === securityProfileName) &&
    (behaviorCriteriaType === undefined || criteriaType(violation) === behaviorCriteriaType) &&
    (listSuppressedAlerts === undefined || (violation.behavior.suppressAlerts === true) === listSuppressedAlerts) &&
    (verificationState === undefined || violation.verificationState === verificationState)
  );
}

function criteriaType({ behavior: { criteria } }: Violation): string {
  if (criteria?.mlDetectionConfig) return 'MACHINE_LEARNING';
  return criteria?.statisticalThreshold ? 'STATISTICAL' : 'STATIC';
}

const common = (violation: Violation): Record<string, unknown> => ({
  violationId: violation.violationId,
  thingName: violation.thingName,
  securityProfileName: violation.securityProfileName,
  behavior: violation.behavior,
  ...(violation.confidenceLevel ? { violationEventAdditionalInfo: { confidenceLevel: violation.confidenceLevel } } : {}),
  verificationState: violation.verificationState,
  ...(violation.verificationStateDescription === undefined ? {} : { verificationStateDescription: violation.verificationStateDescription }),
});
