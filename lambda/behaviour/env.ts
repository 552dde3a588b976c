/** What both functions of this capability are told; the exact list of each is in its own `env.ts`. */
import { inflateRawSync } from 'node:zlib';
import { z } from 'zod';
import { MONITOR_SOURCES, type MonitorSource } from '../../domain/fleet/behaviour-metrics.js';
import { BehaviourList } from '../../domain/fleet/behaviours.js';
import { resourceName, wholeNumber } from '../../domain/fleet/environment.js';

export const common = {
  APPLICATION: resourceName,
  LEDGER_TABLE: resourceName,
  VIOLATIONS_TOPIC_ARN: z.string().regex(/^arn:[^:]+:sns:/),
  /** A BehaviourList as JSON, deflated, in base64: all variables of a function together have 4 KB. */
  BEHAVIOURS: z.string().transform((text, context): BehaviourList => {
    try {
      return BehaviourList.parse(JSON.parse(inflateRawSync(Buffer.from(text, 'base64')).toString()));
    } catch {
      context.addIssue({ code: 'custom', message: 'expected a list of behaviours, deflated, in base64' });
      return z.NEVER;
    }
  }),
  WINDOW_SECONDS: wholeNumber(60, 900),
  /** Which sources are switched on, by commas. */
  SOURCES: z.string().transform((text, context): ReadonlySet<MonitorSource> => {
    const names = text.split(',').filter((name) => name !== '');
    const known = names.filter((name): name is MonitorSource => (MONITOR_SOURCES as readonly string[]).includes(name));
    if (known.length !== names.length) context.addIssue({ code: 'custom', message: `expected some of ${MONITOR_SOURCES.join(',')}` });
    return new Set(known);
  }),
} as const;
