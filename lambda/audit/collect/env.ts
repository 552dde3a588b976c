import { z } from 'zod';
import { AUDIT_CHECK_NAMES, AUDIT_RESPONSES, type AuditCheckName, type AuditResponse } from '../../../domain/fleet/audit-checks.js';
import { decimalNumber, queueUrl, resourceName, wholeNumber } from '../../../domain/fleet/environment.js';

/** A queue, or the word for a capability that is not there. */
const queueOrOff = z.union([z.literal('off'), queueUrl]);

export const CollectEnv = z.object({
  /** Name of this installation: the dimension of its metrics. */
  APPLICATION: resourceName,
  LEDGER_TABLE: resourceName,
  /** Its own queue: what does not fit into one call goes on by message. */
  COLLECT_QUEUE_URL: queueUrl,
  /** Start queue of rotation. */
  START_QUEUE_URL: queueOrOff,
  /** Intake queue of quarantine. */
  INTAKE_QUEUE_URL: queueOrOff,
  /** Sync queue of revocation: a finding about a revoked certificate has the CRLs looked at. */
  SYNC_QUEUE_URL: queueUrl,
  SCHEDULED_AUDIT_NAME: z.string().regex(/^[a-zA-Z0-9_-]{1,128}$/),
  AUDIT_PERIOD_DAYS: wholeNumber(1, 31),
  /** Pages of findings a second: ListAuditFindings has a quota of ten, not adjustable (FACTS C3). */
  PAGES_PER_SECOND: decimalNumber(0.1, 10),
  /** JSON: check → response, for every check. */
  RESPONSES: z.string().transform((text, context): Readonly<Record<AuditCheckName, AuditResponse>> => {
    const read = Responses.safeParse(parsed(text));
    if (read.success) return read.data;
    context.addIssue({ code: 'custom', message: 'expected a JSON object with a response for each audit check' });
    return z.NEVER;
  }),
});

const Responses = z.record(z.enum(AUDIT_CHECK_NAMES as [AuditCheckName, ...AuditCheckName[]]), z.enum(AUDIT_RESPONSES));

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Parsed. */
export type CollectEnv = z.output<typeof CollectEnv>;
/** As the construct sets them: every value a string. */
export type CollectVariables = z.input<typeof CollectEnv>;
