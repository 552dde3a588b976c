import { invalidRequest } from '../errors.js';
import type { AuditState } from './audit.js';
import { AUDIT_CHECKS } from './checks.js';
import { isEnabled } from './configuration-operations.js';

/** "The checks you specify must be enabled for your account or an exception occurs" (API_StartOnDemandAuditTask). */
export function checkTargets(audit: AuditState, names: readonly string[]): readonly string[] {
  if (names.length === 0) throw invalidRequest('An audit needs at least one check');
  for (const name of names) {
    if (!AUDIT_CHECKS[name]) throw invalidRequest(`Unknown audit check ${name}`);
    if (!isEnabled(audit, name)) throw invalidRequest(`The audit check ${name} is not enabled`);
  }
  return [...new Set(names)];
}
