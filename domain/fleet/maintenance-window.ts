/**
 * When devices may be told of a campaign: again and again, from a time on, for so long. In the members of AWS IoT Jobs (API_MaintenanceWindow.html),
 * which reads the times in UTC. The window bounds the telling: a device that was told in it and was away begins when it comes back.
 */
export interface MaintenanceWindow {
  /** `cron(minutes hours day-of-month month day-of-week year)`. */
  readonly startTime: string;
  /** 1 to 1430. */
  readonly durationInMinutes: number;
}

export const MAX_MAINTENANCE_MINUTES = 1430;
export const CRON_EXPRESSION = /^cron\([^\s()]{1,40}( [^\s()]{1,40}){5}\)$/;
const ALWAYS = 'at any time';

/** `120 minutes from cron(0 2 * * ? *)`, or `at any time`: as a variable of a function, and for people to read. */
export function printMaintenanceWindow(window: MaintenanceWindow | undefined): string {
  return window === undefined ? ALWAYS : `${window.durationInMinutes} minutes from ${window.startTime}`;
}

/** The reverse of `printMaintenanceWindow`; throws RangeError where the text is none of the two. */
export function parseMaintenanceWindow(text: string): MaintenanceWindow | undefined {
  if (text === ALWAYS) return undefined;
  const [, minutes = '', startTime = ''] = /^([1-9]\d{0,3}) minutes from (.+)$/.exec(text) ?? [];
  const durationInMinutes = Number(minutes);
  if (!CRON_EXPRESSION.test(startTime) || durationInMinutes > MAX_MAINTENANCE_MINUTES)
    throw new RangeError(`maintenance window: got "${text}", expected "${ALWAYS}" or "<minutes> minutes from cron(…)"`);
  return { startTime, durationInMinutes };
}
