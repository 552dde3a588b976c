/**
 * The work orders of a rotation inside the cloud: what the schedules, the audit, the command line, `start` and `retire` send to the two queues.
 *
 *     daily ─► {due} ─► start ─► {continue} … ─► {launch} ─► campaign: thing group, job
 *     operator: {rotate}, {control}    audit: {finding}                 │
 *     every quarter of an hour ─► {sweep} ─► retire ─► {retire}, {deadlines}, {orphans}, {campaign} for each that runs, {tidy} for old ones
 *
 * A message carries how far its run came: it is the checkpoint. Delivered twice, the second one finds everything done.
 */
import { z } from 'zod';
import { RotationJob } from './rotation.js';

const campaignId = RotationJob.shape.campaignId;
const certificateId = z.string().regex(/^[0-9a-f]{64}$/);
/** ARN of the person, or the name of the function, that asked. */
const by = z.string().min(1).max(2048);

/** Which campaign a run fills, and how many are in it: the runs of one day are `due-<day>`, `due-<day>-2` … */
const Filling = z.object({
  part: z.number().int().positive(),
  size: z.number().int().nonnegative(),
});

/** How far the expiry query of one day came. Days are UTC, `YYYY-MM-DD`. */
export const DueCursor = z.object({
  runId: z.string().regex(/^due-\d{4}-\d\d-\d\d$/),
  day: z.iso.date(),
  /** Records of that day with an earlier notAfter are done. */
  fromMs: z.number().int().nonnegative(),
  filling: Filling,
});
export type DueCursor = z.infer<typeof DueCursor>;

/** What an operator may do with a campaign. */
export const CAMPAIGN_CONTROLS = ['pause', 'resume', 'cancel'] as const;
export type CampaignControl = (typeof CAMPAIGN_CONTROLS)[number];

/** One message on the start queue. */
export const StartMessage = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('due') }),
  z.object({ kind: z.literal('continue'), cursor: DueCursor }),
  /** Thing group and job of a campaign whose members are known. Repeated until it is done. */
  z.object({ kind: z.literal('launch'), campaignId }),
  /** `requestId`: twelve hexadecimal digits, chosen once: the same request twice is one campaign. */
  z.object({
    kind: z.literal('rotate'),
    thingName: z.string().regex(/^[a-zA-Z0-9:_-]{1,128}$/),
    by,
    requestId: z.string().regex(/^[0-9a-f]{12}$/),
  }),
  /** Certificates of one page of audit findings: 250 at most, as AWS IoT pages them. */
  z.object({
    kind: z.literal('finding'),
    certificateIds: z.array(certificateId).min(1).max(250),
    taskId: z.string().regex(/^[a-zA-Z0-9_-]{1,128}$/),
  }),
  z.object({ kind: z.literal('control'), campaignId, control: z.enum(CAMPAIGN_CONTROLS), by }),
]);
export type StartMessage = z.infer<typeof StartMessage>;

/** One message on the retire queue. */
export const RetireMessage = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('sweep') }),
  z.object({ kind: z.literal('retire') }),
  z.object({ kind: z.literal('deadlines') }),
  z.object({ kind: z.literal('campaign'), campaignId }),
  /** Thing group and job of a campaign that ended long ago. */
  z.object({ kind: z.literal('tidy'), campaignId }),
  /** Certificates that a CA issued for a rotation and that no rotation names: what a crash left there. */
  z.object({ kind: z.literal('orphans') }),
]);
export type RetireMessage = z.infer<typeof RetireMessage>;

/**
 * At most so many devices in one campaign: a launch adds them to the group one by one (AddThingToThingGroup, 100 a second at most, FACTS B12)
 * and must fit into one call of the function. What is more goes into the next campaign of the run.
 */
export const MAX_CAMPAIGN_SIZE = 5000;

/** Name of a campaign's thing group and of its job, unique in the account: two installations in one account stay apart. At most 64 characters. */
export function campaignResourceName(prefix: string, id: string): string {
  return `${prefix}-rotation-${id}`;
}
