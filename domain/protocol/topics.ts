/**
 * The topics of a device, in the one place that device policy, device and cloud share. A device speaks and hears under its own name alone:
 *
 *     <topicPrefix>/<thingName>/telemetry   device → cloud
 *     <topicPrefix>/<thingName>/commands    cloud → device
 *     <topicPrefix>/<thingName>/rotation/request, …/proof   device → cloud   (rotation.ts)
 *     <topicPrefix>/<thingName>/rotation/response           cloud → device
 *     <topicPrefix>/<thingName>/report      device → cloud   (device-report.ts)
 *     $aws/things/<thingName>/jobs/…                        both ways, with AWS IoT Jobs
 *
 * The client id equals the thing name: AWS IoT resolves thing variables in policies only then (IG thing-policy-variables.html).
 */
export const DEFAULT_TOPIC_PREFIX = 'fleet';

/** What a device may publish to and receive from, by the last level of the topic. */
export const DEVICE_TOPICS = { publish: ['telemetry'], receive: ['commands'] } as const;
/** The same for the exchange of a rotation. */
export const ROTATION_TOPICS = { publish: ['rotation/request', 'rotation/proof'], receive: ['rotation/response'] } as const;
/** Where a device reports on itself for the built-in monitor; for Detect the same report goes to `defenderTopic`. */
export const REPORT_TOPIC = 'report';
export type DeviceTopic = (typeof DEVICE_TOPICS | typeof ROTATION_TOPICS)['publish' | 'receive'][number] | typeof REPORT_TOPIC;

/** `thing` is a thing name, or the policy variable that stands for it. */
export function deviceTopic(topicPrefix: string, thing: string, topic: DeviceTopic): string {
  return `${topicPrefix}/${thing}/${topic}`;
}

/** A topic of AWS IoT Jobs (IG jobs-mqtt-api.html): `get`, `<jobId>/update/accepted`, `notify-next` …; `jobId` may be `$next` in requests. */
export function jobsTopic(thing: string, suffix: string): string {
  return `$aws/things/${thing}/jobs/${suffix}`;
}

/** The reserved topic on which Device Defender Detect takes reports, where the account has it. */
export const defenderTopic = (thing: string): string => `$aws/things/${thing}/defender/metrics/json`;

/** Policy variable of AWS IoT: the thing that the connection's certificate is attached to, whose name is the client id. */
export const THING_NAME_VARIABLE = '${iot:Connection.Thing.ThingName}';
