/**
 * Which log lines of AWS IoT are written, and into which group: levels of resources go before levels of events, and these before the account's
 * (https://docs.aws.amazon.com/iot/latest/developerguide/configure-logging.html). Nothing is written without a role that lets AWS IoT do it.
 */
import type { LogPlan, LogSubject } from '../../../gateway/iot-log.js';
import type { IotState } from '../state.js';

export const LOG_LEVELS = ['DISABLED', 'ERROR', 'WARN', 'INFO', 'DEBUG'];
const DEFAULT_GROUP = 'AWSIotLogsV2';
/** Written only where an event configuration of the account names them (cwl-format.html). */
const OPT_IN = ['Connection.AuthNError'];

export function createLogPlan(state: IotState): LogPlan {
  const { cloud } = state;
  /** Roles that were found good. The others are looked at again each time: their policies may still come. */
  const good = new Set<string>();
  const mute = new Set<string>();

  const mayWrite = (roleArn: string, group: string): boolean => {
    const key = `${roleArn} ${group}`;
    if (good.has(key)) return true;
    const { partition, region, accountId, journal } = cloud.world;
    const resource = `arn:${partition}:logs:${region}:${accountId}:log-group:${group}:log-stream:broker`;
    let why: string | undefined;
    try {
      cloud.iam.assume(roleArn, 'iot.amazonaws.com', 'iot-logging', state.arn('*'));
      const decision = cloud.iam.roleAllows(roleArn, { action: 'logs:PutLogEvents', resource });
      if (!decision.allowed) why = decision.why;
    } catch (error) {
      why = (error as Error).message;
    }
    if (why === undefined) good.add(key);
    else if (!mute.has(key))
      journal.add({ kind: 'denied', what: 'logs:PutLogEvents', who: 'iot', ok: false, detail: `${roleArn}: ${why}` });
    mute.add(key);
    return why === undefined;
  };

  return (subject, level) => {
    const options = state.settings.logging;
    if (!options || options.disableAllLogs === true) return undefined;
    const event = options.eventConfigurations?.find(({ eventType }) => eventType === subject.eventType);
    if (!event && OPT_IN.includes(subject.eventType)) return undefined;
    const inForce = levelOfResource(state, subject) ?? event?.['logLevel'] ?? options.defaultLogLevel ?? 'DISABLED';
    if (LOG_LEVELS.indexOf(level) > LOG_LEVELS.indexOf(inForce)) return undefined;
    const group = event?.['logDestination'] ?? DEFAULT_GROUP;
    return options.roleArn === undefined || mayWrite(options.roleArn, group) ? { group } : undefined;
  };
}

/** The most talkative level among those of the client, its certificate, its address and the groups of its thing. */
function levelOfResource(state: IotState, { clientId, principalId, sourceIp }: LogSubject): string | undefined {
  const levels = state.settings.loggingLevels;
  if (!levels || levels.size === 0) return undefined;
  const targets = [`CLIENT_ID:${clientId}`, `PRINCIPAL_ID:${principalId}`, `SOURCE_IP:${sourceIp}`];
  const thing = thingOf(state, principalId, clientId);
  for (const group of (thing && state.groupsOfThing.get(thing)) ?? []) targets.push(`THING_GROUP:${group}`);
  const found = targets.flatMap((target) => levels.get(target)?.logLevel ?? []);
  return LOG_LEVELS.findLast((level) => found.includes(level));
}

/** The thing of a connection: the attached one that has the client id as its name, or the one that the certificate is exclusively attached to. */
function thingOf(state: IotState, principalId = '', clientId = ''): string | undefined {
  const attached = state.thingsOfCertificate.get(principalId);
  if (attached?.has(clientId)) return clientId;
  return [...(attached ?? [])].find(([, exclusive]) => exclusive)?.[0];
}
