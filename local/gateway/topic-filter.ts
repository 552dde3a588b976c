/** MQTT topic names and filters: MQTT 3.1.1 §4.7, MQTT 5.0 §4.7 and §4.8.2, with the limits of AWS IoT Core. */

export const MAX_TOPIC_BYTES = 256;
export const MAX_TOPIC_SLASHES = 7;
/** The three levels of `$aws/rules/<rule>/` are free in the limits (https://docs.aws.amazon.com/iot/latest/developerguide/iot-basic-ingest.html). */
const BASIC_INGEST = /^\$aws\/rules\/[^/]+\//;

/** Reserved topics may be longer than seven slashes: the quota speaks of levels after the mandatory `$aws/…` segments. */
function withinLimits(topic: string): boolean {
  const counted = topic.replace(BASIC_INGEST, '');
  const slashes = counted.split('/').length - 1;
  return Buffer.byteLength(counted) <= MAX_TOPIC_BYTES && (slashes <= MAX_TOPIC_SLASHES || counted.startsWith('$aws/'));
}

export function isTopicName(topic: string): boolean {
  return topic !== '' && !/[+#\0]/.test(topic) && withinLimits(topic);
}

export function isTopicFilter(filter: string): boolean {
  if (filter === '' || filter.includes('\0') || !withinLimits(filter)) return false;
  const levels = filter.split('/');
  return levels.every((level, index) => {
    if (level.includes('#')) return level === '#' && index === levels.length - 1;
    return !level.includes('+') || level === '+';
  });
}

/** `$share/<group>/<filter>`; undefined for a filter that is not shared, or whose share name is not valid. */
export function parseShared(filter: string): { readonly group: string; readonly filter: string } | undefined {
  const match = /^\$share\/([^/+#]+)\/(.+)$/.exec(filter);
  return match ? { group: match[1]!, filter: match[2]! } : undefined;
}

/** A filter that starts with a wildcard does not match topics that start with `$` (MQTT 3.1.1 §4.7.2). */
export function topicMatches(filter: string, topic: string): boolean {
  if (topic.startsWith('$') && (filter.startsWith('+') || filter.startsWith('#'))) return false;
  const wanted = filter.split('/');
  const levels = topic.split('/');
  for (let i = 0; i < wanted.length; i++) {
    if (wanted[i] === '#') return true;
    if (i >= levels.length || (wanted[i] !== '+' && wanted[i] !== levels[i])) return false;
  }
  return wanted.length === levels.length;
}
