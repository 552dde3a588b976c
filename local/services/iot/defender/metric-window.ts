/** What was measured of each device in one window of one length: [startMs, endMs). Of more devices than `MOST_DEVICES` nothing is kept. */
import type { MetricValue } from './detect.js';
import { isUpperLimit } from './criteria.js';
import { MOST_DEVICES } from './last-heard.js';
import type { Watched } from './watched.js';

interface Sample {
  sum: number;
  least: number;
  most: number;
  readonly elements: Set<string>;
}

export class MetricWindow {
  readonly endMs: number;
  /** Devices of which anything came. */
  private readonly heard = new Set<string>();
  /** Key of the behaviour → device → what was measured for it. */
  private readonly samples = new Map<string, Map<string, Sample>>();

  constructor(startMs: number, durationMs: number) {
    this.endMs = startMs + durationMs;
  }

  hear(device: string): void {
    if (this.heard.size < MOST_DEVICES) this.heard.add(device);
  }

  add({ key }: Watched, device: string, value: number | string): void {
    const ofBehavior = this.samples.get(key) ?? new Map<string, Sample>();
    this.samples.set(key, ofBehavior);
    const held = ofBehavior.get(device);
    if (!held && ofBehavior.size >= MOST_DEVICES) return;
    const sample = held ?? { sum: 0, least: Infinity, most: -Infinity, elements: new Set() };
    ofBehavior.set(device, sample);
    if (typeof value === 'string') sample.elements.add(value);
    else {
      sample.sum += value;
      sample.least = Math.min(sample.least, value);
      sample.most = Math.max(sample.most, value);
    }
  }

  /**
   * Device and value. "Behavior profiles are evaluated upon receipt of metrics data for your device" (device-defender-troubleshoot.html): of a device of
   * which nothing came nothing is said; of one of which something came, what AWS IoT itself counts and did not see is zero.
   */
  *measured(watched: Watched): Generator<readonly [device: string, value: MetricValue]> {
    const { metric, key, criteria } = watched;
    const ofBehavior = this.samples.get(key);
    const devices = metric.cloud && metric.counted ? this.heard : (ofBehavior?.keys() ?? []);
    for (const device of devices) {
      const sample = ofBehavior?.get(device);
      if (metric.kind === 'cidrs') yield [device, { cidrs: [...(sample?.elements ?? [])] }];
      // Of sizes each single one must be normal; only against a statistic it is the "cumulative size" (detect-cloud-side-metrics.html).
      else if (metric.counted || criteria.statisticalThreshold) yield [device, { count: sample?.sum ?? 0 }];
      else if (sample) yield [device, { count: isUpperLimit(criteria) ? sample.most : sample.least }];
    }
  }
}
