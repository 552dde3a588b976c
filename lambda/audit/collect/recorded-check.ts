import { auditCheckNamed } from '../../../domain/fleet/audit-checks.js';
import { UNKNOWN_CHECK, type RecordedCheck } from '../../ports/audit-record.js';

/** Under which check a finding is on record, in whichever spelling AWS names it. */
export const recordedCheck = (checkName: string): RecordedCheck => auditCheckNamed(checkName) ?? UNKNOWN_CHECK;
