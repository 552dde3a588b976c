/**
 * Reports of devices on `$aws/things/<thing>/defender/metrics/json`, in long or short names
 * (https://docs.aws.amazon.com/iot-device-defender/latest/devguide/detect-device-side-metrics.html, "Sending metrics from devices"). They are checked
 * and answered; what is accepted is evaluated.
 */
import type { Responder } from '../../../gateway/reserved/responder.js';
import type { IotState } from '../state.js';
import type { Detector } from './detector.js';
import { type Json, reportProblem } from './report-check.js';
import { reportValues } from './report-values.js';

const TOPIC = /^\$aws\/things\/([a-zA-Z0-9:_-]{1,128})\/defender\/metrics\/json$/;
/** More than one report in five minutes is throttled; only where the desk's faults enforce quotas. */
const LEAST_PAUSE_MS = 300_000;
const MOST_REMEMBERED = 20_000;

export function metricReports(state: IotState, detector: Detector): Responder {
  const acceptedAt = new Map<string, number>();
  return {
    topic: TOPIC,
    respond: ([topic, thing], payload, { publish }) => {
      const thingName = thing!;
      const now = state.now();
      const reject = (ErrorCode: string, ErrorMessage: string): void =>
        publish(
          `${topic}/rejected`,
          JSON.stringify({ thingName, status: 'REJECTED', statusDetails: { ErrorCode, ErrorMessage }, timestamp: now }),
        );
      const report = parse(payload);
      const problem = report === undefined ? 'Malformed metrics report' : reportProblem(report);
      if (problem !== undefined) return reject('InvalidPayload', problem);
      if (state.cloud.world.faults.quotasOn && now - (acceptedAt.get(thingName) ?? -Infinity) < LEAST_PAUSE_MS)
        return reject('Throttled', 'Reports must be at least five minutes apart');
      if (acceptedAt.size >= MOST_REMEMBERED) acceptedAt.clear();
      acceptedAt.set(thingName, now);
      const header = (report!['header'] ?? report!['hed']) as Json;
      const reportId = String(header['report_id'] ?? header['rid']);
      publish(`${topic}/accepted`, JSON.stringify({ thingName, [reportId]: Math.floor(now / 1000), status: 'ACCEPTED', timestamp: now }));
      detector.reported(thingName, reportValues(report!));
    },
  };
}

function parse(payload: Buffer): Json | undefined {
  try {
    const parsed: unknown = JSON.parse(payload.toString('utf8'));
    return typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed) ? (parsed as Json) : undefined;
  } catch {
    return undefined;
  }
}
