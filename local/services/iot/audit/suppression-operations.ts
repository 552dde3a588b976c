/** Suppressions: findings that further audits mark as suppressed (https://docs.aws.amazon.com/iot/latest/apireference/API_CreateAuditSuppression.html). */
import type { Operation } from '../../../models/service.js';
import { alreadyExists, invalidRequest, notFound } from '../errors.js';
import { page } from '../paging.js';
import type { IotState } from '../state.js';
import { canonical, suppressionKey, type AuditState, type AuditSuppression } from './audit.js';
import { AUDIT_CHECKS } from './checks.js';

function byKey(audit: AuditState, input: Parameters<Operation>[0]): AuditSuppression {
  const found = audit.suppressions.get(suppressionKey(input.checkName, input.resourceIdentifier));
  if (!found) throw notFound(`There is no suppression of ${input.checkName} for this resource`);
  return found;
}

/** For ever, or until a date; not both. */
function checkEnd(state: IotState, { expirationDate, suppressIndefinitely }: Partial<AuditSuppression>): void {
  if ((expirationDate === undefined) !== (suppressIndefinitely === true))
    throw invalidRequest('Either an expirationDate or suppressIndefinitely must be given');
  if (expirationDate && expirationDate.getTime() <= state.now()) throw invalidRequest('The expirationDate is past');
}

const shown = ({ checkName, resourceIdentifier, ...rest }: AuditSuppression): Record<string, unknown> => ({
  checkName,
  resourceIdentifier,
  ...rest,
});

export function auditSuppressionOperations(state: IotState, audit: AuditState): Record<string, Operation> {
  return {
    CreateAuditSuppression: (input) => {
      const { checkName, resourceIdentifier, expirationDate, suppressIndefinitely, description } = input;
      if (!AUDIT_CHECKS[checkName]) throw invalidRequest(`Unknown audit check ${checkName}`);
      checkEnd(state, { expirationDate, suppressIndefinitely });
      const key = suppressionKey(checkName, resourceIdentifier);
      if (audit.suppressions.has(key)) throw alreadyExists('The suppression already exists', checkName, '');
      audit.suppressions.set(key, {
        checkName,
        resourceIdentifier,
        ...(expirationDate === undefined ? {} : { expirationDate }),
        ...(suppressIndefinitely === undefined ? {} : { suppressIndefinitely }),
        ...(description === undefined ? {} : { description }),
      });
      return {};
    },
    DescribeAuditSuppression: (input) => shown(byKey(audit, input)),
    UpdateAuditSuppression: (input) => {
      const held = byKey(audit, input);
      const { expirationDate, suppressIndefinitely, description } = input;
      if (expirationDate !== undefined || suppressIndefinitely !== undefined) {
        checkEnd(state, { expirationDate, suppressIndefinitely });
        delete held.expirationDate;
        delete held.suppressIndefinitely;
        Object.assign(held, expirationDate === undefined ? { suppressIndefinitely } : { expirationDate });
      }
      if (description !== undefined) held.description = description;
      return {};
    },
    DeleteAuditSuppression: (input) => {
      audit.suppressions.delete(suppressionKey(input.checkName, input.resourceIdentifier));
      return {};
    },
    ListAuditSuppressions: (input) => {
      const all = [...audit.suppressions.entries()].filter(
        ([, held]) =>
          (input.checkName === undefined || held.checkName === input.checkName) &&
          (input.resourceIdentifier === undefined || canonical(held.resourceIdentifier) === canonical(input.resourceIdentifier)),
      );
      // Sorted by expiry, the soonest first unless told otherwise; those for ever come last.
      const endOf = ([, { expirationDate }]: (typeof all)[number]): number => expirationDate?.getTime() ?? Number.MAX_SAFE_INTEGER;
      const sorted = all.toSorted((a, b) => (input.ascendingOrder === false ? endOf(b) - endOf(a) : endOf(a) - endOf(b)));
      const { items, token } = page(sorted, ([key]) => key, input.nextToken, input.maxResults);
      return { suppressions: items.map(([, held]) => shown(held)), ...(token ? { nextToken: token } : {}) };
    },
  };
}
