/** What one event at the gateway means in the cloud-side metrics of Detect (DDG detect-cloud-side-metrics.html: what each of them counts). */
import type { ClientTraffic } from '../../../cloud.js';

export interface Measurement {
  readonly metric: string;
  readonly value: number | string;
  /** The topic that it was about: a dimension looks at it. */
  readonly topic?: string;
}

const one = (metric: string, topic?: string): Measurement => ({ metric, value: 1, ...(topic === undefined ? {} : { topic }) });

/** "Successful and unsuccessful attempts are counted"; a failure is a request of the device that is denied, so none is one that it may not receive. */
export function measurementsOf({ what, sourceIp, topic, bytes = 0 }: ClientTraffic): readonly Measurement[] {
  const of = topic === undefined ? {} : { topic };
  const address: Measurement = { metric: 'aws:source-ip-address', value: sourceIp, ...of };
  switch (what) {
    case 'Connect.Success':
      return [one('aws:num-connection-attempts'), address];
    case 'Connect.AuthError':
      return [one('aws:num-connection-attempts'), one('aws:num-authorization-failures')];
    case 'PublishIn.Success':
      return [one('aws:num-messages-sent', topic), { metric: 'aws:message-byte-size', value: bytes, ...of }, address];
    case 'PublishOut.Success':
      return [one('aws:num-messages-received', topic)];
    case 'PublishIn.AuthError':
    case 'Subscribe.AuthError':
      return [one('aws:num-authorization-failures', topic)];
    case 'Disconnect':
      return [one('aws:num-disconnects')];
    default:
      return [];
  }
}
